"""The `newborn` directive, with which the front page begins: a model that learns while the reader watches.

    ```{newborn}
    ```

One press, and the page trains a new model on the stories of the story world. Its loss falls toward the
floor, and each second it writes a story, whose first wrong word is marked. Below it the reader talks to the
book's base model, which was trained for longer. Nothing is loaded before a press. On paper, and with scripts
off, a recorded run of the same model is there instead: the longest of assets/runs/lab.json.

The `install` directive is the page's other part: the commands that build the book, and the link to its
source where `fmkit_repository` is set.
"""

import json
import math
from typing import Any

from sphinx.application import Sphinx

from bookkit.site.page_widget import PageWidget

RECORD = "assets/runs/lab.json"
BASE = "assets/models/base"
LADDER = (5, 4, 3, 2, 1.5)  # losses, in nats: when the run first falls below one, its story is kept
BEGINNINGS = (
    "Once upon a time, there was a clever girl named Molly.",
    "Bruno was a hungry bear who",
    "Dear customer service,",
)
WIDTH, HEIGHT = 620, 200  # of the recorded curve, without its labels


class Newborn(PageWidget):
    """A model to train, and one to talk to."""

    widget = "newborn"

    def values(self) -> dict[str, Any]:
        record = json.loads(self.source(RECORD).read_text(encoding="utf-8"))
        vocabulary = record["model"]["vocab_size"]
        return {
            "parameters": record["parameters"],
            "vocabulary": vocabulary,
            "floor": record["floor"],
            "chance": math.log(vocabulary),
            "ladder": LADDER,
            "recorded": drawn(longest(record["runs"]), math.ceil(math.log(vocabulary)), record["floor"]),
            "base": self.base(),
            "beginnings": BEGINNINGS,
        }

    def base(self) -> dict[str, Any]:
        """What the page says about the model to talk to."""
        record = json.loads(self.source(f"{BASE}/record.json").read_text(encoding="utf-8"))
        loss, floor = (
            next(result["value"] for result in record["results"] if result["name"] == name)
            for name in ("loss", "floor")
        )
        size = (
            self.source(f"{BASE}/model.safetensors").stat().st_size
        )  # float32; the page's copy is in float16
        return {"loss": loss, "floor": floor, "megabytes": size / 2e6, "parameters": size / 4}


class Install(PageWidget):
    """The commands that build the book, and where its source is."""

    widget = "install"

    def values(self) -> dict[str, Any]:
        return {"repository": self.config.fmkit_repository}


def longest(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The run that read most, and of several the one with the lowest loss."""
    whole = [run for run in runs if run.get("validation_loss")]
    return max(whole, key=lambda run: (run["tokens"][-1], -run["validation_loss"]))


def drawn(run: dict[str, Any], top: float, floor: float) -> dict[str, Any]:
    """A recorded run, with its curve as the points of an SVG."""
    end = run["tokens"][-1]
    places = zip(run["tokens"], run["loss"], strict=True)
    points = [(WIDTH * tokens / end, HEIGHT * (1 - loss / top)) for tokens, loss in places]
    return {
        "points": " ".join(f"{x:.1f},{y:.1f}" for x, y in points),
        "end": points[-1][1],
        "floor": HEIGHT * (1 - floor / top),
        "width": WIDTH,
        "height": HEIGHT,
        "tokens": end,
        "first": run["loss"][0],
        "loss": run["validation_loss"],
        "command": run["command"],
    }


def setup(app: Sphinx) -> None:
    app.add_directive("newborn", Newborn)
    app.add_directive("install", Install)
