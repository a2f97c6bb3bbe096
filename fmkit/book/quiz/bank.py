"""The whole bank of items with what they refer to: objectives, dated facts and the chapters' labels."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from fmkit.book.quiz.items import CHOICE, FOLDER, Item, Option, read_bank
from fmkit.book.quiz.objectives import Objective, Service, read_objectives, read_services


@dataclass(frozen=True)
class Bank:
    """All items, and what they refer to. `labels` says on which page, without its ending, a label stands."""

    root: Path
    quizzes: dict[str, list[Item]]
    objectives: dict[str, Objective]
    services: dict[str, Service]
    labels: dict[str, str]

    @property
    def items(self) -> list[tuple[str, Item]]:
        """Every item with its file, in the order of the files."""
        return [(f"{FOLDER}/{name}.yml", item) for name, items in self.quizzes.items() for item in items]

    @property
    def choices(self) -> list[tuple[str, Item]]:
        return [(file, item) for file, item in self.items if item.type == CHOICE]


def load(root: Path) -> Bank:
    """The bank with all that it refers to; raises FmkitError for the first fault of a file."""
    return Bank(root, read_bank(root), read_objectives(root), read_services(root), read_labels(root))


def read_labels(root: Path) -> dict[str, str]:
    """The labels `(name)=` of the chapters, and the page of each without its ending."""
    labels: dict[str, str] = {}
    for path in sorted((root / "chapters").rglob("*")):
        if path.suffix == ".md":
            text = path.read_text(encoding="utf-8")
        elif path.suffix == ".ipynb" and ".ipynb_checkpoints" not in path.parts:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        else:
            continue
        page = path.relative_to(root).with_suffix("").as_posix()
        labels |= dict.fromkeys(re.findall(r"^\(([a-z0-9-]+)\)=\s*$", text, re.M), page)
    return labels


def keys(item: Item) -> list[Option]:
    return [option for option in item.options if option.correct]


def distractors(item: Item) -> list[Option]:
    return [option for option in item.options if not option.correct]


def position(item: Item) -> str:
    """The letter of the key of a multiple choice."""
    return "ABCD"[item.options.index(keys(item)[0])]
