"""The pipeline explorer: by mouse, keyboard and touch, alone on a page, without a script, and on paper."""

from pathlib import Path
from typing import Any

import pytest
import tiny
from playwright.sync_api import Page, expect

from bookkit.widgets.explorer import FILE, read_stages
from fmkit.errors import FmkitError

PAGE = "chapters/back/explorer"
STATE = """() => ({
    shown: [...document.querySelectorAll("dl.fm-stage-facts")]
        .filter((facts) => getComputedStyle(facts).visibility === "visible").map((facts) => facts.id),
    open: [...document.querySelectorAll(".fm-stage-example")]
        .filter((example) => getComputedStyle(example).display !== "none").map((example) => example.id),
    expanded: [...document.querySelectorAll("button.fm-stage-head")].map((button) => button.ariaExpanded),
})"""

CONTENT = (tiny.ROOT / FILE).read_text()
FAULTS = [
    ("  icon: pages", "  icon: rocket", 5, "icon must be pages, sliders"),
    ("  color: pretraining", "  color: pink", 4, "color must be pretraining"),
    ("  lead: Read a", "  lede: Read a", 6, "a stage has no key 'lede'"),
    ("  arrow: Transfer learning\n", "", 2, "is missing the key 'arrow'"),
    ("      - from: Every", "      - from: [Every", 30, "is not YAML"),
]


@pytest.mark.parametrize(("old", "new", "line", "words"), FAULTS, ids=[fault[3] for fault in FAULTS])
def test_a_fault_is_one_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    file = tmp_path / "pipeline.yml"
    file.write_text(CONTENT.replace(old, new, 1))
    with pytest.raises(FmkitError) as error:
        read_stages(file, "pipeline.yml")
    assert str(error.value).startswith(f"pipeline.yml:{line}: ")
    assert words in str(error.value)


@pytest.fixture
def visit(visit: Any) -> Any:
    return lambda width=tiny.DESK, name=PAGE, **options: visit(width, name, **options)


def state(page: Page) -> tuple[list[str], list[str]]:
    now = page.evaluate(STATE)
    names = [identity.removeprefix("fm-") for identity in now["shown"] + now["open"]]
    assert now["expanded"].count("true") == len(now["open"])
    facts = [name.removesuffix("-facts") for name in names if name.endswith("-facts")]
    return facts, [name.removesuffix("-example") for name in names if name.endswith("-example")]


def test_by_mouse(visit: Any) -> None:
    page = visit()
    stages = page.locator("button.fm-stage-head")
    height = page.evaluate("document.documentElement.scrollHeight")
    assert state(page) == (["pre-training"], [])
    stages.nth(2).hover()
    assert state(page) == (["use"], [])
    assert page.evaluate("document.documentElement.scrollHeight") == height, "nothing moves on hover"
    stages.nth(2).click()
    assert state(page) == (["use"], ["use"])
    page.locator("#fm-use-example").click()
    assert state(page)[1] == ["use"], "a click into the example leaves it open"
    stages.nth(1).click()
    assert state(page) == (["fine-tuning"], ["fine-tuning"])
    stages.nth(1).click()
    assert state(page)[1] == [], "again closes"
    stages.nth(0).click()
    page.get_by_text("Text above the picture.").click()
    assert state(page)[1] == [], "outside closes"


def test_by_keyboard(visit: Any) -> None:
    page = visit()
    page.locator("button.fm-stage-head").first.focus()
    page.keyboard.press("Tab")
    assert state(page) == (["fine-tuning"], [])
    page.keyboard.press("Enter")
    assert state(page) == (["fine-tuning"], ["fine-tuning"])
    page.keyboard.press("Escape")
    assert state(page) == (["fine-tuning"], [])
    assert page.evaluate("document.activeElement.ariaExpanded") == "false", "the focus stays on the button"
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    assert state(page) == (["fine-tuning"], [])


def test_by_touch(visit: Any) -> None:
    """On a phone all facts are in sight; scrolling past closes nothing."""
    page = visit(390, has_touch=True, is_mobile=True)
    stages = page.locator("button.fm-stage-head")
    everything = ["pre-training", "fine-tuning", "use"]
    assert state(page) == (everything, [])
    stages.nth(1).tap()
    assert state(page) == (everything, ["fine-tuning"])
    finger = page.context.new_cdp_session(page)
    finger.send("Input.synthesizeScrollGesture", {"x": 200, "y": 600, "yDistance": -300})
    assert state(page)[1] == ["fine-tuning"]
    stages.nth(1).tap()
    assert state(page)[1] == []


def test_full_screen(visit: Any) -> None:
    page = visit()
    page.get_by_role("button", name="Full screen").click()
    page.wait_for_function("() => document.fullscreenElement?.classList.contains('fm-explorer')")
    page.locator("button.fm-stage-head").nth(1).click()
    assert state(page)[1] == ["fine-tuning"]
    page.get_by_role("button", name="Leave full screen").click()
    page.wait_for_function("() => !document.fullscreenElement")


@pytest.mark.parametrize("name", [PAGE, "embed/explorer"])
@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_accessible_closed_and_open(visit: Any, name: str, width: int, colors: str) -> None:
    page = visit(width, name, color_scheme=colors)
    part = ".fm-explorer" if name == PAGE else "html"
    faults = tiny.faults(page, part)
    page.locator("button.fm-stage-head").nth(1).click()
    faults += tiny.faults(page, part)
    assert not faults, "\n".join(faults)


def test_without_a_script_and_on_paper(visit: Any) -> None:
    page = visit(java_script_enabled=False)
    printed = visit()
    printed.emulate_media(media="print")
    for one in (page, printed):
        assert all(facts.is_visible() for facts in one.locator("dl.fm-stage-facts").all())
        assert all(example.is_visible() for example in one.locator(".fm-stage-example").all())
        expect(one.locator(".fm-full")).to_be_hidden()
