"""The gaps: one at a time by slider, two models beside the world, all of it on paper, accessible."""

import json
from typing import Any

import pytest
import tiny
from playwright.sync_api import Page, expect

from bookkit.widgets import gaps
from fmkit.errors import FmkitError
from fmkit.records import read_record

SHOWN = ".fm-gaps-gap.shown"


@pytest.fixture
def visit(visit: Any) -> Any:
    return lambda width=tiny.DESK, **options: visit(width, "chapters/back/gaps", **options)


def blank(page: Page) -> str:
    return page.locator(f"{SHOWN} mark").text_content() or ""


def test_the_gap_moves_by_keyboard(visit: Any) -> None:
    page = visit()
    slider = page.get_by_label("Gap", exact=True)
    assert blank(page) == "sang"
    slider.press("ArrowRight")
    assert blank(page) == "songs"
    slider.press("Home")
    assert blank(page) == "girl"
    said = page.locator(f"{SHOWN} .fm-gaps-readout").text_content()
    assert page.locator(".fm-spoken").text_content() == said


def test_moving_the_gap_moves_nothing(visit: Any) -> None:
    page = visit()
    below, places = page.locator(".fm-gaps-note"), set()
    for key in ("Home", "ArrowRight", "End"):
        page.get_by_label("Gap", exact=True).press(key)
        places.add(json.dumps(below.bounding_box()))
    assert len(places) == 1


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_gaps_are_accessible(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    complaints = tiny.faults(page, ".fm-gaps")
    page.get_by_label("Gap", exact=True).press("End")
    complaints += tiny.faults(page, ".fm-gaps") + tiny.small_targets(page, ".fm-gaps :is(input, button)")
    assert not complaints, "\n".join(complaints)


def all_of_them(page: Page) -> None:
    words = page.locator(".fm-gaps-still tbody th:visible").all_inner_texts()
    assert words == [word for word, _ in known()]
    expect(page.get_by_label("Gap", exact=True)).to_be_hidden()


def known() -> list[tuple[str, dict[str, Any]]]:
    """The gaps of the record: the right word, and what the world knows."""
    record = read_record("gaps")
    return [(record["story"][slice(*each["at"])], each) for each in record["asked"]]


def test_gaps_without_a_script(visit: Any) -> None:
    all_of_them(visit(java_script_enabled=False))


def test_gaps_on_paper(visit: Any) -> None:
    page = visit()
    page.emulate_media(media="print")
    all_of_them(page)


def test_the_right_word_is_in_each_table() -> None:
    record = read_record("gaps")
    for number, (word, _) in enumerate(known()):
        for side in gaps.describe(record, number)["sides"]:
            assert [row["word"] for row in side["rows"] if row["right"]] == [word]


def test_both_sides_know_more() -> None:
    """The world gives the right words more, all together, to who sees both sides."""
    left, both = (sum(each[side][word] for word, each in known()) for side in ("left", "both"))
    assert both > left


def test_a_lacking_model_is_one_line() -> None:
    text = json.dumps({"runs": [{"settings": {"model": "base"}}]})
    with pytest.raises(FmkitError, match=r"^gaps\.json:1: no run of 'masked': record it again$"):
        gaps.read(text, "gaps.json")
