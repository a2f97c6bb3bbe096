"""The `progress` directive: what the reader has done, as this browser remembers it (store.js, progress.js).

    ```{progress} review
    ```

`review` brings back the questions that are due, and holds the book's whole bank for it; `chapters`, `quizzes`
and `objectives` are tables, which the script fills; `file` saves, loads and forgets.

The `coverage` directive says in a sentence how much of the exam the book asks about.

Every chapter ends with a button by which the reader says that it is read. Scrolling past is not reading, so
nothing else counts.
"""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from bookkit.quiz.directive import Questions, anchor
from bookkit.quiz.items import Item, read_bank
from bookkit.quiz.objectives import OBJECTIVES, read_objectives
from bookkit.quiz.places import quiz_titles
from bookkit.site.build import toc_pages
from bookkit.site.html import html, report, tag
from fmkit.errors import FmkitError

CHAPTER = re.compile(r"chapters/\d[^/]*/")  # the pages that can be read, as against those that are used
PARTS = ("review", "chapters", "quizzes", "objectives", "file")
UNSCRIPTED = "Your browser keeps your progress, and it takes JavaScript to show it."


class Progress(Questions):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        part = self.arguments[0]
        if part not in PARTS:
            raise self.error(f"progress has no part {part!r}: it has {', '.join(PARTS)}")
        self.env.note_reread()  # it depends on the table of contents and on every quiz
        return [
            tag(
                "section",
                *getattr(self, part)(),
                asset="store quiz progress",
                class_="fm-progress fm-quiz",
                data_part=part,
            )
        ]

    def review(self) -> list[html]:
        return [
            tag("p", UNSCRIPTED, class_="fm-unscripted"),
            tag("p", role="status", class_="fm-progress-due fm-scripted"),
            tag(
                "button",
                "Review what is due",
                type="button",
                class_="fm-button fm-progress-start fm-scripted",
            ),
            tag("ol", class_="fm-quiz-items"),
            tag("p", role="status", class_="fm-progress-done fm-scripted"),
            self.bank(),
        ]

    def chapters(self) -> list[html]:
        pages = [page for page in toc_pages(Path(self.env.srcdir)) if CHAPTER.match(page)]
        rows = [[self.link("doc", f"/{page}"), tag("td", data_page=page)] for page in pages]
        return table("Chapters", ("Chapter", "Read"), rows)

    def quizzes(self) -> list[html]:
        bank = self.questions_by_quiz()
        rows: list[list[nodes.Node]] = []
        for quiz, title in quiz_titles(Path(self.env.srcdir), bank).items():
            score = tag("td", f"{len(bank[quiz])} questions", data_of=quiz)
            rows.append([self.link("ref", anchor(quiz), title), score])
        return table("Quizzes", ("Quiz", "Right last time"), rows)

    def objectives(self) -> list[html]:
        try:
            guide = read_objectives(Path(self.env.srcdir))
        except FmkitError as error:
            report(error)
            return []
        self.env.note_dependency(str(Path(self.env.srcdir, OBJECTIVES)))
        items = [item for items in self.questions_by_quiz().values() for item in items]
        asked = {item.objective for item in items}
        rows: list[list[nodes.Node]] = [
            [tag("span", tag("b", number), f" {guide[number].title}"), tag("td", data_objective=number)]
            for number in guide
            if number in asked
        ]
        said = tag("p", tag("span", class_="fm-progress-covered fm-scripted"), f" {coverage(guide, items)}")
        return [said, *table("Objectives", ("Objective", "Right last time"), rows)]

    def file(self) -> list[html]:
        save = [
            tag("button", f"Save as {kind}", type="button", class_="fm-button", data_save=kind.lower())
            for kind in ("JSON", "CSV")
        ]
        load = tag(
            "label",
            tag("span", "Bring in a JSON file that was saved here or on another device"),
            tag("input", type="file", accept=".json,application/json"),
            class_="fm-progress-load",
        )
        forget = tag("button", "Forget everything …", type="button", class_="fm-button fm-progress-forget")
        ask = tag(
            "dialog",
            tag(
                "form",
                tag(
                    "p",
                    "Forget all answers, attempts and pages of this book? They cannot be brought back.",
                    id="fm-forget",
                ),
                tag("button", "Keep them", value="keep", class_="fm-button", autofocus=True),
                tag("button", "Forget everything", value="forget", class_="fm-button"),
                method="dialog",
            ),
            aria_labelledby="fm-forget",
        )
        said = tag("p", role="status", class_="fm-progress-said")
        return [
            tag(
                "div",
                tag("div", *save, class_="fm-progress-save"),
                load,
                forget,
                ask,
                said,
                class_="fm-scripted",
            )
        ]

    def questions_by_quiz(self) -> dict[str, Any]:
        try:
            return read_bank(Path(self.env.srcdir))
        except FmkitError:  # reported by `review`
            return {}

    def link(self, kind: str, target: str, title: str = "") -> nodes.Node:
        """To a page under its own title, or to a quiz, if a page shows it."""
        return addnodes.pending_xref(
            "",
            nodes.inline("", title or target),
            refdomain="std",
            reftype=kind,
            reftarget=target,
            refexplicit=bool(title),
            refwarn=True,
            refdoc=self.env.docname,
            optional=True,
        )


class Coverage(SphinxDirective):
    """How much of the exam the book asks about, in a sentence."""

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()  # it depends on every quiz
        try:
            guide, bank = read_objectives(Path(self.env.srcdir)), read_bank(Path(self.env.srcdir))
        except FmkitError as error:
            report(error)
            return []
        items = [item for items in bank.values() for item in items]
        return [nodes.paragraph("", coverage(guide, items))]


def coverage(guide: Collection[str], items: list[Item]) -> str:
    asked = {item.objective for item in items}
    drawn = {item.objective for item in items if not item.beyond}
    what = f"so far the book asks about {len(asked)}, its practice exam about {len(drawn)}"
    return f"The exam’s guide has {len(guide)} objectives; {what}."


def table(name: str, head: tuple[str, str], rows: list[list[nodes.Node]]) -> list[html]:
    """Two columns: what it is about, and a cell for the script."""
    heads = [tag("th", text, scope="col") for text in head]
    body = [tag("tr", tag("th", first, scope="row"), cell) for first, cell in rows]
    caption = tag("caption", name)
    return [tag("table", caption, tag("thead", tag("tr", *heads)), tag("tbody", *body))]


def add_button(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """The end of a chapter, where the reader says that it is read."""
    if not CHAPTER.match(page):
        return
    next(iter(doctree.findall(nodes.section)), doctree).append(
        tag(
            "div",
            tag("button", "Mark this page as read", type="button", class_="fm-button"),
            tag("p", role="status"),
            asset="store progress",
            class_="fm-read fm-scripted",
            data_page=page,
        )
    )


def setup(app: Sphinx) -> None:
    app.add_directive("progress", Progress)
    app.add_directive("coverage", Coverage)
    app.connect("doctree-resolved", add_button)
