"""The checklist: a record, open points first, kept and saved as typed, and never more than text."""

import json
from pathlib import Path
from typing import Any

import pytest
import tiny
from playwright.sync_api import Page, expect

from bookkit.widgets import checklist
from fmkit.errors import FmkitError

AREAS = checklist.read_areas(tiny.ROOT / checklist.FILE, checklist.FILE)
QUESTIONS = [question for area in AREAS for question in area.questions]
OPEN = [question for question in QUESTIONS if question.answer != "yes"]
RECORD = ".fm-checklist-record"
HOSTILE = "<img src=x onerror=alert(1)>\n\n[Yes] Forged\u202e\u0007 \"'`${1}"


@pytest.fixture
def visit(visit: Any) -> Any:
    return lambda width=tiny.DESK, **options: visit(width, "chapters/back/checklist", **options)


def shop(page: Page) -> Page:
    page.get_by_role("button", name="The shop’s answers").press("Enter")
    return page


def saved(page: Page, kind: str) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Save as {kind}").click()
    assert download.value.suggested_filename == f"checklist-2026-11-21.{'txt' if kind == 'text' else 'json'}"
    return Path(download.value.path()).read_text(encoding="utf-8")


def test_open_points_come_first(visit: Any) -> None:
    page = shop(visit())
    said = page.locator(f"{RECORD} li").all_inner_texts()
    ranks = [("No", "Not known", "Partly", "Yes").index(words.split(": ")[0]) for words in said]
    assert len(said) == len(QUESTIONS)
    assert ranks == sorted(ranks)
    assert set(ranks) == {0, 1, 2, 3}
    assert f"{len(OPEN)} of {len(QUESTIONS)} points are open." in page.locator(RECORD).inner_text()


def test_an_answer_by_keyboard(visit: Any) -> None:
    page = visit()
    first = page.locator("fieldset").first
    expect(page.locator(RECORD)).to_be_hidden()
    first.get_by_role("radio", name="Yes").press("Space")
    first.get_by_role("radio", name="Yes").press("ArrowRight")
    first.get_by_label("Note").fill("half of it")
    assert page.locator(f"{RECORD} li", has_text="Partly: ").inner_text().count("half of it") == 1
    head = page.locator(".fm-checklist-head").first
    assert head.locator("small").inner_text() == "1 of 3, 1 open"
    first.get_by_label("Note").press("Escape")
    assert head.get_attribute("aria-expanded") == "false"
    assert page.evaluate("() => document.activeElement.className").startswith("fm-checklist-head")
    head.press("Enter")
    expect(first).to_be_visible()


def test_answers_survive_a_reload(visit: Any) -> None:
    page = shop(visit())
    page.get_by_label("The system", exact=True).fill("Our sorter")
    before = page.locator(RECORD).inner_text()
    page.reload()
    assert page.locator(RECORD).inner_text() == before
    assert "Our sorter" in before


def test_another_tab_writes_the_same_list(visit: Any) -> None:
    page = visit()
    other = page.context.new_page()
    other.goto(page.url)
    page.get_by_label("The system", exact=True).fill("Our sorter")
    expect(other.get_by_label("The system", exact=True)).to_have_value("Our sorter")
    other.locator("fieldset").first.get_by_role("radio", name="Yes").check()
    expect(page.locator("fieldset").first.get_by_role("radio", name="Yes")).to_be_checked()
    assert "Our sorter" in page.locator(RECORD).inner_text()
    assert page.locator(f"{RECORD} li", has_text="Yes: ").count() == 1


def test_a_look_makes_nothing_newer(visit: Any) -> None:
    """A note that is only shown keeps its time, so that a file with a newer one wins."""
    page = shop(visit())
    kept = page.evaluate("({...localStorage})")
    page.clock.set_fixed_time("2026-11-22T10:00:00")
    page.reload()
    expect(page.locator(RECORD)).to_be_visible()
    assert page.evaluate("({...localStorage})") == kept


def test_clearing_takes_two_presses(visit: Any) -> None:
    page = shop(visit())
    page.get_by_role("button", name="Clear all").press("Enter")
    expect(page.locator(RECORD)).to_be_visible()
    page.get_by_role("button", name="Really clear all?").press("Enter")
    expect(page.locator(RECORD)).to_be_hidden()
    page.reload()
    expect(page.locator(RECORD)).to_be_hidden()


