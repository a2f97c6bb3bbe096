"""Quizzes: every fault of a file is caught with its line; the page grades, keeps and forgets."""

import re
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

from fmkit.book.quiz.items import CHOICE, Item, read_quiz
from fmkit.errors import FmkitError

QUIZZES = sorted((tiny.ROOT / "assets/quizzes").glob("*.yml"))

GOOD = """\
- id: sum
  type: multiple-choice
  objective: 3.3.1
  section: the-sum
  bloom: understand
  stem: What is $1 + 1$?
  options:
    - text: One
      rationale: It forgets the second *one*.
    - text: Two
      correct: true
      rationale: One and one are two.
    - text: Three
      rationale: It counts the plus sign.
    - text: Four
      rationale: It adds twice.
- id: even
  type: multiple-response
  objective: 3.3.1
  section: the-sum
  bloom: understand
  stem: Which numbers are even?
  options:
    - {text: Six, correct: true, rationale: Three and three.}
    - {text: Seven, rationale: One is left over.}
    - {text: Eight, correct: true, rationale: Four and four.}
    - {text: Nine, rationale: One is left over.}
    - {text: Eleven, rationale: One is left over.}
"""

# (what is replaced in GOOD, by what, the line of the fault, words of the message)
FAULTS = [
    ("  stem: What", "  stem: [What", 6, "is not YAML"),
    ("  stem: What", "\tstem: What", 6, "is not YAML"),
    ("- id: sum", "- id: sum\n  points: 3", 2, "no key 'points'"),
    ("  section: the-sum\n  bloom", "  bloom", 1, "lacks the key 'section'"),
    ("- id: even", "- id: even\n  id: odd", 18, "has the key 'id' twice"),
    ("- id: even", "- id: sum", 17, "'sum' is taken"),
    ("- id: sum", "- id: The Sum", 1, "small letters"),
    ("- id: sum", "- id: 12", 1, "put it in quotes"),
    ("multiple-choice", "true-false", 2, "ordering, matching or numeric"),
    ("  objective: 3.3.1", "  objective: 3.3", 3, "put it in quotes"),
    ("  objective: 3.3.1", "  objective: 9.3.1", 3, "a number as 3.3.1"),
    ("  section: the-sum", "  section: '#the sum'", 4, "a label as"),
    ("What is $1 + 1$?", "' '", 6, "stem is empty"),
    ("What is $1 + 1$?", '"a\\x07"', 6, "no page can show"),
    ("- id: even", "- id: even\n  difficulty: deadly", 18, "easy, medium or hard"),
    ("      rationale: It counts the plus sign.\n", "", 13, "lacks the key 'rationale'"),
    ("It counts the plus sign.", "", 14, "rationale must be text"),
    ("text: Three", "text: 3", 13, "put it in quotes"),
    ("text: Three", "text: Two", 13, "two options have the same text"),
    ("correct: true\n      rationale: One", "correct: yeah\n      rationale: One", 11, "true or false"),
    ("      correct: true\n      rationale: One", "      rationale: One", 8, "here are 4, 0 correct"),
    ("text: Four", "text: Four\n      correct: true", 8, "here are 4, 2 correct"),
    ("    - text: Four\n      rationale: It adds twice.\n", "", 8, "here are 3, 1 correct"),
    ("{text: Six, correct: true,", "{text: Six,", 24, "here are 5, 1 correct"),
    ("    - {text: Nine, rationale: One is left over.}\n", "", 24, "here are 4, 2 correct"),
    ("  stem: Which numbers are even?", "  stem: *nothing", 22, "is not YAML"),
    ("- id: sum", "--- []\n--- \n- id: sum", 2, "is not YAML"),
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


@pytest.mark.parametrize(("old", "new", "line", "words"), FAULTS, ids=[f[3] + str(f[2]) for f in FAULTS])
def test_a_fault_is_one_line(quiz: Any, old: str, new: str, line: int, words: str) -> None:
    assert old in GOOD
    with pytest.raises(FmkitError) as error:
        quiz(GOOD.replace(old, new, 1))
    message = str(error.value)
    assert message.startswith(f"sums.yml:{line}: "), message
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "content", ["", "# nothing\n", "[]", "7", "{}", "- - -", b"- \xff", '- "\\UFFFFFFFF"']
)
def test_what_is_no_quiz(quiz: Any, content: str | bytes) -> None:
    with pytest.raises(FmkitError, match=r"^sums\.yml:1: "):
        quiz(content)


