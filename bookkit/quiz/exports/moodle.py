"""Moodle XML (Question bank → Import → Moodle XML format).

The elements are those that Moodle's importer reads (question/format/xml/format.php). Where Moodle has no
feedback for a part, in matching and ordering, the rationales are in the general feedback, shown after the
answer. Ordering is Moodle's own question type `ordering`: part of Moodle since 4.4, before that the plugin
qtype_ordering.

Moodle's own types for several right options and for matching always give partial credit. All or nothing, as
on the exam, the first are of the plugin qtype_multichoiceset, and the second are orderings: the matches are
put into the order of their prompts. An import without one of the types stops at the first such question, or
leaves these out where the teacher unticks *Stop on error*.
"""

from pathlib import Path

from bookkit.quiz.exports.parts import number, parts, tags
from bookkit.quiz.exports.questions import PARTIAL, Quiz
from bookkit.quiz.exports.text import plain, rich
from bookkit.quiz.items import CHOICE, MATCHING, NUMERIC, ORDERING, RESPONSE
from bookkit.site.templates import render

TYPES = {CHOICE: "multichoice", RESPONSE: "multichoice", ORDERING: "ordering", MATCHING: "matching"}
TYPES[NUMERIC] = "numerical"
ALL_OR_NOTHING = TYPES | {RESPONSE: "multichoiceset", MATCHING: "ordering"}


def share(count: int) -> str:
    """An equal part of 100, as a fraction of Moodle's fixed list."""
    return f"{100 / count:.5f}".rstrip("0").rstrip(".")


def write(quiz: Quiz, path: Path, grading: str) -> None:
    functions = {"rich": rich, "plain": plain, "number": number, "share": share, "tags": tags}
    types = TYPES if grading == PARTIAL else ALL_OR_NOTHING
    values = {"quiz": quiz, "types": types, "parts": parts(rich), "partial": grading == PARTIAL}
    text = render("quiz/exports/moodle.xml", **values, **functions)
    path.write_text(text, encoding="utf-8", newline="\n")
