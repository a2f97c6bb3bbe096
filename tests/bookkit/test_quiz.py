"""Quizzes: every fault of a file is caught with its line; the page grades, keeps and forgets."""

import re
from pathlib import Path
from typing import Any

import pytest
import tiny
import yaml
from bs4 import BeautifulSoup
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, expect
from quiz_book import CHOICES as GOOD
from quiz_book import INTRO, OTHERS
from quiz_steps import SIGNS, SUMS, answer, facts, measure, place, said

from bookkit.quiz.items import FOLDER, Item, read_quiz
from fmkit.errors import FmkitError

# (what is replaced in GOOD, by what, the line of the fault, words of the message)
FAULTS = [
    ("  stem: What", "  stem: [What", 6, "is not YAML"),
    ("  stem: What", "\tstem: What", 6, "is not YAML"),
    ("- id: sum", "- id: sum\n  points: 3", 2, "no key 'points'"),
    ("  section: the-sum\n  bloom", "  bloom", 1, "is missing the key 'section'"),
    ("- id: even", "- id: even\n  id: odd", 18, "has the key 'id' twice"),
    ("- id: even", "- id: sum", 17, "'sum' is already used"),
    ("- id: sum", "- id: The Sum", 1, "lowercase letters"),
    ("- id: sum", "- id: 12", 1, "put it in quotes"),
    ("multiple-choice", "true-false", 2, "ordering, matching or numeric"),
    ("  objective: 3.3.1", "  objective: 3.3", 3, "put it in quotes"),
    ("  objective: 3.3.1", "  objective: 9.3.1", 3, "a number such as 3.3.1"),
    ("  section: the-sum", "  section: '#the sum'", 4, "a label such as"),
    ("What is $1 + 1$?", "' '", 6, "stem is empty"),
    ("What is $1 + 1$?", '"a\\x07"', 6, "no page can show"),
    ("- id: even", "- id: even\n  difficulty: deadly", 18, "easy, medium or hard"),
    ("      rationale: It counts the plus sign.\n", "", 13, "is missing the key 'rationale'"),
    ("It counts the plus sign.", "", 14, "rationale must be text"),
    ("text: Three", "text: 3", 13, "put it in quotes"),
    ("text: Three", "text: Two", 13, "two options have the same text"),
    ("correct: true\n      rationale: One", "correct: yeah\n      rationale: One", 11, "true or false"),
    ("      correct: true\n      rationale: One", "      rationale: One", 8, "this has 4, 0 correct"),
    ("text: Four", "text: Four\n      correct: true", 8, "this has 4, 2 correct"),
    ("    - text: Four\n      rationale: It adds twice.\n", "", 8, "this has 3, 1 correct"),
    ("{text: Six, correct: true,", "{text: Six,", 24, "this has 5, 1 correct"),
    ("    - {text: Nine, rationale: One is left over.}\n", "", 24, "this has 4, 2 correct"),
    ("  stem: Which numbers are even?", "  stem: *nothing", 22, "is not YAML"),
    ("- id: sum", "--- []\n--- \n- id: sum", 2, "is not YAML"),
]

# The same for the other types, in OTHERS.
OTHER_FAULTS = [
    ("place: 3", "place: 2", 8, "each once; these are [2, 1, 2]"),
    ("place: 3", "place: 1.5", 8, "place must be a whole number"),
    ("text: Read both numbers", "text: Write the result", 9, "two steps have the same text"),
    (
        "    - {text: Write the result, place: 3, rationale: Only what is known can be written.}\n",
        "",
        8,
        "3 to 5",
    ),
    ("match: minus", "match: plus", 19, "two pairs have the same match"),
    ("shown: 2", "shown: 1", 18, "each once; these are [1, 3, 1]"),
    ("plus, shown: 2", "plus, shown: three", 18, "shown must be a number"),
    ("tolerance: 0.02", "tolerance: 0", 31, "above zero"),
    ("value: 0.43", "value: high", 30, "value must be a number"),
    ("value: 0.43", "value: .inf", 30, "a plain number"),
    ('find: "floor ([0-9.]+)"', 'find: "floor"', 34, "needs one group"),
    ('find: "floor ([0-9.]+)"', 'find: "floor ("', 34, "is not a valid pattern"),
    ("type: numeric", "type: ordering", 30, "ordering has no answer"),
    ("type: ordering", "type: matching", 8, "matching has no steps"),
    ("  mistakes:", "  options: []\n  mistakes:", 35, "numeric has no options"),
    ("beyond: true", "beyond: much", 25, "beyond must be true or false"),
]


