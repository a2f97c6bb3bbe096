"""The built site in a real browser: nothing from elsewhere, no error, accessible, light and dark."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import tiny
from fontTools.ttLib import TTFont
from playwright.sync_api import Browser, Page, expect

from bookkit.site.build import build, site, toc_pages
from bookkit.site.icons import FONT

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow
PAGES = [*toc_pages(ROOT), "search", "genindex"]
SHIFT = 0.1  # the sum of layout shifts that Web Vitals call good

READY = """async () => {
    await document.fonts.ready;
}"""

# What is wider than the page lies in a box that scrolls, which the keyboard reaches.
FACTS = """() => ({
    width: document.documentElement.scrollWidth,
    stuck: [...document.querySelectorAll("article :is(table, pre, div.math, figure svg)")].filter((one) => {
        if (one.getBoundingClientRect().right <= innerWidth) return false;
        let box = one;
        while (box && !(box.scrollWidth > box.clientWidth && getComputedStyle(box).overflowX === "auto")) {
            box = box.parentElement;
        }
        return !box || box.tabIndex < 0;
    }).map((one) => one.outerHTML.slice(0, 80)),
    letters: Math.min(...[...document.querySelectorAll("figure.fm-figure svg text")].map((text) =>
        text.ownerSVGElement.getScreenCTM().a * parseFloat(getComputedStyle(text).fontSize)), Infinity),
    raw: document.querySelectorAll(".math:not(:has(.katex)), .katex-error").length,
    cut: [...document.querySelectorAll("span.math")]
        .filter((formula) => formula.getBoundingClientRect().right > innerWidth).length,
    shift: performance.shift,
    diagrams: [...document.querySelectorAll(".fm-diagram > svg")].filter((svg) => svg.clientWidth)
        .map((svg) => svg.clientWidth / svg.viewBox.baseVal.width),
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
    """Open a page, after a `script` of a test's own; also returns the list of what will go wrong in it."""
    context = browser.new_context(color_scheme="light", reduced_motion="reduce")
    context.add_init_script(COUNT_SHIFTS)

    def opened(name: str, width: int, script: str = "") -> tuple[Page, list[str]]:
        page, complaints = context.new_page(), []
        page.add_init_script(script)
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
    assert facts["stuck"] == [], "wider than the page, and not in a box that the keyboard can scroll"
    assert facts["letters"] > 11.9, "letters of a figure that are too small to read"
    assert facts["cut"] == 0, "a formula in the line is wider than the page: display it on its own"
    assert facts["shift"] < SHIFT, "the page jumps while it loads"
    assert min(facts["diagrams"], default=1) > 0.73, "the text of a diagram is too small to read"


@pytest.mark.parametrize("name", PAGES)
def test_page_on_a_desk(visit: Any, name: str) -> None:
    """It fits, and axe-core finds nothing in light and in dark, for which it is loaded once."""
    page, complaints = visit(name, tiny.DESK)
    fits(page, tiny.DESK)
    complaints += tiny.violations(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("() => document.documentElement.dataset.theme === 'dark'")
    page.evaluate(READY)
    complaints += [f"dark: {one}" for one in tiny.violations(page)]
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("name", PAGES)
def test_page_on_a_phone(visit: Any, name: str) -> None:
    page, complaints = visit(name, tiny.PHONE)
    fits(page, tiny.PHONE)
    assert not complaints, "\n".join(complaints)


LARGE = {"fontSizes": {"standard": 32, "fixed": 26}}  # pixels, twice what a browser begins with


@pytest.mark.parametrize("name", PAGES)
def test_page_with_little_room(visit: Any, name: str) -> None:
    """On the smallest screen of WCAG 2 (1.4.10), and with letters of twice the size (1.4.4)."""
    page, _ = visit(name, 320)
    assert page.evaluate(FACTS)["width"] <= 320
    page.context.new_cdp_session(page).send("Page.setFontSizes", LARGE)
    assert page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)") == 32
    for width in (tiny.PHONE, tiny.DESK):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(READY)
        assert page.evaluate(FACTS)["width"] <= width


def test_a_cut_edge_fades(visit: Any) -> None:
    page, _ = visit("chapters/intro", tiny.PHONE)
    table = page.locator(".pst-scrollable-table-container").first
    fades = """(edges) => ["start", "end"].filter((edge) => {
        const box = document.querySelector(".pst-scrollable-table-container");
        return parseFloat(getComputedStyle(box).getPropertyValue(`--fm-fade-${edge}`)) > 0;
    }).join() === edges"""
    page.wait_for_function(fades, arg="end")
    table.evaluate("(box) => box.scrollTo(1000, 0)")
    page.wait_for_function(fades, arg="start")
    page.set_viewport_size({"width": tiny.DESK, "height": 900})
    page.wait_for_function(fades, arg="")  # nothing is cut there


def test_headings_are_a_scale(visit: Any) -> None:
    page, _ = visit("chapters/1-pretraining/predicting", tiny.DESK)
    page.locator(".bd-article h2").first.evaluate(
        "(one) => one.insertAdjacentHTML('afterend', '<h3>Third</h3>')"
    )
    look = """() => ["h1", "h2", "h3"].map((name) => {
        const style = getComputedStyle(document.querySelector(`.bd-article ${name}`));
        return [parseFloat(style.fontSize), style.fontWeight, style.color];
    })"""
    for width in (tiny.PHONE, tiny.DESK):
        page.set_viewport_size({"width": width, "height": 900})
        sizes, *others = zip(*page.evaluate(look), strict=True)
        assert all(larger / smaller > 1.15 for larger, smaller in pairwise(sizes))
        assert [len({*one}) for one in others] == [1, 1]


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


def test_diagrams_without_scripts(browser: Browser, address: str) -> None:
    """From a server, and opened as a file: they are drawn while the site is built."""
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        for url in (f"{address}chapters/intro.html", (site(ROOT) / "chapters/intro.html").as_uri()):
            page.goto(url)
            assert (
                page.locator(".fm-diagram").get_attribute("aria-label").startswith("The life of a foundation")
            )
            drawing = page.locator(".fm-diagram > svg:visible")
            assert "Pre-training" in drawing.text_content()
            box = page.locator(".fm-diagram .fm-box:visible").first
            assert box.evaluate("(box) => getComputedStyle(box).fill") != "rgb(0, 0, 0)", (
                "no color of the page"
            )


# The colors of everything that the page shows, by a path to it.
COLORS = """() => Object.fromEntries([...document.querySelectorAll("main *")].map((one, number) => {
    const style = getComputedStyle(one);
    const parts = ["color", "backgroundColor", "fill", "stroke", "borderTopColor", "filter"];
    const name = `${number} ${one.localName} ${one.textContent.slice(0, 40)}`;
    return [name, parts.map((part) => style[part]).join(" ")];
}))"""


@pytest.mark.parametrize(
    "name", ["chapters/intro", "chapters/1-pretraining/predicting", "chapters/1-pretraining/tokens"]
)
def test_paper_is_light(visit: Any, name: str) -> None:
    """Printed from a dark screen, a page has the colors that it has from a light one."""
    page, _ = visit(name, tiny.DESK)
    theme = "document.documentElement.dataset.theme"
    shown = {}
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme, media="screen")
        page.wait_for_function(f"() => {theme} === '{scheme}'")
        page.emulate_media(color_scheme=scheme, media="print")
        page.wait_for_function(f"() => {theme} === 'light'")
        shown[scheme] = page.evaluate(COLORS)
    differing = [one for one, look in shown["light"].items() if shown["dark"].get(one) != look]
    assert differing == []
    assert any(" text " in one for one in shown["light"]), "no figure was compared"
    page.emulate_media(color_scheme="dark", media="screen")
    page.wait_for_function(f"() => {theme} === 'dark'")
    page.evaluate(f"addEventListener('beforeprint', () => {{ window.printed = {theme}; }})")
    page.pdf()  # what a printer gets, where no media query reports a change before it is drawn
    assert page.evaluate("window.printed") == "light"
    page.wait_for_function(f"() => {theme} === 'dark'")


def test_what_paper_shows(visit: Any) -> None:
    """Boxes and solutions unfolded; of a quiz no answers, and no code that only draws."""
    page, _ = visit("chapters/1-pretraining/predicting", tiny.DESK)
    page.emulate_media(media="print")
    folded = page.locator(".admonition.toggle-hidden")
    assert folded.count() > 3
    for box in folded.all():
        parts = box.locator(":scope > :not(.admonition-title, .toggle-button)")
        assert all(part.bounding_box()["height"] > 10 for part in parts.all()), box.inner_text()[:60]
    assert not page.locator(".fm-quiz-key:visible, details.hide:visible, .toggle-button:visible").count()


@pytest.mark.parametrize("script", tiny.NO_STORAGE.values(), ids=tiny.NO_STORAGE)
def test_pages_without_storage(visit: Any, script: str) -> None:
    """The colors change, boxes unfold, questions are graded, words are found."""
    page, complaints = visit("chapters/intro", tiny.DESK, script)
    themes = [page.locator("html").get_attribute("data-theme")]
    for _ in range(3):
        page.locator(".theme-switch-button").first.click()
        themes.append(page.locator("html").get_attribute("data-theme"))
    assert themes == ["light", "dark", "light", "light"]  # by the system, dark, light, by the system
    page.goto(f"{page.url.rpartition('/')[0]}/0-front/life.html")
    question = page.locator(".fm-quiz form").first
    question.get_by_role("radio").first.check()
    question.get_by_role("button", name="Check").click()
    assert question.get_attribute("data-result")
    title = page.locator(".admonition.toggle > .admonition-title").first
    title.click()
    expect(title.locator("xpath=following-sibling::*").first).to_be_visible()
    page.goto(f"{page.url.rpartition('/chapters/')[0]}/search.html?q=model")
    page.wait_for_selector("ul.search li a")
    assert not complaints, "\n".join(complaints)


def test_paper_is_used_to_its_full_width(visit: Any) -> None:
    page, _ = visit(PAGES[0], 794)
    page.emulate_media(media="print")
    box = page.locator(".bd-article-container").bounding_box()
    assert box["width"] > 0.9 * 794


ABOUT = """() => Object.fromEntries([...document.querySelectorAll("meta[name], meta[property]")].map(
    (one) => [one.getAttribute("name") ?? one.getAttribute("property"), one.content]))"""


def test_pages_say_what_they_are_about(browser: Browser, address: str) -> None:
    """Without a public address, too, which a picture would need."""
    with browser.new_context(java_script_enabled=False) as context:
        page, told = context.new_page(), {}
        for name in PAGES:
            page.goto(f"{address}{name}.html")
            meta = page.evaluate(ABOUT)
            assert meta["og:title"], name
            assert 20 < len(meta["description"]) <= 200, name
            assert meta["og:description"] == meta["description"]
            assert "og:image" not in meta
            told[name] = meta["description"]
    assert len({*told.values()}) == len(toc_pages(ROOT)), "two pages have the same description"


def test_the_page_of_dead_links(visit: Any) -> None:
    page, complaints = visit("404", 320)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    complaints += tiny.violations(page)
    page.get_by_role("link", name="the first page").click()
    page.wait_for_url("**/chapters/intro.html")
    assert not complaints, "\n".join(complaints)


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


# The characters of the icons' font that a page draws before or after something.
ICONS = """() => [...document.querySelectorAll("*")].flatMap((one) => ["before", "after"].flatMap((at) => {
    const style = getComputedStyle(one, `::${at}`);
    if (!style.fontFamily.includes("Font Awesome 6 Free") || style.fontWeight !== "900") return [];
    return [...style.content].map((sign) => sign.codePointAt(0)).filter((code) => code >= 0xe000);
}))"""


def test_the_font_has_the_icons_shown(visit: Any) -> None:
    font = site(ROOT) / "_static" / f"{FONT}.woff"
    assert font.stat().st_size < 10_000
    shown: set[int] = set()
    for name in (*PAGES[:3], "search"):
        page, complaints = visit(name, tiny.DESK)
        loaded = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
        assert [url.rpartition("/")[2] for url in loaded if "fa-" in url] == [font.name]
        assert page.evaluate("""document.fonts.check('900 16px "Font Awesome 6 Free"')""")
        assert page.locator("script[src*=fontawesome]").count() == 0
        shown.update(page.evaluate(ICONS))
        assert not complaints, "\n".join(complaints)
    assert len(shown) > 8
    assert shown <= TTFont(font).getBestCmap().keys()
