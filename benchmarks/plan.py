"""Runs of one and two processes on a CPU, predicted by `fmkit.cluster.plan_run` and then measured.

    python benchmarks/plan.py

What `plan_run` is told is measured first: the peak, by a large matrix product of one core; the MFU, by one
short run of one process; and the bandwidth, by sums over two processes of as many bytes as that run's
gradients have. The other runs are longer, or have another shape, or two processes.

Seconds are those of a process's CPU time, with all of its threads, so that other programs on the machine
hardly count: what a step takes where each process has one core to itself, by which it also sends. The time of
a step is the tenth percentile of those of a run, without the first two. The hours are those of a run of as
many steps as were measured.
"""

import json
import os
import subprocess
import sys
import time
from statistics import quantiles
from typing import Any

import torch
import torch.distributed as dist
from memory import Noise

from fmkit import ModelConfig, TrainConfig, Transformer
from fmkit.cluster import plan_run
from fmkit.flops import flops_per_token, num_parameters
from fmkit.objectives import language_modeling
from fmkit.parallel import join, rank
from fmkit.trainer import Trainer

MODEL = ModelConfig(2048, 256, 6, 4, max_position_embeddings=256)
LARGE = ModelConfig(8192, 384, 8, 6, max_position_embeddings=256)
PROBE = "probe"
WARM = 2  # steps that are not timed
RUNS: dict[str, tuple[ModelConfig, int, dict[str, Any]]] = {  # model, processes, training
    PROBE: (MODEL, 1, {"steps": 8, "batch_size": 8}),
    "the same, 4 times as long": (MODEL, 1, {"steps": 32, "batch_size": 8}),
    "1 row instead of 8": (MODEL, 1, {"steps": 30, "batch_size": 1}),
    "3.4 times the weights": (LARGE, 1, {"steps": 8, "batch_size": 8}),
    "2 processes": (MODEL, 2, {"steps": 16, "batch_size": 8}),
    "2 processes, 2 rows in all": (MODEL, 2, {"steps": 30, "batch_size": 2}),
    "2 processes, 3.4 times the weights": (LARGE, 2, {"steps": 8, "batch_size": 8}),
    "the same, FSDP": (LARGE, 2, {"steps": 8, "batch_size": 8, "fsdp": True}),
}


def config_of(name: str) -> TrainConfig:
    return TrainConfig(device="cpu", dtype="float32", **RUNS[name][2])


def typical(seconds: list[float]) -> float:
    return quantiles(seconds[WARM:], n=10)[0]


def peak() -> float:
    """FLOP/s of one core in a product of matrices of 1,024 rows, the fastest of many."""
    a, best, size = torch.randn(1024, 1024), float("inf"), 1024
    for _ in range(30):
        start = time.process_time()
        a @ a
        best = min(best, time.process_time() - start)
    return 2 * size**3 / best


def bandwidth() -> float:
    """Bytes per second that each of two processes sends in a sum: half of the tensor twice, as in a ring."""
    tensor, seconds = torch.zeros(num_parameters(MODEL)), []
    for _ in range(20):
        dist.barrier()
        start = time.process_time()
        dist.all_reduce(tensor)
        seconds.append(time.process_time() - start)
    return 4 * tensor.numel() / typical(seconds)


def step_seconds(name: str) -> float:
    model, config = RUNS[name][0], config_of(name)
    noise = Noise(model, config.batch_size)
    trainer, seconds, start = Trainer(Transformer(model), language_modeling, noise, config), [], 0.0
    for record in trainer.run():
        now = time.process_time()
        seconds.append(now - start)
        start = now
        assert record["loss"] > 0
    return typical(seconds)


def measure(what: str) -> None:
    """Run in each process: print what was measured, by the first one."""
    torch.set_num_threads(1)
    join(torch.device("cpu"))
    made = {"peak": peak, "bandwidth": bandwidth}
    value = made[what]() if what in made else step_seconds(what)
    if rank() == 0:
        print(json.dumps(value), flush=True)


def ask(what: str, processes: int) -> float:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(processes), __file__]
    done = subprocess.run(
        [*launcher, what], env=os.environ | {"OMP_NUM_THREADS": "1"}, check=True, stdout=subprocess.PIPE
    )
    return float(json.loads(done.stdout.splitlines()[-1]))


def compare() -> None:
    """Print what was measured for `plan_run`, and a line for each other run."""
    found = {"peak": ask("peak", 1), "bandwidth": ask("bandwidth", 2)}
    model, probe = MODEL, config_of(PROBE)
    taken = ask(PROBE, 1)
    context = model.max_position_embeddings
    mfu = probe.batch_size * context * flops_per_token(model, context) / taken / found["peak"]
    print(
        f"peak {found['peak'] / 1e9:.0f} GFLOP/s of one core, bandwidth {found['bandwidth'] / 1e9:.2f} GB/s"
    )
    print(f"probe: MFU {mfu:.1%}, {probe.batch_size * context / taken:,.0f} tokens/s\n")
    print("| run | predicted tokens/s | measured | error | predicted hours | measured |")
    print("|---|---|---|---|---|---|", flush=True)
    for name, (model, processes, _) in RUNS.items():
        if name == PROBE:
            continue
        config = config_of(name)
        plan = plan_run(model, config, processes, found["peak"], mfu=mfu, bandwidth=found["bandwidth"])
        seconds = ask(name, processes)
        speed = config.batch_size * model.max_position_embeddings / seconds
        error = plan.tokens_per_second / speed - 1
        hours = config.steps * seconds / 3600
        print(
            f"| {name} | {plan.tokens_per_second:,.0f} | {speed:,.0f} | {error:+.0%} "
            f"| {plan.hours:.5f} | {hours:.5f} |",
            flush=True,
        )


if __name__ == "__main__":
    measure(sys.argv[1]) if len(sys.argv) > 1 else compare()
