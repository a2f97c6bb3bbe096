"""The `batching` directive: static and continuous batches of requests of unequal length, drawn step by step.

    ```{batching}
    ```

Sliders choose the number of requests, of places, and the step; batching.js draws one of the plans that are
made here. What a batch of this size takes is read from assets/runs/serving.json. On paper, and with scripts
off, the plan of `START` is there, with the table of all numbers of places.
"""

import json
from collections.abc import Sequence
from statistics import mean, median
from typing import Any

from sphinx.application import Sphinx

from bookkit.site.page_widget import PageWidget
from fmkit.errors import FmkitError
from fmkit.records import Run

RECORD, MODEL = "assets/runs/serving.json", "base"
LENGTHS = (10, 90, 20, 30, 80, 10, 20, 40, 60, 10, 30, 50, 20, 70, 10, 30)  # tokens of each answer
REQUESTS, PLACES = (4, 8, 12, 16), (1, 2, 4, 8)
START = {"requests": 8, "places": 4, "step": 40}
WAYS = {
    "static": "a batch begins when all answers of the one before are done",
    "continuous": "a request begins as soon as a place is free",
}


class Batching(PageWidget):
    """Two ways to share the places of a server, and what was measured."""

    widget = "batching"

    def values(self) -> dict[str, Any]:
        runs = json.loads(self.source(RECORD).read_text(encoding="utf-8"))["runs"]
        plans = {
            f"{count} {places}": {way: plan(LENGTHS[:count], places, way) for way in WAYS}
            for count in REQUESTS
            for places in PLACES
        }
        return {
            "ways": WAYS,
            "lengths": LENGTHS,
            "plans": plans,
            "shown": plans[f"{START['requests']} {START['places']}"],
            "start": START,
            "rows": [
                {"places": places, "plan": plans[f"{START['requests']} {places}"], **measured(runs, places)}
                for places in PLACES
            ],
            "data": json.dumps({"start": START, "lengths": LENGTHS, "plans": plans}, separators=(",", ":")),
            "most": max(PLACES),
        }


def plan(lengths: Sequence[int], places: int, way: str) -> dict[str, Any]:
    """The place and the first step of each answer, the step at which all are done, and both in words."""
    free, spans = [0] * places, []  # the step from which on each place is free
    for number, length in enumerate(lengths):
        if way == "static" and number % places == 0:
            free = [max(free)] * places
        place = free.index(min(free))
        spans.append((place, free[place]))
        free[place] += length
    ends = [start + length for (_, start), length in zip(spans, lengths, strict=True)]
    used = sum(lengths) / (places * max(ends))
    says = (
        f"All done at step {max(ends)}, on average at step {mean(ends):.0f}; {used:.0%} of the room is used."
    )
    return {"spans": spans, "end": max(ends), "says": says}


def measured(runs: Sequence[Run], places: int) -> dict[str, str]:
    """Throughput and the wait for a token of a batch that is kept full; raises FmkitError without a run."""
    wanted = {"model": MODEL, "format": "float32", "batch": places}
    some = [run for run in runs if wanted.items() <= run["settings"].items()]
    if not some:
        raise FmkitError(f"{RECORD}:1: no run of {MODEL} with batch={places}: record it again")
    speed = median(run["scores"]["tokens per second"] for run in some)
    return {"speed": f"{speed:,.0f}", "wait": f"{median(run['step_ms'] for run in some):.2f}"}


def setup(app: Sphinx) -> None:
    app.add_directive("batching", Batching)
