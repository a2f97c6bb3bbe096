"""The built site in a real browser: nothing from elsewhere, no error, accessible, light and dark."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny
from playwright.sync_api import Browser, Page

from bookkit.site.build import build, site, toc_pages

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow
PAGES = [*toc_pages(ROOT), "search", "genindex"]
SHIFT = 0.1  # the sum of layout shifts that Web Vitals call good

READY = """async () => {
    await document.fonts.ready;
    const undrawn = () => document.querySelector(".fm-diagram:not(:has(> svg))");
    for (let tries = 0; undrawn() && tries < 200; tries++) await new Promise((go) => setTimeout(go, 50));
}"""

FACTS = """() => ({
    width: document.documentElement.scrollWidth,
    raw: document.querySelectorAll(".math:not(:has(.katex)), .katex-error").length,
    hidden: [...document.querySelectorAll(".bd-article table.table")]
        .filter((table) => table.scrollWidth > table.closest(".bd-article").clientWidth).length,
    cut: [...document.querySelectorAll("span.math")]
        .filter((formula) => formula.getBoundingClientRect().right > innerWidth).length,
    undrawn: document.querySelectorAll(".fm-diagram:not(:has(> svg))").length,
    shift: performance.shift,
    diagrams: [...document.querySelectorAll(".fm-diagram > svg")].map((svg) => {
        const natural = svg.viewBox.baseVal, box = svg.parentElement.getBoundingClientRect();
        const size = `${Math.round(natural.width)}x${Math.round(natural.height)}`;
        const room = box.width / box.height, shape = natural.width / natural.height;
        return {size, room, shape, scale: box.width / natural.width};
    }),
})"""

COUNT_SHIFTS = """performance.shift = 0;
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) performance.shift += entry.value;
}).observe({type: "layout-shift", buffered: true});"""


@pytest.fixture(scope="module")
def opened() -> Iterator[tuple[Browser, str]]:
    build(ROOT)
    with tiny.opened(site(ROOT)) as both:
        yield both


@pytest.fixture
def browser(opened: tuple[Browser, str]) -> Browser:
    return opened[0]


@pytest.fixture
def address(opened: tuple[Browser, str]) -> str:
    return f"{opened[1]}/"


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Any]:
    """Open a page; whatever goes wrong in it, now or later, lands in `page.complaints`."""
    context = browser.new_context(color_scheme="light", reduced_motion="reduce")
    context.add_init_script(COUNT_SHIFTS)

    def opened(name: str, width: int) -> tuple[Page, list[str]]:
        page, complaints = context.new_page(), []
        page.set_viewport_size({"width": width, "height": 900})
        own = (address, "data:", "blob:")
        page.on("request", lambda r: r.url.startswith(own) or complaints.append(f"leaves the site: {r.url}"))
        page.on("response", lambda r: r.status < 400 or complaints.append(f"{r.status} {r.url}"))
        page.on("console", lambda m: m.type == "error" and complaints.append(f"console: {m.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.goto(f"{address}{name}.html", wait_until="load")
        if name != "index":  # which leads on to the book at once
            page.evaluate(READY)
        return page, complaints

    yield opened
    context.close()


def fits(page: Page, width: int) -> None:
    """The page and everything in it is complete, and no wider than the screen."""
    facts = page.evaluate(FACTS)
    assert facts["width"] <= width, "the page scrolls sideways"
    assert facts["raw"] == 0, "math that was not typeset"
    assert facts["hidden"] == 0, "a table of the text is wider than the page"
    assert facts["cut"] == 0, "a formula in the line is wider than the page: display it on its own"
    assert facts["undrawn"] == 0, "a diagram that was not drawn"
    assert facts["shift"] < SHIFT, "the page jumps while it loads"
    for diagram in facts["diagrams"]:
        message = f"set the diagram's {':size:' if width > 600 else ':narrow:'} to {diagram['size']}"
        assert 0.8 < diagram["room"] / diagram["shape"] < 1.25, message
        assert diagram["scale"] > 0.7, f"its text is too small to read: {message}"


@pytest.mark.parametrize("name", PAGES)
def test_page_on_a_desk(visit: Any, name: str) -> None:
    """It fits, and axe-core finds nothing in light and in dark, for which it is loaded once."""
    page, complaints = visit(name, tiny.DESK)
    fits(page, tiny.DESK)
    complaints += tiny.violations(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    page.evaluate(READY)
    complaints += [f"dark: {one}" for one in tiny.violations(page)]
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("name", PAGES)
def test_page_on_a_phone(visit: Any, name: str) -> None:
    page, complaints = visit(name, tiny.PHONE)
    fits(page, tiny.PHONE)
    assert not complaints, "\n".join(complaints)


def test_the_front_door_leads_to_the_book(visit: Any) -> None:
    page, complaints = visit("index", 1300)
    page.wait_for_url("**/chapters/intro.html")
    assert not complaints


def test_math_and_diagrams_are_there(visit: Any) -> None:
    """Guards the tests of pages, which passes where nothing is drawn because nothing is found."""
    facts = visit("chapters/intro", 1300)[0].evaluate(FACTS)
    assert facts["diagrams"]


def test_colors_before_the_scripts(browser: Browser, address: str) -> None:
    """Even before the theme's scripts run."""
    context = browser.new_context(color_scheme="dark")
    context.route("**/*.js*", lambda route: route.abort())
    page = context.new_page()
    page.goto(f"{address}{PAGES[0]}.html")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    context.close()


