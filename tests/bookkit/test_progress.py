"""Progress: what comes back when, what the page shows, and files that come and go without loss or harm."""

import csv
import io
import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import quiz_book
import tiny
from playwright.sync_api import Page, expect
from quiz_steps import PROGRESS as PAGE
from quiz_steps import SIGNS, SUMS, answer, measure, place, said

from bookkit.progress import coverage
from bookkit.quiz.places import quiz_titles


def go(page: Page, name: str, day: str) -> Page:
    """Another page of the book, at ten in the morning of a day."""
    page.clock.set_fixed_time(f"2026-{day}T10:00:00")
    page.goto(f"{page.url.partition('/chapters')[0]}/{name}.html")
    return page


def tables(page: Page) -> dict[str, str]:
    """What the cells say, by the name of the quiz, or by the first word of the row."""
    return page.evaluate("""() => Object.fromEntries(
        [...document.querySelectorAll(".fm-progress tbody td")].map((cell) =>
            [cell.dataset.of ?? cell.parentElement.innerText.split(/\\s/)[0], cell.innerText])
    )""")


def kept(page: Page) -> dict[str, str]:
    return page.evaluate("({...localStorage})")


def due(page: Page) -> str:
    return page.locator(".fm-progress-due").inner_text()


# --- spaced review ----------------------------------------------------------------------------------------

# (on which days of November and December right or wrong, when it comes back)
SPACED = [
    ([("11-01", True)], "2026-11-02"),
    ([("11-01", False)], "2026-11-02"),
    ([("11-01", True), ("11-02", True)], "2026-11-05"),
    ([("11-01", True), ("11-02", True), ("11-05", True)], "2026-11-12"),
    ([("11-01", True), ("11-09", True)], "2026-11-12"),  # late is as good as on the day
    ([("11-01", True), ("11-01", True), ("11-01", True)], "2026-11-02"),  # three at once are worth one
    ([("11-01", True), ("11-02", True), ("11-04", True)], "2026-11-05"),  # before its day: nothing new
    ([("11-01", True), ("11-02", True), ("11-04", False)], "2026-11-05"),  # but wrong is wrong on every day
    ([("11-01", True), ("11-02", False), ("11-02", True), ("11-03", True)], "2026-11-06"),
    ([(f"11-{day:02}", True) for day in (1, 2, 5, 12, 26)], "2026-12-26"),
    ([(f"11-{day:02}", True) for day in (1, 2, 5, 12, 26)] + [("12-26", True)], "2027-01-25"),
]


def test_quizzes_in_the_order_of_the_book(visit: Any, tmp_path: Path) -> None:
    page = visit(name="chapters/back/progress")
    titles = page.locator("[data-part=quizzes] tbody th").all_inner_texts()
    assert titles == ["Sums", "Adding up", "Many"]
    book = quiz_book.write(tmp_path)
    chapter = book / "chapters/1-sums/adding.md"
    chapter.write_text(chapter.read_text() + "\n## And many\n\n```{quiz} many\n```\n")
    titles = list(quiz_titles(book, ["many", "signs", "sums"]).values())
    assert titles[1:] == ["Adding up: More questions", "Adding up: And many"]


def test_coverage_of_the_exam() -> None:
    items = [Mock(objective="1.1.1", beyond=True), Mock(objective="1.1.2", beyond=False)]
    assert coverage(["1.1.1", "1.1.2", "1.2.1"], items) == (
        "The exam’s guide has 3 objectives; so far the book asks about 2, its practice exam about 1."
    )


def test_when_a_question_comes_back(visit: Any) -> None:
    page = visit(name=PAGE, timezone_id="America/Los_Angeles")
    for attempts, day in SPACED:
        page.evaluate("fmkit.modules.store.forget()")
        for on, right in attempts:
            page.clock.set_fixed_time(
                f"2026-{on}T23:30:00-08:00"
            )  # the reader's own day counts, not Greenwich's
            page.evaluate("(right) => fmkit.modules.store.answer('sums', 'sum', 'v', [1], right)", right)
        found = page.evaluate(
            "fmkit.modules.store.date(fmkit.modules.store.due(fmkit.modules.store.item('sums', 'sum')))"
        )
        assert found == day, attempts


