"""The `diagnose` directive: which approach fits a scenario, why, and what would change that.

    ```{diagnose}
    ```

reads assets/diagnose/approaches.yml and shows the approaches, the cheapest first. Five questions rule them
out, each with its reason, and the first that is left is named. Beside the others is the one answer that would
make them the choice. The scripts, diagnose.js over sift.js, only compare the reader's answers with what the
template says; without a script, and on paper, the list is all that there is.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from bookkit.site.entries import Entry, read
from bookkit.site.page_widget import PageWidget

FILE = "assets/diagnose/approaches.yml"
NAME = (r"[a-z]+", "small letters")
Questions = dict[str, tuple[str, dict[str, str]]]  # by name: what is asked, and the answers by name


@dataclass(frozen=True)
class Approach:
    """What is paid for before the first answer is `cost`, from 1 to 5, our judgment; `section` teaches it.

    `fits` are the answers that leave it, by their questions, and `reasons` what is said otherwise.
    """

    name: str
    section: str
    cost: int
    gives: str
    exam: str
    fits: dict[str, list[str]]
    reasons: dict[str, str]


@dataclass(frozen=True)
class Diagnosis:
    """The whole file; a case is its name, and its answers to the questions in order."""

    questions: Questions
    approaches: list[Approach]
    cases: list[tuple[str, list[str]]]


def read_diagnosis(path: Path, file: str) -> Diagnosis:
    """Read the file; raises FmkitError with `file`, line and the first fault."""
    fields = read(path, file).fields("the diagnosis", ["questions", "approaches", "cases"])
    questions = {name: read_question(one) for name, one in named(fields["questions"], "questions").items()}
    return Diagnosis(
        questions,
        [read_approach(one, questions) for one in fields["approaches"].list("approaches")],
        [read_case(one, questions) for one in fields["cases"].list("cases")],
    )


def named(entry: Entry, name: str, known: Questions | None = None) -> dict[str, Entry]:
    """A mapping whose keys are free, or some of those of `known`."""
    entry.expect("map", name)
    keys = [Entry(key, entry.file).text(f"a key of {name}", *NAME) for key, _ in entry.node.value]
    return entry.fields(name, [], keys if known is None else known)


def read_question(entry: Entry) -> tuple[str, dict[str, str]]:
    fields = entry.fields("a question", ["ask", "answers"])
    answers = named(fields["answers"], "answers")
    return fields["ask"].text("ask"), {name: one.text("an answer") for name, one in answers.items()}


def read_approach(entry: Entry, questions: Questions) -> Approach:
    fields = entry.fields("an approach", ["name", "section", "cost", "gives", "exam", "fits", "reasons"])
    fits = {
        question: [read_answer(one, questions[question][1]) for one in answers.list("fitting answers")]
        for question, answers in named(fields["fits"], "fits", questions).items()
    }
    reasons = fields["reasons"].fields("reasons", fits)
    return Approach(
        name=fields["name"].text("name"),
        section=fields["section"].text("section", r"[a-z0-9-]+", "the label of a section"),
        cost=fields["cost"].whole("cost"),
        gives=fields["gives"].text("gives"),
        exam=fields["exam"].text("exam"),
        fits=fits,
        reasons={question: reason.text("a reason") for question, reason in reasons.items()},
    )


def read_case(entry: Entry, questions: Questions) -> tuple[str, list[str]]:
    fields = entry.fields("a case", ["name", "answers"])
    answers = fields["answers"].list("answers")
    if len(answers) != len(questions):
        raise fields["answers"].fault(f"a case answers {len(questions)} questions, not {len(answers)}")
    pairs = zip(answers, questions.values(), strict=True)
    return fields["name"].text("name"), [read_answer(one, known) for one, (_, known) in pairs]


def read_answer(entry: Entry, known: dict[str, str]) -> str:
    return entry.text("an answer", "|".join(known), " or ".join(known))


class Diagnose(PageWidget):
    """The approaches, and five questions."""

    widget = "diagnose"

    def values(self) -> dict[str, Any]:
        return vars(read_diagnosis(self.source(FILE), FILE))


def setup(app: Sphinx) -> None:
    app.add_directive("diagnose", Diagnose)
