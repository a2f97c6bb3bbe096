"""The `annotate` directive: the reader rates twelve answers of the shop's assistant, as two others did.

    ```{annotate}
    ```

reads assets/annotate/answers.json, made by `python -m bookkit.widgets.annotate` (see `making`): real answers
of the committed assistant, a right answer to each letter, what the world says of it, and what two simulated
annotators said. annotate.js compares. On paper and without a script, all of it is a list.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from bookkit.site.entries import read
from bookkit.site.page_widget import PageWidget
from fmkit.errors import FmkitError
from fmkit.evaluation.agreement import agreement, cohen_kappa

FILE = "assets/annotate/answers.json"
LABELS = ("right", "partly", "wrong")
ANSWERS = 12
RUBRIC = {
    "right": "Everything in the answer fits the letter and what the shop says.",
    "partly": "It does what was asked, but not for the order in the letter.",
    "wrong": "It decides wrongly, states a wrong fact, or is off topic.",
}
FIELDS = ("letter", "answer", "reference", "truth", "careful", "hasty")


def read_answers(path: Path, file: str) -> list[dict[str, str]]:
    """The answers; raises FmkitError with `file`, the line and the first fault."""
    whole = read(path, file).fields("the annotated answers", ["command", "answers"])
    entries = whole["answers"].list("answers")
    if len(entries) != ANSWERS:
        raise FmkitError(f"{file}:1: {len(entries)} answers, not {ANSWERS}: make it again")
    found = []
    for entry in entries:
        fields = entry.fields("an answer", list(FIELDS))
        answer = {name: fields[name].text(name) for name in FIELDS}
        for name in ("truth", "careful", "hasty"):
            if answer[name] not in LABELS:
                raise fields[name].fault(f"{name} must be one of {', '.join(LABELS)}")
        found.append(answer)
    return found


class Annotate(PageWidget):
    """Twelve answers to rate, and how the ratings agree."""

    widget = "annotate"

    def values(self) -> dict[str, Any]:
        answers = read_answers(self.source(FILE), FILE)
        columns = {name: [answer[name] for answer in answers] for name in ("truth", "careful", "hasty")}
        return {
            "answers": answers,
            "rubric": RUBRIC,
            "data": json.dumps(columns),
            "right": {
                name: round(ANSWERS * agreement(columns[name], columns["truth"]))
                for name in ("careful", "hasty")
            },
            "kappa": f"{cohen_kappa(columns['careful'], columns['hasty']):.2f}",
        }


def setup(app: Sphinx) -> None:
    app.add_directive("annotate", Annotate)
