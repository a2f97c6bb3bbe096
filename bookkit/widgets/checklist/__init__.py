"""The `checklist` directive: questions to ask before a system is used, and a record of the answers.

    ```{checklist}
    ```

reads assets/checklist/questions.yml. checklist.js makes a dated record of the answers, the open points first,
to print or to save as a file, and keeps the answers in the reader's browser. Without a script the questions
are a list to print, with boxes to tick and a line to write on.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from bookkit.site.entries import Entry, read
from bookkit.site.page_widget import PageWidget

FILE = "assets/checklist/questions.yml"
ANSWERS = {"yes": "Yes", "partly": "Partly", "no": "No", "unknown": "Not known"}


@dataclass(frozen=True)
class Question:
    """A question, who signs the answer, and what the shop would answer, with a note that may be empty."""

    id: str
    ask: str
    sign: str
    answer: str
    note: str


@dataclass(frozen=True)
class Area:
    """Questions about one thing; `section` is the label of what teaches it."""

    title: str
    section: str
    questions: list[Question]


def read_areas(path: Path, file: str) -> list[Area]:
    """Read the questions; raises FmkitError with `file`, line and the first fault."""
    areas = [read_area(entry) for entry in read(path, file).list("the checklist")]
    known: set[str] = set()
    for question in (question for area in areas for question in area.questions):
        if question.id in known:
            raise read(path, file).fault(f"two questions have the id {question.id!r}")
        known.add(question.id)
    return areas


def read_area(entry: Entry) -> Area:
    fields = entry.fields("an area", ["area", "section", "questions"])
    return Area(
        title=fields["area"].text("area"),
        section=fields["section"].text("section", r"[a-z0-9-]+", "the label of a section"),
        questions=[read_question(one) for one in fields["questions"].list("questions")],
    )


def read_question(entry: Entry) -> Question:
    fields = entry.fields("a question", ["id", "ask", "sign", "shop"])
    shop = fields["shop"].fields("shop", ["answer"], ["note"])
    return Question(
        id=fields["id"].text("id", r"[a-z]+", "small letters"),
        ask=fields["ask"].text("ask"),
        sign=fields["sign"].text("sign"),
        answer=shop["answer"].text("answer", "|".join(ANSWERS), ", ".join(ANSWERS)),
        note=shop["note"].text("note") if "note" in shop else "",
    )


class Checklist(PageWidget):
    """The questions by area, and the record."""

    widget = "checklist"

    def values(self) -> dict[str, Any]:
        areas = read_areas(self.source(FILE), FILE)
        return {"areas": areas, "answers": ANSWERS, "count": sum(len(area.questions) for area in areas)}


def setup(app: Sphinx) -> None:
    app.add_directive("checklist", Checklist)