def test_review_from_answer_to_answer(visit: Any) -> None:
    page = visit(name=PAGE)
    assert due(page).startswith("Nothing to review yet.")
    expect(page.locator(".fm-progress-start")).to_be_hidden()
    assert tables(page) == {"Adding": "not yet", "many": "0 of 12", "signs": "0 of 3", "sums": "0 of 2"} | {
        "3.3.1": "0 of 14",
        "3.3.2": "0 of 2",
        "3.4.2": "0 of 1",
    }
    go(page, SIGNS, "11-21")
    place(page, 0, "312")
    measure(page, "1.53")
    page.get_by_role("button", name="Mark this page as read").click()
    go(page, SUMS, "11-21")
    answer(page, 0, "B")
    page.get_by_role("button", name="Start over").click()  # the page forgets, the progress does not
    go(page, PAGE, "11-21")
    assert due(page) == "Nothing is due today. Next: 3 questions tomorrow."
    assert tables(page) == {
        "Adding": "✓ November 21",
        "many": "0 of 12",
        "signs": "1 of 3",
        "sums": "1 of 2",
    } | {
        "3.3.1": "1 of 14",
        "3.3.2": "1 of 2",
        "3.4.2": "0 of 1",
    }
    expect(page.get_by_text("You have answered at least one question right on 2 objectives.")).to_be_visible()
    link = page.locator("[data-part=quizzes]").get_by_role("link", name="Adding up")
    assert link.get_attribute("href") == "../1-sums/adding.html#quiz-signs"

    go(page, PAGE, "11-23")
    assert due(page) == "3 questions are due today."
    page.get_by_role("button", name="Review 3 questions").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".fm-quiz-place")).to_have_text(
        [f"Question {i} of 3" for i in (1, 2, 3)], use_inner_text=True
    )
    expect(page.locator(".fm-quiz-stem .katex")).to_have_count(2)
    assert page.evaluate("document.activeElement.type") == "select-one"  # the order comes first, and is blank
    place(page, 0, "312")
    page.locator(".fm-quiz form").nth(1).locator("input").fill("0.62")
    page.keyboard.press("Enter")
    assert said(page, 1)[1][0].startswith("✗ You wrote 0.62, the result of a common mistake.")
    answer(page, 2, "B")
    assert page.locator(".fm-progress-done").inner_text() == "3 of 3 reviewed, 2 right."
    assert due(page) == "Nothing is due today. Next: 1 question tomorrow."
    go(page, PAGE, "11-24")
    assert due(page) == "1 question is due today. Next: 2 questions on November 26."
    # A question that is another now is as good as never asked.
    page.evaluate("fmkit.modules.store.answer('signs', 'floor', 'older', '0.4', true)")
    page.reload()
    assert due(page) == "Nothing is due today. Next: 2 questions on November 26."


def test_many_are_reviewed_in_rounds(visit: Any) -> None:
    page = visit(name=PAGE)
    page.evaluate("""async () => {
        for (const {quiz, id, version} of await fmkit.modules.quiz.bank("banks/chapters-back-progress"))
            if (quiz === "many") fmkit.modules.store.answer(quiz, id, version, [0], false);
    }""")
    go(page, PAGE, "11-22")
    assert due(page) == "12 questions are due today."
    page.get_by_role("button", name="Review 10 of them").click()
    for number in range(10):
        answer(page, number, "B")
    assert due(page) == "2 questions are due today. Next: 10 questions on November 25."
    page.get_by_role("button", name="Review 2 questions").click()
    expect(page.locator(".fm-quiz-items form")).to_have_count(2)
    assert tables(page)["many"] == "10 of 12"
    assert page.get_by_role("link", name="Many").count() == 0  # no page shows it


# --- files ------------------------------------------------------------------------------------------------


def bring_in(page: Page, content: bytes | str) -> str:
    data = content.encode() if isinstance(content, str) else content
    page.evaluate("document.querySelector('.fm-progress-said').textContent = ''")
    page.get_by_label("Load a JSON file").set_input_files(
        {"name": "it.json", "mimeType": "application/json", "buffer": data}
    )
    page.wait_for_function("() => document.querySelector('.fm-progress-said').textContent")
    return page.locator(".fm-progress-said").inner_text()


