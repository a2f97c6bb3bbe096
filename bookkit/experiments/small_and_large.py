"""What teacher and student take to answer: the size of the file, memory, and CPU seconds at two batch sizes.

CPU seconds and not those on the wall, since the machine may be doing other work. Each run has a process of
its own, which has written with a tiny model before its memory is first looked at (Linux only), so that what
any model needs once is not counted.
"""

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bookkit.experiments.foundations import MODELS, committed
from bookkit.experiments.recording import Experiment, experiment
from fmkit.config import ModelConfig, reproducible
from fmkit.data.tokenizer import BOS, special_id
from fmkit.flops import num_parameters
from fmkit.generation import generate_ids
from fmkit.model import Transformer

NAMES = ("teacher", "student")
BATCHES = (1, 16)
TOKENS = 100  # of an answer; it may not end before, so that all answers are of one length
ANSWERS = 48
REPETITIONS = 5
TINY = ModelConfig(vocab_size=64, hidden_size=16, num_hidden_layers=1)


@experiment("small-and-large")
def small_and_large() -> Experiment:
    about = {
        "parameters": {name: num_parameters(committed(name)[0].config) for name in NAMES},
        "file_bytes": {name: (MODELS / name / "model.safetensors").stat().st_size for name in NAMES},
        "answers": ANSWERS,
        "tokens_per_answer": TOKENS,
    }

    def train(model: str, batch_size: int, repetition: int) -> dict[str, Any]:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            return {"scores": alone.submit(answer, model, batch_size).result()}

    arms = [
        {"model": name, "batch_size": size, "repetition": number}
        for number in range(REPETITIONS)
        for name in NAMES
        for size in BATCHES
    ]
    return Experiment(about, train, arms)


def answer(name: str, batch_size: int) -> dict[str, float]:
    """Write `ANSWERS` texts, so many at a time: tokens a CPU second, and the memory that this added."""
    reproducible(0)
    generate_ids(Transformer(TINY), [[1]] * batch_size, 5, seed=1)
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
    before = memory("VmRSS")
    model, tokenizer = committed(name)
    start = [special_id(tokenizer, BOS)]
    generate_ids(model, [start] * batch_size, 5, seed=1)  # what only the first call does is not timed
    began = time.process_time()
    for number in range(ANSWERS // batch_size):
        generate_ids(model, [start] * batch_size, TOKENS, seed=number)
    seconds = time.process_time() - began
    return {
        "tokens_per_second": round(ANSWERS * TOKENS / seconds, 1),
        "added_megabytes": round(memory("VmHWM") - before, 1),
    }


def memory(name: str) -> float:
    """Megabytes of this process: `VmRSS`, what it has, or `VmHWM`, the most that it has had."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith(name))
