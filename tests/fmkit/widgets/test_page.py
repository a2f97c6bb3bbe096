"""The labs on a built page without a kernel, in a real browser: the page trains, or replays recorded runs."""

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from bookkit.site import browser as chromium
from bookkit.site.build import build
from bookkit.site.notebooks import execute_all
from bookkit.site.serve import open_server
from fmkit.widgets import modules

ROOT = Path(__file__).parents[3]
AXE = ROOT / "bookkit/web/node_modules/axe-core/axe.min.js"
pytestmark = pytest.mark.slow
RESULT = r"Run A: loss 6\.\d\d → \d\.\d\d after 200 steps, \d\.\d\d above the floor\."


def write_notebook(path: Path, *labs: str) -> None:
    code = "from fmkit.widgets import {lab}\n\n{lab}()"
    cells = [nbformat.v4.new_markdown_cell("# A page with the lab", id="title")]
    cells += [nbformat.v4.new_code_cell(code.format(lab=lab), id=lab) for lab in labs]
    cells += [nbformat.v4.new_markdown_cell("What comes after it.", id="after")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book of one page for each lab, executed and built as `make notebooks` and `make html` do."""
    book = tmp_path_factory.mktemp("book")
    (book / "chapters/back").mkdir(parents=True)
    (book / "chapters/back/references.bib").touch()
    (book / "assets").mkdir()
    for part in (ROOT / "assets").iterdir():
        if part.name != "lessons":  # those of labs that this book has not
            (book / "assets" / part.name).symlink_to(part)
    shutil.copy(ROOT / "_config.yml", book)
    (book / "_toc.yml").write_text(
        "format: jb-book\nroot: chapters/lab\nchapters: [{file: chapters/tuning}]\n"
    )
    write_notebook(book / "chapters/lab.ipynb", "TrainingLab")
    write_notebook(book / "chapters/tuning.ipynb", "FinetuningLab")
    assert execute_all([book / "chapters/lab.ipynb", book / "chapters/tuning.ipynb"]) == 0
    build(book)
    return book


@pytest.fixture(scope="module")
def address(book: Path) -> Iterator[str]:
    with open_server(book / "_build/html") as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    assert path, chromium.MISSING
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=chromium.ARGUMENTS)
        yield opened
        opened.close()


Open = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Open]:
    """Open the page; at the end nothing may have gone wrong, and nothing come from elsewhere."""
    complaints: list[str] = []
    contexts = []

    def opened(
        width: int = 1300,
        start: str = address,
        motion: str = "reduce",
        scripts: bool = True,
        name: str = "lab",
        live: bool = False,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, reduced_motion=motion, java_script_enabled=scripts
        )
        contexts.append(context)
        page = context.new_page()
        own = (start, "data:", "blob:")
        page.on("request", lambda r: r.url.startswith(own) or complaints.append(f"leaves the site: {r.url}"))
        page.on("response", lambda r: r.status < 400 or complaints.append(f"{r.status} {r.url}"))
        page.on("console", lambda m: m.type == "error" and complaints.append(f"console: {m.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.goto(f"{start}chapters/{name}.html")
        if scripts and not live:
            page.get_by_label("Runs are").select_option("recorded")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints, "\n".join(complaints)


def drawing(page: Page) -> Locator:
    return page.locator(".fm-plot svg")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_notebooks_are_stable(book: Path, tmp_path: Path) -> None:
    first = (book / "chapters/lab.ipynb").read_text()
    assert '"_esm"' not in first
    assert '"_css"' not in first
    write_notebook(tmp_path / "lab.ipynb", "TrainingLab")
    assert execute_all([tmp_path / "lab.ipynb"]) == 0
    assert (tmp_path / "lab.ipynb").read_text() == first


def test_modules_are_whole() -> None:
    for name in modules.names():
        assert "import " not in modules.module(name).replace("// import", "")
        assert modules.module(name).count("export ") == 1


def test_sliders_change_the_plot(visit: Open) -> None:
    page = visit()
    expect(drawing(page).get_by_text("200 × 8 × 128 = 205k tokens")).to_be_visible()
    expect(drawing(page).get_by_text("floor 0.30")).to_be_visible()
    press_keys(page, "Batch size", "ArrowRight")
    expect(drawing(page).get_by_text("200 × 32 × 128 = 819k tokens")).to_be_visible()
    press_keys(page, "Steps", "Home")
    expect(drawing(page).get_by_text("50 × 32 × 128 = 205k tokens")).to_be_visible()


def test_train_replays_a_recorded_run(visit: Open) -> None:
    page = visit(motion="no-preference")
    expect(page.locator(".fm-mode")).to_have_text("recorded runs")
    press(page, "Train")
    expect(page.locator(".fm-status")).to_contain_text("step")
    expect(page.locator("[aria-live]")).to_be_empty()
    expect(page.locator("[aria-live]")).to_contain_text("above the floor")
    expect(page.locator(".fm-made code")).to_have_text(
        "python -m bookkit.experiments lab learning_rate=0.003 batch_size=8 steps=200 seed=0 "
    )
    assert "above the floor" in (drawing(page).get_attribute("aria-label") or "")


def test_the_page_trains(visit: Open) -> None:
    """A run of the reader's own, beside the recorded ones, with a text that the world judges."""
    page = visit(live=True)
    expect(page.locator(".fm-mode")).to_have_text("trains in this page")
    press_keys(page, "Steps", "Home", "ArrowRight")
    press_keys(page, "Batch size", "Home", "ArrowRight")
    press(page, "Train")
    expect(page.locator(".fm-status")).to_contain_text("of 50, loss")
    expect(page.locator(".fm-status")).to_contain_text("above the floor", timeout=60_000)
    loss = float(page.locator(".fm-status").inner_text().split("→ ")[1].split()[0])
    assert 1 < loss < 5.9
    expect(page.locator(".fm-story .fm-wrong")).not_to_be_empty()
    expect(page.locator(".fm-story .fm-expected")).to_contain_text("the world expected")


def test_the_page_tunes(visit: Open) -> None:
    """The book's model learns the shop's answers as the recorded runs do."""
    page = visit(name="tuning", live=True)
    press_keys(page, "Epochs", "Home", "ArrowRight")
    press(page, "Train")
    expect(page.locator(".fm-status")).to_contain_text("after 2 epochs, 25 steps", timeout=90_000)
    loss = float(page.locator(".fm-status").inner_text().split("validation ")[1].split()[0])
    assert 1.5 < loss < 2.5
    expect(page.locator(".fm-made")).to_contain_text("on the same answers in another order")


def test_recorded_seeds_are_a_band(visit: Open) -> None:
    page = visit(live=True)
    press(page, "Train")
    expect(drawing(page).get_by_text("recorded", exact=True)).to_be_visible()
    press(page, "Stop")
    expect(page.locator(".fm-status")).to_contain_text("stopped")


def test_both_trainers_have_their_runs(visit: Open) -> None:
    """A run of the page is compared with the recorded one of the same settings."""
    page = visit()
    press_keys(page, "Batch size", "Home")
    press_keys(page, "Steps", "Home")
    press(page, "Train")
    expect(page.locator(".fm-runs tbody tr")).to_contain_text("recorded")
    page.get_by_label("Runs are").select_option("trained here")
    press(page, "Train")
    expect(page.locator(".fm-status")).to_contain_text("Run B: loss", timeout=60_000)
    assert rows(page) == ["A", "B"]
    press(page, "Train")
    expect(page.locator(".fm-status")).to_contain_text("These settings have already run.")
    page.set_viewport_size({"width": 390, "height": 900})
    ends = page.evaluate("[...document.querySelectorAll('.fm-lab, .fm-lab table')].map((e) => e.clientWidth)")
    assert ends[1] <= ends[0], "the table is within the lab"


def test_a_stopped_run_says_where(visit: Open) -> None:
    page = visit(live=True)
    press_keys(page, "Parameters", "End")
    press_keys(page, "Steps", "End")
    expect(drawing(page).get_by_text("3M", exact=True)).to_be_visible()
    press(page, "Train")
    expect(page.locator(".fm-status")).to_contain_text("min left", timeout=60_000)
    press(page, "Stop")
    expect(page.locator(".fm-runs tbody tr")).to_contain_text("stopped at ")
    expect(page.locator(".fm-status")).to_contain_text(", training loss ")  # no check of before
    press_keys(page, "Steps", "Home")
    expect(drawing(page).get_by_text("3M", exact=True)).to_have_count(0)


def test_one_sequence_is_no_plural(visit: Open) -> None:
    page = visit(live=True)
    press_keys(page, "Batch size", "Home")
    assert page.get_by_label("Batch size").get_attribute("aria-valuetext") == "1 sequence"


def test_other_sizes_are_trained(visit: Open) -> None:
    page = visit(live=True)
    press_keys(page, "Parameters", "Home")
    press_keys(page, "Steps", "Home")
    press(page, "Train")
    expect(page.locator(".fm-status")).to_contain_text("above the floor", timeout=60_000)
    expect(page.locator(".fm-runs tbody tr")).to_contain_text("19.3k")


def test_the_page_learns_a_readers_text(visit: Open) -> None:
    page = visit(live=True)
    page.get_by_text("Train on a text of your own").click()
    press(page, "Use this text")
    expect(page.get_by_text("Type or paste a text first")).to_be_visible()
    page.locator("textarea").fill("<img src=x onerror=alert(1)> The sun is warm.\n\n" * 150)
    expect(page.get_by_text("Press “Use this text”, and then Train.")).to_be_visible()
    press(page, "Use this text")
    expect(page.locator(".fm-own-text [role=status]")).to_contain_text("Its floor is unknown")
    expect(drawing(page).get_by_text("floor 0.30")).to_have_count(0)
    press_keys(page, "Steps", "Home")
    press(page, "Train")
    expect(page.locator(".fm-status")).to_contain_text("The floor of your text is unknown", timeout=60_000)
    expect(page.locator(".fm-runs tbody tr")).to_contain_text("your text 1")
    expect(page.locator(".fm-lab img")).to_have_count(0)
    press(page, "Back to the stories")
    expect(drawing(page).get_by_text("floor 0.30")).to_be_visible()


def test_a_short_text_says_so(visit: Open) -> None:
    page = visit(live=True)
    page.get_by_text("Train on a text of your own").click()
    page.locator("textarea").fill("Too short.")
    press(page, "Use this text")
    press(page, "Train")
    expect(page.locator(".fm-status.fm-failed")).to_contain_text("The text is too short")


def test_a_file_that_is_no_text(visit: Open) -> None:
    page = visit(live=True)
    page.get_by_text("Train on a text of your own").click()
    file = {"name": "a.txt", "mimeType": "text/plain", "buffer": b"\xff\xfe\x00"}
    page.locator("input[type=file]").set_input_files(files=[file])
    expect(page.get_by_text("a.txt is not a text file in UTF-8.")).to_be_visible()


def test_stop_stops_a_replay(visit: Open) -> None:
    page = visit(motion="no-preference")
    press(page, "Train")
    page.wait_for_timeout(300)
    press(page, "Stop")
    expect(page.locator(".fm-status")).to_contain_text("stopped at step")


def test_by_keyboard_alone(visit: Open) -> None:
    page = visit()
    page.get_by_label("Learning rate").focus()
    page.keyboard.press("ArrowRight")
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".fm-status")).to_contain_text("Run A: loss")
    expect(page.locator(".fm-runs tbody tr")).to_contain_text("0.01")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Remove run A")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".fm-empty")).to_be_visible()
    expect(page.get_by_role("button", name="Train")).to_be_focused()


