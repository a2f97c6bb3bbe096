"""The practice exam: drawn by weights, silent until the end, never lost, and honest about what it shows."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
import quiz_book
import tiny
from playwright.sync_api import Browser, Locator, Page, expect
from quiz_steps import fill
from scipy.stats import binomtest

from bookkit.quiz.objectives import read_objectives
from bookkit.site.pages import issue_address
from bookkit.site.serve import open_server

PAGE = "chapters/back/exam"
DRAWN = {"1": 3, "2": 4, "3": 9, "4": 1, "5": 0}  # what the bank below has for each domain
OBJECTIVES = [
    "1.1.1",
    "1.1.1",
    "1.2.2",
    "2.1.1",
    "2.1.1",
    "2.1.1",
    "2.2.2",
    "3.4.1",
    "3.4.1",
    "3.4.2",
    "3.4.3",
    "4.1.1",
]
SOURCED = '  source: https://docs.example.org/sums\n  verified_on: "2026-11-20"\n  stem'
FIELDS = ".fm-exam form[data-item]"


@pytest.fixture(scope="session")
def tiny_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book of the quizzes with more questions and an exam: `visit` opens this one."""
    book = quiz_book.write(tmp_path_factory.mktemp("exam"))
    first = quiz_book.CHOICES.partition("- id: even")[0]
    many = [
        first.replace("id: sum", f"id: sum-{number}").replace("3.3.1", objective)
        for number, objective in enumerate(OBJECTIVES)
    ]
    many.append(first.replace("id: sum", "id: sourced").replace("3.3.1", "3.4.2").replace("  stem", SOURCED))
    measured = quiz_book.OTHERS[quiz_book.OTHERS.index("- id: floor") :]
    many.append(measured.replace("id: floor", "id: measured").replace("  beyond: true\n", ""))
    (book / "assets/quizzes/many.yml").write_text("".join(many))
    (book / "chapters/back/exam.md").write_text((tiny.ROOT / "chapters/back/exam.md").read_text())
    with (book / "_toc.yml").open("a") as toc:
        toc.write("  - file: chapters/back/exam\n")
    return tiny.build(book)


@pytest.fixture(scope="module")
def covering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A book with three questions on every objective of the guide, and a repository; its address."""
    text = "# Exam\n\n(the-sum)=\n## Sums\n\n```{exam}\n```\n"
    book = tiny.write(tmp_path_factory.mktemp("covering"), text)
    for quiz in (book / "assets/quizzes").glob("*.yml"):
        quiz.unlink()
    first = quiz_book.CHOICES.partition("- id: even")[0]
    items = [
        first.replace("id: sum", f"id: item-{number}").replace("3.3.1", objective)
        for number, objective in enumerate([*read_objectives(tiny.ROOT)] * 3)
    ]
    (book / "assets/quizzes/sums.yml").write_text("".join(items))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FMKIT_REPOSITORY", "https://github.com/example/book")
        site = tiny.build(book)
    with open_server(site) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def visit(visit: Any) -> Any:
    return lambda width=tiny.DESK, name=PAGE, **options: visit(width, name, **options)


def at(page: Page, time: str) -> None:
    page.clock.set_fixed_time(f"2026-11-21T{time}")


def start(page: Page, size: str = "Short", clock: bool = True) -> None:
    page.get_by_role("radio", name=size).check()
    if not clock:
        page.get_by_label("Without a clock").check()
    page.get_by_role("button", name="Start the exam").click()
    expect(page.locator(FIELDS)).to_be_visible()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def reply(page: Page, right: bool = True) -> None:
    """An answer to the question in sight."""
    respond(page.locator(FIELDS), right)


def respond(form: Locator, right: bool) -> None:
    kind, name = form.get_attribute("data-type"), form.get_attribute("data-item")
    if kind in ("ordering", "matching"):
        key = {"order": "312", "names": "231"}[str(name)]
        fill(form, key if right else "123")
    else:
        letters = ("AC" if right else "AB") if name == "even" else ("B" if right else "A")
        for letter in letters:
            form.locator(f"input[value={letter}]").check()


def reply_to_all(page: Page, right: int = 99) -> None:
    """Right to the first so many, wrong to the rest."""
    count = page.locator(".fm-exam-number").count()
    for number in range(count):
        reply(page, number < right)
        if number < count - 1:
            press(page, "Next")


def end(page: Page) -> None:
    press(page, "End the exam…")
    press(page, "End and grade")
    expect(page.get_by_role("heading", name="Your result")).to_be_focused()


def numbers(page: Page) -> list[str]:
    return page.locator(".fm-exam-number").all_text_contents()


def items(page: Page) -> dict[str, Any]:
    return page.evaluate("Object.fromEntries(fmkit.modules.store.items())")


def results(page: Page) -> Any:
    return page.evaluate("fmkit.modules.store.notes('exam-result-')")


# --- the rules --------------------------------------------------------------------------------------------

SHARES = [
    (65, [20, 24, 28, 14, 14], [99] * 5, [13, 16, 18, 9, 9]),  # remainders .0 .6 .2 .1 .1
    (10, [20, 24, 28, 14, 14], [99] * 5, [2, 3, 3, 1, 1]),  # .0 .4 .8 .4 .4: of equal ones the first
    (10, [20, 24, 28, 14, 14], [3, 4, 9, 1, 0], [3, 3, 3, 1, 0]),  # 4 has one; then .5 .0 .5 of 2.5 3.0 3.5
    (17, [20, 24, 28, 14, 14], [3, 4, 9, 1, 0], [3, 4, 9, 1, 0]),
    (65, [1, 1], [2, 0], [2, 0]),
    (3, [1, 1], [0, 0], [0, 0]),
]


def test_shares(visit: Any) -> None:
    page = visit()
    for count, weights, room, given in SHARES:
        found = page.evaluate("(all) => fmkit.modules['exam-rules'].shares(...all)", [count, weights, room])
        assert found == given, (count, room)


def test_draws(visit: Any) -> None:
    """By the domains' weights, evenly over their objectives, none twice, and not the same every time."""
    bank = [
        {"id": f"{domain}.{task}-{number}", "objective": f"{domain}.1.{task}", "rank": number % 2}
        for domain, tasks in {1: [9, 1], 2: [4, 4, 4], 3: [20, 1, 1], 4: [3]}.items()
        for task, count in enumerate(tasks)
        for number in range(count)
    ]
    drawn = visit().evaluate(
        """([bank, weights]) => Array.from({length: 200}, (_, seed) =>
            fmkit.modules['exam-rules'].draw(bank, 20, new Map(weights), seed))""",
        [bank, [["1", 20], ["2", 24], ["3", 28], ["4", 14], ["5", 14]]],
    )
    for one in drawn:
        assert len({item["id"] for item in one}) == 20
        assert Counter(item["objective"][0] for item in one) == {"1": 5, "2": 6, "3": 6, "4": 3}
        assert {"1.1.1", "3.1.1", "3.1.2"} < {item["objective"] for item in one}  # none before each has one
        assert Counter(item["objective"] for item in one)["2.1.0"] == 2
        assert all(item["rank"] == 0 for item in one if item["objective"][0] == "2"), "the lowest rank first"
    assert len({json.dumps(one) for one in drawn}) == 200
    first = Counter(one[0]["id"] for one in drawn)
    assert max(first.values()) < 30  # the order is by chance, too: 10 or so of each is expected


