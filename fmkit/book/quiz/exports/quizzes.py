"""What an export holds: the items of a quiz, each with its place in the book."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import yaml

from fmkit.book.quiz.items import FOLDER, Item, read_bank
from fmkit.errors import FmkitError

WHOLE = "all-quizzes"  # the name of the files that hold every quiz of the book


@dataclass(frozen=True)
class Section:
    """A section of the book. `page` is as in _toc.yml; `address` is empty where the book is not public."""

    title: str
    page: str
    address: str


@dataclass(frozen=True)
class Question:
    """An item as it leaves the book. `key` is unique in the book and stays the same from export to export, so
    that a second import finds what the first one brought."""

    key: str
    quiz: str
    item: Item
    section: Section | None


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
    places = sections(root, os.environ.get("FMKIT_PUBLIC_URL", public).rstrip("/"))
    quizzes = []
    for name, items in bank.items():
        questions = (
            Question(f"{name}-{item.id}", title(name), item, places.get(item.section)) for item in items
        )
        quizzes.append(Quiz(name, title(name), settings["title"], tuple(questions)))
    every = tuple(question for quiz in quizzes for question in quiz.questions)
    return [*quizzes, Quiz(WHOLE, title(WHOLE), settings["title"], every)]


def title(name: str) -> str:
    return name.replace("-", " ").capitalize()


def sections(root: Path, public: str) -> dict[str, Section]:
    """The sections with a label, `(label)=` on the line above the heading, by their labels."""
    found = {}
    for path in sorted((root / "chapters").rglob("*")):
        page = path.relative_to(root).with_suffix("").as_posix()
        for text in markdown(path):
            for label, heading in re.findall(r"^\(([a-z0-9-]+)\)=\s*\n#+ +(.+?) *$", text, re.MULTILINE):
                found[label] = Section(heading, page, f"{public}/{page}.html#{label}" if public else "")
    return found


def markdown(path: Path) -> Iterator[str]:
    """The Markdown of a page: the whole of it, or the cells of a notebook."""
    if path.suffix == ".md":
        yield path.read_text(encoding="utf-8")
    elif path.suffix == ".ipynb" and ".ipynb_checkpoints" not in path.parts:
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                yield cell.source
