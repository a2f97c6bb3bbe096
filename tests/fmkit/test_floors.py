"""The house has floors: a module imports from its own and those below."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import fmkit

PACKAGE = Path(__file__).parents[2] / "fmkit"
FLOORS = [
    {"errors", "config", "flops", "footprint", "scaling"},
    {"data"},
    {"attention", "losses", "optim", "checkpoint", "model", "lora", "generation"},
    {"objectives", "trainer", "run"},
    {"evaluation", "plots"},
    {"recipes"},
    {"lab", "experiments", "models", "widgets", "book", "commands", "cli"},
]
LEVEL = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
UPWARD = {("run", "plots")}  # the one stair that goes up: run.plot(), imported when it is called


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports; for a name taken from the package itself, the module it comes from."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "fmkit":
            yield from (fmkit._HOMES.get(alias.name, f"fmkit.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def is_upward(path: Path, name: str) -> bool:
    target = name.split(".")[1] if name.startswith("fmkit.") else None
    return target in LEVEL and LEVEL[target] > LEVEL[room(path)] and (room(path), target) not in UPWARD


def test_imports_go_down_only():
    files = [path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py"]
    assert not [f"{path}: {name}" for path in files for name in imported(path) if is_upward(path, name)]


def test_a_name_of_the_package_has_the_floor_of_its_module(tmp_path):
    (tmp_path / "module.py").write_text("def late():\n    from fmkit import pretrain, FmkitError, lab\n")
    names = list(imported(tmp_path / "module.py"))
    assert names == ["fmkit.recipes.pretrain", "fmkit.errors", "fmkit.widgets.lab"]
    assert [is_upward(PACKAGE / "data/masking.py", name) for name in names] == [True, False, True]


def test_every_room_has_its_floor():
    rooms = {room(path) for path in PACKAGE.rglob("*.py")} - {"__init__"}
    assert rooms == LEVEL.keys()


def test_the_floors_are_those_of_the_table():
    text = (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?:faces|recipes|measure|loop|parts|text|ground) \|([^|]*)\|", text, re.MULTILINE)
    assert [set(re.findall(r"`(\w+)(?:\.py|/)`", row)) for row in reversed(rows)] == FLOORS
