"""The checkpoints of a run: one by slider, three without a script and on paper, accessible in every state."""

import json
from pathlib import Path
from typing import Any

import pytest
import tiny
from playwright.sync_api import Page, expect
from quiz_book import COURSE

from bookkit.widgets import snapshots
from fmkit.errors import FmkitError

STORY = ".fm-checkpoint.now .fm-story.shown"


@pytest.fixture
def visit(visit: Any) -> Any:
    return lambda width=tiny.DESK, **options: visit(width, "chapters/back/snapshots", **options)


def shown(page: Page) -> tuple[str, str, float]:
    """What is in sight: the head of the checkpoint, its story, and the place of the cursor."""
    head, story = page.locator(".fm-checkpoint-head:visible"), page.locator(".fm-story:visible")
    cursor = page.locator(".fm-cursor:visible").evaluate_all(
        "all => all.map((one) => parseFloat(one.style.cssText.slice(4)))"
    )
    assert (head.count(), story.count(), len(cursor)) == (1, 1, 1)
    return head.inner_text(), story.inner_text(), cursor[0]


def test_the_slider_moves_by_keyboard(visit: Any) -> None:
    page = visit()
    slider = page.get_by_label("Tokens read")
    head, story, start = shown(page)
    assert head.startswith("40k tokens read: loss 0.57, which is 0.14 above the floor.")
    assert "drum." in story
    assert "expected: kite" in story
    slider.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "60k"
    assert shown(page)[2] > start
    slider.press("End")
    head, story, end = shown(page)
    assert head.startswith("80k tokens")
    assert story == "Zoe lost a kite. She found the kite. true to the end"
    slider.press("Home")
    assert shown(page)[2] < start < end


def test_another_story_by_keyboard(visit: Any) -> None:
    page = visit()
    choice = page.get_by_label("a toy")
    choice.press("ArrowRight")
    assert "(ends here)" in shown(page)[1]
    assert page.locator(".fm-spoken").text_content() == "First wrong word: (ends here), expected: kite."


def test_nothing_moves_but_what_is_shown(visit: Any) -> None:
    """The stories and rates of all checkpoints have one place, as large as the largest."""
    page = visit()
    below = page.locator(".fm-snapshots-note")
    slider, places = page.get_by_label("Tokens read"), set()
    for key in ("Home", "ArrowRight", "End"):
        slider.press(key)
        places.add(json.dumps(below.bounding_box()))
    assert len(places) == 1


def test_rates_of_few_words_are_not_given(visit: Any) -> None:
    rates = visit().locator(".fm-checkpoint.now .fm-rates li").all_inner_texts()
    assert [" ".join(rate.split()) for rate in rates] == [
        "part of a phrase once upon a time 0.1% 1 of 1000",
        "one of several she saw a kite 0% 0 of 500",
        "he or she Lily lost her 25% 10 of 40",
        "said before lost a kite, found the kite 9 reached: too few to say",
        "a sum five less two is three none reached",
    ]


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_accessible_at_both_ends(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    complaints = tiny.faults(page, ".fm-snapshots")
    page.get_by_label("Tokens read").press("End")
    complaints += tiny.faults(page, ".fm-snapshots")
    complaints += tiny.small_targets(page, ".fm-snapshots :is(input, button)")
    assert not complaints, "\n".join(complaints)


def three(page: Page) -> list[str]:
    expect(page.locator(".fm-cursor:visible")).to_have_count(3)
    expect(page.locator(".fm-story:visible")).to_have_count(3)
    expect(page.get_by_label("Tokens read")).to_be_hidden()
    return [text.split(" ")[0] for text in page.locator(".fm-checkpoint-head:visible").all_inner_texts()]


def test_three_checkpoints_without_a_script(visit: Any) -> None:
    assert three(visit(java_script_enabled=False)) == ["10k", "40k", "80k"]


def test_three_checkpoints_on_paper(visit: Any) -> None:
    page = visit()
    page.get_by_label("Tokens read").press("End")
    page.emulate_media(media="print")
    assert three(page) == ["10k", "40k", "80k"]


def test_record_without_stories_is_one_line(tmp_path: Path) -> None:
    record = {**COURSE, "runs": COURSE["runs"][:1]}
    with pytest.raises(FmkitError, match=r"^course\.json:1: .*python -m course$"):
        snapshots.find_run(record, "course.json")


@pytest.mark.parametrize(
    ("value", "text"), [(950, "950"), (46_194, "46.2k"), (1_449_219, "1.45M"), (12_000_000, "12M")]
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert snapshots.short(value) == text


def test_the_book_shows_what_was_recorded() -> None:
    """The record has all that the widget shows, and its rates are of what was reached."""
    record = json.loads((tiny.ROOT / "assets/runs/pretraining.json").read_text())
    looks = snapshots.find_run(record, "pretraining.json")["snapshots"]
    assert len(looks) == 17
    assert len(record["prompts"]) == 3
    for look in looks:
        assert len(look["continued"]) == 3
        assert all(failed <= reached for reached, failed in look["places"].values())
        assert sum(failed for _, failed in look["places"].values()) <= 200 * (1 - look["true"])
        for prompt, story in zip(record["prompts"].values(), look["continued"], strict=True):
            assert story["text"].startswith(prompt)
            assert (story["wrong"] is None) == (story["expected"] is None)
    assert looks[-1]["true"] > 0.1 > looks[0]["true"]
    assert looks[-1]["learning_rate"] == 0
    assert max(look["learning_rate"] for look in looks) == 0.008
