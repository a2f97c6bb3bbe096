"""The lint: every rule catches its planted fault at its place, and leaves good items alone."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from bookkit.quiz import testwise
from bookkit.quiz.__main__ import main
from bookkit.quiz.bank import load
from bookkit.quiz.lint import ENOUGH, RULES, lint
from bookkit.quiz.objectives import guide, read_objectives, read_services
from fmkit.errors import FmkitError

QUIZ, EXAM, FACTS = "assets/quizzes/good.yml", "assets/exam/objectives.yml", "assets/exam/services.yml"
WHY = "Because the keeper wrote it into the log of the station on that day, as anybody can read."  # 18 words

GOOD = f"""\
- id: lamp
  type: multiple-choice
  verified_on: "2026-11-26"
  objective: 3.3.1
  section: the-lamp
  bloom: apply
  stem: A keeper reads the log of a storm. Which method finds the broken lamp with the LEAST effort?
  options:
    - text: Climbing the tower at noon
      rationale: {WHY}
    - text: Asking the next ship by radio
      correct: true
      rationale: {WHY}
    - text: Writing to the head office
      rationale: {WHY}
    - text: Counting the matches in use
      rationale: {WHY}
- id: weather
  type: multiple-response
  verified_on: "2026-11-26"
  objective: 3.3.1
  section: the-lamp
  bloom: understand
  stem: A gale is near. Which two signs announce it?
  options:
    - {{text: Falling pressure, correct: true, rationale: "{WHY}"}}
    - {{text: Calm seagulls, rationale: "{WHY}"}}
    - {{text: High clouds, correct: true, rationale: "{WHY}"}}
    - {{text: Warm soup, rationale: "{WHY}"}}
    - {{text: Loud radios, rationale: "{WHY}"}}
- id: speed
  type: multiple-choice
  verified_on: "2026-11-26"
  objective: 3.3.1
  section: the-lamp
  bloom: apply
  stem: The wind blows at force seven. How fast is it, about?
  options:
    - {{text: 5 knots, rationale: "{WHY}"}}
    - {{text: 12 knots, rationale: "{WHY}"}}
    - {{text: 30 knots, correct: true, rationale: "{WHY}"}}
    - {{text: "1,000 knots", rationale: "{WHY}"}}
- id: evening
  type: ordering
  verified_on: "2026-11-26"
  objective: 3.3.1
  section: the-lamp
  bloom: remember
  stem: In which order does the keeper work in the evening?
  steps:
    - {{text: Light the lamp, place: 2, rationale: "{WHY}"}}
    - {{text: Climb the stairs, place: 1, rationale: "{WHY}"}}
    - {{text: Write the log, place: 3, rationale: "{WHY}"}}
- id: words
  type: matching
  verified_on: "2026-11-26"
  objective: 3.3.1
  section: the-lamp
  bloom: remember
  stem: Which thing does each word name?
  pairs:
    - {{prompt: Wick, match: What burns, shown: 2, rationale: "{WHY}"}}
    - {{prompt: Lens, match: What bundles, shown: 3, rationale: "{WHY}"}}
    - {{prompt: Fog, match: What hides, shown: 1, rationale: "{WHY}"}}
- id: loss
  type: numeric
  verified_on: "2026-11-26"
  objective: 3.3.1
  section: the-lamp
  bloom: apply
  stem: How many nats above its floor does the run end?
  answer:
    value: 0.43
    tolerance: 0.02
    unit: nats
    rationale: {WHY}
    measured: {{notebook: chapters/run.ipynb, cell: gap, find: "gap ([0-9.,]+)"}}
  mistakes:
    - {{value: 1.5, rationale: "{WHY}"}}
"""

OBJECTIVES = """\
exam:
  name: An exam
  code: EX-1
  version: "1.1"
  published: "2026-04-30"
  source: {title: The guide, url: "https://example.org/guide"}
domains:
  - {id: 3, title: Models, weight: 100}
objectives:
  - {id: 3.3.1, title: how a model is trained, role: owned, verified: reference, pages: [chapters/page]}
  - {id: 3.3.2, title: how it is tuned, role: touched, verified: reference}
"""

SERVICES = """\
- id: formats
  claim: A record is one line.
  verified: reference
  source: {title: The user guide}
  verified_on: "2026-11"