def test_a_deep_file_and_one_that_holds_itself(quiz: Any) -> None:
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
def test_any_slip_of_the_pen(quiz: Any, cut: tuple[int, int, str]) -> None:
    start, length, text = cut
    read_or_one_line(quiz, (GOOD[:start] + text + GOOD[start + length :]).encode("utf-8", "surrogatepass"))


# --- the bank ---------------------------------------------------------------------------------------------


def bank() -> list[Item]:
    return [item for path in QUIZZES for item in read_quiz(path, path.name)]


def test_the_items_of_the_book() -> None:
    """What a test-wise reader could use, and a rationale that says too little or too much."""
    longest, positions = 0, []
    for item in bank():
        right = [len(option.text) for option in item.options if option.correct]
        wrong = [len(option.text) for option in item.options if not option.correct]
        longest += max(right) > max(wrong)
        assert 0.7 <= statistics.mean(right) / statistics.mean(wrong) <= 1.3, item.id
        assert item.stem.endswith("?"), item.id
        for option in item.options:
            assert not re.search(r"(all|none|both) of the above", option.text, re.I), item.id
            assert 15 <= len(option.rationale.split()) <= 60, (item.id, option.text)
        if item.type == CHOICE:
            positions.append([option.correct for option in item.options].index(True))
    assert longest <= 0.35 * len(bank())
    assert max(map(positions.count, range(4))) <= len(positions) / 4 + 1
    assert len({item.id for item in bank()}) == len(bank())


# --- the page ---------------------------------------------------------------------------------------------

PAGE = """# Sums

(the-sum)=
## The sum

Text.

## Quiz

```{quiz} sums
```
"""


def test_a_faulty_quiz_fails_the_build(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file's own faults, and a section that no page has."""
    book = tiny.write(tmp_path, PAGE + "\n```{quiz} broken\n```\n")
    (book / "assets/quizzes/sums.yml").write_text(
        GOOD.replace("section: the-sum", "section: the-difference", 1)
    )
    (book / "assets/quizzes/broken.yml").write_text(GOOD.replace("3.3.1", "nine", 1))
    with pytest.raises(FmkitError):
        tiny.build(book)
    output = capsys.readouterr().err
    assert "assets/quizzes/broken.yml:3: WARNING: objective must be a number as 3.3.1" in output
    assert (
        "assets/quizzes/sums.yml:4: WARNING: no section of the book has the label 'the-difference'" in output
    )
    assert "Traceback" not in output


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    book = tiny.write(tmp_path_factory.mktemp("quiz"), PAGE)
    (book / "assets/quizzes/sums.yml").write_text(GOOD)
    return tiny.build(book)


@pytest.fixture(scope="module")
def chromium(site: Path) -> Iterator[tuple[Browser, str]]:
    with tiny.opened(site) as both:
        yield both


@pytest.fixture
def visit(chromium: tuple[Browser, str]) -> Iterator[Any]:
    """Open the page in a browser that remembers nothing; what goes wrong in it fails the test."""
    browser, address = chromium
    contexts, complaints = [], []

    def opened(width: int = 1300, **options: Any) -> Page:
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{address}/chapters/intro.html")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints


def answer(page: Page, number: int, letters: str) -> None:
    form = page.locator(".fm-quiz form").nth(number)
    for letter in letters:
        form.locator(f"input[value={letter}]").check()
    form.get_by_role("button", name="Check").click()


def facts(page: Page) -> dict[str, Any]:
    return page.evaluate("""() => ({
        results: [...document.querySelectorAll(".fm-quiz form")].map((form) => form.dataset.result ?? null),
        score: document.querySelector(".fm-quiz-score").textContent,
        feedback: [...document.querySelectorAll(".fm-quiz-feedback")].map((box) => box.textContent),
        focused: document.activeElement.value || document.activeElement.textContent,
    })""")


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


def test_too_few_or_too_many_are_not_graded(visit: Any) -> None:
    page = visit()
    answer(page, 0, "")
    answer(page, 1, "ABC")
    assert facts(page)["results"] == [None, None]
    verdicts = page.locator(".fm-quiz-verdict").all_inner_texts()
    assert verdicts == ["Choose one.", "Choose two. You chose 3."]


def test_an_answer_survives_a_reload_until_it_is_taken_back(visit: Any) -> None:
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


HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "null",
    "{",
    '{"version": "VERSION", "chosen": "<b>"}',
    '{"version": "VERSION", "chosen": [true, true, true, true]}',
    '{"version": "VERSION", "chosen": [1, 0, 0, 0]}',
    '{"version": "VERSION", "chosen": [true]}',
    '{"version": "older", "chosen": [false, true, false, false]}',
    '{"__proto__": {"version": "VERSION"}, "chosen": {"length": 4}}',
    "[" * 100_000,
]