def saved(page: Page, kind: str) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Save as {kind}").click()
    assert download.value.suggested_filename.startswith("fmkit-progress-2026-")
    return Path(download.value.path()).read_text(encoding="utf-8")


def test_there_and_back(visit: Any) -> None:
    page = visit(name=SIGNS)
    place(page, 0, "312")
    measure(page, "1.53")
    page.get_by_role("button", name="Mark this page as read").click()
    page.evaluate("fmkit.modules.store.keepNote('exam', {left: 12})")
    go(page, PAGE, "11-21")
    before = kept(page)
    file = saved(page, "JSON")
    rows = list(csv.reader(io.StringIO(saved(page, "CSV"))))
    assert rows == [
        ["quiz", "item", "objective", "result", "attempts", "last answered", "due"],
        ["signs", "floor", "3.4.2", "wrong", "1", rows[1][5], "2026-11-22"],
        ["signs", "order", "3.3.2", "right", "1", rows[1][5], "2026-11-22"],
    ]
    assert rows[1][5].startswith("2026-11-21T")

    page.get_by_role("button", name="Forget everything…").click()
    page.keyboard.press("Escape")
    assert kept(page) == before
    page.get_by_role("button", name="Forget everything…").click()
    page.keyboard.press("Enter")  # "Keep them" is the first
    assert kept(page) == before
    page.get_by_role("button", name="Forget everything…").click()
    page.get_by_role("button", name="Forget everything", exact=True).click()
    expect(page.locator(".fm-progress-said")).to_have_text("Everything has been forgotten.")
    assert not [key for key in kept(page) if key.startswith("fmkit")]
    assert tables(page)["Adding"] == "not yet"
    told = bring_in(page, file)
    assert told.startswith("Loaded: 2 questions, 1 page, 1 note.")
    assert kept(page) == before
    assert tables(page)["Adding"] == "✓ November 21"


def test_two_devices_become_one(visit: Any) -> None:
    """The newest answer wins, and every attempt of both is there, however often it is brought in."""
    page = visit(name=SUMS)
    answer(page, 0, "A")
    answer(page, 1, "AC")
    go(page, PAGE, "11-21")
    first = saved(page, "JSON")
    page.evaluate("fmkit.modules.store.forget()")
    go(page, SUMS, "11-22")
    answer(page, 0, "B")
    go(page, PAGE, "11-22")
    second = page.evaluate("fmkit.modules.store.item('sums', 'sum')")
    for _ in range(2):
        bring_in(page, first)
    merged = page.evaluate("fmkit.modules.store.item('sums', 'sum')")
    assert (merged["answer"], merged["result"]) == (second["answer"], "right")
    assert [one["right"] for one in merged["history"]] == [False, True]
    assert page.evaluate("fmkit.modules.store.item('sums', 'even').result") == "right"
    older = json.loads(first)
    older["items"]["sums/sum"]["version"] = "older"  # another question: nothing of it can be used
    bring_in(page, json.dumps(older))
    assert page.evaluate("fmkit.modules.store.item('sums', 'sum')") == merged


ATTACK = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>"
RIGHT = {"version": "v", "answer": [1], "history": [{"at": 1_700_000_000_000, "right": True}]}


def file(**parts: Any) -> str:
    return json.dumps({"format": "fmkit-progress", "schema": 1} | parts)