def test_a_run_that_broke_is_shown_as_one(visit: Open) -> None:
    page = visit()
    page.get_by_label("Learning rate").focus()
    page.keyboard.press("End")
    press(page, "Train")
    expect(page.locator(".fm-status.fm-failed")).to_contain_text("no longer finite")
    expect(page.locator(".fm-runs tbody tr")).to_contain_text("not finite")


def rows(page: Page) -> list[str]:
    return [text.strip() for text in page.locator(".fm-runs tbody th").all_text_contents()]


def press_keys(page: Page, slider: str, *keys: str) -> None:
    page.get_by_role("slider", name=slider).focus()
    for key in keys:
        page.keyboard.press(key)


def test_no_run_is_shown_twice(visit: Open) -> None:
    page = visit()
    press(page, "Train")
    press(page, "Train")
    assert rows(page) == ["A"]
    expect(page.locator(".fm-status")).to_contain_text("These settings have already run. Run A: loss")
    press_keys(page, "Batch size", "ArrowRight")
    expect(page.locator(".fm-status")).not_to_contain_text("already")


def test_a_seventh_run_pushes_none_out(visit: Open) -> None:
    page = visit()
    press_keys(page, "Learning rate", "Home")
    for _ in range(6):
        press(page, "Train")
        press_keys(page, "Learning rate", "ArrowRight")
    press(page, "Train")
    assert rows(page) == list("ABCDEF")
    expect(page.locator(".fm-status")).to_contain_text("6 runs are kept: remove one")
    press(page, "Remove run B")
    press(page, "Train")
    assert rows(page) == list("ACDEFB")