def test_damaged_or_foreign_storage_is_ignored(visit: Any) -> None:
    page = visit()
    version = page.locator(".fm-quiz form").first.get_attribute("data-version")
    for content in HOSTILE:
        page.evaluate(
            "(it) => localStorage.setItem('fmkit/quiz/sums/sum', it)", content.replace("VERSION", version)
        )
        page.reload()
        assert facts(page)["results"] == [None, None], content
    answer(page, 0, "B")
    page.reload()
    assert facts(page)["results"] == ["right", None]


def test_without_storage_it_grades_all_the_same(visit: Any) -> None:
    page = visit()
    page.evaluate("() => { Storage.prototype.setItem = () => { throw Error('full'); }; }")
    answer(page, 0, "B")
    assert facts(page)["results"] == ["right", None]


def test_keyboard_only(visit: Any) -> None:
    page = visit(reduced_motion="reduce")
    page.locator(".fm-quiz input").first.focus()
    for key in ("Space", "ArrowDown", "Tab", "Enter"):
        page.keyboard.press(key)
    assert facts(page)["results"] == ["right", None]
    page.keyboard.press("Enter")  # the same button, now "Try again", takes it back
    assert facts(page)["results"] == [None, None]
    assert facts(page)["focused"] == "A"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")  # as in any form
    assert facts(page)["results"] == ["right", None]


@pytest.mark.parametrize("width", [1300, 390])
@pytest.mark.parametrize("colors", ["light", "dark"])
def test_accessible_in_every_state(visit: Any, width: int, colors: str) -> None:
    page = visit(width, color_scheme=colors)
    complaints = tiny.violations(page, ".fm-quiz")
    answer(page, 0, "B")
    complaints += tiny.violations(page, ".fm-quiz")
    answer(page, 1, "AD")
    complaints += tiny.violations(page, ".fm-quiz")
    assert not complaints, "\n".join(complaints)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    heights = page.evaluate("""() => [...document.querySelectorAll(".fm-quiz :is(label, button)")]
        .map((target) => target.getBoundingClientRect().height)""")
    assert min(heights) >= 44


def test_without_a_script(visit: Any) -> None:
    """The questions, no button that does nothing, and the key folded away."""
    page = visit(java_script_enabled=False)
    assert page.locator(".fm-quiz input").count() == 9
    assert not page.locator(".fm-quiz button").first.is_visible()
    assert not page.get_by_text("One and one are two.").is_visible()
    page.get_by_text("Answers and reasons").click()
    assert page.get_by_text("One and one are two.").is_visible()
    assert page.get_by_text("Answer: A and C.").is_visible()


def test_print(visit: Any) -> None:
    """The questions as a sheet, the key at its end."""
    page = visit()
    answer(page, 0, "A")
    page.emulate_media(media="print")
    assert not page.locator(".fm-quiz button").first.is_visible()
    assert not page.locator(".fm-quiz-feedback").first.is_visible()
    assert page.locator(".fm-quiz-key").get_by_text("One and one are two.").is_visible()
