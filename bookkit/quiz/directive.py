"""The `quiz` directive: questions as on the exam, from a file of assets/quizzes/.

    ```{quiz} pretraining
    ```

reads assets/quizzes/pretraining.yml (see `bookkit.quiz.items`).

The page holds a real form that can be read and printed without a script, with the key folded away below it;
quiz.js grades and store.js remembers. A faulty file fails the build with its name, the line and the fault.

`Questions` is for whatever else shows items of the bank: `bank()` holds every question with its key, for a
script to take from.
"""

from pathlib import Path, PurePosixPath
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from bookkit.quiz.items import CHOICE, FOLDER, MATCHING, NUMERIC, ORDERING, Item, read_quiz
from bookkit.site.html import html, report, tag
from fmkit.errors import FmkitError

logger = logging.getLogger(__name__)

LETTERS = "ABCDEFGHI"
NONE = tag("option", "–", value="")  # nothing chosen yet


def anchor(quiz: str) -> str:
    """The label of a quiz, by which other pages find it."""
    return f"quiz-{quiz}"


class Questions(SphinxDirective):
    """A directive that shows items."""

    def items(self, quiz: str) -> list[Item]:
        """The items of a quiz; none, and a warning at its place, if the file is faulty."""
        file = f"{FOLDER}/{quiz}.yml"
        path = Path(self.env.srcdir, file)
        self.env.note_dependency(str(path))
        try:
            return read_quiz(path, file)
        except FmkitError as error:
            report(error)
            return []

    def bank(self) -> html:
        """Every question of the book, unseen; each quiz as it stands on its own page."""
        self.env.note_reread()  # there may be a new file next time
        names = sorted(path.stem for path in Path(self.env.srcdir, FOLDER).glob("*.yml"))
        quizzes = [
            tag("div", *self.questions(name, items), data_quiz=name)
            for name in names
            if (items := self.items(name))
        ]
        return tag("template", *quizzes, class_="fm-quiz-bank")

    def questions(self, quiz: str, items: list[Item]) -> list[html]:
        """The list of the questions, and that of their keys."""
        forms = [self.question(quiz, item, number, len(items)) for number, item in enumerate(items, start=1)]
        return [
            tag("ol", *forms, class_="fm-quiz-items"),
            tag(
                "details",
                tag("summary", "Answers and reasons"),
                tag("ol", *(self.key(quiz, item) for item in items)),
                class_="fm-quiz-key",
            ),
        ]

    def question(self, quiz: str, item: Item, number: int, count: int) -> html:
        place = tag("span", f"Question {number} of {count}", class_="fm-quiz-place")
        beyond = [tag("span", "beyond the exam", class_="fm-quiz-beyond")] if item.beyond else []
        # The number is measured on a page, which the reader may have open or not.
        link = self.reference(quiz, item.section, item.section_line)
        where = [" See: ", link] if item.answer else []
        legend = tag(
            "legend",
            tag("span", place, " ", *beyond, class_="fm-quiz-number"),
            " ",
            tag("span", *self.inline(item.stem), class_="fm-quiz-stem"),
            " ",
            tag("span", item.hint, *where, class_="fm-quiz-hint"),
        )
        foot = tag(
            "div",
            tag("button", "Check", class_="fm-button fm-quiz-check"),
            tag("p", role="status", class_="fm-quiz-verdict"),
            class_="fm-quiz-do fm-scripted",
        )
        form = tag(
            "form",
            tag("fieldset", legend, *self.parts(item)),
            foot,
            method="dialog",  # nothing is sent anywhere, not even where no script runs
            data_item=item.id,
            data_type=item.type,
            data_version=item.version,
            data_choose=item.correct or None,
            data_objective=item.objective,
            data_difficulty=item.difficulty,
        )
        return tag("li", form)

    def parts(self, item: Item) -> list[html]:
        """What the reader answers with: one part for each option, step or pair, or for the number."""
        if item.type == ORDERING:
            places = [tag("option", str(place), value=place) for place in range(1, len(item.steps) + 1)]
            rows = [self.row(step.text, places) for step in item.steps]
            return [tag("ul", *rows, class_="fm-quiz-rows fm-quiz-steps")]
        if item.type == MATCHING:
            return self.pairs(item)
        if item.type == NUMERIC:
            return [number(item)]
        options = [
            tag("li", self.option(item, letter, option.text), class_="fm-quiz-part")
            for letter, option in zip(LETTERS, item.options, strict=False)
        ]
        return [tag("ol", *options, class_="fm-quiz-options")]

    def option(self, item: Item, letter: str, text: str) -> html:
        kind = "radio" if item.type == CHOICE else "checkbox"
        return tag(
            "label",
            tag("input", type=kind, name=item.id, value=letter, autocomplete="off"),
            tag("span", letter, class_="fm-quiz-letter"),
            " ",
            tag("span", *self.inline(text), class_="fm-quiz-text"),
        )

    def pairs(self, item: Item) -> list[html]:
        """The matches by letter, for the eye and for paper, and the prompts, which name the matches again."""
        shown = sorted(item.pairs, key=lambda pair: pair.shown)
        texts = [self.inline(pair.match) for pair in shown]
        matches = [
            tag("li", tag("span", letter, class_="fm-quiz-letter"), " ", tag("span", *text))
            for letter, text in zip(LETTERS, texts, strict=False)
        ]
        choices = [
            tag("option", f"{letter} · {''.join(node.astext() for node in text)}", value=place)
            for place, (letter, text) in enumerate(zip(LETTERS, texts, strict=False), start=1)
        ]
        rows = [self.row(pair.prompt, choices) for pair in item.pairs]
        return [
            tag("ul", *matches, class_="fm-quiz-matches"),
            tag("ul", *rows, class_="fm-quiz-rows fm-quiz-pairs"),
        ]

    def row(self, text: str, choices: list[html]) -> html:
        prompt = self.inline(text)
        name = "".join(node.astext() for node in prompt)  # typeset math alone would be no name
        options = [one.deepcopy() for one in (NONE, *choices)]
        choice = tag("select", *options, aria_label=name, autocomplete="off")
        return tag("li", tag("label", tag("span", *prompt), choice), class_="fm-quiz-part")

    def key(self, quiz: str, item: Item) -> html:
        answer, reasons = self.answer(quiz, item)
        return tag(
            "li",
            tag("p", *answer),
            tag("ul", *reasons),
            tag(
                "p",
                "Read again: ",
                self.reference(quiz, item.section, item.section_line),
                f" · exam objective {item.objective}",
                class_="fm-quiz-again",
            ),
            data_item=item.id,
        )

    def answer(self, quiz: str, item: Item) -> tuple[list[nodes.Node | str], list[html]]:
        """The right answer in a sentence, and the reason for every part, in the order of the parts."""
        if item.type == ORDERING:
            order = " ".join(str(step.place) for step in item.steps)
            reasons = [self.reason(str(step.place), step.rationale, step.place) for step in item.steps]
            return [f"Answer: the steps above have the places {order}."], reasons
        if item.type == MATCHING:
            letters = [LETTERS[pair.shown - 1] for pair in item.pairs]
            reasons = [
                self.reason(letter, pair.rationale, pair.shown)
                for letter, pair in zip(letters, item.pairs, strict=True)
            ]
            return [f"Answer: {' '.join(letters)}, from the first to the last."], reasons
        if item.type == NUMERIC:
            return self.measured(quiz, item)
        lettered = list(zip(LETTERS, item.options, strict=False))
        right = " and ".join(letter for letter, option in lettered if option.correct)
        reasons = [self.reason(letter, one.rationale, one.correct) for letter, one in lettered]
        return [f"Answer: {right}."], reasons

    def measured(self, quiz: str, item: Item) -> tuple[list[nodes.Node | str], list[html]]:
        """A number: the answer, where it is measured, and the mistakes that give another."""
        assert item.answer
        source = item.answer.measured
        page = str(PurePosixPath(source.notebook).with_suffix(""))
        cell = tag(
            "span",
            "A cell of ",
            self.reference(quiz, f"/{page}", item.answer.line, "doc"),
            " prints it.",
            class_="fm-quiz-measured",
        )
        right = self.reason(f"{item.answer.value:.10g}", item.answer.rationale, item.answer.value)
        right["written"]["data-tolerance"] = f"{item.answer.tolerance:.10g}"
        wrong = [self.reason(f"{one.value:.10g}", one.rationale, one.value) for one in item.mistakes]
        value = f"{item.answer.value:.10g} {item.answer.unit}, give or take {item.answer.tolerance:.10g}"
        return [f"Answer: {value}. ", cell], [right, *wrong]

    def reason(self, name: str, rationale: str, correct: bool | float) -> html:
        return tag(
            "li",
            tag("b", f"{name} "),
            tag("span", *self.inline(rationale), class_="fm-quiz-reason"),
            data_correct=correct,
        )

    def inline(self, text: str) -> list[nodes.Node]:
        """Markdown of one paragraph. HTML in it stays text: a bank may come from anywhere."""
        paragraph = nodes.inline("", "", *self.state.inline_text(text, self.lineno)[0])
        for raw in list(paragraph.findall(nodes.raw)):
            raw.parent.replace(raw, nodes.Text(raw.astext()))
        return list(paragraph.children)

    def reference(self, quiz: str, target: str, line: int, kind: str = "ref") -> nodes.Node:
        """A link under its target's own title; the place is for a target that does not exist."""
        return addnodes.pending_xref(
            "",
            nodes.inline("", target),
            refdomain="std",
            reftype=kind,
            reftarget=target,
            refexplicit=False,
            refwarn=True,
            refdoc=self.env.docname,
            quiz=f"{FOLDER}/{quiz}.yml:{line}",
        )


