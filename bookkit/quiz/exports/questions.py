"""What an export holds: the items of a quiz, each with its place in the book."""

import os
from dataclasses import dataclass
from pathlib import Path

import yaml

from bookkit.quiz.items import FOLDER, Item, read_bank
from bookkit.quiz.places import page_title
from bookkit.quiz.sections import Section, read_sections
from fmkit.errors import FmkitError

WHOLE = "all-quizzes"  # the name of the files that hold every quiz of the book
EXAM, PARTIAL = "exam", "partial"  # the two rules of grading (see `bookkit.quiz.exports`)


@dataclass(frozen=True)
class Question:
    """An item as it leaves the book. `key` is unique in the book and stays the same from export to export, so
    that a second import finds what the first one brought. `address` is empty where the book is not public."""

    key: str
    quiz: str
    item: Item
    section: Section | None
    chapter: str  # the title of the section's page, as Markdown
    address: str


@dataclass(frozen=True)
class Quiz:
    """The questions of one quiz, or of all. `name` is that of its files."""

    name: str
    title: str
    book: str
    questions: tuple[Question, ...]


def read_quizzes(root: Path) -> list[Quiz]:
    """Every quiz of the book at `root`, then all of them as one."""
    bank = read_bank(root)
    if WHOLE in bank:
        raise FmkitError(f"{FOLDER}/{WHOLE}.yml:1: this name is taken by the export of all quizzes")
    settings = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    public = settings["sphinx"]["config"].get("fmkit_public_url", "")
    public, places = os.environ.get("FMKIT_PUBLIC_URL", public).rstrip("/"), read_sections(root)
    chapters = {page: page_title(root, page) for page in {place.page for place in places.values()}}

    def question(quiz: str, item: Item) -> Question:
        place = places.get(item.section)
        address = f"{public}/{place.page}.html#{item.section}" if public and place else ""
        chapter = chapters[place.page] if place else ""
        return Question(f"{quiz}-{item.id}", title(quiz), item, place, chapter, address)

    quizzes = [
        Quiz(name, title(name), settings["title"], tuple(question(name, item) for item in items))
        for name, items in bank.items()
    ]
    every = tuple(question for quiz in quizzes for question in quiz.questions)
    return [*quizzes, Quiz(WHOLE, title(WHOLE), settings["title"], every)]


def title(name: str) -> str:
    return name.replace("-", " ").capitalize()
