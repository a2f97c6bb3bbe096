"""The scripts and styles of widgets: each page loads those of its own widgets, and shared ones once.

The source of a script is an ES module, of fmkit.widgets or of a folder here. It imports any other by
"./name.js", since the site has them all in one folder; `import` and `export` are at the start of a line.
The module of a widget exports by default an object with `render({ el, model })`, as anywidget expects. A
browser refuses modules on a page that was opened as a file, so the site has plain scripts, which loader.js
connects.
"""

from functools import cache
from pathlib import Path

from sphinx.application import Sphinx

from bookkit.site.templates import PACKAGE
from fmkit.widgets.modules import EXPORT, IMPORT, SOURCES, needed

PLACE = "widgets"  # in _static
LOADER = PACKAGE / "site" / "loader.js"


@cache
def sources() -> dict[str, Path]:
    """The modules of fmkit and of the folders here, by their names."""
    paths = sorted([*PACKAGE.glob("*/*.js"), *PACKAGE.glob("widgets/*/*.js")])
    return SOURCES | {path.stem: path for path in paths if path.parent != LOADER.parent}


def script(name: str) -> str:
    """A module as a plain script, which hands its exports to the loader."""
    text = sources()[name].read_text(encoding="utf-8")
    imports = IMPORT.findall(text)
    parameters = ", ".join(what.removeprefix("* as ").replace(" as ", ": ") for what, _ in imports)
    exports = ", ".join(EXPORT.findall(text))
    body = EXPORT.sub("", IMPORT.sub("", text)).replace("\nexport default ", "\nconst widget = ")
    if "export default" in text:
        exports = f"{exports}, default: widget".removeprefix(", ")
    return define(
        name, [other for _, other in imports], f"({parameters}) => {{\n{body}\nreturn {{ {exports} }};\n}}"
    )


def define(name: str, needs: list[str], make: str) -> str:
    """The call that hands a module to the loader; `make` is a function of the modules that it needs."""
    return f'"use strict";\nfmkit.define({name!r}, {needs!r}, {make});\n'


def write_scripts(app: Sphinx) -> None:
    folder = Path(app.outdir) / "_static" / PLACE
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "loader.js").write_text(LOADER.read_text(encoding="utf-8"), encoding="utf-8")
    for name, path in sources().items():
        (folder / f"{name}.js").write_text(script(name), encoding="utf-8")
        if (style := path.with_suffix(".css")).is_file():
            (folder / style.name).write_text(style.read_text(encoding="utf-8"), encoding="utf-8")


def assets(names: list[str]) -> tuple[list[str], list[str]]:
    """The scripts and styles that a page with these widgets loads, in order, as addresses within _static."""
    scripted = [name for name in names if name in sources()]
    if not scripted:
        return [], []
    modules = list(dict.fromkeys(module for name in scripted for module in needed(name, sources())))
    styled = [module for module in modules if sources()[module].with_suffix(".css").is_file()]
    scripts = [f"{PLACE}/{name}.js" for name in ("loader", *modules)]
    return scripts, [f"{PLACE}/{name}.css" for name in styled]
