"""Imports go down only, through the layers of CONTRIBUTING.md, and none goes in a circle."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (ROOT / "fmkit").rglob("*.py")
}
PACKAGES = {module for module, path in MODULES.items() if path.stem == "__init__"}


def imports(code: str) -> set[str]:
    """The modules that code imports: at its top, in a function, for its types, or named in a string."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            named = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else str(node.module) for name in named}
        elif isinstance(node, ast.Constant) and node.value in MODULES:
            # The name of a package is not an import: it finds the data files beside it.
            found |= {node.value} - PACKAGES
    return found


def part(module: str) -> str:
    """What a layer names: a module or subpackage of fmkit; "" is the package itself, which hands on names."""
    return module.removeprefix("fmkit").removeprefix(".").partition(".")[0]


IMPORTS = {module: imports(path.read_text(encoding="utf-8")) for module, path in MODULES.items()}


def layers() -> list[set[str]]:
    """The parts of fmkit in each layer, the lowest first."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("| layer | modules | holds |\n|---|---|---|\n")[2].partition("\n\n")[0]
    return [set(re.findall(r"`(\w+)(?:\.py|/)`", row.split("|")[2])) for row in reversed(table.splitlines())]


@pytest.mark.parametrize(
    "code",
    [
        "import fmkit.losses",
        "from fmkit import losses",
        "from fmkit.losses import IGNORE",
        "def late():\n    from fmkit.losses import IGNORE",
        "if TYPE_CHECKING:\n    from fmkit.losses import IGNORE",
        "import_module('fmkit.losses')",
    ],
)
def test_an_import_is_found(code: str) -> None:
    assert imports(code) == {"fmkit.losses"}


def test_every_module_has_one_layer() -> None:
    named = sorted(name for layer in layers() for name in layer)
    assert named == sorted({part(module) for module in MODULES} - {""})


def test_imports_go_down() -> None:
    height = {name: level for level, layer in enumerate(layers()) for name in layer}
    height[""] = max(height[part(name)] for name in IMPORTS["fmkit"] & MODULES.keys())
    assert not [
        f"{module} imports {name}"
        for module, names in IMPORTS.items()
        for name in names & MODULES.keys()
        if height[part(name)] > height[part(module)]
    ]


def test_no_circle_of_modules() -> None:
    graph = {module: names & MODULES.keys() - {module} for module, names in IMPORTS.items()}
    TopologicalSorter(graph).prepare()  # raises CycleError with the circle


def test_no_circle_of_parts() -> None:
    graph: dict[str, set[str]] = {}
    for module, names in IMPORTS.items():
        graph.setdefault(part(module), set()).update(part(name) for name in names & MODULES.keys())
    TopologicalSorter({name: found - {name} for name, found in graph.items()}).prepare()


@pytest.mark.parametrize(
    ("importer", "unwanted"),
    [
        ("fmkit.losses", "fmkit"),
        ("fmkit.evaluation", "fmkit.world"),
        ("fmkit.trainer", "fmkit.world"),
        ("fmkit.plots", "fmkit.run"),
        ("fmkit", "bookkit"),
    ],
)
def test_it_does_not_import(importer: str, unwanted: str) -> None:
    found = {
        name
        for module, names in IMPORTS.items()
        if f"{module}.".startswith(f"{importer}.")
        for name in names
        if f"{name}.".startswith(f"{unwanted}.")
    }
    assert not found


def test_chapters_import_fmkit_alone() -> None:
    """A hosted kernel has the wheel of fmkit; bookkit is only in a checkout."""
    pages = [*ROOT.glob("chapters/**/*.ipynb"), *ROOT.glob("chapters/**/*.md")]
    importing = re.compile(r"(?:from|import) bookkit\b")
    assert not [str(page) for page in pages if importing.search(page.read_text(encoding="utf-8"))]
