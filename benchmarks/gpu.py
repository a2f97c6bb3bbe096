"""Everything that only a GPU shows, in ten minutes: parity with the CPU, resume, speed, MFU and memory.

    python benchmarks/gpu.py [PART …] [--out FILE]

The parts are parity, resume, training, large and generation; without any, all of them.

Training arms use fmkit's Trainer as a user would, in bfloat16, on rows of 1,024 tokens of a vocabulary of
50,304; a step's time is the wall-clock time between two records, the median of the steps after warming up.
"""

import argparse
import copy
import gc
import itertools
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np
import torch
from datasets import Dataset

from fmkit import ModelConfig, TrainConfig, Transformer, load_corpus, pretrain, train_tokenizer
from fmkit.data.batches import Batch, PackedLoader, validation_batches
from fmkit.flops import flops_per_token, num_parameters, peak_flops
from fmkit.generation import generate_ids
from fmkit.objectives import distillation, dpo, grpo, language_modeling, log_probs
from fmkit.trainer import Trainer

VOCABULARY, CONTEXT, STEPS = 50_304, 1024, 20
SIZES = {  # millions of weights: width, layers, heads, rows of a step
    124: (768, 12, 12, 32),
    355: (1024, 24, 8, 16),
    913: (2048, 16, 16, 16),
}
lines: list[str] = []


def say(line: str = "") -> None:
    print(line, flush=True)
    lines.append(line)


def config_of(size: int) -> ModelConfig:
    width, layers, heads, _ = SIZES[size]
    return ModelConfig(
        VOCABULARY, width, layers, heads, max_position_embeddings=CONTEXT, tie_word_embeddings=True
    )


def loader_of(size: int, packed: bool) -> PackedLoader:
    """Random tokens in pieces: full rows, or documents of mixed lengths, about 330 tokens on average."""
    rng = np.random.default_rng(0)
    lengths = [CONTEXT + 1] * 2000
    if packed:
        lengths = np.clip(rng.lognormal(5.5, 0.9, 12_000), 8, CONTEXT + 1).astype(int).tolist()
    pieces = [rng.integers(4, VOCABULARY, length, dtype=np.int32) for length in lengths]
    return PackedLoader(Dataset.from_dict({"input_ids": pieces}), SIZES[size][3], CONTEXT, 0, 0)


# --- speed ------------------------------------------------------------------------------------------------


def by_fmkit(size: int, packed: bool = False, **settings: bool) -> Iterator[float]:
    config = TrainConfig(steps=STEPS, batch_size=SIZES[size][3], learning_rate=3e-4, **settings)
    trainer = Trainer(Transformer(config_of(size)), language_modeling, loader_of(size, packed), config)
    for record in trainer.run():
        yield record["loss"]