class Quiz(Questions):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        items = self.items(name)
        if not items:
            return []
        self.env.domains["std"].note_hyperlink_target(anchor(name), self.env.docname, anchor(name))
        return [
            tag(
                "section",
                *self.questions(name, items),
                tag(
                    "div",
                    tag("p", class_="fm-quiz-score", aria_live="polite"),
                    tag("button", "Start over", type="button", class_="fm-button fm-quiz-reset"),
                    class_="fm-quiz-foot fm-scripted",
                ),
                asset="store quiz",
                class_="fm-quiz",
                id=anchor(name),
                aria_label=f"Quiz: {name}",
                data_quiz=name,
            )
        ]


def number(item: Item) -> html:
    """A field that takes 0.43 as well as 0,43, so it is no input of type number."""
    assert item.answer
    field = tag("input", type="text", inputmode="decimal", maxlength=30, autocomplete="off")
    label = tag(
        "label", tag("span", "Your number"), field, tag("span", item.answer.unit, class_="fm-quiz-unit")
    )
    return tag("div", label, class_="fm-quiz-part fm-quiz-field")


def missing_target(app: Sphinx, env: Any, node: addnodes.pending_xref, text: nodes.Node) -> nodes.Node | None:
    """A section or page that does not exist is a fault of the quiz file, and is reported there. A quiz that
    no page shows is no fault. In place of the link stands its text."""
    if "optional" in node:
        return text
    if "quiz" not in node:
        return None
    if node["reftype"] == "doc":
        logger.warning("the book has no page %r", node["reftarget"].lstrip("/"), location=node["quiz"])
    else:
        logger.warning("no section of the book has the label %r", node["reftarget"], location=node["quiz"])
    return text