def test_scores(visit: Any) -> None:
    """Linear; the intervals are those of SciPy."""
    page = visit()
    score = "([right, of]) => fmkit.modules['exam-rules'].score(right, of)"
    assert [page.evaluate(score, pair) for pair in ([0, 9], [9, 9], [2, 3], [7, 10])] == [100, 1000, 700, 730]
    for right, of in ((7, 10), (0, 5), (5, 5), (46, 65)):
        found = page.evaluate("(pair) => fmkit.modules['exam-rules'].interval(...pair)", [right, of])
        assert found == pytest.approx(binomtest(right, of).proportion_ci(method="wilson"), abs=1e-5)


WEIGHTS = {"1": 20, "2": 24, "3": 28, "4": 14, "5": 14}
SIZES = {"1": 17, "2": 14, "3": 19, "4": 11, "5": 8}


def asked(counts: dict[str, tuple[int, int]]) -> list[dict[str, str]]:
    """So many questions on so many objectives of each domain."""
    return [
        {"objective": f"{domain}.1.{number % objectives}"}
        for domain, (questions, objectives) in counts.items()
        for number in range(questions)
    ]


WHOLE = {"1": (13, 13), "2": (16, 14), "3": (18, 15), "4": (9, 9), "5": (9, 6)}
GAPS: list[tuple[dict[str, tuple[int, int]], list[str]]] = [
    ({}, []),
    ({"5": (9, 5)}, ["5"]),  # 6 of its 8 objectives are three quarters
    ({"1": (13, 12), "3": (18, 14)}, ["1", "3"]),
    ({"5": (0, 1), "3": (27, 19)}, ["3", "5"]),  # its share went to another
    (dict.fromkeys(WEIGHTS, (2, 2)), ["1", "2", "3", "4", "5"]),  # too short
]


@pytest.mark.parametrize(("changed", "short"), GAPS, ids=["whole", "narrow", "two", "missing", "short"])
def test_gaps_of_an_exam(visit: Any, changed: dict[str, tuple[int, int]], short: list[str]) -> None:
    found = visit().evaluate(
        """([items, weights, sizes]) =>
            fmkit.modules["exam-rules"].gaps(items, new Map(weights), new Map(sizes))""",
        [asked(WHOLE | changed), [*WEIGHTS.items()], [*SIZES.items()]],
    )
    assert found == short


# --- the start --------------------------------------------------------------------------------------------


def test_the_start_says_what_the_bank_has(visit: Any) -> None:
    page = visit()
    said = page.locator(".fm-exam-bank").inner_text()
    assert "17 questions, on 10 of the exam’s 69 objectives; 13 of them are in no chapter." in said
    assert "none on domain 5, 14% of the real exam" in said
    table = page.locator(".fm-exam-start tbody")
    expect(table.locator("td:nth-child(3)")).to_have_text(
        ["3", "4", "9", "1", "none yet"], use_inner_text=True
    )
    expect(table.locator("td:nth-child(4)")).to_have_text(["3", "3", "3", "1", "0"], use_inner_text=True)
    expect(page.get_by_label("14 minutes")).to_be_visible()
    page.get_by_label("Full: 17 questions").check()
    expect(table.locator("td:nth-child(4)")).to_have_text(list(map(str, DRAWN.values())), use_inner_text=True)
    expect(page.get_by_label("24 minutes")).to_be_visible()


