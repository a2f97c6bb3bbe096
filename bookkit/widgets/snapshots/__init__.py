"""The `snapshots` directive: what a model writes at the checkpoints of a recorded run.

    ```{snapshots} pretraining
    ```

reads the run of assets/runs/pretraining.json whose snapshots have completions (see
`bookkit.experiments.pretraining`). The page holds every checkpoint as HTML; snapshots.js shows the one that
a slider chooses. On paper, and with scripts off, it is a figure with three of them.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sphinx.application import Sphinx

from bookkit.site.page_widget import PageWidget
from fmkit.errors import FmkitError

KINDS = {  # of words (see bookkit.experiments.story_judge): a name, and an example before and with the word
    "phrase": ("part of a phrase", "once upon a", "time"),
    "choice": ("one of several", "she saw a", "kite"),
    "pronoun": ("he or she", "Lily lost", "her"),
    "memory": ("said before", "lost a kite, found the", "kite"),
    "number": ("a sum", "five less two is", "three"),
}
FEW = 10  # places of a kind: fewer make no rate
LOWEST, HIGHEST = 0.002, 1.0  # of the axis of rates, which is logarithmic
AFTER = 90  # characters that are shown after a mistake


@dataclass(frozen=True)
class Axis:
    """Places from 0 to 100 for values from `low` to `high`."""

    low: float
    high: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high, value = (math.log(v) if self.log else v for v in (self.low, self.high, value))
        return round(100 * (value - low) / (high - low), 2)


def short(number: float) -> str:
    """1449219 → 1.45M: three digits, as fmkit.widgets' dom.js writes them."""
    size, unit = (1e6, "M") if number >= 1e6 else (1e3, "k") if number >= 1e3 else (1, "")
    return f"{float(f'{number / size:.3g}'):g}{unit}"


def percent(rate: float) -> str:
    return f"{100 * rate:.0f}%" if rate >= 0.095 or not rate else f"{100 * rate:.1f}%"


def passages(prompt: str, completion: dict[str, Any]) -> dict[str, str]:
    """The parts of a completed story: the prompt, what is right, the first wrong word, what comes after."""
    text, wrong = completion["text"], completion["wrong"]
    if wrong is None:
        return {"prompt": prompt, "right": text[len(prompt) :], "wrong": "", "expected": "", "after": ""}
    start, end = wrong
    after = text[end:]
    cut = after if len(after) <= AFTER else after[: after.rfind(" ", 0, AFTER)] + " …"
    return {
        "prompt": prompt,
        "right": text[len(prompt) : start],
        "wrong": text[start:end].strip() or "(ends here)",
        "expected": completion["expected"],
        "after": cut,
    }


def rates(places: dict[str, Sequence[int]]) -> list[dict[str, Any]]:
    """For each kind of place the share of those reached at which stories failed."""
    axis, rows = Axis(LOWEST, HIGHEST, log=True), []
    for kind, (name, before, word) in KINDS.items():
        reached, failed = places[kind]
        rate = failed / reached if reached >= FEW else None
        rows.append(
            {
                "name": name,
                "before": before,
                "word": word,
                "reached": reached,
                "failed": failed,
                "rate": None if rate is None else percent(rate),
                "at": None if rate is None else axis(max(LOWEST, rate)),
            }
        )
    return rows


class Snapshots(PageWidget):
    """A slider over the checkpoints of a recorded run."""

    widget = "snapshots"
    required_arguments = 1

    def values(self) -> dict[str, Any]:
        file = f"assets/runs/{self.arguments[0]}.json"
        record = json.loads(self.source(file).read_text(encoding="utf-8"))
        run = find_run(record, file)
        return {
            "record": record,
            "run": run,
            "short": short,
            "percent": percent,
            **describe(record, run["snapshots"]),
        }


def find_run(record: dict[str, Any], file: str) -> dict[str, Any]:
    """The run of a record that kept what the model wrote, at the most checkpoints."""
    runs = [run for run in record["runs"] if "continued" in run.get("snapshots", [{}])[0]]
    if not runs:
        raise FmkitError(
            f"{file}:1: no run with stories at its checkpoints: record it with {record['command']}"
        )
    return dict(max(runs, key=lambda run: len(run["snapshots"])))


def describe(record: dict[str, Any], looks: list[dict[str, Any]]) -> dict[str, Any]:
    """What the template shows of the snapshots of a run."""
    blind, floor = math.log(record["model"]["vocab_size"]), record["floor"]
    x = Axis(looks[0]["tokens"] / 1.15, looks[-1]["tokens"] * 1.15, log=True)
    y = Axis(blind + 0.4, 0)  # from the top
    peak = max(look["learning_rate"] for look in looks)
    rate = Axis(1.1 * peak, 0)
    last = len(looks) - 1
    static = {last // 5, last // 2, last}
    points = [
        {
            **look,
            "x": x(look["tokens"]),
            "y": y(look["loss"]),
            "rate_y": rate(look["learning_rate"]),
            "above": look["loss"] - floor,
            "stories": [
                passages(prompt, done)
                for prompt, done in zip(record["prompts"].values(), look["continued"], strict=True)
            ],
            "rates": rates(look["places"]),
            "static": number in static,
            "now": number == last // 2,
        }
        for number, look in enumerate(looks)
    ]
    powers = range(math.ceil(math.log10(looks[0]["tokens"])), math.floor(math.log10(looks[-1]["tokens"])) + 1)
    return {
        "points": points,
        "prompts": list(record["prompts"]),
        "blind": {"value": blind, "y": y(blind)},
        "floor": {"value": floor, "y": y(floor)},
        "ticks": {
            "x": [(x(10**power), short(10**power)) for power in powers],
            "y": [(y(value), value) for value in (0, 2, 4, 6)],
            "rate": [(rate(0), "0"), (rate(peak), f"{peak:.2g}")],
        },
        "rate_ticks": [(Axis(LOWEST, HIGHEST, log=True)(v), f"{100 * v:g}%") for v in (0.01, 0.1, 1)],
    }


def setup(app: Sphinx) -> None:
    app.add_directive("snapshots", Snapshots)
