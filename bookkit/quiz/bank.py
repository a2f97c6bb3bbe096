"""The whole bank of items with what they refer to: objectives, dated facts and the chapters' labels."""

import re
from dataclasses import dataclass
from pathlib import Path

from bookkit.quiz.items import CHOICE, FOLDER, Item, Option, read_bank
from bookkit.quiz.objectives import Objective, Service, read_objectives, read_services
from bookkit.quiz.sections import Section, read_sections
from bookkit.quiz.testwise import plain


@dataclass(frozen=True)
class Bank:
    """All items, and what they refer to. `sections` are those of the chapters, by label."""

    root: Path
    quizzes: dict[str, list[Item]]
    objectives: dict[str, Objective]
    services: dict[str, Service]
    sections: dict[str, Section]

    @property
    def items(self) -> list[tuple[str, Item]]:
        """Every item with its file, in the order of the files."""
        return [(f"{FOLDER}/{name}.yml", item) for name, items in self.quizzes.items() for item in items]

    @property
    def choices(self) -> list[tuple[str, Item]]:
        return [(file, item) for file, item in self.items if item.type == CHOICE]


def load(root: Path) -> Bank:
    """The bank with all that it refers to; raises FmkitError for the first fault of a file."""
    return Bank(root, read_bank(root), read_objectives(root), read_services(root), read_sections(root))


def keys(item: Item) -> list[Option]:
    return [option for option in item.options if option.correct]


def distractors(item: Item) -> list[Option]:
    return [option for option in item.options if not option.correct]


def position(item: Item) -> str:
    """The letter of the key of a multiple choice."""
    return "ABCD"[item.options.index(keys(item)[0])]


def number(text: str) -> tuple[float, str] | None:
    """The value and the unit of an option that is a number with at most three words behind it."""
    text = re.sub(
        r"(?:([\d.]+)\s*\\times\s*)?10\^\{?(-?\d+)\}?", lambda match: f"{match[1] or 1}e{match[2]}", text
    )
    match = re.fullmatch(
        r"(?:About |about )?([-+]?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?)\s*(.*)", plain(text).strip()
    )
    if not match or len(match[2].split()) > 3:
        return None
    return float(match[1].replace(",", "")), match[2].removesuffix("s")


def in_order(item: Item) -> bool:
    """Whether the options are numbers, which stay in their order."""
    return bool(item.options) and all(number(option.text) for option in item.options)
