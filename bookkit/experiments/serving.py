"""What batching costs one request and gives all of them, and what a cache of keys and values saves.

`serving` keeps a batch of fmkit's server full and times its steps; `kv-cache` times the tokens of one answer,
and `first-token` the reading of prompts. The larger models have random weights: time does not depend on what
a model has learned. Times are those of one thread's processor, so that other programs on the machine do not
count; nothing here waits.
"""

import random
import statistics
import time
from collections import deque
from typing import Any

import torch

from bookkit.experiments.foundations import committed
from bookkit.experiments.recording import Experiment, experiment
from fmkit.config import ModelConfig
from fmkit.data.pieces import Pieces
from fmkit.flops import num_parameters
from fmkit.generation import next_logits
from fmkit.model import Transformer
from fmkit.quantization import num_bytes, quantize
from fmkit.serve.batch import Answer, RunningBatch

SHAPES = {"base": (64, 3, 192), "0.9M": (128, 4, 384), "5M": (256, 6, 768)}  # hidden size, layers, MLP
BATCHES = (1, 2, 4, 8, 16, 32)
FORMATS = ("float32", "int8", "bfloat16", "int8 in bfloat16")
PROMPTS, ANSWERS = (8, 128), (16, 96)  # tokens, from and to
REPEATS = 3


def model_of(name: str, form: str = "float32", context: int = 256) -> Transformer:
    size, layers, width = SHAPES[name]
    config = ModelConfig(
        vocab_size=1024,
        hidden_size=size,
        num_hidden_layers=layers,
        intermediate_size=width,
        max_position_embeddings=context,
    )
    model = committed("base")[0] if name == "base" else Transformer(config)
    if "int8" in form:
        quantize(model)
    if "bfloat16" in form:
        model.dtype = torch.bfloat16
    return model.eval()


def requests(count: int) -> list[Answer]:
    """Answers to write, of unequal length, to prompts of random tokens: the same ones in every arm."""
    tokenizer, chance = committed("base")[1], random.Random(0)
    return [
        Answer(
            [chance.randrange(3, 1024) for _ in range(chance.randint(*PROMPTS))],
            Pieces(tokenizer, (), ()),
            ends=(),
            most=chance.randint(*ANSWERS),
            temperature=1.0,
            top_p=1.0,
            seed=0,
            number=number,
        )
        for number in range(count)
    ]


@experiment("serving")
def serving() -> Experiment:
    """Batches of 1 to 32, kept full: whenever an answer ends, the next request takes its place."""

    def train(model: str, format: str, batch: int, repeat: int) -> dict[str, Any]:
        served, waiting = model_of(model, format), deque(requests(16 + 4 * batch))
        running = RunningBatch(served, batch, 256)
        with torch.inference_mode():
            for _ in range(20):  # warm up
                next_logits(served, torch.ones(1, 16).long(), served.new_cache(1, 16))
        firsts: list[float] = []
        steps: list[float] = []
        made, began = 0, time.thread_time()
        while True:
            free = batch - len(running.answers)
            if free > len(waiting):
                break  # the batch would not be full
            joining = [waiting.popleft() for _ in range(free)]
            start = time.thread_time()
            made += len(running.answers) + len(joining)
            running.step(joining)
            (firsts if joining else steps).append(time.thread_time() - start)
        per_second = made / (time.thread_time() - began)
        return {
            "first_token_ms": round(1000 * statistics.median(firsts), 3),
            "step_ms": round(1000 * statistics.median(steps), 3),
            "longest_step_ms": round(1000 * max(firsts + steps), 3),
            "bytes": num_bytes(served),
            "scores": {"tokens per second": round(per_second, 1)},
        }

    arms = [
        {"model": model, "format": form, "batch": batch, "repeat": number}
        for number in range(REPEATS)
        for model in SHAPES
        for form in FORMATS
        for batch in (BATCHES if form == "float32" else (1, 16))
    ]
    sizes = {name: num_parameters(model_of(name).config) for name in SHAPES}
    about = {"parameters": sizes, "threads": torch.get_num_threads(), "prompts": PROMPTS, "answers": ANSWERS}
    return Experiment(about, train, arms)


@experiment("kv-cache")
def kv_cache() -> Experiment:
    """One answer of 224 tokens to a prompt of 32, with and without a cache: milliseconds of each token."""

    @torch.inference_mode()
    def train(model: str, cache: bool, repeat: int) -> dict[str, Any]:
        served, tokens = model_of(model), torch.ones(1, 32).long()
        kept, milliseconds = served.new_cache(1, 256), []
        for _ in range(224):
            start = time.thread_time()
            if cache:
                logits = next_logits(served, tokens[:, kept.length :], kept)
            else:
                logits = next_logits(served, tokens, served.new_cache(1, tokens.shape[1]))
            tokens = torch.cat((tokens, logits.argmax(-1)[:, None]), dim=1)
            milliseconds.append(round(1000 * (time.thread_time() - start), 3))
        return {"milliseconds": milliseconds, "scores": {"seconds": round(sum(milliseconds) / 1000, 3)}}

    arms = [
        {"model": model, "cache": cache, "repeat": number}
        for number in range(REPEATS)
        for model in SHAPES
        for cache in (True, False)
    ]
    return Experiment({"threads": torch.get_num_threads(), "prompt": 32, "answer": 224}, train, arms)


@experiment("first-token")
def first_token() -> Experiment:
    """Milliseconds from prompts of several lengths to their first token, and of each of 32 further ones."""
    further, context = 32, 2048

    @torch.inference_mode()
    def train(model: str, prompt: int, repeat: int) -> dict[str, Any]:
        served, chance = model_of(model, context=context), torch.Generator().manual_seed(repeat)
        milliseconds: list[float] = []
        for length in (16, prompt):  # the short one warms up
            tokens = torch.randint(3, 1024, (1, length), generator=chance)
            cache, milliseconds = served.new_cache(1, length + further), []
            for _ in range(1 + further):
                start = time.thread_time()
                tokens = next_logits(served, tokens, cache).argmax(-1)[:, None]
                milliseconds.append(round(1000 * (time.thread_time() - start), 3))
        first, *others = milliseconds
        return {"scores": {"first ms": first, "further ms": round(statistics.median(others), 3)}}

    arms = [
        {"model": "5M", "prompt": prompt, "repeat": number}
        for number in range(REPEATS)
        for prompt in (16, 128, 256, 512, 1024, 1536)
    ]
    about = {"threads": torch.get_num_threads(), "further": further, "context": context}
    return Experiment(about, train, arms)
