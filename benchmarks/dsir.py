"""DSIR weights beside the authors' package: the same texts, in turn, in CPU seconds.

    python benchmarks/dsir.py [--rounds 5] [--documents 4000]

Each round weighs the documents of each corpus against 400 stories, first with `data-selection`, in one
process and from the JSON Lines files that it reads, then with fmkit in memory, then with fmkit selecting a
tenth from a stream (two passes). The table gives medians over the rounds, the median of the round-by-round
ratios, and the greatest difference between two log-weights.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TQDM_DISABLE", "1")

import datasets
import nltk
import numpy as np
from data_selection import HashedNgramDSIR, __version__
from datasets import Dataset

from bookkit.experiments.recording import processor
from fmkit import load_corpus
from fmkit.selection import dsir_select, dsir_weights
from fmkit.world import WEB


def official_weights(folder: Path) -> np.ndarray:
    """The package tells of its progress on stderr, which costs little but hides the table."""
    with contextlib.redirect_stderr(None), tempfile.TemporaryDirectory() as cache:
        peer = HashedNgramDSIR([str(folder / "raw")], [str(folder / "target")], cache, num_proc=1)
        peer.fit_importance_estimator(num_tokens_to_fit="all")
        peer.compute_importance_weights()
        return np.load(Path(cache) / "log_importance_weights" / "0.npy")


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def compare(raw: Dataset, target: Dataset, rounds: int) -> tuple[dict[str, list[float]], float]:
    times: dict[str, list[float]] = {"data-selection": [], "fmkit": [], "fmkit, streamed": []}
    with tempfile.TemporaryDirectory() as folder:
        raw.to_json(Path(folder) / "raw")
        target.to_json(Path(folder) / "target")
        for _ in range(rounds):
            seconds, theirs = timed(lambda: official_weights(Path(folder)))
            times["data-selection"].append(seconds)
            seconds, ours = timed(lambda: dsir_weights(raw["text"][:], target["text"][:]))
            times["fmkit"].append(seconds)
            seconds, _ = timed(lambda: dsir_select(raw.to_iterable_dataset(), target, len(raw) // 10))
            times["fmkit, streamed"].append(seconds)
    return times, float(np.abs(ours - theirs).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--documents", type=int, default=4000)
    options = parser.parse_args()
    datasets.disable_progress_bars()
    count = options.documents
    target = load_corpus("stories")["validation"].select(range(400)).select_columns("text")
    python_docs = load_corpus("python-docs")["train"].select_columns("text").select(range(count))
    crawl = WEB.load(count, 10)["train"].select_columns("text")
    joined = [" ".join(python_docs["text"][i : i + 10]) for i in range(0, count, 10)]
    corpora = {
        "python-docs": python_docs,
        "python-docs, joined by ten": Dataset.from_dict({"text": joined}),
        "web, a domain of the world": crawl,
    }
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout
    print(f"{processor()}; commit {commit.strip()}; one process, one thread, {options.rounds} rounds")
    print(f"data-selection {__version__} with nltk {nltk.__version__}; numpy {np.__version__}")
    for name, raw in corpora.items():
        times, difference = compare(raw, target, options.rounds)
        words = statistics.mean(len(text.split()) for text in raw["text"])
        print(f"\n{name}: {len(raw)} documents of {words:.0f} words; log-weights within {difference:.0e}")
        print(f"{'':20} documents/CPU s  ratio to data-selection")
        for contestant, seconds in times.items():
            speed = len(raw) / statistics.median(seconds)
            ratio = statistics.median(a / b for a, b in zip(times["data-selection"], seconds, strict=True))
            print(f"{contestant:20} {speed:15.0f} {ratio:24.2f}")


if __name__ == "__main__":
    main()
