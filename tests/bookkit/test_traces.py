"""Traces of an agent: one at a time with a step to find, a list without a script, accessible throughout."""

import json
from typing import Any

import pytest
import tiny
from playwright.sync_api import Page, expect

from bookkit.widgets import traces
from fmkit.errors import FmkitError

PAGE = "chapters/back/traces"
CASES = [traces.describe(traces.find(json.loads((tiny.ROOT / traces.RECORD).read_text())["runs"], *each))
         for each in traces.CHOSEN]  # fmt: skip


@pytest.fixture
def visit(visit: Any) -> Any:
    return lambda width=tiny.DESK, **options: visit(width, PAGE, **options)


def press(page: Page, keys: str) -> None:
    page.locator(".fm-traces-case.now").focus()
    for key in keys:
        page.keyboard.press(key)


def truth(page: Page) -> str:
    return page.locator(".fm-traces-case.now .fm-traces-truth").inner_text()


def guess(page: Page, case: dict[str, Any]) -> None:
    """See all steps and find the wrong one, or that none is."""
    press(page, "n" * (len(case["steps"]) - 1) + str(case["wrong"] + 1))


def test_steps_come_one_by_one(visit: Any) -> None:
    page = visit()
    shown = page.locator(".fm-traces-case.now .fm-traces-choose:visible")
    expect(shown).to_have_count(1)
    page.get_by_role("button", name="Next step").click()
    expect(shown).to_have_count(2)
    assert not page.locator(".fm-traces-truth:visible").count()


def test_all_traces_are_found_by_keyboard(visit: Any) -> None:
    page = visit()
    for number, case in enumerate(CASES, 1):
        assert page.locator(".fm-traces-place").inner_text() == f"Letter {number} of {len(CASES)}."
        guess(page, case)
        assert page.locator(".fm-traces-ask").inner_text() == "You found it."
        assert case["ended"] in truth(page)
        assert page.locator(".fm-traces-status").inner_text().startswith("Right.")
        page.keyboard.press("Enter")  # the next letter has the focus
    assert page.locator(".fm-traces-place").inner_text() == f"Letter 1 of {len(CASES)}."
    assert page.locator(".fm-traces-count").inner_text() == ""


def test_a_wrong_guess_is_corrected(visit: Any) -> None:
    page = visit()
    press(page, "n2" if CASES[0]["wrong"] == 0 else "1")
    assert page.locator(".fm-traces-ask").inner_text() == "Look again:"
    assert page.locator(".fm-traces-count").inner_text() == "0 of 1 found"
    assert truth(page).startswith(f"Step {CASES[0]['wrong'] + 1} is wrong")
    press(page, "1")
    assert page.locator(".fm-traces-count").inner_text() == "0 of 1 found", "one guess is all"


def test_nothing_moves_between_letters(visit: Any) -> None:
    page = visit()
    note, places = page.locator(".fm-traces-note"), set()
    for case in CASES[:3]:
        places.add(json.dumps(note.bounding_box()))
        guess(page, case)
        places.add(json.dumps(note.bounding_box()))
        page.keyboard.press("Enter")
    assert len(places) == 1


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_traces_are_accessible(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    complaints = tiny.faults(page, ".fm-traces")
    guess(page, CASES[0])
    complaints += tiny.faults(page, ".fm-traces")
    complaints += tiny.small_targets(page, ".fm-traces button:not([hidden])")
    assert not complaints, "\n".join(complaints)


def all_of_them(page: Page) -> None:
    expect(page.locator(".fm-traces-truth:visible")).to_have_count(len(CASES))
    expect(page.locator(".fm-traces-step:visible")).to_have_count(sum(len(case["steps"]) for case in CASES))
    assert not page.get_by_role("button", name="Next step").count()


def test_a_list_without_a_script(visit: Any) -> None:
    all_of_them(visit(java_script_enabled=False))


def test_a_list_on_paper(visit: Any) -> None:
    page = visit()
    page.emulate_media(media="print")
    all_of_them(page)


def test_the_truth_is_the_record() -> None:
    """Each trace that is shown says where it left the right path, and some never did."""
    assert {case["wrong"] >= 0 for case in CASES} == {True, False}
    for case in CASES:
        assert [step["wrong"] for step in case["steps"]].count(True) == (case["wrong"] >= 0)
        assert ("completed" in case["ended"]) == (case["wrong"] < 0 or "not completed" in case["ended"])


def test_a_missing_trace_is_one_line() -> None:
    with pytest.raises(FmkitError, match=r"^assets/runs/agents\.json:1: no trace plain, x, None: .*$"):
        traces.find([{"settings": {"cases": "plain"}, "traces": []}], "plain", "x", None)
