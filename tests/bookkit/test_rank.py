"""The ranks of adapters: one by slider, all without a script and on paper, accessible in every state."""

import json
from typing import Any

import pytest
import tiny
from playwright.sync_api import Page, expect

from bookkit.widgets import rank
from fmkit.errors import FmkitError

READOUT = ".fm-rank-readout:visible"
TASKS = 3


@pytest.fixture
def visit(visit: Any) -> Any:
    return lambda width=tiny.DESK, **options: visit(width, "chapters/back/rank", **options)


def shown(page: Page) -> tuple[str, float]:
    """What is in sight: the readout, and the place of the cursor."""
    readout, cursor = page.locator(READOUT), page.locator(".fm-rank-cursor:visible")
    assert (readout.count(), cursor.count()) == (1, 1)
    return readout.inner_text(), cursor.evaluate("(one) => parseFloat(one.style.cssText.slice(4))")


def test_the_ranks_by_keyboard(visit: Any) -> None:
    page = visit()
    slider = page.get_by_label("Rank", exact=True)
    text, start = shown(page)
    assert text.startswith("Rank 4: 81,088 weights are trained, 35.9% of the model.")
    slider.press("End")
    assert slider.get_attribute("aria-valuetext") == "all weights"
    text, end = shown(page)
    assert text.startswith("All weights: 225,920 weights are trained, 100% of the model.")
    assert "Memory 3.6 MB" in text
    slider.press("Home")
    assert shown(page)[1] < start < end


def test_the_tasks_by_keyboard(visit: Any) -> None:
    page = visit()
    assert "Right intents: 76%" in shown(page)[0]
    page.get_by_role("radio", name="far from the base").press("ArrowRight")
    assert "Right intents: 0%" in shown(page)[0]
    page.get_by_role("radio", name="far, embeddings frozen").press("ArrowRight")
    assert "Nats per token won in the new world: 0.039" in shown(page)[0]
    assert "won in the new world: 0.039" in page.locator(".fm-spoken").text_content()


def test_ranks_share_one_place(visit: Any) -> None:
    """Nothing on the page moves when the reader chooses."""
    page = visit()
    below, places = page.locator(".fm-rank-note"), set()
    for key in ("Home", "ArrowRight", "End"):
        page.get_by_label("Rank", exact=True).press(key)
        places.add(json.dumps(below.bounding_box()))
    page.get_by_role("radio", name="far from the base").press("ArrowRight")
    places.add(json.dumps(below.bounding_box()))
    assert len(places) == 1


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_ranks_are_accessible(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    complaints = tiny.faults(page, ".fm-rank")
    page.get_by_label("Rank", exact=True).press("End")
    page.get_by_role("radio", name="far from the base").press("ArrowRight")
    complaints += tiny.faults(page, ".fm-rank")
    complaints += tiny.small_targets(page, ".fm-rank :is(input, button)")
    assert not complaints, "\n".join(complaints)


def all_of_them(page: Page) -> None:
    for part in (".fm-rank-planes", ".fm-rank-table table"):
        expect(page.locator(f"{part}:visible")).to_have_count(TASKS)
    assert not page.locator(READOUT).count()
    expect(page.get_by_label("Rank", exact=True)).to_be_hidden()
    rows = page.locator(".fm-rank-table").first.locator("tbody tr").all_inner_texts()
    assert [row.split("\t")[0] for row in rows] == [
        *(f"rank {number}" for number in (1, 2, 4, 8, 16)),
        "all weights",
    ]


def test_tables_without_a_script(visit: Any) -> None:
    all_of_them(visit(java_script_enabled=False))


def test_tables_on_paper(visit: Any) -> None:
    page = visit()
    page.emulate_media(media="print")
    all_of_them(page)


def test_memory_is_of_what_learns() -> None:
    assert rank.memory(100, 10) == {"weights": 400, "gradients": 40, "moments": 80}
    assert sum(rank.memory(100, 100).values()) == 16 * 100


@pytest.mark.parametrize(
    ("value", "top"), [(0.047, 0.06), (0.98, 1), (6.9, 8), (0.9, 1), (9.1, 10), (0, 0.1)]
)
def test_axes_end_at_a_short_number(value: float, top: float) -> None:
    assert rank.round_up(value) == pytest.approx(top)


def test_a_missing_rank_is_one_line() -> None:
    text = json.dumps({"runs": [{"settings": {"rank": 1}}]})
    with pytest.raises(FmkitError, match=r"^near\.json:1: no run with rank=2: .*$"):
        rank.read(text, "near.json")