def test_items_beyond_the_exam_are_left_out(visit: Any) -> None:
    page = visit()
    start(page, "Full")
    names = [one["name"] for one in page.evaluate("fmkit.modules.store.note('exam').questions")]
    assert len(set(names)) == 17
    assert "signs/floor" not in names, "beyond the exam"
    assert "many/measured" not in names, "of no type of the exam"


def test_without_a_script(visit: Any) -> None:
    page = visit(java_script_enabled=False)
    expect(page.get_by_text("need JavaScript")).to_be_visible()
    expect(page.locator(".fm-exam button")).to_have_count(0)
    expect(page.get_by_text("Asked", exact=True)).to_be_hidden()


# --- during the exam --------------------------------------------------------------------------------------


def test_no_key_before_the_end(visit: Any) -> None:
    page = visit()
    start(page, "Full")
    reply_to_all(page, 8)
    html = page.evaluate("document.documentElement.outerHTML")
    for key in ("One and one are two", "Answer:", "data-correct", "give or take", "It adds."):
        assert key not in html
    assert items(page) == {}
    end(page)
    assert "One and one are two" in page.evaluate("document.documentElement.outerHTML")


def test_a_running_exam_survives_a_reload(visit: Any) -> None:
    page = visit()
    start(page, "Full")
    for number in range(17):
        reply(page, number % 2 == 0)
        if number < 16:
            press(page, "Next")
    press(page, "⚑ Flag")
    for name in ("even", "order"):  # begun, not finished
        page.evaluate(
            "(at) => document.querySelectorAll('.fm-exam-number')[at].click()",
            [
                one["name"].split("/")[1]
                for one in page.evaluate("fmkit.modules.store.note('exam').questions")
            ].index(name),
        )
        if name == "even":
            page.locator(f"{FIELDS} input:checked").first.uncheck()
        else:
            page.locator(f"{FIELDS} select").first.select_option("")
    before, note = numbers(page), page.evaluate("fmkit.modules.store.note('exam')")
    assert sum("✓" in one for one in before) == 15
    at(page, "10:03:05")
    page.reload()
    assert page.locator(".fm-exam-clock").inner_text() == "Time left 20:55"
    assert numbers(page) == before
    assert page.locator(FIELDS).get_attribute("data-item") == "order"
    press(page, "Next") if page.get_by_role("button", name="Next").is_enabled() else press(page, "Previous")
    now = page.evaluate("fmkit.modules.store.note('exam')")
    assert now["questions"] == note["questions"]
    assert not results(page)


def test_time_is_announced_and_runs_out(visit: Any) -> None:
    page = visit()
    start(page)
    said, heard = page.locator(".fm-exam-said"), []
    for time in ("10:03:59", "10:04:00", "10:06:00", "10:09:00", "10:13:00", "10:13:30"):
        at(page, time)
        left = 14 * 60 - int(time[3:5]) * 60 - int(time[6:])
        expect(page.locator(".fm-exam-clock")).to_have_text(f"Time left {left // 60}:{left % 60:02}")
        heard.append(said.inner_text())
    assert heard == [
        "",
        "10 minutes left.",
        "10 minutes left.",
        "5 minutes left.",
        "1 minute left.",
        "1 minute left.",
    ]
    reply(page)
    press(page, "End the exam…")
    at(page, "10:14:00")
    expect(page.get_by_role("heading", name="Time is up")).to_be_focused()
    assert "1 of 10 right in 14 min 0 s of 14 min" in page.locator(".fm-exam-score").inner_text()
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.get_by_role("navigation").first).to_be_visible()


def test_time_runs_out_on_a_closed_page(visit: Any) -> None:
    page = visit()
    start(page)
    reply(page)
    name = page.evaluate("fmkit.modules.store.note('exam').questions[0].name")
    at(page, "18:00:00")
    page.reload()
    expect(page.get_by_role("heading", name="Time is up")).to_be_visible()
    assert "1 of 10 right in 14 min 0 s of 14 min" in page.locator(".fm-exam-score").inner_text()
    assert items(page)[name]["result"] == "right"
    page.reload()
    assert len(results(page)) == 1
    assert len(items(page)[name]["history"]) == 1


def test_without_a_clock_it_waits(visit: Any) -> None:
    page = visit()
    start(page, clock=False)
    at(page, "23:00:00")
    page.reload()
    assert page.locator(".fm-exam-clock").inner_text() == "Without a clock"
    reply(page)
    end(page)
    assert "780 min 0 s, " in page.locator(".fm-exam-score").inner_text()


def test_flags_and_gaps_are_named_at_the_end(visit: Any) -> None:
    page = visit()
    start(page)
    reply(page)
    press(page, "Next")
    press(page, "⚑ Flag")
    assert page.get_by_role("button", name="⚑ Flag", exact=True).get_attribute("aria-pressed") == "true"
    assert numbers(page)[:3] == ["1 ✓", "2 ⚑", "3"]
    assert page.locator(".fm-exam-list summary").inner_text() == "1 of 10 answered, 1 flagged"
    page.locator(".fm-exam-list summary").click()
    page.get_by_role("button", name="10, open").click()
    assert page.locator(".fm-exam-where").inner_text() == "Question 10 of 10"
    expect(page.get_by_role("button", name="1, answered")).to_be_hidden()  # the list does not stay before it
    expect(page.get_by_role("button", name="Next", exact=True)).to_be_disabled()
    press(page, "End the exam…")
    said = page.locator(".fm-exam-sure").inner_text()
    assert "Questions 2, 3, 4, 5, 6, 7, 8, 9 and 10 have no complete answer" in said
    assert "Flagged: 2." in said
    page.keyboard.press("Escape")
    press(page, "End the exam…")
    press(page, "Resume")
    expect(page.locator(FIELDS)).to_be_visible()
    end(page)
    expect(page.get_by_text("Wrong or blank: 9 questions")).to_be_visible()
    expect(page.get_by_text("Question 2 of 10 · ⚑ flagged")).to_be_visible()


