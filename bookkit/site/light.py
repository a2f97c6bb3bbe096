"""The finished pages made light: styles in the page itself, one script of the theme, and one of the widgets.

Sphinx, the theme and each extension bring files of their own to every page, 27 of them. Here a page has its
styles within, so that it is painted as soon as its text comes, on a slow network a second earlier than with a
style sheet to wait for. The scripts that it names become bundles, which pages that name the same ones share,
and no longer hold up the page. Both are minified. What only the search needs comes with the search, and a
widget's data when it is near. Coordinates of figures are rounded.
"""

import hashlib
import re
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path
from posixpath import dirname, join, normpath

from sphinx.application import Sphinx
from sphinx.util import logging

from bookkit.site.node import run
from bookkit.site.policy import INLINE, add_policy, refused
from bookkit.site.scripts import PLACE
from bookkit.site.templates import PACKAGE, render
from bookkit.site.unused import names, without_unused

logger = logging.getLogger(__name__)

STYLE = re.compile(r'[ \t]*<link [^>]*href="([^"]*?_static/)([^"?]+\.css)[^>]*>\n?')
SCRIPT = re.compile(r'[ \t]*<script[^>]* src="([^"]*?)((?:_static/|searchindex)[^"?]*\.js)[^>]*></script>\n?')
PRELOAD = re.compile(r'[ \t]*<link rel="preload" as="script"[^>]*>\n?')
IMPORT = re.compile(r'@import "([^"]+)";')
URL = re.compile(r"""url\((["']?)(?!["']?(?:data:|#))([^)"']+)\1\)""")
MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)

FIGURE = re.compile(r'<svg role="img".*?</svg>', re.DOTALL)
COORDINATES = re.compile(r' (?:d|x|y)="[^"]*"')
NO_TURN = re.compile(r' transform="rotate\(-0 [^"]*\)"')
GROUP = re.compile(r'<g id="[^"]*_\d+">')  # Matplotlib's numbers; those of two figures on a page are the same
NUMBER = re.compile(r"-?\d+\.\d+")
LONG_LINE = 2000  # characters

STATE = re.compile(r'<script type="application/vnd.jupyter.widget-state\+json">.*?</script>\n?', re.DOTALL)
VIEW = "application/vnd.jupyter.widget-view+json"

SEARCH = ("_static/searchtools.js", "_static/language_data.js", "searchindex.js")
DATA = re.compile(rf"_static/{PLACE}/.*/")  # in folders there; the loader loads it when its widget is near
SEARCH_PAGE = 'id="search-results"'
OURS = {path.name for path in PACKAGE.rglob("*.css") if "node_modules" not in path.parts}


class Bundles:
    """The styles and scripts that pages name, minified, for each page to be put together from."""

    def __init__(self, site: Path, pages: Collection[str], known: set[str]) -> None:
        self.site, self.known = site, known
        self.script = cache(self._script)
        scripts = filter(at_once, named(SCRIPT, pages))
        self.styles = minified({file: self.read_style(file) for file in named(STYLE, pages)})
        self.scripts = minified({file: self.read_script(file) for file in scripts})

    def read_style(self, file: str) -> str:
        """A style sheet without what no page needs."""
        text = self.whole_style(file)
        return text if Path(file).name in OURS else without_unused(text, self.known)

    def whole_style(self, file: str) -> str:
        """A style sheet with those that it imports, and with addresses that start at `_static`."""
        text = (self.site / "_static" / file).read_text(encoding="utf-8")

        def place(address: str) -> str:
            return normpath(join(dirname(file), address))

        text = URL.sub(lambda found: f'url("{place(found[2])}")', text)
        return IMPORT.sub(lambda found: self.whole_style(place(found[1])), text)

    def read_script(self, file: str) -> str:
        return MAP.sub("", (self.site / file).read_text(encoding="utf-8"))

    def style(self, root: str, files: list[str]) -> str:
        """The element with these style sheets, for a page from which `root` leads to `_static`."""
        text = "".join(self.styles[file] for file in files)
        text = URL.sub(lambda found: f'url("{root}{found[2]}")', text)
        return f"<style>{text}</style>\n"

    def _script(self, files: tuple[str, ...], folder: str) -> str:
        """Write the bundle of these scripts; its name has a hash of what it holds."""
        texts = [self.scripts[file] for file in files]
        if folder:  # scripts of widgets are strict, and one that fails stops no other
            text = '"use strict";\n' + "".join(
                f"try {{\n{text}}} catch (error) {{ reportError(error); }}\n" for text in texts
            )
        else:
            text = "".join(f";{text}\n" for text in texts)
        name = f"_static/{folder}script-{hashlib.sha256(text.encode()).hexdigest()[:10]}.js"
        (self.site / name).write_text(text, encoding="utf-8")
        return name


