"""`fmkit.load`: a module and those that it needs, once, when it is asked for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

PAGE = "chapters/1-sums/adding"  # has the loader, and no script that plot.js needs
LOAD = "(name) => fmkit.load(name).then(Object.keys, (error) => error.message)"
FAULT = "A part of this page could not be loaded. Check your connection and try again."


@pytest.fixture
def page(tiny_browser: tuple[Browser, str]) -> Iterator[Page]:
    browser, address = tiny_browser
    page = browser.new_page()
    page.goto(f"{address}/{PAGE}.html")
    yield page
    page.close()


def loaded(page: Page) -> list[str]:
    """The scripts of widgets that the page has asked for after its own."""
    return page.evaluate(
        """performance.getEntriesByType("resource")
            .map((one) => one.name.split("/widgets/")[1] ?? "").filter((name) => /^\\w+\\.js$/.test(name))"""
    )


def test_a_module_comes_with_its_needs(page: Page) -> None:
    assert "createPlot" in page.evaluate(LOAD, "plot")
    assert "h" in page.evaluate("Object.keys(fmkit.modules.dom)")
    assert sorted(loaded(page)) == ["dom.js", "plot.js"]


def test_a_script_is_loaded_once(page: Page) -> None:
    twice = "(name) => Promise.all([name, name, 'dom'].map(fmkit.load)).then(([one, two]) => one === two)"
    assert page.evaluate(twice, "plot")
    assert page.evaluate(twice, "plot")
    assert page.evaluate("fmkit.load('quiz').then((one) => one === fmkit.modules.quiz)")
    assert sorted(loaded(page)) == ["dom.js", "plot.js"]


@pytest.mark.parametrize("answer", ["abort", "a page of a hotel"])
def test_a_failure_is_said_and_forgotten(page: Page, answer: str) -> None:
    def fail(route: Any) -> None:
        route.abort() if answer == "abort" else route.fulfill(
            body="<!DOCTYPE html>", content_type="text/html"
        )

    page.route("**/dom.js", fail)
    assert page.evaluate(LOAD, "plot") == FAULT
    assert page.evaluate(LOAD, "nothing-of-this-name") == FAULT
    page.unroute("**/dom.js")
    assert "createPlot" in page.evaluate(LOAD, "plot")
    assert page.locator("head script[src*='widgets/plot']").count() == 0


def test_it_loads_from_a_file(tiny_browser: tuple[Browser, str], tiny_site: Path) -> None:
    page = tiny_browser[0].new_page()
    page.goto((tiny_site / f"{PAGE}.html").as_uri())
    assert "createPlot" in page.evaluate(LOAD, "plot")
    page.close()