def test_nothing_else_is_on_the_page(visit: Any) -> None:
    """To the eye, to the keyboard and to a screen reader, which is told of the question first."""
    page = visit()
    start(page)
    for x in range(5, tiny.DESK, 180):
        for y in range(5, 900, 90):
            inside = "([x, y]) => Boolean(document.elementFromPoint(x, y)?.closest('.fm-exam-run'))"
            assert page.evaluate(inside, [x, y]), (x, y)
    assert page.evaluate("document.activeElement.closest('.fm-exam-run form') !== null")
    for _ in range(20):
        page.keyboard.press("Tab")
        focused = page.evaluate_handle("document.activeElement")
        assert focused.evaluate("(one) => one === document.body || one.closest('.fm-exam-run') !== null")
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    heard = {node["role"]["value"] for node in tree if not node["ignored"]}
    assert "dialog" in heard
    assert not heard & {"navigation", "main", "contentinfo", "heading"}


@pytest.mark.parametrize(("width", "height"), [(tiny.DESK, 900), (tiny.PHONE, 844), (tiny.PHONE, 560)])
def test_place_and_way_on_stay_in_sight(visit: Any, width: int, height: int) -> None:
    """Above and below the question, which they do not cover, also where it is longer than the window."""
    page = visit(width, viewport={"width": width, "height": height})
    start(page, "Full")
    lines = """() => Object.fromEntries(["top", "paper", "foot"].map((name) => {
        const box = document.querySelector(`.fm-exam-${name}`).getBoundingClientRect();
        return [name, [box.top, box.bottom, box.left, box.right].map(Math.round)];
    }))"""
    for number in range(17):
        page.locator(f"{FIELDS} :is(input, select)").last.scroll_into_view_if_needed()
        boxes = page.evaluate(lines)
        assert boxes["top"][0] == 0
        assert boxes["top"][1] <= boxes["paper"][0] + 1
        assert boxes["paper"][1] <= boxes["foot"][0] + 1
        assert boxes["foot"][1] == height
        assert all(box[2:] == [0, width] for box in boxes.values())
        assert page.locator(".fm-exam-where").inner_text() == f"Question {number + 1} of 17"
        last = page.locator(f"{FIELDS} .fm-quiz-part").last.bounding_box()
        assert last
        assert last["y"] + last["height"] <= boxes["foot"][0] + 1
        if number < 16:
            press(page, "Next")
            assert page.locator(".fm-exam-paper").evaluate("(one) => one.scrollTop") == 0


def test_the_way_out_keeps_the_exam(visit: Any) -> None:
    page = visit()
    start(page)
    reply(page)
    press(page, "Next")
    at(page, "10:02:00")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Exam in progress")).to_be_visible()
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.get_by_text("1 of 10 questions answered. The clock runs")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Exam in progress")).to_be_visible()
    expect(page.locator(".fm-exam-clock")).to_have_text("Time left 12:00")
    press(page, "Resume the exam")
    assert page.locator(".fm-exam-where").inner_text() == "Question 2 of 10"
    assert numbers(page)[0] == "1 ✓"
    press(page, "Leave")
    at(page, "10:20:00")
    expect(page.get_by_role("heading", name="Time is up")).to_be_focused()


def orders(page: Page) -> dict[str, list[str]]:
    """How the parts of each question are shown, by their names in the file."""
    found = {}
    for number in range(page.locator(".fm-exam-number").count()):
        form = page.locator(FIELDS)
        parts = form.locator(".fm-quiz-part :is(input, select)")
        matches = form.locator("[data-match]").evaluate_all("(all) => all.map((one) => one.dataset.match)")
        shown = parts.evaluate_all(
            "(all) => all.map((one) => (one.name.startsWith('part') ? one.name : one.value))"
        )
        found[str(form.get_attribute("data-item"))] = [*shown, *matches]
        if number < 16:
            press(page, "Next")
    return found


def test_each_exam_has_its_own_orders(visit: Any) -> None:
    """A reload keeps them, and the report's reasons stand at the options that they are about."""
    page = visit()
    start(page, "Full", clock=False)
    first = orders(page)
    page.reload()
    page.evaluate("document.querySelector('.fm-exam-number').click()")
    assert orders(page) == first
    assert sum(shown != sorted(shown) for shown in first.values()) > 5
    page.evaluate("document.querySelector('.fm-exam-number').click()")
    reply_to_all(page, 17)
    end(page)
    for card in page.locator(".fm-exam-stage .fm-quiz-items > li:has([data-item^=sum])").all():
        right = card.locator("[data-mark~=correct]")
        assert right.locator(".fm-quiz-text").text_content() == "Two"
        assert "One and one are two." in (right.locator(".fm-quiz-feedback").text_content() or "")
        letters = card.locator(".fm-quiz-letter").all_text_contents()
        assert letters == list("ABCD")
    press(page, "Another exam")
    start(page, "Full", clock=False)
    assert orders(page) != first


