"""The `threshold` directive: a sorter of reviews, and what a threshold on its probabilities does.

    ```{threshold}
    ```

reads assets/runs/sorter.json. A slider chooses the threshold, and two buttons how many labels the sorter had
learned from; the confusion matrix, its measures and the misread reviews follow. On paper, and with scripts
off, there is a figure and a table for each sorter, and what it misreads at one half.
"""

import json
import math
from collections.abc import Sequence
from typing import Any

from sphinx.application import Sphinx

from bookkit.site.page_widget import PageWidget
from fmkit.errors import FmkitError

RECORD = "assets/runs/sorter.json"
SHOWN = 60  # reviews, the first of the record
BELOW = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4)
THRESHOLDS = (*BELOW, 0.5, *(round(1 - p, 3) for p in reversed(BELOW)))
START = 0.5
IN_TABLE = (0.002, 0.01, 0.1, 0.5, 0.9, 0.99, 0.998)
EDGE = 8.0  # log-odds at both ends of the axis
TICKS = (0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999)


class Threshold(PageWidget):
    """A slider over the threshold, beside the confusion matrix and the misread reviews."""

    widget = "threshold"

    def values(self) -> dict[str, Any]:
        record = read(self.source(RECORD).read_text(encoding="utf-8"), RECORD)
        texts, truth = record["reviews"][:SHOWN], [bool(one) for one in record["is_complaint"][:SHOWN]]
        return {
            "sorters": [
                describe(run["settings"]["labels"], run["complaint"][:SHOWN], truth, texts)
                for run in record["runs"]
            ],
            "thresholds": json.dumps(THRESHOLDS),
            "start": START,
            "ticks": [(place_of(p), f"{p:g}") for p in TICKS],
            "counts": {"reviews": len(texts), "complaints": sum(truth), "praise": len(texts) - sum(truth)},
            "command": record["command"],
        }


def read(text: str, file: str) -> dict[str, Any]:
    """The record; raises FmkitError if it has too few reviews for the figure."""
    record: dict[str, Any] = json.loads(text)
    if len(record["reviews"]) < SHOWN:
        raise FmkitError(f"{file}:1: {len(record['reviews'])} reviews, of {SHOWN}: record it again")
    return record


def describe(
    labels: int, sure: Sequence[float], truth: Sequence[bool], texts: Sequence[str]
) -> dict[str, Any]:
    """What the template shows of a sorter."""
    rows = []
    for threshold in IN_TABLE:
        counts = confusion(sure, truth, threshold)
        scores = {name: f"{value:.2f}" for name, value in measures(*counts).items()}
        rows.append({"threshold": f"{threshold:g}", "counts": counts, "scores": scores})
    reviews: list[dict[str, Any]] = [
        {
            "p": p,
            "sure": "<0.001" if p < 0.0005 else ">0.999" if p > 0.9995 else f"{p:.3f}",
            "complaint": is_one,
            "text": text,
            "x": place_of(p) + spread(p, number),
            "y": round(100 * ((number * 0.618) % 1), 1),  # apart from its neighbors, and always the same
            "misread": (p >= START) != is_one,
        }
        for number, (p, is_one, text) in enumerate(zip(sure, truth, texts, strict=True))
    ]
    ordered = sorted(reviews, key=lambda one: -abs(one["p"] - 0.5))
    return {"labels": f"{labels:,}", "rows": rows, "reviews": ordered}


def confusion(sure: Sequence[float], truth: Sequence[bool], threshold: float) -> tuple[int, int, int, int]:
    """True and false positives, false and true negatives, a complaint being the positive case."""
    pairs = [(p >= threshold, is_one) for p, is_one in zip(sure, truth, strict=True)]
    hit, alarm, miss, rest = (
        pairs.count(cell) for cell in ((True, True), (True, False), (False, True), (False, False))
    )
    return hit, alarm, miss, rest


def measures(hit: int, alarm: int, miss: int, rest: int) -> dict[str, float]:
    """Accuracy, precision, recall and F1; a precision of nothing claimed is 0."""
    return {
        "accuracy": (hit + rest) / (hit + alarm + miss + rest),
        "precision": hit / (hit + alarm) if hit + alarm else 0.0,
        "recall": hit / (hit + miss),
        "F1": 2 * hit / (2 * hit + alarm + miss),
    }


def place_of(p: float) -> float:
    """The place of a probability on an axis of log-odds, in percent; 0 and 1 are at its ends."""
    near = min(max(p, 0.0005), 0.9995)
    return round(50 * (1 + math.log(near / (1 - near)) / EDGE), 2)


def spread(p: float, number: int) -> float:
    """What sets marks apart at the ends of the axis, where many share one place, in percent of the width."""
    return round(4 * ((number * 0.755) % 1) - 2, 2) if not 0.0005 < p < 0.9995 else 0.0


def setup(app: Sphinx) -> None:
    app.add_directive("threshold", Threshold)