def test_colors_without_scripts(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}{PAGES[0]}.html")
    color = page.locator(".bd-article a[href]").first.evaluate("(link) => getComputedStyle(link).color")
    assert page.locator("html").get_attribute("data-theme") == "light"
    assert color not in ("rgb(0, 0, 0)", "rgb(0, 0, 238)"), "the browser's own color, not the page's"
    context.close()


@pytest.mark.parametrize("name", ["chapters/0-front/life", "chapters/1-pretraining/predicting"])
def test_a_click_on_a_title_unfolds_its_box(visit: Any, name: str) -> None:
    """Wherever on it: also on a link or on code in it."""
    page, complaints = visit(name, 1300)
    titles = page.locator(".admonition.toggle > .admonition-title")
    assert titles.count() > 2
    put = "one => one.insertAdjacentHTML('afterbegin', '<code>code</code> ')"
    titles.evaluate_all(f"all => all.forEach({put})")
    for title in titles.all():
        content = title.locator("xpath=following-sibling::*").first
        for visible in (True, False, True):
            title.locator("code").first.click(force=True)
            assert content.is_visible() == visible, title.inner_text()
    assert not complaints


def test_buttons_look_the_same_on_every_page(visit: Any) -> None:
    """Also where a widget has buttons of its own."""
    look = """button => {
        const style = getComputedStyle(button);
        return ["border", "background", "color", "padding", "font", "height"].map((name) => style[name]);
    }"""
    looks = [
        visit(name, 1300)[0].locator(".fm-quiz-check").first.evaluate(look)
        for name in ("chapters/0-front/life", "chapters/1-pretraining/predicting")
    ]
    assert looks[0] == looks[1]
    assert looks[0][0].startswith("1px solid")


def test_diagrams_of_a_page_opened_as_a_file(browser: Browser, address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto((site(ROOT) / "chapters/intro.html").as_uri())
    page.locator(".fm-diagram > pre").wait_for(state="visible")
    assert "Pre-training" in page.locator(".fm-diagram > pre").inner_text()
    context.close()


def test_paper_is_used_to_its_full_width(visit: Any) -> None:
    page, _ = visit(PAGES[0], 794)
    page.emulate_media(media="print")
    box = page.locator(".bd-article-container").bounding_box()
    assert box["width"] > 0.9 * 794


def test_keyboard(visit: Any) -> None:
    """The first Tab offers to skip to the content, and what has the focus shows it."""
    page, _ = visit(PAGES[0], 1300)
    page.keyboard.press("Tab")
    focused = "document.activeElement"
    assert page.evaluate(f"{focused}.textContent").startswith("Skip to")
    page.keyboard.press("Tab")
    assert page.evaluate(f"getComputedStyle({focused}).outlineStyle") == "solid"
    assert page.evaluate(f"parseFloat(getComputedStyle({focused}).outlineWidth)") >= 2


def test_search_finds_a_page(visit: Any) -> None:
    page, complaints = visit("search", 390)
    page.goto(f"{page.url}?q=model")
    page.wait_for_selector("ul.search li a")
    assert not complaints


def test_icons_come_from_the_font(visit: Any) -> None:
    page, _ = visit(PAGES[0], 1300)
    assert page.evaluate("""document.fonts.check('900 16px "Font Awesome 6 Free"')""")
    assert page.locator("script[src*=fontawesome]").count() == 0
