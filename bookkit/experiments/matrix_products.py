"""How many operations a second one core does in matrix products: by their size, and by how often a number
that was fetched is used.

A square product uses each number many times. A product of few rows with a large matrix, as when one token
is written, fetches the whole matrix for little work. The sum of a long vector and a number uses each number
once.
"""

import time
from collections.abc import Callable
from typing import Any

import torch

from bookkit.experiments.recording import Experiment, experiment

SIZES = (8, 16, 32, 64, 128, 256, 512, 1024, 2048)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
WIDE = 4096  # 67 MB in float32: more than the caches hold
LONG = 2**26
SECONDS = 0.4  # for each arm


def fastest(work: Callable[[], Any]) -> float:
    """Seconds of this thread's processor: other programs on the machine only make it slower."""
    work()
    best, started = float("inf"), time.perf_counter()
    while time.perf_counter() - started < SECONDS:
        before = time.thread_time()
        work()
        best = min(best, time.thread_time() - before)
    return best


@experiment("matrix-products")
def matrix_products() -> Experiment:
    """Square products in two formats, thin ones in float32, and a sum."""

    def train(kind: str, size: int, format: str) -> dict[str, Any]:
        of = {"dtype": getattr(torch, format), "generator": torch.Generator().manual_seed(0)}
        if kind == "sum":
            left, out = torch.randn(size, **of), torch.empty(size, dtype=of["dtype"])
            flops, numbers, work = size, 2 * size, lambda: torch.add(left, 1, out=out)
        else:
            wide = size if kind == "square" else WIDE
            left, right = torch.randn(size, wide, **of), torch.randn(wide, wide, **of)
            out = torch.empty(size, wide, dtype=of["dtype"])
            flops, numbers = 2 * size * wide * wide, 2 * size * wide + wide * wide
            work = lambda: torch.mm(left, right, out=out)  # noqa: E731
        seconds, moved = fastest(work), numbers * left.element_size()
        return {"flops": flops, "bytes": moved, "scores": {"gflops": round(flops / seconds / 1e9, 2)}}

    square = [
        {"kind": "square", "size": n, "format": form} for form in ("float32", "bfloat16") for n in SIZES
    ]
    thin = [{"kind": "thin", "size": rows, "format": "float32"} for rows in ROWS]
    long = [{"kind": "sum", "size": LONG, "format": "float32"}]
    return Experiment({"threads": torch.get_num_threads(), "wide": WIDE}, train, [*square, *thin, *long])
