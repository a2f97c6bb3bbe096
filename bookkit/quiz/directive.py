"""The `quiz` directive: questions as on the exam, from a file of assets/quizzes/.

    ```{quiz} pretraining
    ```

reads assets/quizzes/pretraining.yml (see `bookkit.quiz.items`).

The page holds a real form that can be read and printed without a script, with the key folded away below it;
quiz.js grades and store.js remembers. A faulty file fails the build with its name, the line and the fault.

`Questions` is the base of whatever shows items: `bank()` has every question of the book. A template writes
`later(quizzes)` for those that a page does not hold: they become a script of the site, with their keys, which
quiz.js loads when a reader asks for them. Its name, `later_name()`, goes into the template as well.

The students' edition (`bookkit.editions`) has no keys: there a question's answer is kept, and not graded.
"""

import json
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging

from bookkit.editions import shows_keys
from bookkit.quiz.bank import in_order
from bookkit.quiz.exports.text import plain
from bookkit.quiz.items import FOLDER, LETTERS, Item, read_quiz
from bookkit.quiz.objectives import SERVICES, Service, Source, proof, read_services
from bookkit.site.page_widget import PageWidget, page_widget, report
from bookkit.site.pages import issue_address
from bookkit.site.scripts import PLACE, define
from fmkit.errors import FmkitError

logger = logging.getLogger(__name__)


def anchor(quiz: str) -> str:
    """The label of a quiz, by which other pages find it."""
    return f"quiz-{quiz}"


def number(value: float) -> str:
    return f"{value:.10g}"


def page(notebook: str) -> str:
    """The page of a notebook, as a link names it."""
    return f"/{PurePosixPath(notebook).with_suffix('')}"


def place(quiz: str, line: int) -> str:
    return f"{FOLDER}/{quiz}.yml:{line}"


@cache
def services(root: Path, changed: int) -> dict[str, Service]:
    """The dated facts, read again when their file has changed."""
    return read_services(root)


class later_questions(nodes.General, nodes.Element):
    """What is written into the script `name` instead of the page."""


class Questions(PageWidget):
    """A widget that shows items."""

    written: ClassVar[tuple[str, ...]] = (*PageWidget.written, "later")

    def fill(self, template: str, **values: Any) -> page_widget:
        functions = {"letters": LETTERS, "plain": plain, "number": number, "page": page, "place": place}
        functions |= {
            "in_order": in_order,
            "proof": self.proof,
            "report_address": self.report_address,
            "keys": shows_keys(),
        }
        return super().fill(template, **functions, **values)

    def later(self, quizzes: dict[str, list[Item]]) -> list[nodes.Node]:
        """The questions that come when they are asked for."""
        return [later_questions("", self.fill("quiz/later.html", quizzes=quizzes), name=self.later_name())]

    def later_name(self) -> str:
        return f"banks/{self.env.docname.replace('/', '-')}"

    def report_address(self, quiz: str, item: Item) -> str:
        """Where a reader reports a question; empty where the book names no repository that takes reports."""
        name = f"{quiz}/{item.id}"
        text = f"Question `{name}` (version {item.version}).\n\nWhat is wrong with it: "
        return issue_address(getattr(self.config, "fmkit_repository", ""), f"Question {name}", text)

    def proof(self, item: Item) -> tuple[Source | None, str]:
        """What proves the key besides the section, and the day on which they were last compared."""
        if not item.service:
            return proof(item, {})
        path = self.source(SERVICES)
        changed = path.stat().st_mtime_ns if path.is_file() else 0
        return proof(item, services(Path(self.env.srcdir), changed))

    def items(self, quiz: str) -> list[Item]:
        """The items of a quiz; raises FmkitError for a faulty file."""
        file = f"{FOLDER}/{quiz}.yml"
        return read_quiz(self.source(file), file)

    def bank(self) -> dict[str, list[Item]]:
        """The items of every quiz of the book; a faulty file is reported and left out."""
        self.env.note_reread()  # there may be a new file next time
        quizzes = {}
        for name in sorted(path.stem for path in Path(self.env.srcdir, FOLDER).glob("*.yml")):
            try:
                quizzes[name] = self.items(name)
            except FmkitError as error:
                report(error)
        return quizzes


class Quiz(Questions):
    """The questions of one file."""

    widget = "quiz"
    required_arguments = 1

    def values(self) -> dict[str, Any]:
        name = self.arguments[0]
        items = self.items(name)
        self.env.domains["std"].note_hyperlink_target(anchor(name), self.env.docname, anchor(name))
        return {"id": anchor(name), "name": name, "items": items}


class Keys(Questions):
    """What is right in the questions of one file, in a table for the teacher."""

    widget = "keys"
    required_arguments = 1

    def values(self) -> dict[str, Any]:
        return {"items": self.items(self.arguments[0])}


def visit_later(translator: Any, node: later_questions) -> None:
    node["start"] = len(translator.body)


def depart_later(translator: Any, node: later_questions) -> None:
    """Move what was written of the questions from the page into their script."""
    path = Path(translator.builder.outdir, "_static", PLACE, f"{node['name']}.js")
    path.parent.mkdir(parents=True, exist_ok=True)
    written = json.dumps("".join(translator.body[node["start"] :]), ensure_ascii=False)
    path.write_text(define(node["name"], [], f"() => {written}"), encoding="utf-8")
    del translator.body[node["start"] :]


def missing_target(app: Sphinx, env: Any, node: addnodes.pending_xref, text: nodes.Node) -> nodes.Node | None:
    """Report a section or page that does not exist at its place in the quiz file, and show the link's text.

    A link that is optional, as to a quiz that no page shows, is only text.
    """
    if "optional" in node:
        return text
    if "quiz" not in node:
        return None
    if node["reftype"] == "doc":
        logger.warning("the book has no page %r", node["reftarget"].lstrip("/"), location=node["quiz"])
    else:
        logger.warning("no section of the book has the label %r", node["reftarget"], location=node["quiz"])
    return text