def named(tag: re.Pattern[str], pages: Collection[str]) -> list[str]:
    """The files that such tags of the pages name."""
    return sorted({file for page in pages for _, file in tag.findall(page)})


def minified(files: dict[str, str]) -> dict[str, str]:
    """Styles and scripts, by the names of their files."""
    sources = [{"kind": Path(file).suffix[1:], "text": text} for file, text in files.items()]
    return dict(zip(files, run("minify.mjs", sources), strict=True))


def at_once(file: str) -> bool:
    """Whether a page that names this script needs it from the start."""
    return file not in SEARCH and not DATA.match(file)


def lighten(page: str, bundles: Bundles) -> str:
    """A page with its styles, which names bundles in place of the scripts in them."""
    page = PRELOAD.sub("", page)
    if VIEW not in page:  # what it saved shows nothing: progress bars of the cells
        page = STATE.sub("", page)
    page = replaced(page, STYLE, bundles.style)
    searched = SEARCH_PAGE in page

    def scripts(root: str, files: list[str]) -> str:
        made = bundled([file for file in files if at_once(file)], bundles.script)
        search = [file for file in files if searched and file in SEARCH]
        return "".join(f'<script defer src="{root}{file}"></script>\n' for file in made + search)

    page = replaced(page, SCRIPT, scripts)
    return FIGURE.sub(lambda figure: rounded(figure[0]), page)


def replaced(page: str, pattern: re.Pattern[str], tags: Callable[[str, list[str]], str]) -> str:
    """A page with `tags(root, files)` in place of those that match; they named `files`, below `root`."""
    found = list(pattern.finditer(page))
    if not found:
        return page
    start = found[0].start()
    return page[:start] + tags(found[0][1], [one[2] for one in found]) + pattern.sub("", page[start:])


def bundled(files: list[str], bundle: Callable[[tuple[str, ...], str], str]) -> list[str]:
    """The bundle of the theme's scripts, and that of the widgets'."""
    ours = tuple(file for file in files if of_widget(file))
    others = tuple(file for file in files if file not in ours)
    return [bundle(part, folder) for part, folder in ((others, ""), (ours, f"{PLACE}/")) if part]


def of_widget(file: str) -> bool:
    """Also of the loader, which finds other scripts beside the bundle that holds it."""
    return file.startswith(f"_static/{PLACE}/")


def rounded(figure: str) -> str:
    """A figure with coordinates of two decimals, in a long line of one: a tenth of a pixel."""
    return COORDINATES.sub(shorter, GROUP.sub("<g>", NO_TURN.sub("", figure)))


def shorter(coordinates: re.Match[str]) -> str:
    digits = 1 if len(coordinates[0]) > LONG_LINE else 2
    return NUMBER.sub(lambda number: f"{float(number[0]):.{digits}f}".rstrip("0").rstrip("."), coordinates[0])


def finish(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.name != "html":
        return
    site = Path(app.outdir)
    paths = [path for path in sorted(site.rglob("*.html")) if not path.is_relative_to(site / "_static")]
    pages = {path: path.read_text(encoding="utf-8") for path in paths}
    scripts = {script for page in pages.values() for _, script in SCRIPT.findall(page)}
    files = [*(site / script for script in scripts), *(site / "_static" / PLACE).rglob("*.js")]
    known = names(pages.values(), (file.read_text(encoding="utf-8") for file in files))
    bundles, colors = Bundles(site, pages.values(), known), INLINE.findall(render("site/colors.html"))[0]
    for path, page in pages.items():
        for script in refused(page, colors):
            logger.warning("%s: the content security policy would not run this: %s", path.name, script)
        path.write_text(add_policy(lighten(page, bundles), colors), encoding="utf-8")


def setup(app: Sphinx) -> None:
    app.connect("build-finished", finish, priority=990)  # after all that writes pages, scripts and styles