"""

PAGE = "# Page\n\n(the-lamp)=\n## The lamp\n\nText.\n"
NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "id": "top", "source": ["(the-run)=\n", "## A run\n"]},
        {
            "cell_type": "code",
            "id": "gap",
            "source": ["print('gap', gap)"],
            "outputs": [{"output_type": "stream", "name": "stdout", "text": ["floor 1.25\n", "gap 0.44\n"]}],
        },
    ]
}


def book(folder: Path, **files: str) -> Path:
    """A book with the good files, or with others in their place."""
    texts = {QUIZ: GOOD, EXAM: OBJECTIVES, FACTS: SERVICES, "chapters/page.md": PAGE} | files
    texts = {"chapters/run.ipynb": json.dumps(NOTEBOOK)} | texts
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def findings(folder: Path) -> list[tuple[str, int, str]]:
    return [(finding.file, finding.line, finding.rule) for finding in lint(load(folder))]


def many(
    count: int,
    key: Callable[[int], int] = lambda number: number % 4,
    texts: Callable[[int], list[str]] = lambda key: ["red", "tan", "sky", "ash"],
    stem: Callable[[int], str] = lambda number: f"Which color has thing{number}?",
) -> str:
    """A quiz of `count` multiple choices: `key` and `stem` depend on an item's number, `texts` on its key. If
    nothing else is said, its form gives nothing away."""
    items = [
        {
            "id": f"item-{number}",
            "type": "multiple-choice",
            "verified_on": "2026-11-26",
            "objective": "3.3.1",
            "section": "the-lamp",
            "bloom": "remember",
            "stem": stem(number),
            "options": [
                {"text": text, "rationale": WHY} | ({"correct": True} if place == key(number) else {})
                for place, text in enumerate(texts(key(number)))
            ],
        }
        for number in range(count)
    ]
    return yaml.safe_dump(items, sort_keys=False)


def test_good_items_have_no_finding(tmp_path, capsys):
    named = GOOD.replace("How fast is it, about?", "Which method is this?")
    assert findings(book(tmp_path, **{QUIZ: named})) == []
    assert main(["lint"], book(tmp_path)) == 0
    assert capsys.readouterr().out == ""
    assert findings(book(tmp_path, **{QUIZ: many(40)})) == []


def test_every_rule_has_a_threshold_and_why():
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.threshold and rule.why for rule in RULES)
    caught = {rule for *_, rule in FAULTS} | {rule for _, rule in BANKS}
    caught |= {"coverage", "forms", "id", "longest-share"}
    assert {rule.id for rule in RULES} == caught, "a rule without a planted fault"


# (a pattern in GOOD, what replaces it, a part of the line of the finding, its rule)
FAULTS = [
    (r"about\?", "about", "- id: speed", "lead-in"),
    (r"Which two signs", "Which of the following", "- id: weather", "covered"),
    (r"How does|How fast is it", "Which statement is true", "- id: speed", "covered"),
    (r"How fast is it", "Which method is cheapest", "- id: speed", "criterion"),
    (r"How fast is it", "How fast is it not", "- id: speed", "negative-capitals"),
    (r"How fast is it", "How fast isn't it", "- id: speed", "negative-capitals"),
    (r"How fast is it", "How fast is it NOT", "- id: speed", "negative-share"),
    (r" with the LEAST effort", "", "- id: lamp", "criterion"),
    (r"the LEAST effort", "LEAST effort and MOST light", "- id: lamp", "criterion"),
    (r"Which two signs", "Which three signs", "- id: weather", "count"),
    (r"Asking the next", "Asking the next and every other large", "text: Asking", "key-length"),
    (r"Asking the next ship by radio", "Asking", "text: Asking", "key-length"),
    (r"Counting the matches in use", "None of the above", "text: None", "above"),
    (r"Counting the matches in use", "Both A and C", "text: Both", "above"),
    (r"the log of the station", "the log, as option B says, of the station", "text: Climbing", "letter"),
    (
        r"the log of the station",
        "the log, like the last option, of the station",
        "text: Climbing",
        "letter",
    ),
    (r"Counting the matches", "Always counting matches", "text: Always", "absolute"),
    (r"Warm soup", "Only warm soup", "text: Only", "absolute"),
    (r"Counting the matches", "Perhaps counting matches", "text: Perhaps", "absolute"),
    (r"Asking the next", "Usually asking the", "text: Usually", "absolute"),
    (r"Asking the next", "Asking in a storm", "text: Asking", "clue"),
    (r"matches in use", "matches in use.", "text: Climbing", "parallel"),
    (r"Counting", "counting", "text: Climbing", "parallel"),
    (r"Counting", "To count", "text: Climbing", "parallel"),
    (r"Climbing|Writing|Counting", "It is", "text: Asking", "parallel"),
    (r"12 knots", "12 miles", "text: 5 knots", "parallel"),
    (r"12 knots", "50 knots", "text: 5 knots", "sorted"),
    (r"12 knots", r"$4 \\times 10^1$ knots", "text: 5 knots", "sorted"),
    (
        rf"noon\n      rationale: {WHY}",
        "noon\n      rationale: It is too far.",
        "text: Climbing",
        "rationale",
    ),
    (
        rf'Calm seagulls, rationale: "{WHY}',
        f'Calm seagulls, rationale: "{WHY * 4}',
        "text: Calm",
        "rationale",
    ),
    (rf'place: 1, rationale: "{WHY}', 'place: 1, rationale: "First.', "place: 1", "rationale"),
    (rf'shown: 1, rationale: "{WHY}', 'shown: 1, rationale: "First.', "shown: 1", "rationale"),
    (rf"unit: nats\n    rationale: {WHY}", "unit: nats\n    rationale: Read it.", "value: 0.43", "rationale"),
    (rf'value: 1.5, rationale: "{WHY}', 'value: 1.5, rationale: "No.', "value: 1.5", "rationale"),
    (r"3.3.1(\n  section: the-lamp\n  bloom: und)", r"3.3.9\1", "- id: weather", "objective"),
    (r"the-lamp(\n  bloom: und)", r"the-lamb\1", "section: the-lamb", "section"),
    (r"  stem: A gale", "  service: gone\n  stem: A gale", "- id: weather", "service"),
    (r"Warm soup", "Amazon Bedrock", "- id: weather", "service"),
    (r"(multiple-response\n  verified_on: )\S+", r'\1"2999-01-01"', "- id: weather", "future"),
    (r"(multiple-response)\n  verified_on: \S+", r"\1", "- id: weather", "verified"),
    (r"0.43", "0.47", "value: 0.47", "measured"),
    (r"cell: gap", "cell: gone", "value: 0.43", "measured"),
    (r"run.ipynb", "gone.ipynb", "value: 0.43", "measured"),
    (r"gap \(\[0-9.,\]\+\)", "loss ([0-9]+)", "value: 0.43", "measured"),
    (r"gap \(\[0-9.,\]\+\)", "gap|(floor 2)", "value: 0.43", "measured"),
    (r"gap \(\[0-9.,\]\+\)", "(gap)", "value: 0.43", "measured"),
]


@pytest.mark.parametrize(("pattern", "new", "place", "rule"), FAULTS)
def test_a_planted_fault_is_found(tmp_path, capsys, pattern, new, place, rule):
    text, count = re.subn(pattern, new, GOOD)
    assert count
    line = next(number for number, line in enumerate(text.splitlines(), start=1) if place in line)
    assert (QUIZ, line, rule) in findings(book(tmp_path, **{QUIZ: text}))
    status = main(["lint"], tmp_path)
    assert status == (0 if rule == "clue" else 1), "a warning fails nothing"
    assert f"{QUIZ}:{line}: {rule}" in capsys.readouterr().out


def swapped(key: int, right: str, others: list[str]) -> list[str]:
    return [*others[:key], right, *others[key:]]


# (a quiz, the one rule that it breaks)
BANKS = [
    (many(16, key=lambda number: (0, 1, 0, 2, 0, 3, 0, 1)[number % 8]), "key-position"),
    (many(16, key=lambda number: int("0000123123123123"[number])), "key-run"),
    (
        many(20, texts=lambda key: swapped(key, "red lamp", ["red sky", "tan sky", "tan lamp"])).replace(
            "Which color has thing", "Which color has a red lamp of thing"
        ),
        "test-wise",
    ),
    (
        many(
            100, texts=lambda key: swapped(key, "wine in red", ["wine of tan", "wine of sky", "wine of ash"])
        ),
        "learned",
    ),
    (many(8, stem=lambda number: f"Which color does NOT have thing{number}?"), "negative-share"),
    (many(8, stem=lambda number: f"Which color has thing{number % 7}?"), "duplicate"),
]


@pytest.mark.parametrize(("text", "rule"), BANKS, ids=lambda value: value if len(value) < 20 else "")
def test_a_bank_can_be_wrong_as_a_whole(tmp_path, text, rule):
    assert {found for *_, found in findings(book(tmp_path, **{QUIZ: text}))} == {rule}


def test_an_id_is_there_once(tmp_path):
    other = "assets/quizzes/other.yml"
    root = book(tmp_path, **{other: many(1).replace("item-0", "lamp")})
    assert findings(root) == [(other, 1, "id")]


@pytest.mark.slow
def test_an_exam_needs_two_forms(tmp_path):
    """65 questions each, half of the whole in no chapter."""
    toc = "format: jb-book\nroot: chapters/page\nchapters:\n  - file: chapters/back/exam\n"
    files = {"chapters/back/exam.md": "# Exam\n", "_toc.yml": toc}
    assert findings(book(tmp_path, **{QUIZ: many(130)}, **files)) == []
    assert findings(book(tmp_path, **{QUIZ: many(129)}, **files)) == [(EXAM, 1, "forms")]
    shown = {"chapters/page.md": PAGE + "\n```{quiz} good\n```\n"}
    assert findings(book(tmp_path, **{QUIZ: many(130)}, **files | shown)) == [(EXAM, 1, "forms")]


def test_long_keys_are_found(tmp_path):
    text = many(
        20, texts=lambda key: swapped(key, "red as wine", ["blue as sky", "tan as mud", "gray as fog"])
    )
    assert findings(book(tmp_path, **{QUIZ: text})) == []
    text = many(
        20, texts=lambda key: swapped(key, "red as wines", ["blue as sky", "tan as mud", "gray as fog"])
    )
    assert {rule for *_, rule in findings(book(tmp_path, **{QUIZ: text}))} == {"longest-share", "test-wise"}


def test_the_smallest_bank_for_shares():
    def possible(count: int) -> bool:
        return count // 4 >= 0.2 * count and -(-count // 4) <= 0.3 * count

    assert all(possible(count) for count in range(ENOUGH, 1000))
    assert not possible(ENOUGH - 1)


@pytest.mark.parametrize(
    ("objectives", "quiz", "line"),
    [
        (OBJECTIVES, many(2), 10),  # owned, taught, and two items of three
        (OBJECTIVES, many(4).replace("remember", "remember\n  beyond: true", 2), 10),
        (OBJECTIVES.replace("reference}", "reference, pages: [chapters/page]}"), many(4), 11),
        (OBJECTIVES.replace("pages: [chapters/page]", "pages: [chapters/gone]"), many(4), 10),
        (OBJECTIVES, many(4).replace("the-lamp", "the-run"), 10),  # the items lead to another page
    ],
)  # fmt: skip
def test_what_is_taught_is_asked(tmp_path, objectives, quiz, line):
    assert findings(book(tmp_path, **{QUIZ: quiz, EXAM: objectives})) == [(EXAM, line, "coverage")]


@pytest.mark.parametrize(
    ("pattern", "new", "place", "message"),
    [
        (r"    - \{text: Loud.*\n", "", "text: Falling", "5 to 9 options"),
        (r"    - \{text: Write the log.*\n", "", "text: Light", "3 to 5 steps"),
        (r"shown: 2(.*\n.*)shown: 3", r"shown: 3\1shown: 2", "prompt: Wick", "right beside it"),
        (rf"noon\n      rationale: {WHY}", "noon", "text: Climbing", "is missing the key 'rationale'"),
        (r"bloom: und\w+", "bloom: high", "bloom: high", "remember, understand"),
    ],
)
def test_what_is_no_item_is_refused(tmp_path, capsys, pattern, new, place, message):
    text, count = re.subn(pattern, new, GOOD)
    assert count
    line = next(number for number, line in enumerate(text.splitlines(), start=1) if place in line)
    assert main(["lint"], book(tmp_path, **{QUIZ: text})) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"{QUIZ}:{line}: ")
    assert message in error


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "message"),
    [
        (EXAM, "role: owned", "role: loved", 10, "owned, touched or none"),
        (EXAM, "3.3.2, title", "3.3.1, title", 11, "is listed twice"),
        (EXAM, "3.3.2, title", "3.3.x, title", 11, "a number such as 3.3.1"),
        (EXAM, "2026-04-30", "30 April", 5, "published must be a day"),
        (EXAM, '"2026-04-30"', "2026-04-30", 5, "must be text"),
        (EXAM, "https://example", "javascript:", 6, "an https address"),
        (EXAM, "weight: 100", "weight: much", 8, "must be a number"),
        (EXAM, "domains:", "domain:", 7, "no key 'domain'"),
        (FACTS, '  verified_on: "2026-11"\n', "", 1, "is missing the key 'verified_on'"),
        (FACTS, "2026-11", "lately", 5, "a day or a month"),
        (FACTS, "  source: {title: The user guide}\n", "", 1, "is missing the key 'source'"),
        (FACTS, "verified: reference", "verified: true", 3, "put it in quotes"),
    ],
)
def test_faulty_data_are_refused(tmp_path, file, old, new, line, message):
    text = {EXAM: OBJECTIVES, FACTS: SERVICES}[file]
    assert old in text
    root = book(tmp_path, **{file: text.replace(old, new)})
    with pytest.raises(FmkitError, match=rf"^{file}:{line}: .*{message}"):
        (guide(root), read_objectives(root), read_services(root))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_line_replaced_by_any_text(tmp_path, data):
    file, good, read = data.draw(
        st.sampled_from([(EXAM, OBJECTIVES, read_objectives), (EXAM, OBJECTIVES, guide)])
        | st.just((FACTS, SERVICES, read_services))
    )
    lines = good.splitlines()
    place = data.draw(st.integers(0, len(lines) - 1))
    keyed = lines[place].partition(":")[0] + ": "
    lines[place] = data.draw(st.sampled_from(["", keyed])) + data.draw(st.text(max_size=20))
    path = book(tmp_path) / file
    path.write_text("\n".join(lines), encoding="utf-8", errors="replace")
    try:
        read(tmp_path)
    except FmkitError as error:
        message = str(error)
    else:
        message = f"{file}:1: none"
    assert re.match(rf"{file}:\d+: ", message)


@pytest.mark.slow
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_texts_are_judged(tmp_path, data):
    texts = st.text("aZ 1,.?$\\\\{}*^-\u0301é\u2028", min_size=1, max_size=8)
    items = yaml.safe_load(GOOD)
    for item in items:
        item["stem"] = data.draw(texts | st.just(item["stem"]))
        for option in item.get("options", []):
            option["text"] = data.draw(texts | st.just(option["text"]))
    try:
        judged = findings(book(tmp_path, **{QUIZ: yaml.safe_dump(items)}))
    except FmkitError:  # an empty text, or the same one twice
        return
    assert {file for file, *_ in judged} <= {QUIZ}


def test_the_bot_scores_what_it_should(tmp_path):
    root = book(
        tmp_path, **{QUIZ: many(8, texts=lambda key: swapped(key, "red wine", ["red", "tan", "ash"]))}
    )
    items = [item for _, item in load(root).items]
    scores = {name: testwise.score(items, habit) for name, habit in testwise.HABITS.items()}
    assert scores == {"the longest": 1, "most words of the question": 0.25, "always B": 0.25}
    assert testwise.chance(items) == 0.25
    two_of_five = next(item for _, item in load(book(tmp_path)).items if item.id == "weather")
    assert testwise.expected(two_of_five, [1, 0, 1, 0, 0]) == 1
    assert testwise.expected(two_of_five, [2, 1, 1, 0, 0]) == 1 / 2
    assert testwise.expected(two_of_five, [1, 1, 1, 1, 1]) == 1 / 10 == testwise.chance([two_of_five])
    assert testwise.expected(two_of_five, [1, 2, 1, 0, 0]) == 0


PRODUCT = """\
- id: product
  type: multiple-choice
  objective: 3.3.1
  section: the-lamp
  bloom: apply
  variants:
    rate: [0.9, 0.8]
    done: rate ** 3
  stem: One step is right in {{rate:.0%}} of the cases. How often are three?
  options:
    - {text: "{{rate:.0%}}", rationale: "WHY"}
    - {text: "{{done:.1%}}", correct: true, rationale: "They are {{done}}. WHY"}
    - {text: 1%, rationale: "WHY"}
    - {text: 2%, rationale: "WHY"}
  verified_on: "2026-11-26"
