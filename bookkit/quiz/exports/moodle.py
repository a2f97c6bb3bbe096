"""Moodle XML (Question bank → Import → Moodle XML format).

The elements are those that Moodle's importer reads (question/format/xml/format.php). Where Moodle has no
feedback for a part, in matching and ordering, the rationales are in the general feedback, shown after the
answer. Ordering is Moodle's own question type `ordering`: part of Moodle since 4.4, before that the plugin
qtype_ordering, without which the import leaves these questions out.
"""

from pathlib import Path

from bookkit.quiz.exports.parts import number, parts, tags
from bookkit.quiz.exports.questions import Quiz
from bookkit.quiz.exports.text import plain, rich
from bookkit.quiz.items import CHOICE, MATCHING, NUMERIC, ORDERING, RESPONSE
from bookkit.site.templates import render

TYPES = {CHOICE: "multichoice", RESPONSE: "multichoice", ORDERING: "ordering", MATCHING: "matching"}
TYPES[NUMERIC] = "numerical"


def share(count: int) -> str:
    """An equal part of 100, as a fraction of Moodle's fixed list."""
    return f"{100 / count:.5f}".rstrip("0").rstrip(".")


def write(quiz: Quiz, path: Path) -> None:
    functions = {"rich": rich, "plain": plain, "number": number, "share": share, "tags": tags}
    text = render("quiz/exports/moodle.xml", quiz=quiz, types=TYPES, parts=parts(rich), **functions)
    path.write_text(text, encoding="utf-8", newline="\n")
