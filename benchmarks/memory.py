"""Peak memory of each of two processes on a CPU, measured beside what `fmkit.cluster` predicts.

    python benchmarks/memory.py

A process's resident memory is read while it trains; freed memory goes back to the system at once. With FSDP
on a CPU, the model that was given, which stays whole, is in the same memory and is counted, too.
"""

import os
import subprocess
import sys
import threading
import time
from typing import Any

import torch

from fmkit import ModelConfig, TrainConfig, Transformer
from fmkit.cluster import bytes_per_device
from fmkit.flops import num_parameters
from fmkit.objectives import language_modeling
from fmkit.parallel import join, rank, size
from fmkit.trainer import Trainer

ROWS, CONTEXT = 8, 256
MODEL = ModelConfig(8192, 384, 8, 6, max_position_embeddings=CONTEXT)
TINY = ModelConfig(8192, 32, 1, 1, max_position_embeddings=CONTEXT)
HOW: dict[str, dict[str, Any]] = {
    "ddp": {},
    "fsdp": {"fsdp": True},
    "ddp, checkpointing": {"gradient_checkpointing": True},
    "fsdp, checkpointing": {"fsdp": True, "gradient_checkpointing": True},
}


class Noise:
    """A loader of random tokens, in rows as long as the model can take."""

    def __init__(self, model: ModelConfig, rows: int) -> None:
        self.vocab_size, self.shape = model.vocab_size, (rows, model.max_position_embeddings)

    def __next__(self) -> dict[str, Any]:
        ids = torch.randint(0, self.vocab_size, self.shape)
        count = ids.numel()
        return {
            "input_ids": ids,
            "labels": ids,
            "document_ids": None,
            "num_items": count,
            "num_tokens": count,
        }

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        pass


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def train(model: ModelConfig, config: TrainConfig) -> None:
    list(Trainer(Transformer(model), language_modeling, Noise(model, ROWS), config).run())


def measure(how: str) -> None:
    torch.set_num_threads(1)
    join(torch.device("cpu"))
    config = TrainConfig(steps=2, batch_size=ROWS, device="cpu", dtype="float32", **HOW[how])
    train(TINY, config)  # what libraries hold
    start, peak, done = resident(), 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.is_set():
            peak = max(peak, resident())
            time.sleep(0.002)

    watcher = threading.Thread(target=watch)
    watcher.start()
    train(MODEL, config)
    done.set()
    watcher.join()
    predicted = bytes_per_device(MODEL, config, size()) + 4 * num_parameters(MODEL) * config.fsdp
    if rank() == 0:
        print(f"| {how} | {(peak - start) / 1e6:.0f} | {predicted / 1e6:.0f} |", flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(sys.argv[1])
        sys.exit()
    print("| two processes | measured, MB | predicted, MB |\n|---|---|---|", flush=True)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", __file__]
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536", "OMP_NUM_THREADS": "1"}
    for how in HOW:
        subprocess.run([*launcher, how], env=environment, check=True)