def test_too_many_is_said_during_an_exam(visit: Any) -> None:
    page = visit()
    start(page, "Full")
    while page.locator(FIELDS).get_attribute("data-item") != "even":
        press(page, "Next")
    for letter in "ABC":
        page.locator(f"{FIELDS} input[value={letter}]").check()
    expect(page.get_by_text("Choose two. You chose 3.")).to_be_visible()
    expect(page.get_by_role("button", name="Check")).to_be_hidden()
    page.locator(f"{FIELDS} input[value=B]").uncheck()
    assert page.locator(f"{FIELDS} .fm-quiz-verdict").text_content() == ""


# --- the bank comes when it is needed ---------------------------------------------------------------------


def test_questions_come_when_an_exam_starts(visit: Any) -> None:
    page = visit()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload(wait_until="networkidle")
    assert not [url for url in asked if "/banks/" in url]
    assert "What is" not in page.content()
    start(page)
    expect(page.locator(FIELDS)).to_be_visible()
    assert len([url for url in asked if "/banks/" in url]) == 1


def test_an_exam_from_a_folder(visit: Any, tiny_site: Path) -> None:
    """With no server at all."""
    page = visit()
    page.goto((tiny_site / f"{PAGE}.html").as_uri())
    start(page)
    reply(page)
    end(page)
    assert "1 of 10 right" in page.locator(".fm-exam-score").inner_text()


def test_a_bank_that_does_not_come(tiny_browser: tuple[Browser, str]) -> None:
    """It is said, and the next attempt works: at the start, and where an exam goes on."""
    browser, address = tiny_browser
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{address}/{PAGE}.html")
        page.route("**/banks/*", lambda route: route.abort())
        page.get_by_role("button", name="Start the exam").click()
        expect(page.get_by_text("Check your connection and try again.")).to_be_visible()
        page.unroute("**/banks/*")
        start(page)
        expect(page.locator(FIELDS)).to_be_visible()
        page.route("**/banks/*", lambda route: route.abort())
        page.reload()
        expect(page.get_by_text("Check your connection and try again.")).to_be_visible()
        page.unroute("**/banks/*")
        press(page, "Try again")
        expect(page.locator(FIELDS)).to_be_visible()


# --- the report -------------------------------------------------------------------------------------------


def test_the_report(visit: Any) -> None:
    """No score on the exam's scale from a part of its domains; in sight is what was wrong."""
    page = visit()
    start(page, "Full")
    at(page, "10:20:07")
    reply_to_all(page, 12)
    end(page)
    text = page.locator(".fm-exam-stage").inner_text()
    assert "12 of 17 right in 20 min 7 s of 24 min, on the objectives that this book teaches" in text
    assert "teaches: 10 of the exam’s 69." in text
    assert "too few on domains 1, 2, 3, 4 and 5" in text
    assert "Estimate:" not in text
    domains = page.locator(".fm-exam-stage table").first.locator("td:last-child").all_inner_texts()
    assert [one.split(" of ")[-1] for one in domains] == ["3", "4", "9", "1", "not asked"]
    assert sum(int(one.split(" of ")[0]) for one in domains[:4]) == 12
    covered = page.locator(".fm-exam-stage table").first.locator("td:nth-child(3)").all_inner_texts()
    assert covered == ["2 of 17", "2 of 14", "5 of 19", "1 of 11", "0 of 8"]
    objectives = page.locator(".fm-exam-objectives > li")
    expect(objectives).to_have_count(10)
    assert "3.4.1 ways to evaluate a model" in " ".join(objectives.all_text_contents())
    for objective in objectives.all():  # where to read on is said of what was wrong
        right, of = re.findall(r"(\d+) of (\d+) right", objective.text_content() or "")[0]
        assert bool(objective.locator("a").count()) == (right != of)
        assert objective.is_visible() == (right != of)
    cards = page.locator(".fm-exam-stage .fm-quiz-items > li")
    expect(cards).to_have_count(17)
    expect(page.locator(".fm-exam-stage .fm-quiz-items > li:visible")).to_have_count(5)
    for card in cards.all():  # a reason for every part, and where to read on
        parts = card.locator(".fm-quiz-part").count()
        assert card.locator(".fm-quiz-feedback").count() >= parts
        sources = ["https://docs.example.org/sums"] if card.locator("[data-item=sourced]").count() else []
        links = card.locator(".fm-quiz-again a").evaluate_all("(all) => all.map((one) => one.href)")
        assert links[1:] == sources  # no report where there is no repository
        assert ("Source: docs.example.org · checked 2026-11-20" in card.inner_text()) == bool(sources) or (
            not card.is_visible()
        )
        expect(card.locator("button")).to_have_count(0)
    page.get_by_text("Right: 12 questions").click()
    expect(page.locator(".fm-exam-stage .fm-quiz-items > li:visible")).to_have_count(17)
    page.emulate_media(media="print")
    expect(page.locator(".fm-exam-score")).to_be_visible()
    expect(page.locator(".fm-exam :is(button, .fm-exam-form):visible")).to_have_count(0)


