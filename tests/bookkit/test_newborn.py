"""The newborn of the front page: it learns, stops, goes on; the other one talks; nothing is loaded before."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny
from playwright.sync_api import Browser, Page, expect

PAGE = """# Training

The first sentence of the book.

```{newborn}
```

## Run it

```{install}
```
"""
STARTED = 60_000  # milliseconds, on a machine that does other things, too
LONGEST = """window.longest = 0;
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) longest = Math.max(longest, entry.duration);
}).observe({type: "longtask", buffered: true});"""

# A model that falls from a guess to a loss of 3.5 between its first story and its second, and stops; once.
FAST = """() => {
    const story = { right: "", wrong: "Xyz", rest: "", expected: ["Once"], more: 0 };
    const points = Array.from({ length: 8 }, (_, step) => ({ step, tokens: 512 * step, loss: 3.5 }));
    const trainModel = async ({ onevent }) => {
        onevent({ story });
        onevent({ points, story });
        trained.trainModel = () => new Promise(() => {});
        return { stopped: true, close() {} };
    };
    const trained = { trainModel };
    fmkit.load = async () => trained;
}"""


@pytest.fixture(scope="module")
def newborn_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    book = tiny.write(tmp_path_factory.mktemp("newborn"), PAGE)
    for folder in ("quizzes", "lessons"):
        shutil.rmtree(book / "assets" / folder, ignore_errors=True)
    (book / "assets/runs").mkdir()
    shutil.copy(tiny.ROOT / "assets/runs/lab.json", book / "assets/runs")
    shutil.copytree(tiny.ROOT / "assets/models/base", book / "assets/models/base")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FMKIT_REPOSITORY", "https://github.com/example/book")
        return tiny.build(book)


@pytest.fixture(scope="module")
def tiny_browser(newborn_site: Path) -> Iterator[tuple[Browser, str]]:
    with tiny.opened(newborn_site) as both:
        yield both


def train(page: Page, tokens: int = 4_000) -> Page:
    """Press Train by keyboard, and wait until so many tokens have been read."""
    button = page.get_by_role("button", name="Train")
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(
        """(wanted) => {
            const { textContent } = document.querySelector("[data-of=tokens]");
            const [, number, unit] = textContent.match(/([0-9.]+)(k?)/);
            return number * (unit ? 1000 : 1) >= wanted;
        }""",
        arg=tokens,
        timeout=STARTED,
    )
    return page


def loss(page: Page) -> float:
    return float(page.locator("[data-of=loss]").inner_text())


def stop(page: Page) -> None:
    page.get_by_role("button", name="Stop").press("Enter")
    expect(page.get_by_role("button", name="Resume")).to_be_focused(timeout=STARTED)


def write(page: Page, beginning: str) -> str:
    """Send a beginning; returns what the page says of the story."""
    field = page.get_by_label("Your beginning")
    field.evaluate("(field, text) => { field.value = text; }", beginning)
    field.press("Enter")
    page.wait_for_function(
        "() => /[^…]$/.test(document.querySelector('.fm-newborn-verdict').textContent)",
        timeout=STARTED,
    )
    return page.locator(".fm-newborn-verdict").inner_text()


def test_nothing_is_loaded_before(visit: Any) -> None:
    page = visit()
    expect(page.get_by_role("button", name="Train")).to_be_visible()
    expect(page.locator(".fm-plot").get_by_text("floor 0.30")).to_be_visible()
    heavy = ("engine", "engine-worker", "labs/stories", "worlds/stories", "models/base")
    loaded = page.evaluate("Object.keys(fmkit.modules)")
    assert "newborn" in loaded
    assert not set(loaded).intersection(heavy)
    train(page)
    loaded = page.evaluate("Object.keys(fmkit.modules)")
    assert set(loaded).intersection(heavy) == set(heavy[:-1])


def test_it_learns(visit: Any) -> None:
    page = train(visit(), 60_000)
    assert 0.3 < loss(page) < 5.5  # a guess has 6.24
    assert page.locator(".fm-newborn-story .fm-wrong").inner_text()
    assert "the world expected: " in page.locator(".fm-newborn-story .fm-expected").inner_text()
    first = page.locator(".fm-newborn-way li").first
    assert "the world expected: " in first.inner_text(), "the story of a guess is kept"
    assert "left" in page.locator(".fm-newborn-status").inner_text(), "the page says how long it takes"


def test_the_page_answers_meanwhile(visit: Any) -> None:
    """No block of a second, on any machine; the figure is printed."""
    page = visit(script=LONGEST)
    page.evaluate("longest = 0")
    train(page, 40_000)
    longest = page.evaluate("longest")
    print(f"longest block of the main thread while it learns: {longest} ms")
    assert longest < 1_000


def test_it_stops_and_goes_on(visit: Any) -> None:
    page = train(visit())
    stop(page)
    expect(page.locator(".fm-newborn-status")).to_have_text(
        re.compile(r"Its best story is right for \d+ words?\.")
    )
    read = page.locator("[data-of=tokens]").inner_text()
    page.wait_for_timeout(500)
    assert page.locator("[data-of=tokens]").inner_text() == read
    page.keyboard.press("Enter")
    expect(page.locator("[data-of=tokens]")).not_to_have_text(read, timeout=STARTED)
    assert page.locator("[data-of=tokens]").inner_text() != "0", "it is the same model"


def test_it_starts_anew(visit: Any) -> None:
    page = train(visit())
    before = page.locator(".fm-newborn-way li").first.inner_text()
    stop(page)
    page.get_by_role("button", name="Start over").press("Enter")
    expect(page.get_by_role("button", name="Stop")).to_be_focused()
    expect(page.locator(".fm-newborn-way li").first).not_to_have_text(before, timeout=STARTED)
    expect(page.locator(".fm-newborn-way li .fm-marked").first).to_be_visible(timeout=STARTED)
    assert page.locator(".fm-newborn-way li").first.inner_text() != before, "another seed, another guess"


def test_a_row_that_is_passed(visit: Any) -> None:
    """A story stands in one row, also where the loss falls below two between two stories."""
    page = visit()
    page.evaluate(FAST)
    page.get_by_role("button", name="Train").click()
    rows = page.locator(".fm-newborn-way li")
    expect(rows.nth(2)).to_contain_text("the world expected: Once")
    assert " ".join(rows.nth(1).inner_text().split()) == "5.0 passed between two stories"
    assert "not there yet" in rows.nth(3).inner_text()
    page.get_by_role("button", name="Start over").click()
    expect(page.locator(".fm-newborn-way .fm-quiet"), "nothing is left of the first").to_have_count(6)


def test_a_failure_is_said(visit: Any) -> None:
    page = visit()
    page.evaluate("() => { fmkit.load = () => Promise.reject(Error('No connection.')); }")
    page.get_by_role("button", name="Train").click()
    assert page.locator(".fm-newborn-status").inner_text() == "No connection."
    expect(page.get_by_role("button", name="Retry")).to_be_visible()


def test_the_other_one_talks(visit: Any) -> None:
    page = visit()
    page.get_by_role("button", name="Bruno was a hungry bear who").press("Enter")
    expect(page.locator(".fm-newborn-verdict")).to_contain_text("tokens in", timeout=STARTED)
    answer = page.locator(".fm-newborn-answer").inner_text()
    assert answer.startswith("Bruno was a hungry bear who")
    assert len(answer) > 60
    assert page.locator(".fm-newborn-answer .fm-prompt").inner_text().strip() == "Bruno was a hungry bear who"


def test_another_kind_of_text_is_said(visit: Any) -> None:
    page = visit()
    assert write(page, "Dear customer service,").startswith("No story of its world begins like this.")
    assert page.locator(".fm-newborn-answer .fm-wrong").first.inner_text() == "Dear"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<img src=x onerror=alert(1)>", "No story of its world begins like this."),
        ("x" * 10_000, "shorten it"),
        ("once upon " * 1_000, "shorten it"),
        ("a \ud83d b", "half a character"),
        ("", "tokens in"),
        ("   ", "tokens in"),
        ("\u202e\0<|eos|>", "No story of its world"),
    ],
    ids=["html", "long", "words", "half", "empty", "spaces", "odd"],
)
def test_any_text(visit: Any, text: str, said: str) -> None:
    page = visit()
    assert said in write(page, text)
    expect(page.locator(".fm-newborn img")).to_have_count(0)


@pytest.mark.parametrize(("width", "colors"), [*tiny.LOOKS, (tiny.PHONE, "dark")])
def test_accessible_in_each_state(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    faults = tiny.faults(page, ".fm-newborn")
    faults += tiny.violations(page, ".fm-newborn")
    train(page)
    faults += tiny.violations(page, ".fm-newborn")
    stop(page)
    write(page, "Once upon a time, there was a clever girl named Molly.")
    faults += tiny.faults(page, ".fm-newborn") + tiny.violations(page, ".fm-newborn")
    faults += tiny.small_targets(page, ".fm-newborn :is(.fm-button, input)")
    assert not faults, "\n".join(faults)


def test_nothing_moves(visit: Any) -> None:
    """What is below the newborn is where it was, when it has stories of any length."""
    page = visit()
    place = "document.querySelector('.fm-newborn-way').getBoundingClientRect().top + scrollY"
    before = page.evaluate(place)
    train(page, 20_000)
    assert page.evaluate(place) == before


def test_without_a_script(visit: Any) -> None:
    page = visit(java_script_enabled=False)
    figure = page.locator(".fm-newborn figure")
    expect(figure.locator("polyline")).to_be_visible()
    assert "80,112 random numbers, whose loss is 5.96 at first" in " ".join(figure.inner_text().split())
    expect(page.locator(".fm-newborn-talk")).to_be_hidden()
    expect(page.locator(".fm-newborn-status")).to_be_hidden()


def test_the_source_is_linked(visit: Any) -> None:
    page = visit()
    link = page.get_by_role("link", name="Read the source")
    assert link.get_attribute("href") == "https://github.com/example/book"
    assert "git clone https://github.com/example/book" in page.locator(".fm-install pre").inner_text()
