"""What a page loads before anything is clicked, and its content security policy, on the built site."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import tiny
from playwright.sync_api import Browser, Page

from benchmarks.page import load, served
from bookkit.site.build import build, site, toc_pages

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow
PAGES = [*toc_pages(ROOT), "genindex"]
REQUESTS, BYTES = 20, 200_000

VIOLATIONS = """window.violations = [];
addEventListener("securitypolicyviolation", (event) => {
    violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`);
});"""
# Scripts that the policy must not run: in the page, in an attribute, from elsewhere, from a text.
HOSTILE = {
    "inline": "const one = document.createElement('script'); one.textContent = 'window.ran = 1';"
    "document.body.append(one)",
    "attribute": "document.body.insertAdjacentHTML('beforeend', '<img src=\"data:,\" onerror=\"ran = 1\">')",
    "elsewhere": "document.body.append(Object.assign(document.createElement('script'),"
    "{ src: 'https://example.org/ran.js' }))",
    "frame": "document.body.append(Object.assign(document.createElement('iframe'),"
    "{ src: 'https://example.org/' }))",
    "text": "setTimeout('window.ran = 1')",
}


@pytest.fixture(scope="module")
def opened() -> Iterator[tuple[Browser, str]]:
    build(ROOT)
    with tiny.opened(site(ROOT)) as both:
        yield both


@pytest.fixture(scope="module")
def compressed(opened: tuple[Browser, str]) -> Iterator[str]:
    with served(site(ROOT)) as address:
        yield address


@pytest.fixture
def page(opened: tuple[Browser, str]) -> Iterator[Page]:
    with opened[0].new_context() as context:
        context.add_init_script(VIOLATIONS)
        yield context.new_page()


@pytest.mark.parametrize("name", PAGES)
def test_page_is_light(opened: tuple[Browser, str], compressed: str, name: str) -> None:
    loaded = load(opened[0], f"{compressed}/{name}.html", slow=False)
    assert 2 < loaded["requests"] <= REQUESTS
    assert 20_000 < loaded["bytes"] <= BYTES


BLOCKING = """() => performance.getEntriesByType("resource")
    .filter((one) => one.renderBlockingStatus === "blocking").map((one) => one.name)"""


@pytest.mark.parametrize("name", ["chapters/intro", "chapters/0-front/life", "embed/newborn", "404"])
def test_nothing_holds_up_the_first_paint(page: Page, opened: tuple[Browser, str], name: str) -> None:
    page.goto(f"{opened[1]}/{name}.html", wait_until="networkidle")
    assert page.evaluate("document.styleSheets.length") > 0
    assert page.evaluate(BLOCKING) == []


def test_styles_find_their_files(opened: tuple[Browser, str]) -> None:
    """From pages in any folder."""
    for name in ("search", "chapters/intro", "chapters/1-pretraining/predicting"):
        page = site(ROOT) / f"{name}.html"
        text = page.read_text()
        addresses = re.findall(r"""url\(["']?([^"')]*/[^"')]*\.\w+)["']?\)""", text[: text.index("</head>")])
        assert any(address.endswith(".woff") for address in addresses)
        assert [one for one in addresses if not (page.parent / one).is_file()] == []


@pytest.mark.parametrize("name", PAGES)
def test_page_keeps_its_policy(page: Page, opened: tuple[Browser, str], name: str) -> None:
    """Also when its widgets render, which are far below, and opened as a file."""
    for root in (opened[1], site(ROOT).as_uri()):
        page.goto(f"{root}/{name}.html")
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.wait_for_load_state("networkidle")
        assert page.locator("meta[http-equiv=Content-Security-Policy]").count() == 1
        assert page.evaluate("violations") == []
        assert page.evaluate("typeof bootstrap") == "object", "the page's scripts did not run"
        assert page.evaluate("getComputedStyle(document.querySelector('main')).display") == "flex"


@pytest.mark.parametrize("attack", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("way", ["server", "file"])
def test_hostile_code_does_not_run(page: Page, opened: tuple[Browser, str], way: str, attack: str) -> None:
    asked: list[str] = []
    page.route("https://example.org/**", lambda route: asked.append(route.request.url) or route.abort())
    page.goto(f"{opened[1] if way == 'server' else site(ROOT).as_uri()}/chapters/intro.html")
    page.evaluate(attack)
    page.wait_for_function("() => violations.length > 0")
    assert page.evaluate("window.ran") is None
    assert asked == []


def test_the_policy_lets_models_compute(page: Page, opened: tuple[Browser, str]) -> None:
    """WebAssembly, in a worker that is made from a blob."""
    page.goto(f"{opened[1]}/chapters/intro.html")
    work = "new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])); postMessage('done');"
    answer = """(work) => new Promise((resolve) => {
        const worker = new Worker(URL.createObjectURL(new Blob([work])));
        worker.onmessage = (event) => resolve(event.data);
        worker.onerror = (event) => resolve(event.message);
    })"""
    assert page.evaluate(answer, work) == "done"
    assert page.evaluate("violations") == []


def test_the_search_comes_when_it_is_used(page: Page, opened: tuple[Browser, str]) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{opened[1]}/chapters/intro.html", wait_until="networkidle")
    assert not [url for url in asked if "search" in url]
    page.keyboard.press("Control+k")
    page.keyboard.type("floor")
    page.keyboard.press("Enter")
    page.wait_for_selector("ul.search li a")
    assert [url for url in asked if url.endswith("/searchindex.js")]
    assert page.evaluate("violations") == []


def test_buttons_of_the_header_work(page: Page, opened: tuple[Browser, str]) -> None:
    """Full screen, and print: handlers of page.js, which the theme has in attributes."""
    page.goto(f"{opened[1]}/chapters/back/glossary.html")
    page.evaluate("window.print = () => { window.printed = true; }")
    page.get_by_role("button", name="Fullscreen mode").click()
    page.wait_for_function("() => document.fullscreenElement === document.documentElement")
    page.evaluate("document.querySelector('[data-fm-click=print]').click()")
    assert page.evaluate("window.printed")


def test_data_come_when_their_widget_is_near(page: Page, opened: tuple[Browser, str]) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{opened[1]}/chapters/1-pretraining/predicting.html", wait_until="networkidle")
    assert not [url for url in asked if "/widgets/runs/" in url]
    page.locator("[data-widget=training_lab]").scroll_into_view_if_needed()
    page.wait_for_selector("[data-widget=training_lab] svg")
    assert len([url for url in asked if "/widgets/runs/" in url]) == 1


def test_figures_keep_their_numbers(opened: tuple[Browser, str]) -> None:
    """Coordinates are rounded, labels and descriptions are not."""
    text = (site(ROOT) / "chapters/1-pretraining/predicting.html").read_text()
    lines = [path for path in re.findall(r'<path d="(M [^"]*)" clip-path', text) if len(path) > 2000]
    assert lines
    assert not [line for line in lines if re.search(r"\d\.\d\d", line)]
    x = [float(point.split()[0]) for point in lines[0].split("L ")[1:]]
    assert all(left <= right for left, right in pairwise(x))
    assert "the floor is 0.43" in text
