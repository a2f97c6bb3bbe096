"""The `gaps` directive: what belongs in a gap of a story, from one side and from both.

    ```{gaps}
    ```

reads assets/runs/gaps.json. A slider moves the gap. For each, the page holds two tables: a model that has
read up to the gap, and one that sees both sides, each beside the world's own probabilities. On paper, and
with scripts off, there is one table of all gaps.
"""

import json
from itertools import chain
from typing import Any

from sphinx.application import Sphinx

from bookkit.site.page_widget import PageWidget
from bookkit.widgets import soften
from fmkit.errors import FmkitError

RECORD = "assets/runs/gaps.json"
SIDES = {"base": ("left", "reads up to the gap"), "masked": ("both", "sees both sides")}
START = 12  # the gap that is shown first: one that the next word decides
SHOWN = 3  # words that each of the two has at least, beside the right one


class Gaps(PageWidget):
    """A slider over the gaps of a story, beside what two models and the world expect in each."""

    widget = "gaps"

    def values(self) -> dict[str, Any]:
        record = read(self.source(RECORD).read_text(encoding="utf-8"), RECORD)
        return {
            "gaps": [describe(record, number) for number in range(len(record["asked"]))],
            "start": START,
            "command": record["command"],
        }


def read(text: str, file: str) -> dict[str, Any]:
    """The record; raises FmkitError where it lacks one of the two models."""
    record: dict[str, Any] = json.loads(text)
    models = {run["settings"]["model"] for run in record["runs"]}
    if missing := SIDES.keys() - models:
        raise FmkitError(f"{file}:1: no run of {min(missing)!r}: record it again")
    return record


def describe(record: dict[str, Any], number: int) -> dict[str, Any]:
    """What the template shows of a gap."""
    known = record["asked"][number]
    start, end = known["at"]
    word = record["story"][start:end]
    sides = []
    for run in record["runs"]:
        side, name = SIDES[run["settings"]["model"]]
        guessed = run["asked"][number]
        sides.append(
            {
                "name": name,
                "rows": rows(word, known[side], guessed),
                "world": percent(known[side][word]),
                "model": percent(guessed[word]),
            }
        )
    one, both = (known[side][word] for side in ("left", "both"))
    return {
        "number": number + 1,
        "before": record["story"][:start],
        "word": word,
        "after": record["story"][end:],
        "sides": sides,
        "kind": "told before" if one >= 0.99 else "told later" if both >= 0.99 else "left to chance",
    }


def rows(word: str, world: dict[str, float], model: dict[str, float]) -> list[dict[str, Any]]:
    """The likeliest words of world and model, and the right one, the world's likeliest first."""
    likely = [sorted(known, key=known.__getitem__, reverse=True)[:SHOWN] for known in (world, model)]
    chosen = sorted(
        {*chain(*likely), word}, key=lambda one: (-world.get(one, 0.0), -model.get(one, 0.0), one)
    )
    return [
        {"word": one, "right": one == word, "cells": [cell(world.get(one, 0.0)), cell(model.get(one, 0.0))]}
        for one in chosen
    ]


def percent(p: float) -> str:
    """A share as a short text; nothing and everything without a digit after the point."""
    return f"{p:.0%}" if p < 0.0005 or p > 0.9995 else soften.percent(p)


def cell(p: float) -> tuple[str, str]:
    """The length of a bar in percent, and its label."""
    return f"{100 * p:.2f}", percent(p)


def setup(app: Sphinx) -> None:
    app.add_directive("gaps", Gaps)