def test_all_right_is_no_thousand(visit: Any) -> None:
    """Everything right, on a part of the exam, is not a pass."""
    page = visit()
    start(page, "Full")
    reply_to_all(page)
    end(page)
    text = page.locator(".fm-exam-stage").inner_text()
    assert "17 of 17 right" in text
    assert "above 700" not in text
    assert "Estimate:" not in text
    assert page.get_by_role("button", name="Practice").count() == 0
    expect(page.locator(".fm-exam-stage .fm-quiz-items > li:visible")).to_have_count(0)


@pytest.fixture
def covered(tiny_browser: tuple[Browser, str], covering: str) -> Iterator[Page]:
    with tiny_browser[0].new_context(reduced_motion="reduce") as context:
        page = context.new_page()
        page.goto(f"{covering}/chapters/intro.html")
        yield page


def test_an_estimate_where_all_is_covered(covered: Page) -> None:
    start(covered, "Full", clock=False)
    reply_to_all(covered, 44)
    end(covered)
    text = covered.locator(".fm-exam-stage").inner_text()
    assert "44 of 65 right" in text
    assert "Estimate: 709 of 1000; the real exam requires 700." in text
    assert "100 + 900 × 44 / 65 = 709" in text
    assert "cannot tell a pass from a fail" in text
    expect(covered.locator(".fm-exam-stage table").last.locator("td")).to_have_text(
        ["44 of 65", "709"], use_inner_text=True
    )
    press(covered, "Another exam")
    start(covered, "Short", clock=False)  # of the same bank: too few for its domains
    reply_to_all(covered)
    end(covered)
    assert "Estimate:" not in covered.locator(".fm-exam-score").inner_text()
    past = covered.locator(".fm-exam-stage table").last.locator("td").all_inner_texts()
    assert past == ["10 of 10", "–", "44 of 65", "709"]


def test_a_form_is_the_same_for_everybody(covered: Page) -> None:
    """A and B have no question in common; the report names the form, and says what was not new."""
    asked = {}
    for form, met in (("A", 0), ("B", 0), ("A", 65)):
        start(covered, f"Form {form}", clock=False)
        names = [one["name"] for one in covered.evaluate("fmkit.modules.store.note('exam').questions")]
        assert names == asked.setdefault(form, names)
        reply_to_all(covered, 50)
        covered.reload()
        end(covered)
        text = covered.locator(".fm-exam-stage").inner_text()
        assert f"This was form {form}." in text
        assert ("You had answered none of them before." in text) == (met == 0)
        assert ("You had answered 65 of them before" in text) == (met == 65)
        assert "Estimate: 792 of 1000" in text
        press(covered, "Another exam")
    assert len({*asked["A"], *asked["B"]}) == 130
    past = covered.locator(".fm-exam-stage tbody th").all_inner_texts()
    assert [one.rpartition(", ")[2] for one in past] == ["form A", "form B", "form A"]


def test_a_drawn_exam_takes_what_is_new(covered: Page) -> None:
    start(covered, "Full", clock=False)
    reply_to_all(covered)
    end(covered)
    press(covered, "Another exam")
    start(covered, "Full", clock=False)
    end(covered)
    assert "You had answered none of them before." in covered.locator(".fm-exam-stage").inner_text()


def test_practice_of_an_objective(covered: Page) -> None:
    """Without a clock, ten at a time, what was wrong first; no exam is kept."""
    topic = covered.get_by_label("What to practice")
    press(covered, "Practice")
    expect(covered.get_by_text("You got nothing wrong last time.")).to_be_visible()
    topic.select_option("3.4.1")
    press(covered, "Practice")
    forms = covered.locator(".fm-exam-stage form[data-item]")
    expect(forms).to_have_count(3)
    assert forms.evaluate_all("(all) => all.map((one) => one.dataset.objective)") == ["3.4.1"] * 3
    wrong = forms.first.get_attribute("data-item")
    for number in range(3):
        respond(forms.nth(number), right=number > 0)
        forms.nth(number).get_by_role("button", name="Check").click()
    expect(covered.get_by_text("3 of 3 practiced, 2 right.")).to_be_visible()
    press(covered, "Back to the start")
    expect(topic).to_be_focused()
    press(covered, "Practice")
    assert [one.get_attribute("data-item") for one in forms.all()] == [wrong]
    press(covered, "Back to the start")
    topic.select_option("3")
    press(covered, "Practice")
    expect(forms).to_have_count(10)
    assert forms.first.get_attribute("data-item") == wrong
    press(covered, "10 more")
    expect(forms).to_have_count(10)
    assert wrong not in [one.get_attribute("data-item") for one in forms.all()]
    assert not results(covered)


def test_a_question_can_be_reported(covered: Page) -> None:
    """By its name, and the version that the reader has seen."""
    start(covered, "Short", clock=False)
    form = covered.locator(FIELDS)
    name, version = form.get_attribute("data-item"), form.get_attribute("data-version")
    assert covered.get_by_role("link", name="Report").count() == 0  # an exam leads nowhere else
    end(covered)
    link = covered.get_by_role("link", name="Report this question").first.get_attribute("href") or ""
    assert link.startswith("https://github.com/example/book/issues/new?")
    values = parse_qs(urlparse(link).query)
    assert values["title"] == [f"Question sums/{name}"]
    assert str(version) in values["body"][0]


