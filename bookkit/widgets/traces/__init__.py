"""The `traces` directive: the reader looks for the wrong step in recorded episodes of an agent.

    ```{traces}
    ```

reads assets/runs/agents.json and shows `CHOSEN` of its traces: a letter, the shop's table, and what the agent
did, step by step. traces.js shows one at a time, takes the reader's guess and says which step was wrong. On
paper, and with scripts off, all are a list that tells.
"""

import json
import re
from typing import Any

from sphinx.application import Sphinx

from bookkit.site.page_widget import PageWidget
from fmkit.errors import FmkitError

RECORD = "assets/runs/agents.json"
PLACES = "ABCDEFG"

# Which traces are shown: the cases that the agent had learned from, the condition, and the kind of error.
CHOSEN: tuple[tuple[str, str, str | None], ...] = (
    ("plain", "two orders", "wrong argument"),
    ("plain", "as in training", None),
    ("plain", "lookup: timeout", "failed tool"),
    ("plain", "no call, but a number", "needless call"),
    ("wide", "two orders", None),
    ("plain", "four digits", "wrong argument"),
    ("plain", "new wordings", "wrong tool"),
    ("plain", "refund: error", None),
)

ABOUT = {  # what is said of each kind of error, where `right` was to be said
    "wrong argument": "The right call was {right}.",
    "wrong tool": "Needed: {right}. Without it, the agent cannot know the answer.",
    "needless call": "Nothing had to be looked up. The answer is a rule: “{right}”",
    "wrong answer": "The number or rule is wrong. The right answer: “{right}”",
    "result misread": "The result was there but misread. The right step: {right}",
    "failed tool": "The tool failed, so nothing was known. The right step was {right}, not an answer.",
    None: "Every step is right, and so is what was done.",
}

WIDE = " (This is another agent, which had learned from letters with two orders.)"


class Traces(PageWidget):
    """Traces of an agent, one at a time, each with a step to find."""

    widget = "traces"

    def values(self) -> dict[str, Any]:
        runs = json.loads(self.source(RECORD).read_text(encoding="utf-8"))["runs"]
        return {"traces": [describe(find(runs, *each)) for each in CHOSEN], "command": COMMAND}


COMMAND = "python -m bookkit.experiments agents"


def find(runs: list[dict[str, Any]], cases: str, condition: str, error: str | None) -> dict[str, Any]:
    """The first trace of this kind that has a call; raises FmkitError if there is none."""
    for run in runs:
        for trace in run.get("traces", []) if run["settings"]["cases"] == cases else []:
            if (trace["condition"], trace["error"]) == (condition, error) and clear(trace):
                return {**trace, "cases": cases}
    raise FmkitError(f"{RECORD}:1: no trace {cases}, {condition}, {error}: choose others in `CHOSEN`")


def clear(trace: dict[str, Any]) -> bool:
    """Whether the trace is one to learn from: it has a call, or lacks one that was needed, and the first
    error is no slip in copying digits."""
    said = " ".join(step[0] for step in trace["steps"])
    known = {*re.findall(r"\d+", trace["letter"]), *trace["table"]}
    copied = set(re.findall(r"\d+", said)) <= known or trace["condition"] == "four digits"
    return ("(" in said or trace["error"] == "wrong tool") and copied


def describe(trace: dict[str, Any]) -> dict[str, Any]:
    """What the template shows of a trace."""
    wrong = None if trace["error"] is None else trace["right_steps"]
    turns = [said for said in trace["right"] if not said.startswith("result:")]
    right = turns[min(wrong, len(turns) - 1)] if wrong is not None else ""
    if "(" in right:
        right = f"`{right}`"
    steps = [
        {"said": said, "is_call": bool(result), "result": result[0] if result else ""}
        for said, *result in trace["steps"]
    ]
    return {
        "letter": trace["letter"],
        "table": list(trace["table"].items()),
        "steps": [{**step, "wrong": number == wrong} for number, step in enumerate(steps)],
        "wrong": -1 if wrong is None else wrong,
        "kind": trace["error"] or "no error",
        "told": ABOUT[trace["error"]].format(right=right),
        "ended": consequence(trace),
    }


def consequence(trace: dict[str, Any]) -> str:
    """What the customer has of it, in a sentence."""
    paid = [said for said, *result in trace["steps"] if said.startswith("refund(") and result == ["done"]]
    if trace["completed"]:
        return "The case is completed." + WIDE * (trace["cases"] == "wide")
    if paid and paid[0] not in trace["right"]:
        return "Money was paid back that should not have been."
    return "The case is not completed, and the shop may never notice."


def setup(app: Sphinx) -> None:
    app.add_directive("traces", Traces)
