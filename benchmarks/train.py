"""Training throughput and memory beside Hugging Face's Trainer and litgpt's model: the same tokens, in turn.

    pip install --no-deps --target peers litgpt==0.5.13 lightning lightning-utilities torchmetrics \\
        pytorch-lightning jsonargparse typeshed-client docstring-parser    # or there is no line of litgpt
    PYTHONPATH=peers python benchmarks/train.py [--size base] [--rows packed] [--mode eager] [--rounds 3]

Two sizes of model, full rows and packed documents, eager and compiled, each contestant in float32 and in
bfloat16 (mixed: the weights are float32), with fused AdamW. Each trains in a process of its own, with one
thread; they take turns of a few steps, the first of which are not counted, and the tables give medians over
the rounds, in CPU seconds. Memory is the peak above what the imported libraries take. Packed documents do
not see each other: fmkit is told by document ids and transformers by positions that begin again; litgpt has
no such thing. litgpt has no trainer for a model of this size either: its model is trained by a plain loop.
"""

import argparse
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from importlib.util import find_spec
from multiprocessing.connection import Connection
from typing import NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")
warnings.filterwarnings("ignore")

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import Dataset

from bookkit.experiments.recording import processor
from fmkit import ModelConfig, TrainConfig, Transformer
from fmkit.data.batches import IGNORE, POOL_SIZE, collate, fill_row
from fmkit.flops import flops_per_token, num_parameters
from fmkit.objectives import language_modeling
from fmkit.trainer import Trainer as FmkitTrainer

SHAPE = {"vocab_size": 2048, "num_attention_heads": 4}
SIZES = {  # the model, and the rows of a batch
    "base": (ModelConfig(hidden_size=256, num_hidden_layers=6, max_position_embeddings=256, **SHAPE), 16),
    "small": (ModelConfig(hidden_size=128, num_hidden_layers=4, max_position_embeddings=128, **SHAPE), 32),
}
ROWS, MODES, FORMATS = ("full", "packed"), ("eager", "compiled"), ("float32", "bfloat16")
WARM_UP, BATCHES = 2, 8  # steps that are not counted; batches, which come again and again
LENGTHS = (20, 120)  # of documents, in tokens


class Task(NamedTuple):
    size: str
    rows: str
    mode: str
    dtype: str

    @property
    def config(self) -> ModelConfig:
        return SIZES[self.size][0]

    def batches(self) -> list[dict]:
        """What everyone is trained on: random tokens, as what they say does not change the time they take."""
        config, batch_size = SIZES[self.size]
        context, rng = config.max_position_embeddings, np.random.default_rng(0)

        def piece() -> np.ndarray:
            length = context if self.rows == "full" else int(rng.integers(*LENGTHS))
            return rng.integers(4, config.vocab_size, length + 1)

        pool: list[np.ndarray] = []

        def row() -> list[np.ndarray]:
            pool.extend(piece() for _ in range(POOL_SIZE - len(pool)))
            return fill_row(pool, 0, context)

        return [collate([row() for _ in range(batch_size)], context, pad_id=0) for _ in range(BATCHES)]


class Pace:
    """Counts the steps of a contestant, which after each round waits for its next turn."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe, self.left, self.idle, self.start = pipe, WARM_UP, memory(), 0.0

    def __call__(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.pipe.send((time.process_time() - self.start, memory() - self.idle))
            self.left = self.pipe.recv() or sys.exit()
            self.start = time.process_time()


def memory() -> float:
    """The most memory that this process has had so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def fmkit(task: Task, begin: Callable[[], Pace]) -> None:
    class Again:
        """The batches as fmkit's loaders give them."""

        def __init__(self) -> None:
            self.batches, self.i = task.batches(), 0

        def __next__(self) -> dict:
            self.i += 1
            return self.batches[self.i % BATCHES]

        def state_dict(self) -> dict:
            return {}

    loader, pace = Again(), begin()
    how = TrainConfig(
        steps=10**6, batch_size=SIZES[task.size][1], dtype=task.dtype, compile=task.mode == "compiled"
    )
    for _ in FmkitTrainer(Transformer(task.config), language_modeling, loader, how).run():
        pace()


def hugging_face(task: Task, begin: Callable[[], Pace]) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainerCallback, TrainingArguments
    from transformers.trainer_callback import PrinterCallback

    class Rows(Dataset):
        """The rows of the batches as transformers reads them: a label stands at its own token's place."""

        def __init__(self) -> None:
            self.rows = [row for batch in task.batches() for row in as_rows(batch)]

        def __len__(self) -> int:
            return 10**9

        def __getitem__(self, i: int) -> dict[str, torch.Tensor]:
            return self.rows[i % len(self.rows)]

    def as_rows(batch: dict) -> Iterator[dict[str, torch.Tensor]]:
        documents = batch["document_ids"]
        for r, (ids, following) in enumerate(zip(batch["input_ids"], batch["labels"], strict=True)):
            row = {"input_ids": ids, "labels": F.pad(following[:-1], (1, 0), value=IGNORE)}
            if documents is not None:
                first = F.pad(documents[r, 1:] != documents[r, :-1], (1, 0), value=True)
                places = torch.arange(len(ids))
                row["position_ids"] = places - (places * first).cummax(0).values
            yield row

    class Steps(TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs) -> None:
            pace()

    rows, pace = Rows(), begin()
    with tempfile.TemporaryDirectory() as directory:
        arguments = TrainingArguments(
            directory,
            max_steps=10**6,
            per_device_train_batch_size=SIZES[task.size][1],
            learning_rate=3e-3,
            lr_scheduler_type="cosine",
            weight_decay=0.1,
            adam_beta2=0.95,
            max_grad_norm=1.0,
            optim="adamw_torch_fused",
            bf16=task.dtype == "bfloat16",
            torch_compile=task.mode == "compiled",
            train_sampling_strategy="sequential",
            use_cpu=True,
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
        )
        model = LlamaForCausalLM(LlamaConfig(**task.config.to_hugging_face()))
        trainer = Trainer(model, arguments, train_dataset=rows, callbacks=[Steps()])
        trainer.remove_callback(PrinterCallback)
        trainer.train()


