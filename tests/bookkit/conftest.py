"""A small book with quizzes, built once, and opened in a browser that remembers nothing."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import quiz_book
import tiny
from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session")
def quiz_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.build(quiz_book.write(tmp_path_factory.mktemp("quizzes")))


@pytest.fixture(scope="module")  # two browsers at a time are one too many for Playwright
def quiz_browser(quiz_site: Path) -> Iterator[tuple[Browser, str]]:
    with tiny.opened(quiz_site) as both:
        yield both


@pytest.fixture
def visit_quiz(quiz_browser: tuple[Browser, str]) -> Iterator[Any]:
    """Open a page: new contexts share nothing. What goes wrong in one, or asks anything, fails the test.

    A `script` runs before the page's own and may break the browser; then the theme's errors do not count.
    """
    browser, address = quiz_browser
    contexts, complaints = [], []

    def complain(text: str, script: str) -> None:
        if not script or re.search(r"/(store|quiz|progress|exam(-rules)?)\.js", text):
            complaints.append(text)

    def opened(width: int = 1300, name: str = "chapters/intro", script: str = "", **options: Any) -> Page:
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **options))
        page = contexts[-1].new_page()
        page.add_init_script(script)
        page.on("pageerror", lambda error: complain(error.stack or error.message, script))
        page.on("console", lambda message: message.type == "error" and complain(message.text, script))
        page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        page.clock.set_fixed_time("2026-11-21T10:00:00")
        page.goto(f"{address}/{name}.html")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints
