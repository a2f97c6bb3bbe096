"""The teacher's probabilities: one temperature by slider, all without a script and on paper, accessible."""

import json
from typing import Any

import pytest
import tiny
from playwright.sync_api import Page, expect

from bookkit.widgets import soften
from fmkit.errors import FmkitError
from fmkit.records import read_record

PLACES = 3
READOUT = ".fm-soften-place.shown .fm-soften-readouts p.now"


@pytest.fixture
def visit(visit: Any) -> Any:
    return lambda width=tiny.DESK, **options: visit(width, "chapters/back/soften", **options)


def shares(page: Page) -> list[str]:
    """The numbers in sight, from the likeliest token to all others."""
    return page.locator(".fm-soften-place.shown tbody td:visible").all_inner_texts()


def recorded(place: int, temperature: str) -> list[str]:
    found = read_record("soft-targets")["runs"][place]["probabilities"][temperature]
    return [soften.percent(p) for p in [*found, 1 - sum(found)]]


def test_temperatures_by_keyboard(visit: Any) -> None:
    page = visit()
    slider = page.get_by_label("Temperature", exact=True)
    assert shares(page) == recorded(0, "1.0")
    slider.press("End")
    assert shares(page) == recorded(0, "8.0")
    assert page.locator(READOUT).inner_text().startswith("Temperature 8: 0.4% for “rabbit”")
    slider.press("Home")
    assert shares(page) == recorded(0, "0.5")
    assert page.locator(".fm-spoken").text_content() == page.locator(READOUT).inner_text()


def test_places_by_keyboard(visit: Any) -> None:
    page = visit()
    for number, key in ((1, "ArrowRight"), (2, "ArrowRight")):
        page.get_by_role("radio").nth(number - 1).press(key)
        assert shares(page) == recorded(number, "1.0")
    assert "for “Benny”" in page.locator(".fm-spoken").text_content()


def test_softening_moves_nothing(visit: Any) -> None:
    page = visit()
    below, places = page.locator(".fm-soften-note"), set()
    for key in ("Home", "ArrowRight", "End"):
        page.get_by_label("Temperature", exact=True).press(key)
        places.add(json.dumps(below.bounding_box()))
    page.get_by_role("radio").first.press("ArrowRight")
    places.add(json.dumps(below.bounding_box()))
    assert len(places) == 1


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_softening_is_accessible(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    complaints = tiny.faults(page, ".fm-soften")
    page.get_by_label("Temperature", exact=True).press("End")
    page.get_by_role("radio").first.press("ArrowRight")
    complaints += tiny.faults(page, ".fm-soften")
    complaints += tiny.small_targets(page, ".fm-soften :is(input, button)")
    assert not complaints, "\n".join(complaints)


def all_of_them(page: Page) -> None:
    expect(page.locator(".fm-soften-bars table:visible")).to_have_count(PLACES)
    expect(page.get_by_label("Temperature", exact=True)).to_be_hidden()
    head = page.locator(".fm-soften-bars").first.locator("thead th:visible").all_inner_texts()
    assert head == ["next token", *(f"temperature {t}" for t in ("0.5", "1", "2", "4", "8"))]


def test_soften_without_a_script(visit: Any) -> None:
    all_of_them(visit(java_script_enabled=False))


def test_soften_on_paper(visit: Any) -> None:
    page = visit()
    page.emulate_media(media="print")
    all_of_them(page)


@pytest.mark.parametrize(("p", "text"), [(0.0, "0.0%"), (0.0001, "<0.1%"), (0.042, "4.2%"), (0.998, "99.8%")])
def test_shares_are_short(p: float, text: str) -> None:
    assert soften.percent(p) == text


def test_a_teacher_has_all_its_doubts() -> None:
    """The others get what the shown tokens leave."""
    record = read_record("soft-targets")
    for run in record["runs"]:
        rows = soften.describe(run, record)["rows"]
        for at in range(5):
            assert sum(row["cells"][at][0] for row in rows) == pytest.approx(100)


def test_an_unknown_place_is_one_line() -> None:
    text = json.dumps({"runs": [{"settings": {"place": "nowhere"}}]})
    with pytest.raises(FmkitError, match=r"^soft\.json:1: unknown place 'nowhere': .*$"):
        soften.read(text, "soft.json")
