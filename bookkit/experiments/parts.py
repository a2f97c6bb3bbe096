"""A transformer without one of its parts, trained from the start: what each part is worth.

All arms read the same stories in the same order. A model without a norm, or without residual connections, may
only need a smaller learning rate, so these have a second one.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import torch
from torch import Tensor, nn

from bookkit.experiments.course import checks
from bookkit.experiments.foundations import SETTINGS, SIZE
from bookkit.experiments.recording import Experiment, experiment
from fmkit import pretrain
from fmkit.config import TrainConfig, reproducible
from fmkit.data.corpora import load_corpus
from fmkit.data.tokenizer import train_tokenizer
from fmkit.errors import FmkitError
from fmkit.evaluation.likelihood import perplexity
from fmkit.model import Block, Transformer, View
from fmkit.world import World, floor

STEPS = 700
CONTEXT = 128
TRAINING: dict[str, Any] = {**SETTINGS, "steps": STEPS, "context_length": CONTEXT, "eval_every": 100}
RATE, LOW_RATE = SETTINGS["learning_rate"], 2e-3
HELD_OUT = 200  # stories, read at the end by the model that saw its answers, now without seeing them


class Chain(Block):
    """A block whose parts follow each other, and add nothing to what was there."""

    def forward(self, x: Tensor, view: View) -> Tensor:
        x = self.self_attn(self.input_layernorm(x), view)
        return self.mlp(self.post_attention_layernorm(x))


class Silent(nn.Module):
    """In place of attention or of an MLP: adds nothing to the residual stream."""

    def forward(self, x: Tensor, *_: View) -> Tensor:
        return torch.zeros_like(x)


def drop_positions(model: Transformer) -> None:
    """Turn no query and no key."""
    model.model.cos.fill_(1.0)
    model.model.sin.fill_(0.0)


def drop_mask(model: Transformer) -> None:
    """Let every token see those that come after it: the loader still takes it for a causal model."""
    model.model.config = replace(model.config, is_causal=False)


def drop_residual(model: Transformer) -> None:
    for block in model.model.layers:
        block.__class__ = Chain


def drop_norm(model: Transformer) -> None:
    for block in model.model.layers:
        block.input_layernorm = block.post_attention_layernorm = nn.Identity()
    model.model.norm = nn.Identity()  # type: ignore[assignment]


def drop_attention(model: Transformer) -> None:
    for block in model.model.layers:
        block.self_attn = Silent()


def drop_mlp(model: Transformer) -> None:
    for block in model.model.layers:
        block.mlp = Silent()


def keep_all(model: Transformer) -> None:
    pass


DROPS: dict[str, Callable[[Transformer], None]] = {
    "nothing": keep_all,
    "positions": drop_positions,
    "mask": drop_mask,
    "heads": keep_all,  # one head as wide as all: another configuration
    "attention": drop_attention,
    "MLP": drop_mlp,
    "residual": drop_residual,
    "norm": drop_norm,
}


@experiment("parts")
def parts() -> Experiment:
    corpus = load_corpus("stories")
    tokenizer = train_tokenizer(corpus["train"], SIZE.vocab_size)

    def train(without: str, learning_rate: float, seed: int) -> dict[str, Any]:
        reproducible(seed)
        size = replace(SIZE, num_attention_heads=1) if without == "heads" else SIZE
        model = Transformer(size, seed=seed)
        DROPS[without](model)
        config = TrainConfig(**{**TRAINING, "learning_rate": learning_rate}, seed=seed)
        try:
            history = pretrain(model, tokenizer, corpus, config).history
        except FmkitError as error:
            return {"error": str(error)}
        course = checks(history, loss="validation_loss")
        if without == "mask":
            model.model.config = model.config
            texts = corpus["validation"]["text"][:HELD_OUT]
            course["scores"]["masked_again"] = round(math.log(perplexity(model, tokenizer, texts)), 3)
        return course

    known = round(floor(World(), tokenizer, n=5000).nats_per_token, 4)
    about = {"model": asdict(SIZE), "training": TRAINING, "corpus": "stories", "floor": known}
    rates = dict.fromkeys(DROPS, (RATE,)) | dict.fromkeys(("residual", "norm"), (RATE, LOW_RATE))
    arms = [
        {"without": without, "learning_rate": rate, "seed": seed}
        for seed in range(3)
        for without in DROPS
        for rate in rates[without]
    ]
    return Experiment(about, train, arms)
