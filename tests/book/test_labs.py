"""The labs of the book: each listed, accessible, reached by the keyboard, and as large as the window."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import tiny
from playwright.sync_api import Browser, Page

from bookkit.site.build import build, site
from bookkit.site.lessons import lesson_names

LABS = lesson_names(tiny.ROOT)
LOOKS = [(width, colors) for width in (tiny.DESK, tiny.PHONE) for colors in ("light", "dark")]
# What a reader can press, and what of it Tab reaches when it is pressed as often as there are controls.
CONTROLS = """() => [...document.querySelectorAll("main :is(a, button, input, select, textarea, summary)")]
    .filter((one) => one.checkVisibility({visibilityProperty: true}) && !one.disabled && one.tabIndex >= 0)"""


def test_every_widget_has_a_plan() -> None:
    widgets = [path.parent.name for path in tiny.ROOT.glob("bookkit/widgets/*/__init__.py")]
    assert [name for name in widgets if not any(lab.startswith(name) for lab in LABS)] == []


@pytest.fixture(scope="module")
def opened() -> Iterator[tuple[Browser, str]]:
    build(tiny.ROOT)
    with tiny.opened(site(tiny.ROOT)) as both:
        yield both


@pytest.fixture
def show(opened: tuple[Browser, str]) -> Iterator[Any]:
    """A page of the book under embed/. What goes wrong in it, or leaves the site, fails the test."""
    browser, address = opened
    contexts, complaints = [], []

    def shown(name: str, width: int = tiny.DESK, colors: str = "light") -> Page:
        size = {"width": width, "height": 900}
        contexts.append(browser.new_context(viewport=size, color_scheme=colors, reduced_motion="reduce"))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: complaints.append(error.stack or error.message))
        page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        own = (address, "data:", "blob:")
        page.on("request", lambda r: r.url.startswith(own) or complaints.append(f"leaves the site: {r.url}"))
        page.on("response", lambda r: r.status < 400 or complaints.append(f"{r.status} {r.url}"))
        page.goto(f"{address}/embed/{name}.html")
        page.wait_for_function(f"() => ({CONTROLS})().length")  # what a lab shows may come after the page
        return page

    yield shown
    for context in contexts:
        context.close()
    assert not complaints


@pytest.mark.slow
@pytest.mark.parametrize("name", [f"{lab}{page}" for lab in LABS for page in ("", "-lesson")])
def test_a_lab_is_accessible(show: Any, name: str) -> None:
    faults = []
    for width, colors in LOOKS:
        page = show(name, width, colors)
        if (needed := page.evaluate("document.documentElement.scrollWidth")) > width:
            faults.append(f"{needed} px wide on a screen of {width}")
        faults += tiny.violations(page)
    assert not faults, "\n".join(faults)


@pytest.mark.slow
@pytest.mark.parametrize("name", LABS)
def test_a_lab_by_keyboard(show: Any, name: str) -> None:
    """Tab reaches every control; of a group of radio buttons it reaches one, and the arrows the others."""
    page = show(name)
    controls = page.evaluate_handle(CONTROLS)
    count = page.evaluate("(all) => all.length", controls)
    page.evaluate("window.reached = new Set()")
    for _ in range(count + 10):
        page.keyboard.press("Tab")
        page.evaluate("window.reached.add(document.activeElement)")
    missed = page.evaluate(
        """(all) => all.filter((one) => !window.reached.has(one)
            && ![...window.reached].some((other) => one.type === "radio" && other.name === one.name))
            .map((one) => one.outerHTML.slice(0, 100))""",
        controls,
    )
    assert not missed


@pytest.mark.slow
@pytest.mark.parametrize("name", LABS)
def test_a_lab_fills_the_window(show: Any, name: str) -> None:
    """On a projector the letters grow, and the widget begins at the top."""
    page = show(name)
    assert page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)") > 16
    assert not page.locator(".bd-sidebar, .bd-header").count()
    box = page.locator("main [data-widget]").bounding_box()
    assert box["y"] < 150
    assert box["width"] > tiny.DESK * 0.75


@pytest.mark.slow
def test_the_book_lists_every_lab(show: Any) -> None:
    text = (site(tiny.ROOT) / "chapters/back/labs.html").read_text()
    assert sorted(re.findall(r'<h2><a href="../../embed/([\w-]+)\.html">', text)) == LABS
