"""The `progress` directive: what the reader has done, as this browser remembers it (store.js, progress.js).

    ```{progress} review
    ```

`review` brings back the questions that are due: it loads the bank when a reader begins; `chapters`, `quizzes`
and `objectives` are tables, which the script fills; `file` saves, loads and forgets, and holds the names and
versions of all questions. Without keys (`bookkit.editions`) there is no review: tables say what was answered.

The `coverage` directive says in a sentence how much of the exam the book asks about.

Every chapter ends with a button by which the reader says that it is read. Scrolling past is not reading, so
nothing else counts.
"""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from bookkit.editions import shows_keys
from bookkit.quiz.directive import Questions, anchor
from bookkit.quiz.items import Item, read_bank
from bookkit.quiz.objectives import OBJECTIVES, read_objectives
from bookkit.quiz.places import quiz_titles, shown
from bookkit.site.build import toc_pages
from bookkit.site.page_widget import page_widget, report
from bookkit.site.templates import render
from fmkit.errors import FmkitError

CHAPTER = re.compile(r"chapters/\d[^/]*/")  # the pages that can be read, as against those that are used
PARTS = ("review", "chapters", "quizzes", "objectives", "file")


class Progress(Questions):
    """One part of the progress page."""

    widget = "progress"
    required_arguments = 1

    def values(self) -> dict[str, Any]:
        part = self.arguments[0]
        if part not in PARTS:
            raise self.error(f"progress has no part {part!r}: it has {', '.join(PARTS)}")
        self.env.note_reread()  # it depends on the table of contents and on every quiz
        return {"part": part, "anchor": anchor, **getattr(self, part)()}

    def review(self) -> dict[str, Any]:
        return {"quizzes": self.bank(), "bank": self.later_name()}

    def chapters(self) -> dict[str, Any]:
        return {"pages": [page for page in toc_pages(Path(self.env.srcdir)) if CHAPTER.match(page)]}

    def quizzes(self) -> dict[str, Any]:
        bank = self.questions_by_quiz()
        titles = quiz_titles(Path(self.env.srcdir), bank)
        return {"rows": [(quiz, title, len(bank[quiz])) for quiz, title in titles.items()]}

    def objectives(self) -> dict[str, Any]:
        self.source(OBJECTIVES)
        guide = read_objectives(Path(self.env.srcdir))
        items = [item for items in self.questions_by_quiz().values() for item in items]
        asked = {item.objective for item in items}
        return {"coverage": coverage(guide, items), "asked": [guide[id] for id in guide if id in asked]}

    def file(self) -> dict[str, Any]:
        known = {
            quiz: [
                [item.id, item.version if shows_keys() else item.wording, item.objective] for item in items
            ]
            for quiz, items in self.questions_by_quiz().items()
        }
        return {"known": known}

    def questions_by_quiz(self) -> dict[str, list[Item]]:
        try:
            return answerable(Path(self.env.srcdir))
        except FmkitError:  # reported by `review`
            return {}


def answerable(root: Path) -> dict[str, list[Item]]:
    """The questions that a reader meets: without a review and an exam, only those of the pages."""
    bank = read_bank(root)
    return bank if shows_keys() else {quiz: bank[quiz] for quiz in sorted(shown(root) & bank.keys())}


class Coverage(SphinxDirective):
    """How much of the exam the book asks about, in a sentence."""

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()  # it depends on every quiz
        try:
            guide, bank = read_objectives(Path(self.env.srcdir)), answerable(Path(self.env.srcdir))
        except FmkitError as error:
            report(error)
            return []
        items = [item for items in bank.values() for item in items]
        return [nodes.paragraph("", coverage(guide, items))]


def coverage(guide: Collection[str], items: list[Item]) -> str:
    asked = {item.objective for item in items}
    drawn = {item.objective for item in items if not item.beyond}
    what = f"so far the book asks about {len(asked)}"
    if shows_keys():
        what += f", its practice exam about {len(drawn)}"
    return f"The exam’s guide has {len(guide)} objectives; {what}."


def add_button(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """The end of a chapter, where the reader says that it is read."""
    if CHAPTER.match(page):
        button = nodes.raw("", render("progress/read.html", page=page), format="html")
        chapter = next(iter(doctree.findall(nodes.section)), doctree)
        chapter.append(page_widget("", "", button, widget="read"))


def setup(app: Sphinx) -> None:
    app.add_directive("progress", Progress)
    app.add_directive("coverage", Coverage)
    app.connect("doctree-resolved", add_button)
