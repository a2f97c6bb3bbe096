"""QTI 1.2 in a zip, as Canvas imports it (Settings → Import Course Content → QTI .zip file).

The structure is that of Canvas's own exports (instructure/canvas-lms, lib/cc/qti), and the elements are those
of IMS QTI 1.2.1, ASI XML Binding. Three things follow from what Canvas's Classic Quizzes can do:

- There is no ordering, so each step is matched with its place.
- A numerical question has right answers only (the importer takes every numeric condition for one), so the
  known mistakes are in the comment on a wrong answer.
- The choices of a matching are a menu, so they are plain text.

The file says how it is graded, and other readers of QTI follow it. Classic Quizzes do not: where an answer
has parts, they always give partial credit, by the rule that is `partial` here.
"""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from bookkit.quiz.bank import in_order
from bookkit.quiz.exports.files import write_zip
from bookkit.quiz.exports.parts import number, parts
from bookkit.quiz.exports.questions import PARTIAL, Quiz
from bookkit.quiz.exports.text import plain, rich
from bookkit.quiz.items import CHOICE, MATCHING, NUMERIC, ORDERING, RESPONSE, Answer, Item
from bookkit.site.templates import render

TYPES = {
    CHOICE: "multiple_choice_question",
    RESPONSE: "multiple_answers_question",
    ORDERING: "matching_question",
    MATCHING: "matching_question",
    NUMERIC: "numerical_question",
}


@dataclass(frozen=True)
class Row:
    """A row of a matching; `right` is the number of its match, from 1."""

    text: str
    right: int
    rationale: str


def write(quiz: Quiz, path: Path, grading: str) -> None:
    inside = f"{quiz.name}/{quiz.name}.xml"
    manifest = render("quiz/exports/manifest.xml", quiz=quiz, inside=inside)
    items = assessment(quiz, grading)
    write_zip(path, {"imsmanifest.xml": manifest.encode(), inside: items.encode()})


def write_draws(name: str, title: str, quizzes: list[Quiz], count: int, path: Path, grading: str) -> None:
    """Write each quiz as a question bank, and a quiz that draws `count` questions of each, as Canvas exports
    them: banks are in non_cc_assessments, and what QTI cannot say of the quiz is in assessment_meta.xml."""
    banks = {f"fm-{name}-{quiz.name.rpartition('/')[2]}": quiz for quiz in quizzes}
    draws = {bank: (quiz.title, min(count, len(quiz.questions))) for bank, quiz in banks.items()}
    values = {"name": f"fm-{name}", "title": f"{quizzes[0].book}: {title}", "draws": draws}
    files = {
        f"non_cc_assessments/{bank}.xml.qti": assessment(quiz, grading, bank) for bank, quiz in banks.items()
    }
    files[f"fm-{name}/fm-{name}.xml"] = render("quiz/exports/draws.xml", **values)
    files[f"fm-{name}/assessment_meta.xml"] = render("quiz/exports/meta.xml", **values)
    files["imsmanifest.xml"] = render("quiz/exports/banks.xml", **values)
    write_zip(path, {file: text.encode() for file, text in files.items()})


def assessment(quiz: Quiz, grading: str, bank: str = "") -> str:
    """The quiz as an assessment, or as the question bank of this identifier."""
    functions = {"rich": rich, "rows": rows, "matches": matches, "bounds": bounds, "in_order": in_order}
    values = {"quiz": quiz, "types": TYPES, "parts": parts(rich), "partial": grading == PARTIAL, "bank": bank}
    return render("quiz/exports/assessment.xml", **values, **functions)


def rows(item: Item) -> list[Row]:
    pairs = [Row(pair.prompt, pair.shown, pair.rationale) for pair in item.pairs]
    return pairs + [Row(step.text, step.place, step.rationale) for step in item.steps]


def matches(item: Item) -> list[str]:
    """The menu of a matching: the matches in their order, or the places of the steps."""
    shown = sorted(item.pairs, key=lambda pair: pair.shown)
    return [plain(pair.match) for pair in shown] or [
        f"{place}" for place, _ in enumerate(item.steps, start=1)
    ]


def bounds(answer: Answer) -> tuple[Decimal, Decimal, Decimal]:
    """The value of a number, and the least and the greatest that count as right, exactly as written."""
    value, tolerance = (Decimal(number(one)) for one in (answer.value, answer.tolerance))
    return value, value - tolerance, value + tolerance
