"""Static and continuous batches: drawn step by step, by keyboard; a plan without a script and on paper."""

import json
from typing import Any

import pytest
import tiny
from playwright.sync_api import Page, expect

from bookkit.widgets import batching
from fmkit.errors import FmkitError

EIGHT = batching.LENGTHS[:8]


@pytest.fixture
def visit(visit: Any) -> Any:
    return lambda width=tiny.DESK, **options: visit(width, "chapters/back/batching", **options)


def readouts(page: Page) -> list[str]:
    return [text.strip() for text in page.locator(".fm-batching-readout").all_inner_texts()]


def press(page: Page, label: str, *keys: str) -> None:
    for key in keys:
        page.get_by_label(label, exact=True).press(key)


def test_who_waits_and_who_is_idle(visit: Any) -> None:
    static, continuous = readouts(visit())
    assert static.startswith("Step 40: 1 of 4 places at work, 3 idle; requests 5 to 8 wait.")
    assert continuous.startswith("Step 40: 4 of 4 places at work, 0 idle; none wait.")
    assert "All done at step 170" in static
    assert "All done at step 90" in continuous


def test_steps_by_keyboard(visit: Any) -> None:
    page = visit()
    waiting = page.locator("[data-way=continuous] .fm-batching-answer.waits")
    press(page, "Step", "Home")
    expect(waiting).to_have_text(["5", "6", "7", "8"], use_inner_text=True)
    press(page, "Step", "ArrowRight")
    expect(waiting).to_have_text(["6", "7", "8"], use_inner_text=True)
    press(page, "Step", "End")
    expect(page.locator(".fm-batching-answer.done:visible")).to_have_count(16)
    assert "Step 170: none wait." in page.locator(".fm-spoken").text_content()


@pytest.mark.parametrize("requests", range(len(batching.REQUESTS)))
def test_other_plans_are_drawn(visit: Any, requests: int) -> None:
    page = visit()
    press(page, "Requests", "Home", *["ArrowRight"] * requests)
    count = batching.REQUESTS[requests]
    for number, places in enumerate(batching.PLACES):
        press(page, "Places", "Home", *["ArrowRight"] * number)
        plans = [batching.plan(batching.LENGTHS[:count], places, way) for way in batching.WAYS]
        for text, plan in zip(readouts(page), plans, strict=True):
            assert text.endswith(plan["says"])
        assert page.locator("tr.now th").inner_text() == str(places)
        cells = page.locator("tr.now td").all_inner_texts()[:2]
        assert cells == [str(plan["end"]) for plan in plans]
        expect(page.locator(".fm-batching-answer:visible")).to_have_count(2 * count)
        expect(page.locator(".fm-batching-lane:visible")).to_have_count(2 * places)


def test_planning_moves_nothing(visit: Any) -> None:
    page = visit()
    below, seen = page.locator(".fm-batching-note"), set()
    for label in ("Step", "Requests", "Places"):
        for key in ("Home", "End"):
            press(page, label, key)
            seen.add(json.dumps(below.bounding_box()))
    assert len(seen) == 1


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_batching_is_accessible(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    complaints = tiny.faults(page, ".fm-batching")
    press(page, "Requests", "End")
    press(page, "Places", "End")
    complaints += tiny.faults(page, ".fm-batching")
    complaints += tiny.small_targets(page, ".fm-batching :is(input, button)")
    assert not complaints, "\n".join(complaints)


def one_plan(page: Page) -> None:
    expect(page.locator(".fm-batching-answer:visible")).to_have_text([*"12345678"] * 2, use_inner_text=True)
    expect(page.get_by_label("Step", exact=True)).to_be_hidden()
    assert [text.split(",")[0] for text in readouts(page)] == ["All done at step 170", "All done at step 90"]
    expect(page.locator("tbody tr:visible")).to_have_count(len(batching.PLACES))


def test_batching_without_a_script(visit: Any) -> None:
    one_plan(visit(java_script_enabled=False))


def test_batching_on_paper(visit: Any) -> None:
    page = visit()
    page.emulate_media(media="print")
    one_plan(page)


@pytest.mark.parametrize("way", batching.WAYS)
@pytest.mark.parametrize("places", [1, 2, 3, 5, 8, 20])
def test_a_place_has_one_answer_at_a_time(way: str, places: int) -> None:
    spans = batching.plan(batching.LENGTHS, places, way)["spans"]
    taken = [
        (place, step)
        for (place, start), length in zip(spans, batching.LENGTHS, strict=True)
        for step in range(start, start + length)
    ]
    assert len(taken) == len({*taken}) == sum(batching.LENGTHS)
    assert {place for place, _ in taken} <= {*range(places)}


def test_static_batches_begin_together() -> None:
    spans = batching.plan(EIGHT, 4, "static")["spans"]
    assert [start for _, start in spans] == [0] * 4 + [90] * 4


def test_a_free_place_is_taken_at_once() -> None:
    spans = batching.plan(EIGHT, 4, "continuous")["spans"]
    assert [start for _, start in spans] == [0, 0, 0, 0, 10, 20, 30, 30]


def test_no_run_of_a_batch_is_one_line() -> None:
    with pytest.raises(FmkitError, match=r"^assets/runs/serving\.json:1: no run of base with batch=3: "):
        batching.measured([], 3)
