"""The front ends of widgets: ES modules and style sheets put together from files, without a bundler.

A widget's module imports shared ones. Since anywidget expects one file, `module` writes the imported ones
in front of it: an import is one line, and no two files use the same top-level name. A style sheet has the
name of its module. The pages of the book load the same files, each once.
"""

import re
from collections.abc import Mapping
from pathlib import Path

WEB = Path(__file__).parent / "web"
SOURCES = {path.stem: path for path in sorted(WEB.glob("*.js"))}
IMPORT = re.compile(r'^import (\{.*\}|\* as \w+) from "\./([\w-]+)\.js";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|class|const) (\w+))", re.MULTILINE)


def names() -> list[str]:
    """List the widgets of this package: the files of web/ that aren't shared modules."""
    return [name for name, path in SOURCES.items() if "export default" in path.read_text(encoding="utf-8")]


def needed(name: str, sources: Mapping[str, Path] = SOURCES) -> list[str]:
    """List a module and those that it imports, directly or not, each after those that it needs itself."""
    order: list[str] = []
    for _, other in IMPORT.findall(sources[name].read_text(encoding="utf-8")):
        order += [one for one in needed(other, sources) if one not in order]
    return [*order, name]


def module(name: str) -> str:
    """Return the ES module of a widget: its default export has `render`, as anywidget expects."""
    texts = [SOURCES[one].read_text(encoding="utf-8") for one in needed(name)]
    return "".join(EXPORT.sub("", IMPORT.sub("", text)) for text in texts)


def styles(name: str) -> str:
    """Return the style sheet of a widget, after those of the modules that it imports."""
    sheets = [SOURCES[one].with_suffix(".css") for one in needed(name)]
    return "\n".join(sheet.read_text(encoding="utf-8") for sheet in sheets if sheet.is_file())