""".replace("WHY", WHY)


def test_variants_have_other_numbers(tmp_path):
    (item,) = load(book(tmp_path, **{QUIZ: PRODUCT})).quizzes["good"]
    shown = [
        (one.stem[21:24], one.options[1].text, one.options[1].rationale[:15])
        for one in (item, *item.variants)
    ]
    assert shown == [("90%", "72.9%", "They are 0.729."), ("80%", "51.2%", "They are 0.512.")]
    assert {rule for _, _, rule in findings(tmp_path)} == {"sorted", "coverage"}, "each variant is checked"


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("rate ** 3", "rat ** 3", 8, "'rat' is neither"),
        ("rate ** 3", "10 ** 999", 8, "cannot be computed"),
        ("rate ** 3", "__import__('os')", 8, "nor a known operation"),
        ("rate ** 3", "rate +", 8, "cannot be computed"),
        ("rate: [0.9, 0.8]", "rate: [0.9]", 7, "two values or more"),
        ("rate: [0.9, 0.8]", "rate: [0.9, 0.9]", 1, "the same question"),
        ("    done:", "    size: [1, 2, 3]\n    done:", 8, "as many as the others"),
        ("    done:", "    size: [1, 2]\n    done:", 7, "nothing uses size"),
        ("{{done:.1%}}", "{{don:.1%}}", 12, "no 'don'"),
        ("{{done:.1%}}", "{{done:.1q}}", 12, "cannot be written"),
        ("{{done:.1%}}", "{{rate:.0%}}", 12, "the same text"),
    ],
)  # fmt: skip
def test_faulty_variants_are_refused(tmp_path, capsys, old, new, line, message):
    assert old in PRODUCT
    assert main(["lint"], book(tmp_path, **{QUIZ: PRODUCT.replace(old, new)})) == 2
    error = capsys.readouterr().err
    assert re.match(rf"{QUIZ}:{line}: .*{message}", error), error


CONFIG = """from bookkit.quiz.guide import GuideNote
extensions = ["myst_parser", "sphinx_exercise"]
root_doc = "chapters/page"
def setup(app):
    app.add_directive("guide", GuideNote)