REFUSED = [
    ("", "This file was not saved by a progress page. Nothing was changed."),
    (ATTACK, "This file was not saved"),
    ("[" * 1_000_000, "This file was not saved"),
    ("null", "This file was not saved"),
    ('["fmkit-progress"]', "This file was not saved"),
    (b"\xff\xfe\x00", "This file was not saved"),
    (json.dumps({"format": ATTACK}), "This file was not saved"),
    (file(schema=2), "This file comes from a newer edition of the book. Nothing was changed."),
    (file(schema="<b>"), "This file comes from a newer edition"),
    (
        b" " * 10_000_000,
        "This file has 10.0 MB, and saved progress never has more than 5. Nothing was changed.",
    ),
]
DAMAGED = [
    {"items": [RIGHT]},
    {"items": ATTACK},
    {"items": {ATTACK: RIGHT}},
    {"items": {"=cmd|' /C calc'!A0/x": RIGHT}},
    {"items": {"__proto__": RIGHT}},
    {"items": {"sums/sum": None}},
    {"items": {"sums/sum": RIGHT | {"history": {"length": 1}}}},
    {"items": {"sums/sum": RIGHT | {"history": [{"at": "1", "right": True}]}}},
    {"items": {"sums/sum": RIGHT | {"history": [{"at": 3_900_000_000_000, "right": True}]}}},  # the year 2093
    {"items": {"sums/sum": RIGHT | {"history": [{"at": 1_700_000_000_000, "right": "yes"}]}}},
    {"items": {"sums/sum": RIGHT | {"version": {"toString": 1}}}},
    {"items": {"sums/sum": RIGHT | {"answer": ["<b>"]}}},
    {"items": {"sums/sum": RIGHT | {"answer": "x" * 1000}}},
    {"pages": {"chapters/<b>": {"at": 1}}},
    {"pages": {"../../etc": {"at": 1}}},
    {"pages": {"chapters/intro": 7}},
    {"notes": {"exam": {"at": -1, "value": 1}}},
]


def test_hostile_files(visit: Any) -> None:
    page = visit(name=SUMS)
    answer(page, 0, "B")
    go(page, PAGE, "11-21")
    title, before = page.title(), kept(page)
    for content, message in REFUSED:
        assert bring_in(page, content).startswith(message), content[:50]
        assert kept(page) == before
    for parts in DAMAGED:
        told = bring_in(page, file(**parts))
        assert told.startswith("Loaded: 0 questions, 0 pages."), parts
        assert told.endswith("Damaged entries left out: 1."), parts
        assert kept(page) == before, parts
    # Damage in one place costs no other.
    told = bring_in(page, file(items={"sums/even": RIGHT, "sums/sum": 7, "gone/item": RIGHT}, pages=None))
    assert told.startswith("Loaded: 2 questions, 0 pages.")
    assert told.endswith("left out: 2.")
    assert kept(page) | before == kept(page)
    # What a file may bring in as it likes, a note, is never shown; an answer that is text stays text.
    known = json.loads(page.locator("[data-known]").get_attribute("data-known") or "")
    version = next(version for id, version, _ in known["signs"] if id == "floor")
    bring_in(
        page,
        file(
            items={"signs/floor": RIGHT | {"version": version, "answer": ATTACK[:99]}},
            notes={"exam": {"at": 1, "value": ATTACK}},
        ),
    )
    page.reload()
    go(page, SIGNS, "11-21")
    assert page.get_by_label("Your number").input_value() == ""
    assert page.title() != "pwned"
    go(page, PAGE, "11-21")
    assert page.title() == title
    assert page.locator("article img[src=x]").count() == 0


def test_no_room_changes_nothing(visit: Any) -> None:
    page = visit(name=SUMS)
    answer(page, 0, "B")
    go(page, PAGE, "11-21")
    page.evaluate("""() => {
        for (let size = 4e6, kept = ""; size > 1e4; size /= 2) {
            try { localStorage.setItem("other", kept + "x".repeat(size)); } catch { continue; }
            kept = localStorage.getItem("other");
        }
    }""")
    before = kept(page)
    many = [{"at": 1_700_000_000_000 + second, "right": False} for second in range(5000)]
    told = bring_in(
        page, file(items={f"sums/{name}": RIGHT | {"history": many} for name in ("even", "sum", "x")})
    )
    assert told == "This browser does not have room for all of it. Nothing was changed."
    assert kept(page) == before


def test_a_spreadsheet_runs_nothing(visit: Any) -> None:
    page = visit(name=PAGE)
    cells = [
        "=1+1",
        "+1",
        "-1",
        "@x",
        "\t=1",
        "\r=1",
        ' =1,"',
        "a,b",
        'say "a"',
        "two\nlines",
        "plain",
        3,
        None,
    ]
    text = page.evaluate("(cells) => fmkit.modules.progress.csv([cells])", cells)
    back = next(csv.reader(io.StringIO(text, newline="")))
    assert back == [f"'{cell}" for cell in cells[:7]] + [*cells[7:11], "3", ""]