def as_litgpt(config: ModelConfig) -> torch.nn.Module:
    """Make litgpt's model of these sizes, with weights of its own."""
    from litgpt.config import Config
    from litgpt.model import GPT

    model = GPT(
        Config(
            block_size=config.max_position_embeddings,
            padded_vocab_size=config.vocab_size,
            n_layer=config.num_hidden_layers,
            n_head=config.num_attention_heads,
            n_embd=config.hidden_size,
            intermediate_size=config.intermediate_size,
            rotary_percentage=1.0,
            parallel_residual=False,
            bias=False,
            norm_class_name="RMSNorm",
            mlp_class_name="LLaMAMLP",
        )
    )
    model.lm_head.weight = model.transformer.wte.weight
    assert sum(p.numel() for p in model.parameters()) == num_parameters(config)
    return model


def litgpt(task: Task, begin: Callable[[], Pace]) -> None:
    from litgpt.utils import chunked_cross_entropy

    batches, pace = task.batches(), begin()
    model = as_litgpt(task.config)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=3e-3, betas=(0.9, 0.95), weight_decay=0.1, fused=True
    )
    forward = torch.compile(model) if task.mode == "compiled" else model
    for i in range(10**6):
        batch = batches[i % BATCHES]
        mixed = torch.autocast("cpu", torch.bfloat16) if task.dtype == "bfloat16" else nullcontext()
        with mixed:
            loss = chunked_cross_entropy(forward(batch["input_ids"]), batch["labels"], chunk_size=0)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        loss.item()
        pace()


CONTESTANTS = {"fmkit": fmkit, "HF Trainer": hugging_face, "litgpt": litgpt}


def work(name: str, task: Task, pipe: Connection) -> None:
    """Train one contestant, in a process of its own, until it is ended."""
    torch.set_num_threads(1)
    CONTESTANTS[name](task, lambda: Pace(pipe))


def compare(size: str, rows: str, mode: str, rounds: int, steps: int) -> None:
    """Print the table of one size of model, kind of rows and mode."""
    config, batch_size = SIZES[size]
    tasks = [(name, Task(size, rows, mode, dtype)) for name in CONTESTANTS for dtype in FORMATS]
    if not find_spec("litgpt") or rows == "packed":
        tasks = [each for each in tasks if each[0] != "litgpt"]
    start, pipes, workers = multiprocessing.get_context("spawn"), [], []
    for name, task in tasks:
        ours, theirs = start.Pipe()
        worker = start.Process(target=work, args=(name, task, theirs), daemon=True)
        worker.start()
        theirs.close()
        ours.recv()  # its warm-up is over
        pipes.append(ours)
        workers.append(worker)
    taken: list[list[float]] = [[] for _ in tasks]
    peaks = [0.0] * len(tasks)
    for _ in range(rounds):
        for i, pipe in enumerate(pipes):
            pipe.send(steps)
            seconds, peaks[i] = pipe.recv()
            taken[i].append(seconds)
    for pipe, worker in zip(pipes, workers, strict=True):
        pipe.send(0)
        worker.join()
    medians = [statistics.median(seconds) for seconds in taken]
    best = min(medians[i] for i, (name, _) in enumerate(tasks) if name != "fmkit")
    flops = flops_per_token(config, config.max_position_embeddings) / 1e6
    print(f"\n{size}, {rows} rows, {mode}: {flops:.1f} MFLOP a token (6 N + 12 L d T), {rounds} rounds")
    print(f"{'':22}tokens/CPU s  ratio to the best peer  peak MB")
    for (name, task), seconds, peak in zip(tasks, medians, peaks, strict=True):
        speed = steps * batch_size * config.max_position_embeddings / seconds
        print(f"{name:12}{task.dtype:10}{speed:12.0f}{best / seconds:24.2f}{peak:9.0f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", choices=SIZES)
    parser.add_argument("--rows", choices=ROWS)
    parser.add_argument("--mode", choices=MODES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=3)
    options = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout
    print(f"{processor()}, {torch.backends.cpu.get_cpu_capability()}; torch {torch.__version__}; ", end="")
    print(f"commit {commit.strip()}; one thread")
    for mode in [options.mode] if options.mode else MODES:
        for size in [options.size] if options.size else SIZES:
            for rows in [options.rows] if options.rows else ROWS:
                compare(size, rows, mode, options.rounds, options.steps)


if __name__ == "__main__":
    main()
