"""The quizzes for elsewhere: a learning platform, a stack of cards, a sheet of paper.

A platform grades by one of two rules, the same in every format. `exam` is that of AIF-C01 and of the book's
pages: a question is right as a whole or not at all. `partial` gives a share for each right place; where
several options are right, each wrong one chosen takes a share away, since choosing all would pay otherwise.
"""

from collections.abc import Collection
from functools import partial
from pathlib import Path

from bookkit.quiz.exports import deck, moodle, qti, sheet
from bookkit.quiz.exports.pools import write_banks
from bookkit.quiz.exports.questions import EXAM, PARTIAL, Quiz, read_quizzes
from fmkit.errors import FmkitError

# What each quiz is written as: the ending of the file and what it is.
FORMATS = {
    ".qti.zip": "Canvas (QTI 1.2)",
    ".moodle.xml": "Moodle XML",
    ".apkg": "Anki",
    ".sheet.html": "Sheet to print",
    ".key.html": "Key to the sheet",
}
GRADED = (".qti.zip", ".moodle.xml")  # the formats that say how they are graded
GRADINGS = (EXAM, PARTIAL)

__all__ = ["EXAM", "FORMATS", "GRADED", "GRADINGS", "PARTIAL", "export", "write_banks"]


def export(
    root: Path, directory: Path, grading: str = EXAM, formats: Collection[str] = tuple(FORMATS)
) -> list[Path]:
    """Write every quiz of the book at `root`, and all of them as one, into `directory` in each format.

    `grading` is one of GRADINGS, `formats` some of FORMATS. The same bank gives the same bytes. Raises
    FmkitError for a faulty quiz, and for a directory that cannot be written.
    """
    quizzes, changed = read_quizzes(root), deck.last_change(root)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for quiz in quizzes:
            write(quiz, directory, changed, grading, formats)
        return [directory / f"{quiz.name}{ending}" for quiz in quizzes for ending in formats]
    except OSError as error:
        raise FmkitError(f"{directory}: cannot be written: {error.strerror}") from None


def write(quiz: Quiz, directory: Path, changed: int, grading: str, formats: Collection[str]) -> None:
    writers = {
        ".qti.zip": partial(qti.write, grading=grading),
        ".moodle.xml": partial(moodle.write, grading=grading),
        ".apkg": partial(deck.write, changed=changed),
        ".sheet.html": partial(sheet.write, key=False),
        ".key.html": partial(sheet.write, key=True),
    }
    for ending in formats:
        writers[ending](quiz, directory / f"{quiz.name}{ending}")