def test_addresses_of_new_issues() -> None:
    lab = issue_address("https://gitlab.com/example/book", "Q & A", "Why?")
    assert parse_qs(urlparse(lab).query) == {"issue[title]": ["Q & A"], "issue[description]": ["Why?"]}
    assert urlparse(lab).path == "/example/book/-/issues/new"
    for repository in ("", "https://bitbucket.org/example/book", "https://example.org/github/book"):
        assert issue_address(repository, "Q", "A") == ""


def test_wrong_ones_are_practiced_again(visit: Any) -> None:
    """Just those, explained at once; the exam's result stays what it was."""
    page = visit()
    start(page, "Full")
    reply_to_all(page, 14)
    wrong = [one["name"] for one in page.evaluate("fmkit.modules.store.note('exam').questions")][14:]
    end(page)
    result = page.locator(".fm-exam-score").inner_text()
    before = results(page)
    press(page, "Practice the 3 wrong ones")
    forms = page.locator(".fm-exam-stage form[data-item]")
    names = [one.get_attribute("data-item") for one in forms.all()]
    assert names == [name.split("/")[1] for name in wrong]
    assert page.evaluate("document.activeElement.closest('form') !== null")
    for form in forms.all():
        respond(form, right=True)
        form.get_by_role("button", name="Check").click()
    expect(page.get_by_text("3 of 3 practiced, 3 right.")).to_be_visible()
    assert [items(page)[name]["result"] for name in wrong] == ["right"] * 3
    assert results(page) == before
    press(page, "Back to the result")
    expect(page.get_by_role("heading", name="Your result")).to_be_focused()
    assert page.locator(".fm-exam-score").inner_text() == result
    page.reload()
    expect(page.locator(".fm-exam-score")).to_have_text(result)


def test_the_links_of_the_report_resolve(visit: Any) -> None:
    page = visit()
    start(page)
    end(page)
    links = page.locator(".fm-exam-stage a")
    found = links.evaluate_all("(all) => all.map((one) => one.href)")
    addresses = {
        one for one in found if urlparse(one).netloc == urlparse(page.url).netloc
    }  # sources leave the site
    assert addresses
    for address in addresses:
        response = page.goto(address)
        assert response is None or response.ok  # None: the same page
        fragment = address.partition("#")[2]
        assert not fragment or page.locator(f"[id='{fragment}']").count() == 1


def test_open_questions_show_their_key(visit: Any) -> None:
    page = visit()
    start(page, "Full")
    end(page)
    assert "0 of 17 right" in page.locator(".fm-exam-score").inner_text()
    for card in page.locator(".fm-exam-stage .fm-quiz-items > li").all():
        assert "No complete answer" in card.inner_text()
        assert re.search("Right, not chosen|Left blank", card.inner_text())
        assert card.locator(".fm-quiz-reason").count() >= 1
    assert items(page) == {}
    assert not results(page)  # nothing answered, nothing kept


def test_progress_knows_the_exams_answers(visit: Any) -> None:
    page = visit()
    start(page, "Full")
    reply_to_all(page, 17)
    end(page)
    page.reload()
    assert "17 of 17 right" in page.locator(".fm-exam-score").inner_text()
    press(page, "Another exam")
    expect(page.get_by_label("Short")).to_be_visible()
    assert page.locator(".fm-exam-stage tbody tr").all_inner_texts() == ["Nov 21, 2026\t17 of 17\t–"]
    page.goto(page.url.replace("exam.html", "progress.html"))
    assert "2 of 2" in page.locator("td[data-of=sums]").inner_text()


# --- what may go wrong ------------------------------------------------------------------------------------

GOOD = {"started": 1795255000000, "end": None, "ended": None, "at": 0}
HOSTILE: list[Any] = [
    7, "exam", [], {}, {"started": "now"}, GOOD, {**GOOD, "questions": {}}, {**GOOD, "questions": []},
    {**GOOD, "questions": [None, 3, {}, {"name": "sums/sum"}, {"name": "sums/sum", "version": "old"}]},
    {**GOOD, "questions": [{"name": "__proto__", "version": None}]},
    {**GOOD, "end": "soon", "questions": [{"name": "sums/sum", "version": "VERSION"}]},
    {**GOOD, "end": 1, "questions": [{"name": "sums/sum", "version": "VERSION"}]},
]  # fmt: skip
ANSWERS: list[Any] = [None, 3, "<b>", {}, [9], list(range(12)), [[1]], ["x"], [None], [-1], {"length": 3}]


def write(page: Page, name: str, value: Any) -> None:
    """As another tab would; what a reload finds goes the same way."""
    page.evaluate(
        """([name, value]) => {
            fmkit.modules.store.keepNote(name, value);
            dispatchEvent(new StorageEvent("storage"));
        }""",
        [name, value],
    )


def versions(page: Page) -> dict[str, str]:
    start(page, "Full")
    return {
        one["name"]: one["version"] for one in page.evaluate("fmkit.modules.store.note('exam').questions")
    }


def test_damaged_storage_is_ignored(visit: Any) -> None:
    page = visit()
    known = versions(page)
    for note in HOSTILE:
        write(page, "exam", json.loads(json.dumps(note).replace("VERSION", known["sums/sum"])))
        expect(page.get_by_role("button", name="Start the exam")).to_be_visible()
    for answer in ANSWERS:
        questions = [{"name": n, "version": v, "given": answer, "flagged": "no"} for n, v in known.items()]
        questions += questions[:1]  # and one of them twice
        write(page, "exam", {**GOOD, "at": 99, "questions": questions})
        expect(page.locator(".fm-exam-number"), answer).to_have_count(17)
        expect(page.locator(f"{FIELDS} :is(:checked:not(option))")).to_have_count(0)
    for past in (3, "x", {}, [1], {"at": 1, "right": 3, "of": 2}, {"at": 1, "right": "<b>", "of": 9}):
        page.evaluate("fmkit.modules.store.keepNote('exam', null)")
        write(page, "exam-result-1", past)
        expect(page.get_by_role("button", name="Start the exam")).to_be_visible()
        expect(page.get_by_text("Your exams")).to_have_count(0)


