"""The zip of the site: the same bytes each time, and a whole book where there is no network and no server."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import quiz_steps
import tiny
from playwright.sync_api import Browser, Page, sync_playwright

from bookkit.site import browser as chromium
from bookkit.site.build import build, toc_pages
from bookkit.site.lessons import lesson_names
from bookkit.site.offline import FIRST, NAME, write_zip

PAGES = [*toc_pages(tiny.ROOT), *(f"embed/{lab}" for lab in lesson_names(tiny.ROOT)), "search"]
LEFT = "net::ERR_ABORTED"  # what the page asked for before it was left
# Elements that a script fills, and that hold nothing to press or read.
EMPTY = """() => [...document.querySelectorAll("[data-widget]")]
    .filter((one) => !one.querySelector("button, input, select, svg, a")).map((one) => one.dataset.widget)"""
TELL = """async () => {
    const { openModel } = await window.fmkit.load("engine");
    const model = await openModel("base");
    const ids = await model.generate(model.tokenizer.encode("Once upon a time"), {
        maxNewTokens: 8, temperature: 0, ontoken() {} });
    model.close();
    return model.tokenizer.decode(ids);
}"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The root of a book whose site has a few files."""
    folder = tmp_path / "_build/html"
    (folder / "chapters").mkdir(parents=True)
    for name in ("index.html", "404.html", "sitemap.xml", "chapters/b.html", "chapters/a.html"):
        (folder / name).write_text(name)
    return tmp_path


def test_the_zip_is_reproducible(small: Path) -> None:
    first = write_zip(small).read_bytes()
    for path in (small / "_build/html").rglob("*.html"):
        path.write_text(path.read_text())  # another time, in another order
    assert write_zip(small).read_bytes() == first


def test_what_is_in_the_zip(small: Path) -> None:
    with zipfile.ZipFile(write_zip(small)) as packed:
        names = ["READ ME.txt", "chapters/a.html", "chapters/b.html", "index.html"]
        assert packed.namelist() == [f"{NAME}/{name}" for name in names]
        assert b"Open index.html" in packed.read(f"{NAME}/{FIRST}")
        assert {entry.external_attr >> 16 & 0o777 for entry in packed.infolist()} == {0o644}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    build(tiny.ROOT)
    folder = tmp_path_factory.mktemp("a place with spaces")
    with zipfile.ZipFile(write_zip(tiny.ROOT)) as packed:
        packed.extractall(folder)
    return folder / NAME


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    path = chromium.find()
    assert path, chromium.MISSING
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=path, args=chromium.ARGUMENTS) as browser,
    ):
        yield browser


@pytest.fixture
def read(chrome: Browser, unpacked: Path) -> Iterator[Any]:
    """Open a page as a file. What goes wrong, or asks for anything outside the folder, fails the test."""
    context = chrome.new_context(viewport={"width": tiny.DESK, "height": 900}, reduced_motion="reduce")
    complaints: list[str] = []

    def opened(name: str) -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"{name}: {error.stack or error.message}"))
        page.on("console", lambda m: m.type == "error" and complaints.append(f"{name}: {m.text}"))
        own = (unpacked.as_uri(), "data:", "blob:")
        page.on("request", lambda r: r.url.startswith(own) or complaints.append(f"{name}: asks for {r.url}"))
        page.on("requestfailed", lambda r: r.failure == LEFT or complaints.append(f"{name}: lacks {r.url}"))
        page.goto(f"{(unpacked / name).as_uri()}.html")
        return page

    yield opened
    context.close()
    assert not complaints, "\n".join(complaints)


@pytest.mark.slow
def test_every_page_as_a_file(read: Any) -> None:
    for name in PAGES:
        page = read(name)
        for widget in page.locator("[data-widget]").all():
            widget.scroll_into_view_if_needed()  # what is far away loads its data late
        page.wait_for_function(f"!({EMPTY})().length", timeout=10_000)
        page.close()


@pytest.mark.slow
def test_a_walk_without_a_network(read: Any) -> None:
    page = read("index")
    page.wait_for_url("**/chapters/intro.html")
    page.get_by_role("link", name="Labs", exact=True).first.click()
    page.get_by_role("link", name="Choose the threshold of a classifier").first.click()
    page.get_by_label("Threshold", exact=True).press("Home")
    assert page.get_by_label("Threshold", exact=True).get_attribute("aria-valuetext") == "0.001"
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Lesson plan").click()
    opened.value.get_by_role("link", name="Adapting to a task").first.click()
    assert opened.value.locator("article h1").inner_text().startswith("Adapting to a task")


@pytest.mark.slow
def test_a_quiz_saves_without_a_network(read: Any) -> None:
    page, progress = read("chapters/1-pretraining/predicting"), "chapters/back/progress"
    before = read(progress).locator("[data-part=review]").inner_text()
    quiz_steps.answer(page, 0, "A")
    assert quiz_steps.facts(page)["results"][0]
    assert read(progress).locator("[data-part=review]").inner_text() != before


@pytest.mark.slow
def test_search_without_a_network(read: Any) -> None:
    page = read("search")
    page.locator("input[name=q]:visible").first.fill("perplexity")
    page.keyboard.press("Enter")
    page.locator("#search-results li a").first.wait_for()


@pytest.mark.slow
def test_a_model_without_a_network(read: Any) -> None:
    told = read("embed/rank").evaluate(TELL)
    assert len(told.split()) > 3


@pytest.mark.slow
def test_teachers_keep_their_keys(unpacked: Path) -> None:
    packed = {path.read_bytes() for path in unpacked.rglob("*") if path.suffix in (".md", ".txt", ".html")}
    for key in (tiny.ROOT / "instructor").rglob("*.md"):
        line = max(key.read_text().splitlines(), key=len).encode()
        assert not any(line in content for content in packed), key.name
