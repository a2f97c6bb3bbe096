"""Slides: every deck opens without a network, fits the projector and has its chapter's figures."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from bookkit import slides
from bookkit.site import browser
from bookkit.slides.chapter import CHAPTER, WITHOUT_OUTPUT

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow

# Each slide as a class sees it at its end, after all clicks: what does not fit, and small letters.
FAULTS = """async () => {
  const faults = [];
  for (const section of Reveal.getSlides()) {
    const { h, v } = Reveal.getIndices(section);
    Reveal.slide(h, v);
    while (Reveal.availableFragments().next) Reveal.nextFragment();
    await new Promise(requestAnimationFrame);
    const slide = section.querySelector(".slide"), body = slide.querySelector(".body");
    const name = `${h}/${v ?? 0} ${slide.querySelector("h2").innerText}`;
    const edge = slide.getBoundingClientRect();
    for (const part of slide.querySelectorAll("h2, .body > *, svg, table, figcaption")) {
      const { left, top, right, bottom } = part.getBoundingClientRect();
      if (left < edge.left || top < edge.top || right > edge.right + 1 || bottom > edge.bottom + 1)
        faults.push(`${name}: ${part.tagName} is cut`);
    }
    if (body.scrollHeight > body.clientHeight + 1 || body.scrollWidth > body.clientWidth + 1)
      faults.push(`${name}: overflows`);
    if (parseFloat(getComputedStyle(slide).fontSize) < 20) faults.push(`${name}: letters are small`);
    if (!body.innerText.trim() && !body.querySelector("svg")) faults.push(`${name}: is empty`);
  }
  return faults;
}"""


@pytest.fixture(scope="module")
def decks(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return slides.write(ROOT, tmp_path_factory.mktemp("slides"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=browser.find(), args=browser.ARGUMENTS)


@pytest.fixture
def show(decks: list[Path], chromium: Browser) -> Iterator[Any]:
    """Open a deck at the size of a projector; an error, or a request for another file, fails the test."""
    complaints: list[str] = []
    context = chromium.new_context(viewport={"width": 1280, "height": 720}, offline=True)

    def opened(name: str, query: str = "") -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"{name}: {error.message}"))
        page.on("request", lambda r: r.url.startswith(("file:", "data:")) or complaints.append(r.url))
        page.goto(f"{decks[0].with_name(f'{name}.html').as_uri()}{query}")
        page.wait_for_function("window.Reveal?.isReady()")
        return page

    yield opened
    context.close()
    assert not complaints


def chapter_of(deck: Path) -> Any:
    plan = (ROOT / "chapters/teaching" / f"{deck.stem}.md").read_text(encoding="utf-8")
    found = CHAPTER.search(plan)
    assert found
    return nbformat.read(ROOT / f"chapters/{found[1]}.ipynb", as_version=4)


def test_every_slide_fits(decks: list[Path], show: Any) -> None:
    assert len(decks) == len(list((ROOT / "instructor").glob("*.md")))
    faults = {}
    for deck in decks:
        page = show(deck.stem)
        faults[deck.stem] = page.evaluate(FAULTS)
        page.close()
    assert not {name: found for name, found in faults.items() if found}


def test_every_figure_has_a_slide(decks: list[Path]) -> None:
    for deck in decks:
        html = deck.read_text(encoding="utf-8")
        cells = (cell for cell in chapter_of(deck).cells if cell.cell_type == "code")
        shown = (cell for cell in cells if not WITHOUT_OUTPUT & {*cell.metadata.get("tags", [])})
        outputs = [output.get("data", {}).get("text/html", "") for cell in shown for output in cell.outputs]
        sentences = [found for html in outputs for found in re.findall(r"<figcaption>.*?</figcaption>", html)]
        assert sentences
        assert [one for one in sentences if one not in html] == []
        assert sum(html.count("<svg role") for html in outputs) == html.count("<svg role")


def test_math_on_slides_is_set(decks: list[Path]) -> None:
    transformer = next(deck for deck in decks if deck.stem == "transformer").read_text(encoding="utf-8")
    own = transformer[transformer.index("<main") : transformer.index("</main>")]
    assert own.count('class="katex"') > 3
    assert not re.search(r"\$[^$<]*\\", own)
    assert "url(data:font/woff" in transformer


def test_key_comes_with_a_click(show: Any) -> None:
    page = show("predicting")
    page.evaluate("Reveal.slide(Reveal.getHorizontalSlides().length - 2, 0)")
    key, why = (page.locator(f".present .present .{name}") for name in ("key", "why"))
    expect(key).not_to_contain_class("visible")
    expect(why).to_have_css("opacity", "0")
    page.keyboard.press("Space")
    expect(key).to_contain_class("visible")
    expect(why).to_have_css("opacity", "1")


def test_speaker_sees_the_plan(show: Any) -> None:
    page = show("predicting")
    with page.expect_popup() as popup:
        page.keyboard.press("s")
    notes = popup.value.locator(".speaker-controls-notes .value")
    notes.get_by_text("Read Lily's shopping list aloud").wait_for()


def test_deck_prints_a_page_a_slide(show: Any) -> None:
    slides_of = show("predicting").evaluate("Reveal.getTotalSlides()")
    page = show("predicting", "?print-pdf")
    page.locator(".pdf-page").first.wait_for()
    pdf = page.pdf(prefer_css_page_size=True, print_background=True)
    keys = 3  # a question is printed without its key, then with it
    assert len(re.findall(rb"/Type /Page\b", pdf)) == slides_of + keys