def by_transformers(size: int, compiled: bool) -> Iterator[float]:
    """The same model of transformers, in a bare loop: autocast to bfloat16, AdamW fused, no accumulation."""
    from transformers import LlamaConfig, LlamaForCausalLM

    model = LlamaForCausalLM(LlamaConfig(**config_of(size).to_hugging_face())).cuda()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, weight_decay=0.1, fused=True)
    run = torch.compile(model) if compiled else model
    loader = loader_of(size, packed=False)
    for _ in range(STEPS):
        ids = next(loader)["input_ids"].cuda(non_blocking=True)
        with torch.autocast("cuda", torch.bfloat16):
            loss = run(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        yield loss.item()


def speed(name: str, size: int, steps: Callable[[], Iterator[float]]) -> None:
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    times = [time.perf_counter()]
    times += [time.perf_counter() for _ in steps()]
    each = [after - before for before, after in itertools.pairwise(times)]
    seconds = statistics.median(each[STEPS // 2 :])
    rate = SIZES[size][3] * CONTEXT / seconds
    mfu = (
        rate
        * flops_per_token(config_of(size), CONTEXT)
        / (peak_flops(torch.cuda.get_device_name()) or np.nan)
    )
    memory = torch.cuda.max_memory_allocated() / 2**30
    say(f"{name:44} {rate:9,.0f} {mfu:5.1%} {seconds * 1e3:7.1f} {memory:6.1f} {sum(each[:4]):7.1f}")


def training() -> None:
    compare(
        {
            "124M, full rows": (124, lambda: by_fmkit(124)),
            "124M, packed documents": (124, lambda: by_fmkit(124, packed=True)),
            "124M, full rows, not compiled": (124, lambda: by_fmkit(124, compile=False)),
            "124M, transformers, compiled": (124, lambda: by_transformers(124, True)),
            "124M, transformers, not compiled": (124, lambda: by_transformers(124, False)),
        }
    )


def large() -> None:
    again = {"compile": False, "gradient_checkpointing": True}
    compare(
        {
            "355M, full rows": (355, lambda: by_fmkit(355)),
            "913M, full rows": (913, lambda: by_fmkit(913)),
            "913M, not compiled, blocks computed again": (913, lambda: by_fmkit(913, **again)),
        }
    )


def compare(arms: dict[str, tuple[int, Callable[[], Iterator[float]]]]) -> None:
    say(f"\n{'':44}  tokens/s   MFU ms/step    GiB  first 4 steps, s")
    for name, (size, steps) in arms.items():
        try:
            speed(name, size, steps)
        except torch.OutOfMemoryError:
            say(f"{name:44} out of memory")


def generation() -> None:
    model = Transformer(config_of(124)).cuda()
    model.dtype = torch.bfloat16
    rng = np.random.default_rng(0)
    say("\nGreedy tokens/s, 124M, 128 new tokens")
    for count in (1, 16, 32):
        prompts = [rng.integers(4, VOCABULARY, rng.integers(16, 256)).tolist() for _ in range(count)]
        generate_ids(model, prompts, max_new_tokens=8, temperature=0.0)
        torch.cuda.synchronize()
        start = time.perf_counter()
        generate_ids(model, prompts, max_new_tokens=128, temperature=0.0)
        say(f"{count:4} prompts of unequal length {count * 128 / (time.perf_counter() - start):9,.0f}")


# --- parity with the CPU ----------------------------------------------------------------------------------


def small() -> tuple[Transformer, list[Batch]]:
    """A model of the book's size, and real batches: packed stories."""
    corpus = load_corpus("stories")
    tokenizer = train_tokenizer(corpus["train"], 512)
    model = Transformer(ModelConfig(512, 128, 4, 4, num_key_value_heads=2, max_position_embeddings=256))
    return model, validation_batches(corpus["validation"], tokenizer, 8, 256, 16)


def parity() -> None:
    say("\nLoss and gradient of one batch against the CPU's in float32 (largest difference, relative)")
    model, (batch, *_) = small()
    teacher = Transformer(model.config, seed=1).requires_grad_(False)
    pairs = batch | {"num_items": 4}
    answers = batch | {
        "advantages": torch.linspace(-1, 1, 8),
        "old_log_probs": torch.full(batch["labels"].shape, -6.0),
    }
    ways = {
        "language modeling": (lambda other: language_modeling, batch),
        "distillation": (distillation, batch),
        "DPO": (dpo, pairs),
        "GRPO": (grpo, answers),
    }
    for name, (make, given) in ways.items():
        exact = gradient(model, make(teacher), given)
        for form, compiled in itertools.product(("float32", "bfloat16"), (False, True)):
            if compiled and name != "language modeling":
                continue  # minutes of compiling
            ours, theirs = copy.deepcopy(model).cuda(), copy.deepcopy(teacher).cuda()
            ours.dtype = theirs.dtype = getattr(torch, form)
            objective = torch.compile(make(theirs)) if compiled else make(theirs)
            apart = [
                ((a.cpu() - b).norm() / b.norm()).item()
                for a, b in zip(gradient(ours, objective, on_gpu(given)), exact, strict=True)
            ]
            how = f"{form}{', compiled' if compiled else ''}"
            say(f"{name:20} {how:20} loss {apart[0]:.0e}  gradient {max(apart[1:]):.0e}")
    torch.compiler.reset()
    ids = [batch["input_ids"][row, :20].tolist() for row in range(8)]
    here = generate_ids(model, ids, max_new_tokens=60, temperature=0.0)
    there = generate_ids(copy.deepcopy(model).cuda(), ids, max_new_tokens=60, temperature=0.0)
    say(f"greedy ids of 8 prompts, float32: {'equal' if here == there else 'not equal'} to the CPU's")
    nats = log_probs(model, batch), log_probs(copy.deepcopy(model).cuda(), on_gpu(batch))
    say(
        f"log-probabilities of 8 rows, float32: {(nats[0] - nats[1].cpu()).abs().max().item():.0e} nats apart"
    )


def on_gpu(batch: Batch) -> Batch:
    return {k: v.cuda() if isinstance(v, torch.Tensor) else v for k, v in batch.items()}


def gradient(model: Transformer, objective: Callable, batch: Batch) -> list[torch.Tensor]:
    """Return the loss of an item and its gradient for every weight."""
    loss = objective(model, batch) / batch["num_items"]
    return [loss.detach(), *torch.autograd.grad(loss, list(model.parameters()))]


# --- resume -----------------------------------------------------------------------------------------------


def train_into(directory: str, resume: bool, compiled: bool, killed: bool) -> None:
    corpus = load_corpus("stories")
    tokenizer = train_tokenizer(corpus["train"], 512)
    model = Transformer(ModelConfig(512, 128, 4, 4, max_position_embeddings=256))
    config = TrainConfig(steps=30, batch_size=8, checkpoint_every=10, eval_every=30, compile=compiled)
    if killed:
        step = Trainer._record

        def record(trainer: Trainer, *given: object) -> dict:
            if trainer.step == 17:
                os.kill(os.getpid(), signal.SIGKILL)
            return step(trainer, *given)

        Trainer._record = record  # type: ignore[method-assign]
    pretrain(model, tokenizer, corpus, config, output_dir=directory, resume=resume)


def resume() -> None:
    say("\n30 steps; the same killed at step 17 (SIGKILL) and resumed from the checkpoint of step 10")
    path = f"{ROOT}/benchmarks:{ROOT}:{os.environ.get('PYTHONPATH', '')}"
    with tempfile.TemporaryDirectory() as place:

        def start(directory: str, *options: bool) -> subprocess.Popen[bytes]:
            code = f"import gpu; gpu.train_into({directory!r}, *{options})"
            return subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path})

        both = {"not compiled": False, "compiled": True}
        runs = [
            start(f"{place}/{how}/{name}", False, compiled, name == "killed")
            for how, compiled in both.items()
            for name in ("whole", "again", "killed")
        ]
        assert [run.wait() for run in runs] == [0, 0, -signal.SIGKILL] * 2
        resumed = [start(f"{place}/{how}/killed", True, compiled, False) for how, compiled in both.items()]
        assert [run.wait() for run in resumed] == [0, 0]
        for how in both:
            whole, *others = (
                Path(place, how, name, "model.safetensors").read_bytes()
                for name in ("whole", "again", "killed")
            )
            same = ["the same bits" if other == whole else "other bits" for other in others]
            say(f"{how:14} run twice: {same[0]}; killed and resumed: {same[1]}")


PARTS = {part.__name__: part for part in (parity, resume, training, large, generation)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="PART")
    parser.add_argument("--out", type=Path, help="a file for what is printed")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        parser.error("there is no CUDA device here")
    torch.set_float32_matmul_precision("highest")
    say(f"{torch.cuda.get_device_name()}; torch {torch.__version__}")
    say(f"weights: {', '.join(f'{num_parameters(config_of(size)) / 1e6:.0f}M' for size in SIZES)}, head tied")
    start = time.perf_counter()
    for part in (PARTS[name] for name in options.parts or PARTS):
        try:
            part()
        except Exception as error:  # the other parts are still worth their time
            say(f"{part.__name__} failed: {type(error).__name__}: {error}")
        say(f"[{time.perf_counter() - start:.0f} s]")
        if options.out:
            options.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
