"""The front ends of the widgets, in web/: put together from files, without a bundler.

A widget's module imports from shared ones; since every host wants one file, `module` writes what is imported
in front of it. For that, an import stands on one line, and no two files use the same top-level name.
"""

import re
from pathlib import Path

WEB = Path(__file__).parent / "web"
IMPORT = re.compile(r'^import \{.*\} from "\./(\w+\.js)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


def names() -> list[str]:
    """The widgets that there are: what web/ holds besides shared modules."""
    return sorted(
        path.stem for path in WEB.glob("*.js") if "export default" in path.read_text(encoding="utf-8")
    )


def module(name: str) -> str:
    """The ES module of a widget: its default export has `render`, as anywidget wants it."""
    return _gather(f"{name}.js", set())


def _gather(file: str, seen: set[str]) -> str:
    seen.add(file)
    text = (WEB / file).read_text(encoding="utf-8")
    imported = [_gather(other, seen) for other in IMPORT.findall(text) if other not in seen]
    return "".join(imported) + EXPORT.sub("", IMPORT.sub("", text))


def script(name: str) -> str:
    """The same as a script for the page's loader, since a page that was opened as a file runs no modules."""
    return f'fmkit.define("{name}", (() => {{\n{module(name).replace("export default", "return")}}})());\n'


def styles() -> str:
    """The style sheet of all widgets."""
    return (WEB / "widgets.css").read_text(encoding="utf-8")
