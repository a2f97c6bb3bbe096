"""A small book with every widget, built once, and opened in a browser that remembers nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import quiz_book
import tiny
from playwright.sync_api import Browser, Page


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what opens a browser as slow."""
    for item in items:
        if "tiny_browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def tiny_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    book = quiz_book.write(tmp_path_factory.mktemp("book"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FMKIT_PUBLIC_URL", "https://example.org/book")
        return tiny.build(book)


@pytest.fixture(scope="module")  # not for a session: Playwright's loop would be in the way of other tests'
def tiny_browser(tiny_site: Path) -> Iterator[tuple[Browser, str]]:
    with tiny.opened(tiny_site) as both:
        yield both


@pytest.fixture
def visit(tiny_browser: tuple[Browser, str]) -> Iterator[Any]:
    """Open a page: new contexts share nothing. What goes wrong in one, or asks anything, fails the test.

    A `script` runs before the page's own.
    """
    browser, address = tiny_browser
    contexts, complaints = [], []

    def opened(
        width: int = tiny.DESK, name: str = "chapters/intro", script: str = "", **options: Any
    ) -> Page:
        options = {"viewport": {"width": width, "height": 900}, "reduced_motion": "reduce"} | options
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.add_init_script(script)
        page.on("pageerror", lambda error: complaints.append(error.stack or error.message))
        page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        own = (address, "data:", "blob:", "file:")
        page.on("request", lambda r: r.url.startswith(own) or complaints.append(f"leaves the site: {r.url}"))
        page.on("response", lambda r: r.status < 400 or complaints.append(f"{r.status} {r.url}"))
        page.clock.set_fixed_time("2026-11-21T10:00:00")
        page.goto(f"{address}/{name}.html")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints
