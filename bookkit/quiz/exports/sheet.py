"""A sheet to print on A4, and the key on another."""

from pathlib import Path

from bookkit.quiz.exports.parts import parts
from bookkit.quiz.exports.questions import Quiz
from bookkit.quiz.exports.text import printed
from bookkit.site.templates import render


def write(quiz: Quiz, path: Path, key: bool) -> None:
    """Write the questions, or with `key` the answers and their reasons."""
    text = render("quiz/exports/sheet.html", quiz=quiz, key=key, parts=parts(printed), text=printed)
    path.write_text(text, encoding="utf-8", newline="\n")