def test_the_example_spares_own_answers(visit: Any) -> None:
    page = visit()
    page.get_by_label("Answered by").fill("me")
    shop(page)
    expect(page.locator("input:checked")).to_have_count(0)


def test_the_files_hold_the_record(visit: Any) -> None:
    page = shop(visit())
    text, data = saved(page, "text"), json.loads(saved(page, "JSON"))
    assert text.index("OPEN") < text.index("[No]") < text.index("SETTLED") < text.index("[Yes]")
    assert text.startswith(
        "Record of responsible use: The shop’s assistant\n2026-11-21, answered by Ms. Barrow\n"
    )
    assert [one["answer"] for one in data["answers"]] == [question.answer for question in QUESTIONS]
    assert [one["note"] for one in data["answers"]] == [question.note for question in QUESTIONS]


def test_hostile_notes_stay_text(visit: Any) -> None:
    page = visit()
    page.get_by_label("The system", exact=True).fill(HOSTILE)
    page.locator("fieldset").first.get_by_label("Note").fill(HOSTILE)
    expect(page.locator(f"{RECORD} img")).to_have_count(0)
    assert "<img src=x onerror=alert(1)>" in page.locator(RECORD).inner_text()
    lines = saved(page, "text").splitlines()
    assert not [line for line in lines if line.startswith("[Yes]")], "a note cannot forge an answer"
    assert "\u202e" not in "".join(lines)
    page.reload()
    expect(page.locator(f"{RECORD} img")).to_have_count(0)


@pytest.mark.parametrize(
    "kept",
    [
        "7",
        "[]",
        '{"answers": 3}',
        '{"answers": {"purpose": "yes"}}',
        '{"answers": {"purpose": [{}, 9]}, "by": {}}',
    ],
)
def test_damaged_notes_are_ignored(visit: Any, kept: str) -> None:
    entry = json.dumps({"at": 1, "value": json.loads(kept)})
    page = visit(script=f"localStorage.setItem('fmkit/1/note/checklist', {entry!r})")
    expect(page.locator("input:checked")).to_have_count(0)
    expect(page.locator(RECORD)).to_be_hidden()
    assert page.get_by_role("button", name="Print").get_attribute("aria-disabled") == "true"


def test_a_browser_that_keeps_nothing(visit: Any) -> None:
    refuse = "Object.defineProperty(window, 'localStorage', {get() { throw new Error('no') }})"
    page = visit(script=refuse)
    assert "keeps nothing" in page.locator(".fm-checklist .fm-spoken").text_content()
    expect(shop(page).locator(f"{RECORD} li")).to_have_count(len(QUESTIONS))


def test_the_record_prints_alone(visit: Any) -> None:
    page = shop(visit(script="window.print = () => {}"))
    page.get_by_role("button", name="Print the record").click()
    page.emulate_media(media="print")
    expect(page.locator(f"{RECORD} li:visible")).to_have_count(len(QUESTIONS))
    assert not page.locator("fieldset:visible, h1:visible, nav:visible").count()
    page.evaluate("() => window.dispatchEvent(new Event('afterprint'))")
    expect(page.locator("fieldset:visible")).to_have_count(len(QUESTIONS))


def test_a_list_without_a_script(visit: Any) -> None:
    page = visit(java_script_enabled=False)
    expect(page.locator("fieldset:visible")).to_have_count(len(QUESTIONS))
    assert not page.locator(".fm-checklist button:visible").count()
    expect(page.locator(".fm-checklist-title:visible")).to_have_count(len(AREAS))


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_the_checklist_is_accessible(visit: Any, width: int, colors: str) -> None:
    page = shop(visit(width, color_scheme=colors))
    for head in page.locator(".fm-checklist-head").all()[1:]:
        head.click()
    complaints = tiny.faults(page, ".fm-checklist")
    complaints += tiny.small_targets(page, ".fm-checklist :is(input, button, textarea)")
    assert not complaints, "\n".join(complaints)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("answer: partly", "answer: maybe", "answer must be yes, partly, no, unknown, not 'maybe'"),
        ("id: affected", "id: purpose", "two questions have the id 'purpose'"),
        ("sign: evaluator", "signs: evaluator", "a question has no key 'signs'"),
    ],
)
def test_a_faulty_file_is_one_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "questions.yml"
    text = (tiny.ROOT / checklist.FILE).read_text(encoding="utf-8")
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FmkitError, match=rf"^questions\.yml:\d+: {said}"):
        checklist.read_areas(path, "questions.yml")
