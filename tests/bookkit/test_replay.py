"""The shares of replay: one by slider, all without a script and on paper, accessible in every state."""

import json
from typing import Any

import pytest
import tiny
from playwright.sync_api import Page, expect

from bookkit.widgets import replay
from fmkit.errors import FmkitError

SHARES = ("0%", "1%", "5%", "10%", "25%", "50%")
READOUT = ".fm-replay-readout"


@pytest.fixture
def visit(visit: Any) -> Any:
    return lambda width=tiny.DESK, **options: visit(width, "chapters/back/replay", **options)


def shown(page: Page) -> str:
    """The readout in sight, of which there is one."""
    readout = page.locator(f"{READOUT}:visible")
    assert (readout.count(), page.locator(".fm-replay-cursor:visible").count()) == (1, 1)
    return readout.inner_text()


def test_the_shares_by_keyboard(visit: Any) -> None:
    page = visit()
    slider = page.get_by_label("Share of replay", exact=True)
    assert shown(page).startswith("Replay 5%: medical 0.61")
    slider.press("Home")
    assert "stories 7.55" in shown(page)
    assert slider.get_attribute("aria-valuetext") == "0%"
    slider.press("End")
    assert "stories 0.72" in shown(page)
    assert "Replay 50%" in page.locator(".fm-spoken").text_content()


def test_a_text_has_its_wrong_word_marked(visit: Any) -> None:
    page = visit()
    page.get_by_label("Share of replay", exact=True).press("Home")
    marks = page.locator(f"{READOUT}.now mark").all_inner_texts()
    assert marks == ["31-year-old", "nameds"]


def test_replay_keeps_its_place(visit: Any) -> None:
    """Nothing on the page moves when the reader chooses."""
    page, places = visit(), set()
    for key in ("Home", "ArrowRight", "End"):
        page.get_by_label("Share of replay", exact=True).press(key)
        places.add(json.dumps(page.locator(".fm-replay-note").bounding_box()))
    assert len(places) == 1


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_replay_is_accessible(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    complaints = tiny.faults(page, ".fm-replay")
    page.get_by_label("Share of replay", exact=True).press("End")
    complaints += tiny.faults(page, ".fm-replay")
    complaints += tiny.small_targets(page, ".fm-replay :is(input, summary)")
    assert not complaints, "\n".join(complaints)


def all_of_them(page: Page) -> None:
    lines = page.locator(f"{READOUT}:visible .fm-replay-losses").all_inner_texts()
    assert [line.split(":")[0].removeprefix("Replay ") for line in lines] == list(SHARES)
    expect(page.get_by_label("Share of replay", exact=True)).to_be_hidden()


def test_shares_without_a_script(visit: Any) -> None:
    all_of_them(visit(java_script_enabled=False))


def test_shares_on_paper(visit: Any) -> None:
    page = visit()
    page.emulate_media(media="print")
    all_of_them(page)


def test_a_missing_text_is_one_line() -> None:
    with pytest.raises(FmkitError, match=r"replay-texts\.json:1: no text with replay_share=0\.05: "):
        replay.written(0.05, [{"settings": {"replay_share": None}, "texts": {}}])
