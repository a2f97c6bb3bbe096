"""The threshold of a sorter: counts by slider, all without a script, accessible in every state."""

import json
from typing import Any

import pytest
import tiny
from playwright.sync_api import Page, expect

from bookkit.widgets import threshold
from fmkit.errors import FmkitError
from fmkit.records import read_record

SORTERS = 2


@pytest.fixture
def visit(visit: Any) -> Any:
    return lambda width=tiny.DESK, **options: visit(width, "chapters/back/threshold", **options)


def counts(page: Page) -> list[int]:
    """Found, missed, needless and left alone, as the matrix in sight has them."""
    cells = page.locator(".fm-threshold-matrix:visible td b")
    expect(cells).to_have_count(4)
    return [int(text) for text in cells.all_inner_texts()]


def recorded(run: int, at: float) -> list[int]:
    record = read_record("sorter")
    truth = [bool(one) for one in record["is_complaint"][: threshold.SHOWN]]
    sure = record["runs"][run]["complaint"][: threshold.SHOWN]
    hit, alarm, miss, rest = threshold.confusion(sure, truth, at)
    return [hit, miss, alarm, rest]


def test_the_threshold_by_keyboard(visit: Any) -> None:
    page = visit()
    slider = page.get_by_label("Threshold", exact=True)
    assert counts(page) == recorded(0, 0.5)
    for key, at in (("Home", 0.001), ("ArrowRight", 0.002), ("End", 0.999)):
        slider.press(key)
        assert slider.get_attribute("aria-valuetext") == f"{at:g}"
        found, missed, needless, alone = counts(page)
        assert [found, missed, needless, alone] == recorded(0, at)
        expect(page.locator(".fm-threshold-list:visible li:visible")).to_have_count(missed + needless)
        expect(page.locator(".fm-threshold-band:visible i.misread")).to_have_count(missed + needless)


def test_the_sorters_by_keyboard(visit: Any) -> None:
    page = visit()
    page.get_by_role("radio", name="200 labels").press("ArrowRight")
    assert counts(page) == recorded(1, 0.5)
    assert page.locator(".fm-spoken").text_content().startswith(f"{recorded(1, 0.5)[0]} found")


def test_sorters_share_one_place(visit: Any) -> None:
    """Nothing on the page moves when the reader chooses."""
    page = visit()
    below, places = page.locator(".fm-threshold-note"), set()
    for key in ("Home", "ArrowRight", "End"):
        page.get_by_label("Threshold", exact=True).press(key)
        places.add(json.dumps(below.bounding_box()))
    page.get_by_role("radio", name="200 labels").press("ArrowRight")
    places.add(json.dumps(below.bounding_box()))
    assert len(places) == 1


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_thresholds_are_accessible(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    complaints = tiny.faults(page, ".fm-threshold")
    page.get_by_label("Threshold", exact=True).press("Home")
    page.get_by_role("radio", name="200 labels").press("ArrowRight")
    complaints += tiny.faults(page, ".fm-threshold")
    complaints += tiny.small_targets(page, ".fm-threshold :is(input, button)")
    assert not complaints, "\n".join(complaints)


def all_of_them(page: Page) -> None:
    for part in (".fm-threshold-plane", ".fm-threshold-table table", ".fm-threshold-list"):
        expect(page.locator(f"{part}:visible")).to_have_count(SORTERS)
    assert not page.locator(".fm-threshold-matrix:visible").count()
    expect(page.get_by_label("Threshold", exact=True)).to_be_hidden()
    rows = page.locator(".fm-threshold-table").first.locator("tbody tr").all_inner_texts()
    assert [row.split("\t")[0] for row in rows] == [f"{at:g}" for at in threshold.IN_TABLE]


def test_thresholds_without_a_script(visit: Any) -> None:
    all_of_them(visit(java_script_enabled=False))


def test_thresholds_on_paper(visit: Any) -> None:
    page = visit()
    page.emulate_media(media="print")
    all_of_them(page)


def test_measures_of_a_matrix() -> None:
    assert threshold.measures(3, 2, 1, 4) == {
        "accuracy": 0.7,
        "precision": 0.6,
        "recall": 0.75,
        "F1": pytest.approx(2 / 3),
    }
    assert threshold.measures(0, 0, 2, 2)["precision"] == 0


def test_probabilities_have_a_place() -> None:
    assert threshold.place_of(0.5) == 50
    places = [threshold.place_of(p) for p in (0.0, *threshold.THRESHOLDS, 1.0)]
    assert places == sorted(places)
    assert 0 < places[0] < places[-1] < 100


def test_too_few_reviews_are_one_line() -> None:
    text = json.dumps({"reviews": ["Good."]})
    with pytest.raises(FmkitError, match=r"^sorter\.json:1: 1 reviews, of 60: .*$"):
        threshold.read(text, "sorter.json")


def test_the_record_agrees_with_itself() -> None:
    record = read_record("sorter")
    truth = [bool(one) for one in record["is_complaint"]]
    assert len(truth) == len(record["reviews"]) == len(set(record["reviews"]))
    for run in record["runs"]:
        counts = threshold.confusion(run["complaint"], truth, 0.5)
        assert threshold.measures(*counts)["accuracy"] == pytest.approx(run["scores"]["accuracy"], abs=6e-4)
