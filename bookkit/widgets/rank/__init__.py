"""The `rank` directive: what adapters of each rank, and all weights, learn and forget in recorded runs.

    ```{rank}
    ```

reads assets/runs/lora-near.json and lora-rank.json. A slider chooses the rank, and three buttons what is to
be learned: far from the base, far with the embeddings frozen, and near it. The page holds every choice as
HTML, and rank.js shows one; on paper, and with scripts off, each task is a figure and a table.
"""

import json
import math
from collections.abc import Callable
from typing import Any

from sphinx.application import Sphinx

from bookkit.site.page_widget import PageWidget
from fmkit.errors import FmkitError
from fmkit.records import Run, by_setting, score

NEAR, FAR = "assets/runs/lora-near.json", "assets/runs/lora-rank.json"
RANKS = (1, 2, 4, 8, 16, 0)  # 0: all weights
START = 4
FLOAT, ADAMW = 4, 8  # bytes of a weight or its gradient, and of its two moments


class Rank(PageWidget):
    """A slider over the rank, beside what was learned and what was forgotten."""

    widget = "rank"

    def values(self) -> dict[str, Any]:
        near, far = (read(self.source(file).read_text(encoding="utf-8"), file) for file in (NEAR, FAR))
        before = by_setting(near, "rank", lambda run: float(run["before"]["home"]))[0].mean
        return {"tasks": tasks(near, far, before), "before": f"{before:.2f}"}


def read(text: str, file: str) -> list[Run]:
    """The runs of a record; raises FmkitError if one of `RANKS` is missing."""
    runs: list[Run] = json.loads(text)["runs"]
    for rank in RANKS:
        if not any(run["settings"]["rank"] == rank for run in runs):
            raise FmkitError(f"{file}:1: no run with rank={rank}: record it again")
    return runs


def tasks(near: list[Run], far: list[Run], before: float) -> list[dict[str, Any]]:
    """The three things to learn, each with its points in the order of `RANKS`."""

    def forgot(run: Run) -> float:
        return score("stories")(run) - before

    frozen = [run for run in far if not run["settings"]["embeddings"] or not run["settings"]["rank"]]
    whole = [run for run in far if run["settings"]["embeddings"]]
    right = ("right intents", score("intent"), "{:.0%}")
    lost = ("nats per token lost on the old stories", forgot, "{:.1f}")
    return [
        describe(
            "far from the base",
            "A shop’s answers as JSON, with the embeddings trained, too",
            whole,
            right,
            lost,
        ),
        describe(
            "far, embeddings frozen",
            "The same answers, with all embeddings frozen; to compare, all weights with trained embeddings",
            frozen,
            right,
            lost,
        ),
        describe(
            "near the base",
            "Stories of another world, with other names and facts",
            near,
            ("nats per token won in the new world", lambda run: gain(run, "abroad"), "{:.3f}"),
            ("nats per token lost in the old world", lambda run: -gain(run, "home"), "{:.3f}"),
        ),
    ]


def gain(run: Run, world: str) -> float:
    return float(run["before"][world] - run["scores"][world])


Measure = tuple[str, Callable[[Run], float], str]  # what it is, of a run, and how it is written


def describe(name: str, about: str, runs: list[Run], learned: Measure, forgotten: Measure) -> dict[str, Any]:
    """What the template shows of a task."""
    planes = [plane(*measure, runs) for measure in (learned, forgotten)]
    trained = by_setting(runs, "rank", lambda run: float(run["trained_parameters"]))
    size, per_rank = trained[0].mean, trained[2].mean - trained[1].mean
    points = []
    for place, rank in enumerate(RANKS):
        parts = memory(size + rank * per_rank, trained[rank].mean)
        points.append(
            {
                "name": f"rank {rank}" if rank else "all weights",
                "x": place_of(place),
                "trained": f"{trained[rank].mean:,.0f}",
                "share": f"{100 * trained[rank].mean / size:.3g}%",
                "memory": f"{sum(parts.values()) / 1e6:.1f} MB",
                "parts": {part: 100 * count / (size * (2 * FLOAT + ADAMW)) for part, count in parts.items()},
                "measured": [one["points"][place] for one in planes],
                "now": rank == START,
            }
        )
    return {"name": name, "about": about, "planes": planes, "points": points}


def memory(weights: float, trained: float) -> dict[str, float]:
    """Bytes of training in float32, without activations: gradients and moments are of what learns."""
    return {"weights": FLOAT * weights, "gradients": FLOAT * trained, "moments": ADAMW * trained}


def place_of(number: int) -> float:
    """The middle of a rank's column, in percent of the width."""
    return round(100 * (number + 0.5) / len(RANKS), 2)


def plane(title: str, value: Callable[[Run], float], form: str, runs: list[Run]) -> dict[str, Any]:
    """A figure of one measure over the ranks: its scale, and the mean and range of each rank's seeds."""
    found = by_setting(runs, "rank", value)
    top = round_up(max(seeds.high for seeds in found.values()))

    def y(number: float) -> float:
        return round(100 * (1 - number / top), 2)

    points = [
        {
            "x": place_of(place),
            "y": y(found[rank].mean),
            "low": y(found[rank].low),
            "high": y(found[rank].high),
            "mean": form.format(found[rank].mean),
            "range": f"{form.format(found[rank].low)} to {form.format(found[rank].high)}",
        }
        for place, rank in enumerate(RANKS)
    ]
    ticks = [(y(share * top), form.format(share * top)) for share in (0, 0.5, 1)]
    return {"title": title, "points": points, "ticks": ticks}


def round_up(number: float) -> float:
    """The next number of one digit that is even or 1: the top of an axis whose middle has a short name."""
    power = 10.0 ** math.floor(math.log10(number)) if number > 0 else 0.1
    return next(digit * power for digit in (1, 2, 4, 6, 8, 10) if digit * power >= number)


def setup(app: Sphinx) -> None:
    app.add_directive("rank", Rank)