"""
NOTE = "# Page\n\n```{guide}\n:beyond: ex-one ex-two\n```\n"
EXERCISES = "".join(f"\n```{{exercise}} Try\n:label: ex-{name}\nText.\n```\n" for name in ("one", "two"))


def built(folder: Path, **files: str) -> tuple[str, str]:
    """The text of the page and the warnings of its build."""
    book(folder, **{"conf.py": CONFIG, "chapters/page.md": NOTE + EXERCISES} | files)
    with docutils_namespace(), open(folder / "warnings", "w+") as warnings:
        app = Sphinx(folder, folder, folder / "out", folder / "trees", "html", status=None, warning=warnings)
        app.build()
        warnings.seek(0)
        page = (folder / "out/chapters/page.html").read_text(encoding="utf-8")
        return " ".join(re.sub(r"<[^>]+>", "", page).split()), warnings.read()


def test_a_page_says_which_guide_it_follows(tmp_path):
    text, warnings = built(tmp_path)
    assert not warnings
    assert "This page follows version 1.1 of the EX-1 exam guide (April 30, 2026), and teaches" in text
    assert "3.3.1 how a model is trained" in text
    assert "how it is tuned" not in text, "an objective of no page"
    assert "Exercise 1 and Exercise 2 go beyond the exam" in text


@pytest.mark.slow
def test_a_page_without_objectives_says_so(tmp_path):
    text, _ = built(tmp_path, **{EXAM: OBJECTIVES.replace(", pages: [chapters/page]", "")})
    assert "all of it goes beyond the exam" in text


def test_a_fault_of_the_guide(tmp_path):
    _, warnings = built(tmp_path, **{EXAM: OBJECTIVES.replace("role: owned", "role: loved")})
    assert f"{EXAM}:10: " in warnings
    _, warnings = built(tmp_path, **{"chapters/page.md": NOTE})
    assert "ex-one" in warnings