@pytest.fixture
def quiz(tmp_path: Path) -> Any:
    def read(content: str | bytes) -> list[Item]:
        path = tmp_path / "sums.yml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_quiz(path, "sums.yml")

    return read


def test_a_good_file(quiz: Any) -> None:
    first, second = quiz(GOOD)
    assert (first.id, first.correct, second.correct) == ("sum", 1, 2)
    assert first.version != quiz(GOOD.replace("Three", "Thirty"))[0].version
    assert first.version == quiz(GOOD.replace("It adds twice.", "It doubles the sum."))[0].version
    before, after = (
        quiz(OTHERS),
        quiz(
            OTHERS.replace("place: 3", "place: 4")
            .replace("place: 2", "place: 3")
            .replace("place: 4", "place: 2")
            .replace("match: plus", "match: and")
            .replace("0.43", "0.44")
        ),
    )
    assert [item.beyond for item in before] == [False, False, True]
    assert not {item.version for item in before} & {item.version for item in after}


@pytest.mark.parametrize(("old", "new", "line", "words"), FAULTS, ids=[f[3] + str(f[2]) for f in FAULTS])
def test_a_fault_is_one_line(quiz: Any, old: str, new: str, line: int, words: str) -> None:
    fault_is_one_line(quiz, GOOD, old, new, line, words)


def fault_is_one_line(quiz: Any, good: str, old: str, new: str, line: int, words: str) -> None:
    assert old in good
    assert quiz(good)
    with pytest.raises(FmkitError) as error:
        quiz(good.replace(old, new, 1))
    message = str(error.value)
    assert message.startswith(f"sums.yml:{line}: "), message
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize(("old", "new", "line", "words"), OTHER_FAULTS, ids=[f[3] for f in OTHER_FAULTS])
def test_a_fault_of_another_type(quiz: Any, old: str, new: str, line: int, words: str) -> None:
    fault_is_one_line(quiz, OTHERS, old, new, line, words)


@pytest.mark.parametrize(
    "content", ["", "# nothing\n", "[]", "7", "{}", "- - -", b"- \xff", '- "\\UFFFFFFFF"']
)
def test_files_that_are_not_quizzes(quiz: Any, content: str | bytes) -> None:
    with pytest.raises(FmkitError, match=r"^sums\.yml:1: "):
        quiz(content)


@pytest.mark.slow
def test_deep_and_recursive_files(quiz: Any) -> None:
    for content in ("[" * 5000, "&a [*a]", "- &a {<<: *a}"):
        with pytest.raises(FmkitError, match=r"^sums\.yml:\d+: "):
            quiz(content)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FmkitError, match=r"^no\.yml:1: cannot be read"):
        read_quiz(tmp_path / "no.yml", "no.yml")


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
KEYS = st.sampled_from(
    ["id", "type", "stem", "options", "text", "correct", "rationale", "section", "objective"]
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=20,
)
CUTS = st.tuples(st.integers(0, len(GOOD)), st.integers(0, 40), st.text(max_size=8))


def read_or_one_line(quiz: Any, content: str | bytes) -> None:
    try:
        outcome = quiz(content)
    except FmkitError as error:
        outcome = re.fullmatch(r"sums\.yml:\d+: [^\n]+", str(error))
    assert outcome


FUZZED = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None
)


