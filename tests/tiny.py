"""A small book, built and opened like the real one, for the tests of directives and of what they show."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from bookkit.site import browser as chromium
from bookkit.site.build import run_jupyter_book, site
from bookkit.site.serve import open_server

ROOT = Path(__file__).parents[1]
AXE = ROOT / "bookkit/web/node_modules/axe-core/axe.min.js"
# Every state of a page is tested in these: axe-core in both schemes at one width, the fit alone at the other.
DESK, PHONE = 1300, 390
LOOKS = [(DESK, "light"), (DESK, "dark"), (PHONE, "light")]
# Scripts after which the browser stores nothing, as where a reader blocks it, or has filled it.
NO_STORAGE = {
    "denied": "Object.defineProperty(window, 'localStorage', {get() { throw Error('denied'); }});",
    "full": "Storage.prototype.setItem = () => { throw Error('full'); };",
}


def write(folder: Path, text: str) -> Path:
    """Write the sources of a book whose only page, chapters/intro, is `text`; its assets/ can be added to."""
    shutil.copy(ROOT / "_config.yml", folder)
    (folder / "_toc.yml").write_text("format: jb-book\nroot: chapters/intro\n")
    (folder / "chapters/back").mkdir(parents=True)
    (folder / "chapters/back/references.bib").touch()
    (folder / "chapters/intro.md").write_text(text)
    left = shutil.ignore_patterns("models", "runs", "lessons")
    shutil.copytree(ROOT / "assets", folder / "assets", ignore=left)
    return folder


def build(folder: Path) -> Path:
    """Build the site by the book's own command; returns its folder."""
    run_jupyter_book(folder)
    return site(folder)


def read(folder: Path, *more: str) -> tuple[str, str]:
    """Build a book with bookkit's widgets alone, and `more` of its parts, in this process, in a second.

    Returns the HTML of chapters/intro and the warnings.
    """
    parts = ("site.page_widget", "quiz", "exam", "progress", "widgets.explorer", "widgets.guess", *more)
    settings = {
        "extensions": ["myst_parser", "sphinx_exercise", *(f"bookkit.{part}" for part in parts)],
        "myst_enable_extensions": ["dollarmath"],
        "root_doc": "chapters/intro",
        "include_patterns": ["chapters/**"],
    }
    out, warnings = folder / "_build/html", StringIO()
    with docutils_namespace():
        app = Sphinx(folder, None, out, folder / "_build/trees", "html", settings, None, warnings)
        app.build()
    return (out / "chapters/intro.html").read_text(encoding="utf-8"), warnings.getvalue()


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Browser, str]]:
    """A browser, and the address where it finds the site."""
    path = chromium.find()
    assert path, chromium.MISSING
    with open_server(folder) as server, sync_playwright() as playwright:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        with playwright.chromium.launch(executable_path=path, args=chromium.ARGUMENTS) as browser:
            yield browser, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def faults(page: Page, part: str = "html") -> list[str]:
    """What is wider than the page, and on a desk's screen what axe-core says against `part`."""
    width = page.viewport_size["width"] if page.viewport_size else 0
    found = []
    if (needed := page.evaluate("document.documentElement.scrollWidth")) > width:
        found.append(f"the page is {needed} px wide on a screen of {width}")
    return found + (violations(page, part) if width == DESK else [])


def violations(page: Page, part: str = "html") -> list[str]:
    """What axe-core says against a part of the page. Its script goes in once."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    # No transition is awaited: they are off for a reader who wants less motion, as these pages are opened.
    result = page.evaluate("async (part) => await axe.run(part, {resultTypes: ['violations']})", part)
    return [f"{v['id']}: {v['help']}: {[n['html'][:160] for n in v['nodes']]}" for v in result["violations"]]


def small_targets(page: Page, part: str) -> list[str]:
    """The controls in sight that are lower than 44 px."""
    return page.evaluate(
        """(part) => [...document.querySelectorAll(part)]
            .map((one) => [one.textContent.slice(0, 30), one.getBoundingClientRect().height])
            .filter(([, height]) => height && height < 44)
            .map(([text, height]) => `${text}: ${height} px high`)""",
        part,
    )
