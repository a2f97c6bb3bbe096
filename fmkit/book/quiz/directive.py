"""The `quiz` directive: questions as on the exam, from a file of assets/quizzes/.

    ```{quiz} pretraining
    ```

reads assets/quizzes/pretraining.yml (see `fmkit.book.quiz.items`).

The page holds a real form that can be read and printed without a script, with the key folded away below it;
quiz.js grades. A faulty file fails the build with its name, the line and the fault.
"""

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from fmkit.book.html import html, tag
from fmkit.book.quiz.items import CHOICE, FOLDER, Item, read_quiz
from fmkit.errors import FmkitError

logger = logging.getLogger(__name__)

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


class Quiz(SphinxDirective):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        file = f"{FOLDER}/{self.arguments[0]}.yml"
        path = Path(self.env.srcdir, file)
        self.env.note_dependency(str(path))
        try:
            items = read_quiz(path, file)
        except FmkitError as error:
            location, _, fault = str(error).partition(": ")
            logger.warning(fault, location=location)
            return []
        questions = [self.question(item, number, len(items)) for number, item in enumerate(items, start=1)]
        return [
            tag(
                "section",
                tag("ol", *questions, class_="fm-quiz-items"),
                tag(
                    "div",
                    tag("p", class_="fm-quiz-score", aria_live="polite"),
                    tag("button", "Start over", type="button", class_="fm-button fm-quiz-reset"),
                    class_="fm-quiz-foot fm-scripted",
                ),
                tag(
                    "details",
                    tag("summary", "Answers and reasons"),
                    tag("ol", *map(self.key, items)),
                    class_="fm-quiz-key",
                ),
                asset="quiz",
                class_="fm-quiz",
                aria_label=f"Quiz: {self.arguments[0]}",
                data_quiz=self.arguments[0],
            )
        ]

    def question(self, item: Item, number: int, count: int) -> html:
        hint = "Choose one." if item.type == CHOICE else f"Choose {NUMBERS[item.correct]}."
        options = [
            tag("li", self.option(item, letter, option.text))
            for letter, option in zip("ABCDEFGHI", item.options, strict=False)
        ]
        legend = tag(
            "legend",
            tag("span", f"Question {number} of {count}", class_="fm-quiz-number"),
            tag("span", *self.inline(item.stem), class_="fm-quiz-stem"),
            tag("span", hint, class_="fm-quiz-hint"),
        )
        foot = tag(
            "div",
            tag("button", "Check", class_="fm-button fm-quiz-check"),
            tag("p", role="status", class_="fm-quiz-verdict"),
            class_="fm-quiz-do fm-scripted",
        )
        form = tag(
            "form",
            tag("fieldset", legend, tag("ol", *options, class_="fm-quiz-options")),
            foot,
            method="dialog",  # nothing is sent anywhere, not even where no script runs
            data_item=item.id,
            data_version=item.version,
            data_choose=item.correct,
            data_objective=item.objective,
            data_difficulty=item.difficulty,
        )
        return tag("li", form)

    def option(self, item: Item, letter: str, text: str) -> html:
        kind = "radio" if item.type == CHOICE else "checkbox"
        return tag(
            "label",
            tag("input", type=kind, name=item.id, value=letter, autocomplete="off"),
            tag("span", letter, class_="fm-quiz-letter"),
            tag("span", *self.inline(text), class_="fm-quiz-text"),
        )

    def key(self, item: Item) -> html:
        lettered = list(zip("ABCDEFGHI", item.options, strict=False))
        answer = " and ".join(letter for letter, option in lettered if option.correct)
        reasons = [
            tag(
                "li",
                tag("b", f"{letter} "),
                tag("span", *self.inline(option.rationale), class_="fm-quiz-reason"),
                data_correct=option.correct,
            )
            for letter, option in lettered
        ]
        return tag(
            "li",
            tag("p", f"Answer: {answer}."),
            tag("ul", *reasons),
            tag(
                "p",
                "Read again: ",
                self.reference(item),
                f" · exam objective {item.objective}",
                class_="fm-quiz-again",
            ),
            data_item=item.id,
        )

    def inline(self, text: str) -> list[nodes.Node]:
        return list(self.state.inline_text(text, self.lineno)[0])

    def reference(self, item: Item) -> nodes.Node:
        """A link to the section under its own title; the place is for a label that does not exist."""
        return addnodes.pending_xref(
            "",
            nodes.inline("", item.section),
            refdomain="std",
            reftype="ref",
            reftarget=item.section,
            refexplicit=False,
            refwarn=True,
            refdoc=self.env.docname,
            quiz=f"{FOLDER}/{self.arguments[0]}.yml:{item.section_line}",
        )


def missing_section(app: Sphinx, domain: Any, node: addnodes.pending_xref) -> bool | None:
    """A section that does not exist is a fault of the quiz file, and is reported there."""
    if "quiz" not in node:
        return None
    logger.warning("no section of the book has the label %r", node["reftarget"], location=node["quiz"])
    return True