@pytest.mark.slow
@FUZZED
@given(tree=TREES)
def test_any_yaml(quiz: Any, tree: Any) -> None:
    read_or_one_line(quiz, yaml.safe_dump(tree))


@FUZZED
@given(content=st.binary(max_size=200))
def test_any_bytes(quiz: Any, content: bytes) -> None:
    read_or_one_line(quiz, content)


@FUZZED
@given(cut=CUTS)
def test_any_typing_error(quiz: Any, cut: tuple[int, int, str]) -> None:
    start, length, text = cut
    read_or_one_line(quiz, (GOOD[:start] + text + GOOD[start + length :]).encode("utf-8", "surrogatepass"))


# --- the page ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_faulty_quiz_fails_the_build(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file's own faults, and a section that no page has."""
    book = tiny.write(tmp_path, INTRO + "\n```{quiz} broken\n```\n")
    (book / "assets/quizzes/sums.yml").write_text(
        GOOD.replace("section: the-sum", "section: the-difference", 1)
    )
    (book / "assets/quizzes/broken.yml").write_text(GOOD.replace("3.3.1", "nine", 1))
    with pytest.raises(FmkitError):
        tiny.build(book)
    output = capsys.readouterr().err
    assert "assets/quizzes/broken.yml:3: WARNING: objective must be a number such as 3.3.1" in output
    assert (
        "assets/quizzes/sums.yml:4: WARNING: no section of the book has the label 'the-difference'" in output
    )
    assert output.count("the-difference") == 2  # where it is found, and in the list at the end
    assert "Traceback" not in output


def test_words_stay_apart_without_tags(visit: Any) -> None:
    """As in the excerpts of a search."""
    text = " ".join((visit().locator(".fm-quiz").text_content() or "").split())
    assert "Question 1 of 2 What is" in text
    assert "Choose one. A One B Two C Three D Four Check" in text


def test_a_number_says_where_to_look(visit: Any) -> None:
    page = visit(name=SIGNS)
    hint = page.locator("form[data-type=numeric] .fm-quiz-hint")
    assert "Read it off the page, or run the chapter." in hint.inner_text()
    assert hint.get_by_role("link").inner_text() == "The sum"
    assert (hint.get_by_role("link").get_attribute("href") or "").endswith("#the-sum")


def test_grading(visit: Any) -> None:
    page = visit()
    assert facts(page)["score"] == "2 questions, none answered yet."
    answer(page, 0, "A")
    now = facts(page)
    assert now["results"] == ["wrong", None]
    assert now["feedback"] == [
        "✗ Wrong, your choice. It forgets the second one.",
        "✓ Right, not chosen. One and one are two.",
        "Wrong, not chosen. It counts the plus sign.",
        "Wrong, not chosen. It adds twice.",
    ]
    assert now["score"] == "1 of 2 answered, 0 right."
    assert now["focused"] == "Try again"
    answer(page, 1, "AC")
    assert facts(page)["score"] == "All answered, 1 right."
    assert page.locator("form[data-result] .fm-quiz-again a").first.get_attribute("href") == "#the-sum"
    assert page.locator(".fm-quiz-score").get_attribute("aria-live") == "polite"


def test_incomplete_choices_are_not_graded(visit: Any) -> None:
    page = visit()
    answer(page, 0, "")
    answer(page, 1, "ABC")
    assert facts(page)["results"] == [None, None]
    verdicts = page.locator(".fm-quiz-verdict").all_inner_texts()
    assert verdicts == ["Choose one.", "Choose two. You chose 3."]


def test_an_answer_survives_a_reload(visit: Any) -> None:
    page = visit()
    answer(page, 0, "B")
    answer(page, 1, "AB")
    page.reload()
    assert facts(page)["results"] == ["right", "wrong"]
    page.get_by_role("button", name="Try again").nth(1).click()
    assert facts(page)["focused"] == "A"
    page.reload()
    assert facts(page)["results"] == ["right", None]
    page.get_by_role("button", name="Start over").click()
    assert facts(page) == {
        "results": [None, None],
        "score": "2 questions, none answered yet.",
        "feedback": [],
        "focused": "A",
    }
    page.reload()
    assert facts(page)["results"] == [None, None]


