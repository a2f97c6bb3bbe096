"""The parts of an item as HTML: question, answer and reasons, for the two sides of a card and for paper."""

from collections.abc import Callable
from functools import cache
from typing import Any

from markupsafe import Markup

from bookkit.quiz.exports.questions import Question
from bookkit.quiz.items import LETTERS
from bookkit.site.templates import macros


def number(value: float) -> str:
    return f"{value:.12g}"


@cache
def parts(text: Callable[[str], Markup]) -> Any:
    """Return the macros of parts.html, as functions; `text`, `rich` or `printed`, makes HTML of Markdown."""
    return macros("quiz/exports/parts.html", text=text, number=number, letters=LETTERS)


def tags(question: Question) -> list[str]:
    """The objective and the chapter, in Anki's notation for tags with parts."""
    chapter = question.section.page.removeprefix("chapters/").replace("/", "::") if question.section else None
    return [f"objective::{question.item.objective}", *([f"chapter::{chapter}"] if chapter else [])]