def test_runs_differ_in_color_and_in_dash(visit: Open) -> None:
    page = visit()
    for _ in range(3):
        press(page, "Train")
        press_keys(page, "Learning rate", "ArrowRight")
    lines = page.locator(".fm-plot .fm-line").all()
    for looks in ([line.get_attribute(name) for line in lines] for name in ("stroke", "stroke-dasharray")):
        assert len(set(looks)) == 3, looks


def test_a_broken_run_takes_no_place(visit: Open) -> None:
    page = visit()
    press(page, "Train")
    press_keys(page, "Learning rate", "End")
    press(page, "Train")
    press_keys(page, "Batch size", "ArrowRight")
    press(page, "Train")
    assert rows(page) == ["A", "✕"]
    expect(page.locator(".fm-runs tbody tr").last).to_contain_text("32")


def test_small_batches_have_longer_runs(visit: Open) -> None:
    """What is recorded depends on the sliders before; the longest run of each size reads as much."""
    page = visit()
    for keys, goal in (
        (["Home"], "3200 × 2 × 128 = 819k tokens"),
        (["End"], "200 × 32 × 128 = 819k tokens"),
    ):
        press_keys(page, "Batch size", *keys)
        press_keys(page, "Steps", "End")
        expect(drawing(page).get_by_text(goal)).to_be_visible()