# --- two tabs ---------------------------------------------------------------------------------------------


@pytest.fixture
def tabs(visit: Any) -> Any:
    """The same page in two tabs of one browser."""

    def opened(name: str) -> tuple[Page, Page]:
        page = visit(name=name)
        other = page.context.new_page()
        other.goto(page.url)
        return page, other

    return opened


def result(page: Page, number: int, found: str | None) -> None:
    """Wait until a question is graded so, or open if `found` is None."""
    form = page.locator(".fm-quiz form").nth(number)
    if found:
        expect(form).to_have_attribute("data-result", found)
    else:
        expect(form).not_to_have_attribute("data-result", re.compile(""))


def test_a_quiz_sees_another_tab(tabs: Any) -> None:
    one, other = tabs(SUMS)
    answer(other, 0, "B")
    result(one, 0, "right")
    assert facts(one)["score"] == "1 of 2 answered, 1 right."
    assert said(one, 0) == said(other, 0)
    one.get_by_role("button", name="Try again").click()
    result(other, 0, None)
    answer(other, 0, "A")
    answer(other, 1, "AC")
    for number, found in enumerate(("wrong", "right")):
        result(one, number, found)
    one.get_by_role("button", name="Start over").click()
    result(other, 1, None)
    assert facts(other)["score"] == "2 questions, none answered yet."


def test_every_type_sees_another_tab(tabs: Any) -> None:
    one, other = tabs(SIGNS)
    place(other, 0, "312")
    place(other, 1, "231")
    measure(other, "1.53")
    for number in range(3):
        result(one, number, other.locator(".fm-quiz form").nth(number).get_attribute("data-result"))
        assert said(one, number) == said(other, number)
    assert one.get_by_label("Your number").input_value() == "1.53"


def test_what_is_begun_outlives_another_tab(tabs: Any) -> None:
    """What the reader is typing stays; once checked, it is the newer answer, and both are counted."""
    one, other = tabs(SIGNS)
    one.get_by_label("Your number").fill("0.43")
    one.locator(".fm-quiz form").first.locator("select").first.select_option("3")
    measure(other, "1.53")
    place(other, 0, "312")
    place(other, 1, "231")  # seen after the others, as events come in order
    result(one, 1, other.locator(".fm-quiz form").nth(1).get_attribute("data-result"))
    assert one.get_by_label("Your number").input_value() == "0.43"
    one.locator(".fm-quiz form").nth(2).get_by_role("button", name="Check").click()
    expect(other.get_by_label("Your number")).to_have_value("0.43")
    assert one.locator(".fm-quiz form").first.locator("select").first.input_value() == "3"
    kept = one.evaluate("[...fmkit.modules.store.items().values()].find((one) => one.answer === '0.43')")
    assert [attempt["right"] for attempt in kept["history"]] == [False, True]


def test_a_page_from_memory_sees_the_rest(visit: Any) -> None:
    """A page that the browser kept in memory hears nothing meanwhile."""
    page = visit()
    answer(page, 0, "B")
    page.evaluate("fmkit.modules.store.takeBack('sums', 'sum')")  # as if from elsewhere
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    assert facts(page)["results"] == [None, None]


def test_newer_storage_beats_older_memory(visit: Any) -> None:
    """What this tab could not keep does not hide what another tab could."""
    page = visit()
    page.evaluate("() => { Storage.prototype.setItem = () => { throw Error('full'); }; }")
    answer(page, 0, "A")
    other = page.context.new_page()
    other.goto(page.url)
    assert facts(other)["results"] == [None, None]
    answer(other, 0, "B")
    result(page, 0, "right")


# --- damage -----------------------------------------------------------------------------------------------


