"""Requests a second, and how long each waits: fmkit serve with continuous batching and one at a time.

    python benchmarks/serve.py [--requests 96] [--model assistant]

The same server twice, on a model of the book: with 32 places in its batch, and with one. 1, 8 and 32 clients
each ask for their next completion as soon as they have the last; completions are streamed, of 8 to 64 tokens,
half of them greedy. Clients run in this process, the server in another, with one thread for its arithmetic.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import httpx
import torch
from serving import serving

from bookkit.experiments.recording import processor
from fmkit.assets import asset

CLIENTS, PLACES = (1, 8, 32), {"one at a time": 1, "continuous batching": 32}
PROMPTS = ("Once upon", "The fox", "Where is my parcel?", "A")


async def ask(client: httpx.AsyncClient, model: str, i: int) -> tuple[float, float, int]:
    """Seconds to the first piece of an answer and to its end, and its tokens."""
    body = {"model": model, "prompt": PROMPTS[i % 4], "max_tokens": 8 + i * 7 % 57, "seed": i}
    body |= {"temperature": float(i % 2), "stream": True, "stream_options": {"include_usage": True}}
    start, first, last = time.perf_counter(), 0.0, ""
    async with client.stream("POST", "/v1/completions", json=body) as answer:
        assert answer.status_code == 200, await answer.aread()
        async for line in answer.aiter_lines():
            first = first or time.perf_counter() - start
            last = line if '"completion_tokens"' in line else last
    return first, time.perf_counter() - start, int(last.partition('"completion_tokens":')[2].split(",")[0])


async def load(url: str, model: str, clients: int, requests: int) -> list[str]:
    """Have the clients share the requests; return a row of the table."""
    async with httpx.AsyncClient(base_url=url, timeout=600) as client:
        await ask(client, model, 0)  # warms up
        numbers, found = count(), []

        async def go_on() -> None:
            while (i := next(numbers)) < requests:
                found.append(await ask(client, model, i))

        start = time.perf_counter()
        await asyncio.gather(*(go_on() for _ in range(clients)))
        seconds = time.perf_counter() - start
    firsts, ends, tokens = zip(*found, strict=True)
    shares = statistics.quantiles(ends, n=100, method="inclusive")
    milliseconds = [statistics.median(firsts), shares[49], shares[94], shares[98]]
    return [
        f"{requests / seconds:.1f}",
        f"{sum(tokens) / seconds:.0f}",
        *(f"{1000 * t:.0f}" for t in milliseconds),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--requests", type=int, default=96)
    parser.add_argument("--model", default="assistant")
    options = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout
    print(f"{processor()}, {torch.backends.cpu.get_cpu_capability()}; torch {torch.__version__}; ", end="")
    print(f"commit {commit.strip()}; {options.model}, {options.requests} requests a row")
    print(f"{'':22}clients  requests/s  tokens/s  first ms (median)  whole ms: median    95%    99%")
    for way, places in PLACES.items():
        with serving(asset(f"models/{options.model}"), "--max-batch", str(places)) as server:
            for clients in CLIENTS:
                row = asyncio.run(load(server.url, options.model, clients, options.requests))
                cells = zip(row, (12, 10, 19, 18, 7, 7), strict=True)
                print(
                    f"{way:22}{clients:7}{''.join(f'{cell:>{width}}' for cell, width in cells)}", flush=True
                )


if __name__ == "__main__":
    main()