def test_epochs_show_when_it_was_best(visit: Open) -> None:
    page = visit(name="tuning")
    expect(drawing(page).get_by_text("5 × 200 / 16 = 62.5, so 62 steps")).to_be_visible()
    press_keys(page, "Epochs", "End")
    press(page, "Train")
    expect(page.locator(".fm-status")).to_contain_text("after 20 epochs, 250 steps")
    expect(page.locator(".fm-status")).to_contain_text("It was lowest,")
    expect(drawing(page).get_by_text("training")).to_be_visible()
    expect(page.locator(".fm-runs tbody tr")).to_contain_text("20")


@pytest.mark.parametrize("name", ["lab", "tuning"])
@pytest.mark.parametrize("width", [1300, 390])
def test_it_fits_and_can_be_touched(visit: Open, width: int, name: str) -> None:
    page = visit(width, name=name, live=True)
    press(page, "Train")
    for details in page.locator(".fm-lab details:visible").all():
        details.locator("summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for control in page.locator(".fm-lab :is(input, select, button, summary, textarea):visible").all():
        box = control.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 44


@pytest.mark.parametrize("name", ["lab", "tuning"])
def test_it_is_accessible_in_both_schemes(visit: Open, name: str) -> None:
    page = visit(name=name, live=True)
    press(page, "Train")
    for details in page.locator(".fm-lab details:visible").all():
        details.locator("summary").click()
    page.evaluate(AXE.read_text())
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(f"() => document.documentElement.dataset.theme === '{scheme}'")
        page.wait_for_timeout(300)
        result = page.evaluate("async () => await axe.run('.fm-lab', {resultTypes: ['violations']})")
        assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in result["violations"]] == []


@pytest.mark.parametrize("name", ["lab", "tuning"])
@pytest.mark.parametrize("width", [1300, 390])
def test_the_page_does_not_jump(visit: Open, width: int, name: str) -> None:
    """The room that is kept before any script has run is what the widget fills."""
    rooms = [
        visit(width, scripts=on, name=name, live=True).locator(".fm-widget-room") for on in (False, True)
    ]
    expect(rooms[1].locator(".fm-plot svg")).to_be_visible()
    heights = [(room.bounding_box() or {})["height"] for room in rooms]
    assert abs(heights[0] - heights[1]) <= 4, heights


def test_it_follows_the_width_of_its_column(visit: Open) -> None:
    page = visit(1300)
    press(page, "Train")
    page.set_viewport_size({"width": 390, "height": 900})
    page.wait_for_function("() => document.querySelector('.fm-plot svg').clientWidth < 390")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.locator(".fm-runs tbody tr")).to_have_count(1)


def test_a_page_opened_as_a_file(visit: Open, book: Path) -> None:
    page = visit(start=f"file://{book}/_build/html/")
    press(page, "Train")
    expect(page.locator(".fm-status")).to_contain_text("above the floor")