def letters(page: Page, number: int) -> str:
    """The options as they are shown, by their letters in the file."""
    values = "(all) => all.map((one) => one.value).join('')"
    return page.locator(".fm-quiz form").nth(number).locator("input").evaluate_all(values)


def shown_rows(page: Page, number: int) -> list[str]:
    names = "(all) => all.map((one) => one.name)"
    return page.locator(".fm-quiz form").nth(number).locator("select").evaluate_all(names)


def test_each_new_try_has_its_own_order(visit: Any) -> None:
    """Letters follow the order; a chapter's first order is that of the file, and so on paper."""
    page = visit()
    seen = set()
    for _ in range(8):
        seen.add(letters(page, 0))
        answer(page, 0, "B")
        form = page.locator(".fm-quiz form").first
        expect(form.locator(".fm-quiz-letter")).to_have_text(list("ABCD"), use_inner_text=True)
        assert form.locator("[data-mark~=correct] .fm-quiz-text").inner_text() == "Two"
        assert facts(page)["results"] == ["right", None]
        form.get_by_role("button", name="Try again").click()
        assert facts(page)["focused"] == "A"
    assert "ABCD" in seen
    assert len(seen) > 1
    page.reload()
    assert letters(page, 0) == "ABCD"


def test_steps_and_pairs_are_mixed(visit: Any) -> None:
    """Never into the right order, and no match beside its prompt; menus, letters and reasons follow."""
    page = visit(name=SIGNS)
    orders = set()
    for _ in range(12):
        place(page, 0, "312")
        place(page, 1, "231")
        assert facts(page)["results"] == ["right", "right", None]
        steps, prompts = shown_rows(page, 0), shown_rows(page, 1)
        assert steps != ["part-2", "part-3", "part-1"]
        pairs = page.locator(".fm-quiz form").nth(1)
        expect(pairs.locator(".fm-quiz-matches .fm-quiz-letter")).to_have_text(
            list("ABC"), use_inner_text=True
        )
        matches = pairs.locator(".fm-quiz-matches li").evaluate_all(
            "(all) => all.map((one) => one.dataset.match)"
        )
        right = {"part-1": "2", "part-2": "3", "part-3": "1"}
        assert all(right[prompt] != match for prompt, match in zip(prompts, matches, strict=True))
        menu = (
            pairs.locator("select")
            .first.locator("option")
            .evaluate_all("(all) => all.map((one) => one.value)")
        )
        assert menu == ["", *matches]
        chosen = "(one) => one.selectedOptions[0].textContent[0]"
        named = [select.evaluate(chosen) for select in pairs.locator("select").all()]
        reasons = pairs.locator(".fm-quiz-feedback b").all_inner_texts()
        assert reasons == [f"✓ {letter} is right." for letter in named]
        orders.add((*steps, *prompts, *matches))
        for button in page.get_by_role("button", name="Try again").all()[::-1]:
            button.click()
    assert len(orders) > 2


def test_too_many_is_said_at_once(visit: Any) -> None:
    """Before anything is checked; what is no longer too many is no longer said."""
    page = visit()
    form = page.locator(".fm-quiz form").nth(1)
    for letter, said_now in (("A", ""), ("B", ""), ("C", "Choose two. You chose 3.")):
        form.locator(f"input[value={letter}]").check()
        expect(form.locator(".fm-quiz-verdict")).to_have_text(said_now)
    form.locator("input[value=B]").uncheck()
    expect(form.locator(".fm-quiz-verdict")).to_have_text("")
    page = visit(name=SIGNS)
    for number, words in ((0, "Place 2 is used twice."), (1, "B is used twice.")):
        form = page.locator(".fm-quiz form").nth(number)
        for part, said_now in ((1, ""), (3, words)):
            form.locator(f"[name=part-{part}]").select_option("2")
            assert form.locator(".fm-quiz-verdict").inner_text().endswith(said_now)
            assert bool(said_now) == bool(form.locator(".fm-quiz-verdict").inner_text())
        assert form.locator(".fm-quiz-verdict").get_attribute("role") == "status"


