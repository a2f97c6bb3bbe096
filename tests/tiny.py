"""A book of one page, built and opened like the real one, for tests of a directive on its own."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import browser as chromium
from playwright.sync_api import Browser, Page, sync_playwright

from bookkit.site.build import run_jupyter_book, site
from bookkit.site.serve import open_server

ROOT = Path(__file__).parents[1]
AXE = ROOT / "bookkit/web/node_modules/axe-core/axe.min.js"


def write(folder: Path, text: str) -> Path:
    """The sources of a book whose only page, chapters/intro, is `text`; its assets/ can be added to."""
    shutil.copy(ROOT / "_config.yml", folder)
    (folder / "_toc.yml").write_text("format: jb-book\nroot: chapters/intro\n")
    (folder / "chapters").mkdir()
    (folder / "chapters/intro.md").write_text(text)
    large = shutil.ignore_patterns("web", "models", "runs")
    shutil.copytree(ROOT / "assets", folder / "assets", ignore=large)
    return folder


def build(folder: Path) -> Path:
    run_jupyter_book(folder)
    return site(folder)


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Browser, str]]:
    """A browser, and the address where it finds the site."""
    path = chromium.find()
    assert path, chromium.MISSING
    with open_server(folder) as server, sync_playwright() as playwright:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with playwright.chromium.launch(executable_path=path, args=chromium.ARGUMENTS) as browser:
            yield browser, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def violations(page: Page, part: str) -> list[str]:
    """What axe-core says against a part of the page, after the transitions between colors."""
    page.wait_for_timeout(300)
    page.evaluate(AXE.read_text())
    result = page.evaluate("async (part) => await axe.run(part, {resultTypes: ['violations']})", part)
    return [f"{v['id']}: {v['help']}: {[n['html'][:160] for n in v['nodes']]}" for v in result["violations"]]
