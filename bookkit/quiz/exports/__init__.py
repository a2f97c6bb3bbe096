"""The quizzes for elsewhere: a learning platform, a stack of cards, a sheet of paper."""

from pathlib import Path

from bookkit.quiz.exports import deck, moodle, qti, sheet
from bookkit.quiz.exports.questions import Quiz, read_quizzes
from fmkit.errors import FmkitError

# What each quiz is written as: the ending of the file and what it is.
FORMATS = {
    ".qti.zip": "Canvas (QTI 1.2)",
    ".moodle.xml": "Moodle XML",
    ".apkg": "Anki",
    ".sheet.html": "Sheet to print",
    ".key.html": "Key to the sheet",
}


def export(root: Path, directory: Path) -> list[Path]:
    """Write every quiz of the book at `root`, and all of them as one, into `directory` in each of FORMATS.

    The same bank gives the same bytes. Raises FmkitError for a faulty quiz, and for a directory that cannot
    be written.
    """
    quizzes, changed = read_quizzes(root), deck.last_change(root)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return [path for quiz in quizzes for path in write(quiz, directory, changed)]
    except OSError as error:
        raise FmkitError(f"{directory}: cannot be written: {error.strerror}") from None


def write(quiz: Quiz, directory: Path, changed: int) -> list[Path]:
    paths = [directory / f"{quiz.name}{ending}" for ending in FORMATS]
    package, xml, apkg, questions, key = paths
    qti.write(quiz, package)
    moodle.write(quiz, xml)
    deck.write(quiz, apkg, changed)
    sheet.write(quiz, questions, key=False)
    sheet.write(quiz, key, key=True)
    return paths