def test_exam_without_storage(visit: Any) -> None:
    page = visit(script="Storage.prototype.setItem = () => { throw Error('full'); };")
    expect(page.get_by_text("This browser stores nothing")).to_be_visible()
    start(page)
    reply(page)
    end(page)
    assert "1 of 10 right" in page.locator(".fm-exam-score").inner_text()


def test_changed_questions_are_left_out(visit: Any) -> None:
    page = visit()
    versions(page)
    note = page.evaluate("fmkit.modules.store.note('exam')")
    note["questions"][3]["version"] = "older"
    write(page, "exam", note)
    expect(page.locator(".fm-exam-number")).to_have_count(16)


def test_another_tab_goes_along(visit: Any) -> None:
    page = visit()
    start(page)
    other = page.context.new_page()
    other.clock.set_fixed_time("2026-11-21T10:00:00")
    other.goto(page.url)
    reply(other)
    expect(page.locator(".fm-exam-number").first).to_have_text("1 ✓")
    end(other)
    expect(page.get_by_role("heading", name="Your result")).to_be_visible()
    assert len(results(page)) == 1


# --- for everybody ----------------------------------------------------------------------------------------


def tab_to(page: Page, target: Locator) -> None:
    for _ in range(60):
        if target.evaluate("(element) => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no way to {target}")


def test_keyboard_only(visit: Any) -> None:
    page = visit(reduced_motion="reduce")
    page.locator(".fm-exam [name=size]").first.focus()
    tab_to(page, page.get_by_role("button", name="Start the exam"))
    page.keyboard.press("Enter")
    expect(page.locator(f"{FIELDS} fieldset")).to_be_focused()
    for _ in range(9):
        assert page.evaluate("document.activeElement.tagName") == "FIELDSET"
        page.keyboard.press("Tab")
        kind = page.locator(FIELDS).get_attribute("data-type")
        page.keyboard.press("ArrowDown" if kind in ("ordering", "matching") else "Space")
        tab_to(page, page.get_by_role("button", name="Next", exact=True))
        page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="⚑ Flag", exact=True))
    page.keyboard.press("Space")
    assert numbers(page)[-1].endswith("⚑")
    tab_to(page, page.locator(".fm-exam-list summary"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="1, ", exact=False).first)
    page.keyboard.press("Enter")
    assert page.locator(".fm-exam-where").inner_text() == "Question 1 of 10"
    tab_to(page, page.get_by_role("button", name="End the exam…"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="End and grade"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your result")).to_be_focused()


def test_enter_leads_on_and_grades_nothing(visit: Any) -> None:
    page = visit()
    start(page)
    for number in range(10):
        assert page.locator(".fm-exam-where").inner_text() == f"Question {number + 1} of 10"
        page.locator(f"{FIELDS} :is(input, select)").first.focus()
        if page.locator(f"{FIELDS} select").count():
            press(page, "Next") if number < 9 else press(page, "End the exam…")
        else:
            page.keyboard.press("Enter")
    expect(page.locator(".fm-exam-sure")).to_be_visible()
    assert items(page) == {}


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_accessible_in_every_state(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    faults: list[str] = []

    def check(state: str) -> None:
        targets = tiny.small_targets(page, ".fm-exam :is(label, button, summary, select)")
        faults.extend(f"{state}: {one}" for one in tiny.faults(page, ".fm-exam") + targets)

    check("start")
    start(page, "Full")
    page.locator(".fm-exam-list").evaluate("(list) => { list.open = true; }")
    check("question, with the list")
    page.locator(".fm-exam-list").evaluate("(list) => { list.open = false; }")
    check("question")
    for number in range(17):
        if number % 3:
            reply(page, number % 2 == 0)
        if number % 4 == 0:
            press(page, "⚑ Flag")
        if page.evaluate("document.documentElement.scrollWidth") > width:
            faults.append(f"question {number + 1} is wider than the page")
        if number < 16:
            press(page, "Next")
    check("flagged")
    press(page, "Leave")
    check("away")
    press(page, "Resume the exam")
    press(page, "End the exam…")
    check("confirm")
    press(page, "End and grade")
    for one in page.locator(".fm-exam-fold").all():
        one.evaluate("(one) => { one.open = true; }")
    check("report")
    page.get_by_role("button", name="Practice").click()
    check("practice")
    press(page, "Back to the result")
    press(page, "Another exam")
    check("past")
    assert not faults, "\n".join(faults)


def test_a_faulty_guide_is_one_line(tmp_path: Path) -> None:
    book = tiny.write(tmp_path, "# Exam\n\n```{exam}\n```\n")
    path = book / "assets/exam/objectives.yml"
    path.write_text(re.sub(r"weight: 28", "weight: much", path.read_text()))
    assert re.search(r"objectives\.yml:\d+: WARNING: weight must be a number", tiny.read(book)[1])