OLD = "fmkit/quiz/sums/sum"
NOW = "fmkit/1/item/sums/sum"
HOSTILE = [
    (OLD, "<img src=x onerror=alert(1)>"),
    (OLD, "null"),
    (OLD, '{"version": "VERSION", "chosen": "<b>"}'),
    (OLD, '{"version": "VERSION", "chosen": [true, true, true, true]}'),
    (OLD, '{"version": "VERSION", "chosen": [1, 0, 0, 0]}'),
    (OLD, '{"version": "older", "chosen": [false, true, false, false]}'),
    (OLD, '{"__proto__": {"version": "VERSION"}, "chosen": {"length": 4}}'),
    (OLD, "[" * 100_000),
    (NOW, "{"),
    (NOW, "[" * 100_000),
    (NOW, '{"version": "VERSION", "answer": "<b>", "history": []}'),
    (NOW, '{"version": "VERSION", "answer": [1], "history": [{"at": "now", "right": true}]}'),
    (NOW, '{"version": "VERSION", "answer": [1], "history": [{"at": 1e300, "right": true}]}'),
    (NOW, '{"version": "VERSION", "answer": [1, 1], "history": []}'),
    (NOW, '{"version": "VERSION", "answer": [7], "history": []}'),
    (NOW, '{"version": "VERSION", "answer": [[1]], "history": []}'),
    (NOW, '{"version": "VERSION", "answer": null, "history": []}'),
    (NOW, '{"version": "older", "answer": [1], "history": []}'),
]


def test_damaged_storage_is_ignored(visit: Any) -> None:
    page = visit()
    answer(page, 1, "AC")
    version = page.locator(".fm-quiz form").first.get_attribute("data-version")
    for key, content in HOSTILE:
        page.evaluate(
            "([key, it]) => localStorage.setItem(key, it)", [key, content.replace("VERSION", version)]
        )
        page.reload()
        assert facts(page)["results"] == [None, "right"], content
        page.evaluate("(key) => localStorage.removeItem(key)", key)
    answer(page, 0, "B")
    page.reload()
    assert facts(page)["results"] == ["right", "right"]


def test_answers_of_the_old_format_are_kept(visit: Any) -> None:
    page = visit()
    kept = {"version": page.locator(".fm-quiz form").first.get_attribute("data-version")}
    kept["chosen"] = [False, True, False, False]
    page.evaluate("([key, it]) => localStorage.setItem(key, JSON.stringify(it))", [OLD, kept])
    page.reload()
    assert facts(page)["results"] == ["right", None]
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.includes('fmkit'))") == [NOW]
    entry = page.evaluate("fmkit.modules.store.item('sums', 'sum')")
    assert (entry["answer"], len(entry["history"]), entry["result"]) == ([1], 1, "right")


def test_grading_without_storage(visit: Any) -> None:
    page = visit()
    page.evaluate("() => { Storage.prototype.setItem = () => { throw Error('full'); }; }")
    answer(page, 0, "B")
    assert facts(page)["results"] == ["right", None]


def test_keyboard_only(visit: Any) -> None:
    page = visit()
    page.locator(".fm-quiz input").first.focus()
    for key in ("Space", "ArrowDown", "Tab", "Enter"):
        page.keyboard.press(key)
    assert facts(page)["results"] == ["right", None]
    page.keyboard.press("Enter")  # the same button, now "Try again", takes it back
    assert facts(page)["results"] == [None, None]
    assert facts(page)["focused"] == "A"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")  # as in any form
    assert facts(page)["results"] in (["right", None], ["wrong", None])  # in another order


