"""The `replay` directive: what a model learns of a new field and forgets of an old one, by its replay.

    ```{replay}
    ```

reads assets/runs/forgetting.json, for the losses of three seeds, and replay-texts.json, for what the models
write. A slider chooses the share. The page holds every choice as HTML, and replay.js shows one; on paper, and
with scripts off, all of them are there.
"""

import json
import math
from typing import Any

from sphinx.application import Sphinx

from bookkit.site.page_widget import PageWidget
from fmkit.errors import FmkitError
from fmkit.records import Run, by_setting, score

LOSSES, TEXTS = "assets/runs/forgetting.json", "assets/runs/replay-texts.json"
FIELDS = {"medical": "Medical notes, the new field", "stories": "Stories, the old field"}
START = 0.05


class Replay(PageWidget):
    """A slider over the share of replay, with both losses and a text in each field."""

    widget = "replay"

    def values(self) -> dict[str, Any]:
        losses, texts = (
            json.loads(self.source(file).read_text(encoding="utf-8"))["runs"] for file in (LOSSES, TEXTS)
        )
        shares = sorted({run["settings"]["replay_share"] for run in losses})
        return {
            "planes": {field: plane(field, losses, shares) for field in FIELDS},
            "points": [describe(share, losses, texts, share == START) for share in shares],
            "before": written(None, texts),
            "axis": [(place_of(n, shares), f"{share:.0%}") for n, share in enumerate(shares)],
            "shares": shares,
            "fields": FIELDS,
        }


def place_of(number: int, shares: list[float]) -> float:
    """The middle of a share's column, in percent of the width."""
    return round(100 * (number + 0.5) / len(shares), 2)


def plane(field: str, runs: list[Run], shares: list[float]) -> dict[str, Any]:
    """A figure of one loss over the shares: its scale, the points of all seeds, the line of their means."""
    found = by_setting(runs, "replay_share", score(field), start="base")
    alone = by_setting(runs, "replay_share", score(field), start="scratch")[0.0].mean
    highest = max(seeds.high for seeds in found.values())
    top = math.ceil(2 * max(highest, alone if field == "medical" else 0)) / 2

    def y(loss: float) -> float:
        return round(100 * (1 - loss / top), 2)

    return {
        "points": [(place_of(n, shares), y(one)) for n, s in enumerate(shares) for one in found[s].values],
        "line": [(place_of(n, shares), y(found[s].mean)) for n, s in enumerate(shares)],
        "ticks": [(y(loss), f"{loss:g}") for loss in (0, top / 2, top)],
        "alone": (y(alone), f"{alone:.2f}") if field == "medical" else None,
    }


def describe(share: float, losses: list[Run], texts: list[Run], now: bool) -> dict[str, Any]:
    """What the readout of a share says."""
    found = {field: by_setting(losses, "replay_share", score(field), start="base")[share] for field in FIELDS}
    return {
        "name": f"{share:.0%}",
        "losses": {
            field: (f"{seeds.mean:.2f}", f"{seeds.low:.2f} to {seeds.high:.2f}")
            for field, seeds in found.items()
        },
        "texts": written(share, texts),
        "now": now,
    }


def written(share: float | None, texts: list[Run]) -> dict[str, Any]:
    """What the model with this share of replay wrote, or the one without notes; raises FmkitError."""
    for run in texts:
        if run["settings"]["replay_share"] == share:
            return dict(run["texts"])
    raise FmkitError(f"{TEXTS}:1: no text with replay_share={share}: record it again")


def setup(app: Sphinx) -> None:
    app.add_directive("replay", Replay)