# --- the browser ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", tiny.NO_STORAGE.values(), ids=tiny.NO_STORAGE)
def test_without_storage(visit: Any, script: str) -> None:
    """Everything works until the page is left, and the page says so."""
    page = visit(name=SIGNS, script=script)
    place(page, 0, "312")
    assert said(page, 0)[0] == "✓ Right."
    page.get_by_role("button", name="Mark this page as read").click()
    expect(page.get_by_text("✓ Read on November 21.")).to_be_visible()
    page = visit(name=PAGE, script=script)
    assert due(page).endswith("This browser stores nothing: your progress is lost when you leave this page.")
    assert bring_in(page, file(pages={SIGNS: {"at": 1_795_000_000_000}})).startswith(
        "Loaded: 0 questions, 1 page."
    )
    assert tables(page)["Adding"] == "✓ November 18"
    assert SIGNS in saved(page, "JSON")


def test_from_a_folder(visit: Any, tiny_site: Path) -> None:
    """With no server at all."""
    page = visit()
    page.goto((tiny_site / f"{SIGNS}.html").as_uri())
    place(page, 0, "312")
    page.goto((tiny_site / f"{PAGE}.html").as_uri())
    page.clock.set_fixed_time("2026-11-22T10:00:00")
    page.reload()
    page.get_by_role("button", name="Review 1 question").click()
    place(page, 0, "312")
    assert page.locator(".fm-progress-done").inner_text() == "1 of 1 reviewed, 1 right."


def test_another_tab_is_seen(visit: Any) -> None:
    page = visit(name=PAGE)
    other = page.context.new_page()
    other.goto(page.url.replace(PAGE, SIGNS))
    other.get_by_role("button", name="Mark this page as read").click()
    page.wait_for_function("() => document.querySelector('td[data-page]').textContent.startsWith('✓')")
    other.get_by_role("button", name="Mark this page as unread").click()
    page.wait_for_function("() => document.querySelector('td[data-page]').textContent === 'not yet'")


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_accessible_in_every_state(visit: Any, width: int, colors: str) -> None:
    page = visit(width, SIGNS, color_scheme=colors)
    place(page, 0, "312")
    measure(page, "1.53")
    page.get_by_role("button", name="Mark this page as read").click()
    faults = tiny.faults(page, "article")
    go(page, PAGE, "11-21")
    faults += tiny.faults(page, "article")
    go(page, PAGE, "11-22")
    page.locator(".fm-progress-start").click()
    place(page, 0, "213")
    page.locator(".fm-quiz form").nth(1).locator("input").fill("0.43")
    page.keyboard.press("Enter")
    faults += tiny.faults(page, "article")
    faults += tiny.small_targets(page, ".fm-progress :is(button, input, select)")
    page.get_by_role("button", name="Forget everything…").click()
    faults += tiny.faults(page, "dialog")
    assert not faults, "\n".join(faults)


def test_without_a_script_and_on_paper(visit: Any) -> None:
    page = visit(name=PAGE, java_script_enabled=False)
    expect(page.get_by_text("showing it needs JavaScript")).to_be_visible()
    expect(page.locator("[data-part=quizzes]").get_by_role("link", name="Adding up")).to_be_visible()
    expect(page.locator("article button:visible, article form:visible")).to_have_count(0)
    page = visit(name=PAGE)
    page.emulate_media(media="print")
    expect(page.locator("article button:visible")).to_have_count(0)
    expect(page.locator("td[data-page]")).to_be_visible()


# --- the build --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_faults_of_the_progress_page(tmp_path: Path) -> None:
    """A part that does not exist, a faulty quiz that only the bank reads, a quiz on no page at all."""
    book = quiz_book.write(tmp_path)
    parts = "".join(f"\n```{{progress}} {part}\n```\n" for part in ("trophies", "review", "quizzes"))
    (book / "chapters/intro.md").write_text(f"# Sums\n\n(the-sum)=\n## The sum\n{parts}")
    (book / "assets/quizzes/broken.yml").write_text("- id: 7\n")
    _, warnings = tiny.read(book)
    assert "trophies" in warnings
    assert "assets/quizzes/broken.yml:1: WARNING: an item is missing the key 'type'" in warnings
    assert "quiz-sums" not in warnings
