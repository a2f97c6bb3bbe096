"""How fast does each step of sifting a crawl go, and are our DSIR weights those of the authors' package?

Each step reads the same 4,000 pages three times, and the fastest time counts. The weights that the package
`data-selection` gives the first 400 pages are recorded, too, so that a notebook can compare without it.
"""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset

from bookkit.experiments.recording import Experiment, experiment
from fmkit.selection import (
    drop_duplicates,
    drop_near_duplicates,
    dsir_weights,
    filter_corpus,
    scrub,
)
from fmkit.world import MEDICAL, WEB

PAGES, TARGET, KEPT, ROUNDS = 4_000, 300, 400, 3
THRESHOLD = 0.5
TARGET_SEED = 1_000  # as in `bookkit.experiments.selection`, seed 0


@experiment("sifting")
def sifting() -> Experiment:
    pages = WEB.load(PAGES, 1)["train"].select_columns("text")
    target = MEDICAL.load(TARGET, 1, TARGET_SEED)["train"].select_columns("text")
    steps: dict[str, Callable[[], Any]] = {
        "filters": lambda: filter_corpus(pages),
        "exact copies": lambda: drop_duplicates(pages),
        "near-duplicates": lambda: drop_near_duplicates(pages, THRESHOLD),
        "personal data": lambda: list(map(scrub, pages["text"])),
        "DSIR": lambda: dsir_weights(pages["text"], target["text"]),
        "DSIR, official": lambda: official_weights(pages, target),
    }

    def train(step: str) -> dict[str, Any]:
        times: list[float] = []
        found: Any = None
        for _ in range(ROUNDS):
            started = time.process_time()
            found = steps[step]()
            times.append(time.process_time() - started)
        scores = {"pages_per_second": round(PAGES / min(times))}
        if not step.endswith("official"):
            return {"scores": scores}
        return {"scores": scores, "weights": [round(weight, 9) for weight in found[:KEPT].tolist()]}

    about = {"pages": PAGES, "target": TARGET, "threshold": THRESHOLD}
    return Experiment(about, train, [{"step": step} for step in steps])


def official_weights(pages: Dataset, target: Dataset) -> np.ndarray:
    """Log importance weights by `data-selection` (Xie et al. 2023), which reads files of JSON Lines."""
    from data_selection import HashedNgramDSIR

    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder, name) for name in ("raw", "target")}
        for path, rows in zip(paths.values(), (pages, target), strict=True):
            path.write_text("".join(json.dumps({"text": text}) + "\n" for text in rows["text"]))
        peer = HashedNgramDSIR([str(paths["raw"])], [str(paths["target"])], folder, num_proc=1)
        peer.fit_importance_estimator(num_tokens_to_fit="all")
        peer.compute_importance_weights()
        return np.load(Path(folder, "log_importance_weights", "0.npy"))