@pytest.mark.parametrize(("width", "colors"), tiny.LOOKS)
def test_accessible_in_every_state(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    faults = quiz_faults(page)
    answer(page, 0, "B")
    answer(page, 1, "AD")
    faults += quiz_faults(page)
    page = visit(width, SIGNS, color_scheme=colors)
    faults += quiz_faults(page)
    for places, names, number in (("312", "231", "0.43"), ("213", "321", "0.62")):
        place(page, 0, places)
        place(page, 1, names)
        measure(page, number)
        faults += quiz_faults(page)
        for button in page.get_by_role("button", name="Try again").all()[::-1]:
            button.click()
    assert not faults, "\n".join(faults)


def quiz_faults(page: Page) -> list[str]:
    targets = tiny.small_targets(page, ".fm-quiz :is(label, button, select)")
    return tiny.faults(page, ".fm-quiz") + targets


def test_without_a_script(visit: Any) -> None:
    """The questions, no button that does nothing, and the key folded away."""
    page = visit(java_script_enabled=False)
    expect(page.locator(".fm-quiz input")).to_have_count(9)
    expect(page.locator(".fm-quiz button").first).to_be_hidden()
    expect(page.get_by_text("One and one are two.")).to_be_hidden()
    page.get_by_text("Answers and reasons").click()
    expect(page.get_by_text("One and one are two.")).to_be_visible()
    expect(page.get_by_text("Answer: A and C.")).to_be_visible()
    page = visit(name=SIGNS, java_script_enabled=False)
    page.get_by_text("Answers and reasons").click()
    for key in ("are numbered 3 1 2.", "Answer: B C A,", "Answer: 0.43 nats per token, give or take 0.02."):
        expect(page.get_by_text(key), key).to_be_visible()
    expect(page.locator("select")).to_have_count(6)


def test_print(visit: Any) -> None:
    """The questions as a sheet; the key is not on it, graded or not."""
    page = visit()
    answer(page, 0, "A")
    page.emulate_media(media="print")
    expect(page.locator(".fm-quiz button").first).to_be_hidden()
    expect(page.locator(".fm-quiz-feedback").first).to_be_hidden()
    expect(page.locator(".fm-quiz-key")).to_be_hidden()
    expect(page.get_by_text("One and one are two.").first).to_be_hidden()
    page = visit(name=SIGNS)
    place(page, 0, "213")
    page.emulate_media(media="print")
    blank = page.locator("select").first
    expect(blank).to_be_visible()
    assert blank.evaluate("(it) => getComputedStyle(it).color") == "rgba(0, 0, 0, 0)"


# --- ordering, matching, numbers --------------------------------------------------------------------------


def test_an_order_and_pairs(visit: Any) -> None:
    page = visit(name=SIGNS)
    for number, values, verdict in (
        (0, ("", "", ""), "Give each step its place, from 1 to 3."),
        (0, ("1", "", ""), "Give each step its place, from 1 to 3. 2 of 3 to go."),
        (0, "122", "Give each step its place, from 1 to 3. Place 2 is used twice."),
        (1, "133", "Choose a match for each; use every match once. C is used twice."),
    ):
        place(page, number, values)
        assert said(page, number) == (verdict, [])
    place(page, 0, "321")
    assert said(page, 0) == (
        "✗ Not quite: see the reasons above.",
        [
            "✓ Place 3 is right. Only what is known can be written.",
            "✗ Place 2 is wrong; right: Place 1. Nothing can be added before it is read.",
            "✗ Place 1 is wrong; right: Place 2. It takes both numbers and gives the result.",
        ],
    )
    place(page, 1, "231")
    assert said(page, 1) == (
        "✓ Right.",
        ["✓ B is right. It adds.", "✓ C is right. It takes away.", "✓ A is right. It multiplies."],
    )
    page.reload()
    assert facts(page)["results"] == ["wrong", "right", None]
    assert page.locator("select").first.input_value() == "3"
    page.get_by_role("button", name="Try again").first.click()
    assert page.locator("select").first.evaluate("(it) => it === document.activeElement && it.value") == ""


def test_a_number(visit: Any) -> None:
    page = visit(name=SIGNS)
    expect(page.get_by_text("beyond the exam")).to_be_visible()
    for text in ("", "much", "1,23,4.5", "0.4.3", "NaN", "Infinity", "<b>1</b>", "1e999"):
        measure(page, text)
        assert said(page, 2)[0].endswith("Write it like 0.43 or 1,500."), text
    for text in ("0.43", "0,43", " .45 ", "0.41", "4.3e-1", "+0.44"):
        measure(page, text)
        assert said(page, 2)[0] == "✓ Right.", text
        page.get_by_role("button", name="Try again").click()
    measure(page, "0.46")
    floor = "It is the entropy of the world. A cell of Adding up prints it."
    assert said(page, 2)[1] == [f"✗ You wrote 0.46. It is 0.43 nats per token. {floor}"]
    page.get_by_role("button", name="Try again").click()
    for text in ("1,234.5", "1 234.5", "1234.5"):
        measure(page, text)
        assert said(page, 2)[1] == [f"✗ You wrote 1,234.5. It is 0.43 nats per token. {floor}"], text
        page.get_by_role("button", name="Try again").click()
    measure(page, "−1,53")
    assert said(page, 2)[1] == [f"✗ You wrote -1.53. It is 0.43 nats per token. {floor}"]
    page.get_by_role("button", name="Try again").click()
    measure(page, "1,53")
    assert said(page, 2)[1] == [
        "✗ You wrote 1.53, the result of a common mistake. This is the perplexity.",
        f"It is 0.43 nats per token. {floor}",
    ]
    page.reload()
    assert page.get_by_label("Your number").input_value() == "1,53"
    assert facts(page)["results"] == [None, None, "wrong"]


def test_the_other_types_by_keyboard(visit: Any) -> None:
    page = visit(name=SIGNS)
    page.locator("select").first.focus()
    for key in ("3", "Tab", "1", "Tab", "2", "Tab", "Enter"):
        page.keyboard.press(key)
    assert facts(page)["results"] == ["right", None, None]
    page.get_by_label("Your number").focus()
    page.keyboard.type("0.43")
    page.keyboard.press("Enter")
    assert facts(page)["results"] == ["right", None, "right"]


def test_a_measured_page_must_exist(tmp_path: Path) -> None:
    book = tiny.write(tmp_path, INTRO)
    (book / "assets/quizzes/sums.yml").write_text(OTHERS)  # its number is measured on a page that is gone
    assert "sums.yml:30: WARNING: the book has no page 'chapters/1-sums/adding'" in tiny.read(book)[1]


HTML = "<script>alert(1)</script> <img src=x onerror=alert(2)> <b onclick='alert(3)'>bold</b> &lt;i&gt;"


def test_html_in_an_item_stays_text(tmp_path: Path) -> None:
    items = yaml.safe_load(GOOD)
    for number, option in enumerate(items[0]["options"]):
        option["text"], option["rationale"] = f"{HTML} {number}", HTML
    items[0]["stem"] = f"[x](javascript:alert(4)) {HTML}?"
    book = tiny.write(tmp_path, "# A quiz\n\n(the-sum)=\n## Sums\n\n```{quiz} hostile\n```\n")
    (book / FOLDER / "hostile.yml").write_text(yaml.safe_dump(items))
    page = BeautifulSoup(tiny.read(book)[0], "html.parser")
    quiz = page.select_one(".fm-quiz")
    assert quiz
    assert not quiz.select("script, img, [onclick], [onerror], [href^='javascript:']")
    assert quiz.text.count("<script>alert(1)</script>") == 9
    assert quiz.text.count("<img src=x onerror=alert(2)>") == 9


def test_a_huge_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "huge.yml"
    path.write_text(GOOD + "#" * 10_000_000)
    with pytest.raises(FmkitError, match=r"^huge\.yml:1: is larger than 2 MB: split it$"):
        read_quiz(path, "huge.yml")
