"""The finished pages made light: one style sheet and one script of the theme, and one each of its widgets.

Sphinx, the theme and each extension bring files of their own to every page, 27 of them. Here the files that a
page names become bundles: pages that name the same ones share a bundle. Scripts no longer hold up the page;
what only the search needs comes with the search, and a widget's data when it is near. Coordinates of figures
are rounded.
"""

import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging

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
    """Files of a site put together; the name of a bundle has a hash of what it holds."""

    def __init__(self, site: Path, known: set[str]) -> None:
        self.static, self.known = site / "_static", known
        self.style, self.script = cache(self._style), cache(self._script)

    def _style(self, files: tuple[str, ...], folder: str) -> str:
        return self.write(f"{folder}style", "css", "".join(self.read_style(file, folder) for file in files))

    def read_style(self, file: str, folder: str) -> str:
        """A style sheet without what no page needs, and with addresses that start at `folder`."""
        path = self.static / file
        text = path.read_text(encoding="utf-8")
        text = IMPORT.sub(lambda found: (path.parent / found[1]).read_text(encoding="utf-8"), text)
        if path.name not in OURS:
            text = without_unused(text, self.known)
        place = Path(file).parent.relative_to(folder or ".")
        return URL.sub(lambda found: f'url("{place.joinpath(found[2]).as_posix()}")', text)

    def _script(self, files: tuple[str, ...], folder: str) -> str:
        texts = [MAP.sub("", (self.static / file).read_text(encoding="utf-8")) for file in files]
        if folder:  # scripts of widgets are strict, and one that fails stops no other
            text = '"use strict";\n' + "".join(
                f"try {{\n{text}}} catch (error) {{ reportError(error); }}\n" for text in texts
            )
        else:
            text = "".join(f";{text}\n" for text in texts)
        return self.write(f"{folder}script", "js", text)

    def write(self, stem: str, kind: str, text: str) -> str:
        name = f"{stem}-{hashlib.sha256(text.encode()).hexdigest()[:10]}.{kind}"
        (self.static / name).write_text(text, encoding="utf-8")
        return name


def lighten(page: str, bundles: Bundles) -> str:
    """A page that names bundles in place of the files in them."""
    page = PRELOAD.sub("", page)
    if VIEW not in page:  # what it saved shows nothing: progress bars of the cells
        page = STATE.sub("", page)
    page = replaced(
        page, STYLE, lambda files: bundled(files, bundles.style), '<link rel="stylesheet" href="{}">\n'
    )
    searched = SEARCH_PAGE in page

    def scripts(files: list[str]) -> list[str]:
        own = [file.removeprefix("_static/") for file in files if file not in SEARCH and not DATA.match(file)]
        made = [f"_static/{name}" for name in bundled(own, bundles.script)]
        return made + [file for file in files if searched and file in SEARCH]

    page = replaced(page, SCRIPT, scripts, '<script defer src="{}"></script>\n')
    return FIGURE.sub(lambda figure: rounded(figure[0]), page)


def replaced(page: str, pattern: re.Pattern[str], files: Callable[[list[str]], list[str]], tag: str) -> str:
    """A page with the tags that match replaced by one for each of `files`, a function of those they named."""
    found = list(pattern.finditer(page))
    if not found:
        return page
    root, start = found[0][1], found[0].start()
    tags = "".join(tag.format(root + file) for file in files([one[2] for one in found]))
    return page[:start] + tags + pattern.sub("", page[start:])


def bundled(files: list[str], bundle: Callable[[tuple[str, ...], str], str]) -> list[str]:
    """The bundle of the theme's files, and that of the widgets'."""
    ours = tuple(file for file in files if of_widget(file))
    others = tuple(file for file in files if file not in ours)
    return [bundle(part, folder) for part, folder in ((others, ""), (ours, f"{PLACE}/")) if part]


def of_widget(file: str) -> bool:
    """Also of the loader, which finds other scripts beside the bundle that holds it."""
    return file.startswith(f"{PLACE}/")


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
    bundles, colors = Bundles(site, known), INLINE.findall(render("site/colors.html"))[0]
    for path, page in pages.items():
        for script in refused(page, colors):
            logger.warning("%s: the content security policy would not run this: %s", path.name, script)
        path.write_text(add_policy(lighten(page, bundles), colors), encoding="utf-8")


def setup(app: Sphinx) -> None:
    app.connect("build-finished", finish, priority=990)  # after all that writes pages, scripts and styles
