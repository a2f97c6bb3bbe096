"""What others see of a book with a public address: descriptions, cards, and the page of dead links."""

import mimetypes
import struct
from pathlib import Path
from typing import Any

import pytest
import tiny
from docutils import nodes
from docutils.core import publish_doctree
from playwright.sync_api import Browser, Page, Route

from bookkit.site.card import CARD
from bookkit.site.sharing import LONGEST, describe

PUBLIC = "https://example.org/book"
META = """() => Object.fromEntries([...document.querySelectorAll("meta[name], meta[property]")].map(
    (one) => [one.getAttribute("name") ?? one.getAttribute("property"), one.content]))"""


def test_the_card_has_the_size_it_says() -> None:
    header = CARD.read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", header[16:24]) == (1200, 630)
    assert CARD.stat().st_size < 100_000


def test_a_description_is_the_first_own_text() -> None:
    document = publish_doctree("Title\n=====\n\n.. note:: A box.\n\nThe first *text*.\n\nThe second.\n")
    document.transformer = None
    section = nodes.section("", *document.children)
    assert describe(nodes.document("", "", "", section)) == "The first text."


def test_a_long_description_ends_at_a_word() -> None:
    section = nodes.section("", nodes.paragraph("", "word " * 100))
    text = describe(nodes.document("", "", "", section))
    assert text.endswith("word…")
    assert LONGEST - 6 < len(text) <= LONGEST


def test_the_card_of_a_page(visit: Any, tiny_site: Path) -> None:
    meta = visit(name="chapters/1-sums/adding").evaluate(META)
    assert meta["description"] == meta["og:description"] == "Text."
    assert meta["og:title"] == "Adding up"
    assert meta["og:url"] == f"{PUBLIC}/chapters/1-sums/adding.html"
    assert meta["twitter:card"] == "summary_large_image"
    picture = meta["og:image"].removeprefix(f"{PUBLIC}/")
    assert (tiny_site / picture).read_bytes() == CARD.read_bytes()
    assert (meta["og:image:width"], meta["og:image:height"]) == ("1200", "630")


@pytest.fixture
def public(tiny_browser: tuple[Browser, str], tiny_site: Path) -> Any:
    """The site at its public address, in a folder of a server that shows 404.html for what it lacks."""
    browser, _ = tiny_browser
    context = browser.new_context(reduced_motion="reduce")

    def serve(route: Route) -> None:
        file = tiny_site / route.request.url.partition("?")[0].removeprefix(f"{PUBLIC}/")
        found = file if file.is_file() else tiny_site / "404.html"
        kind = mimetypes.guess_type(found.name)[0] or "text/plain"
        route.fulfill(status=200 if found is file else 404, body=found.read_bytes(), content_type=kind)

    context.route("**/*", serve)
    yield context
    context.close()


@pytest.mark.parametrize("place", ["gone.html", "chapters/gone.html", "chapters/1-sums/deep/down/gone.html"])
def test_a_dead_link_at_any_depth(public: Any, place: str) -> None:
    page: Page = public.new_page()
    missing: list[str] = []
    page.on("response", lambda r: r.status == 404 and missing.append(r.url))
    page.goto(f"{PUBLIC}/{place}")
    assert missing == [f"{PUBLIC}/{place}"], "its own files are found"
    assert tiny.violations(page) == []
    page.get_by_role("link", name="the first page").click()
    assert page.url == f"{PUBLIC}/chapters/intro.html"
    page.goto(f"{PUBLIC}/{place}")
    page.get_by_label("Search the book").fill("adding")
    page.keyboard.press("Enter")
    page.locator("ul.search li a").first.wait_for()
    assert page.url.startswith(f"{PUBLIC}/search.html?q=adding")
