"""Adapters in a domain close to what the base has read: stories of another world, with other names and facts.

The other half of LoRA's question (see `lora_rank`): close to the pre-training data, a low rank should be
enough. And since adapters and all weights want different learning rates, both are compared over those, too.
"""

import math
from functools import partial
from typing import Any

from datasets import DatasetDict

from bookkit.experiments.foundations import base
from bookkit.experiments.lora_rank import RANKS
from bookkit.experiments.recording import Experiment, experiment
from fmkit import continue_pretrain
from fmkit.config import TrainConfig, reproducible
from fmkit.data.corpora import load_corpus
from fmkit.errors import FmkitError
from fmkit.evaluation.likelihood import perplexity
from fmkit.lora import LoraConfig, add_lora
from fmkit.world import load_stories

CORPUS = "4,000 stories of another world"
TRAINING: dict[str, Any] = {"steps": 150, "batch_size": 4, "learning_rate": 4e-3}
HELD_OUT = 100  # stories of each world to measure with
RATES = (0.00025, 0.001, 0.004, 0.016, 0.064)


@experiment("lora-near")
def lora_near() -> Experiment:
    """Nats per token in the new world and in the old one; the embeddings stay as they are."""
    arms = [{"rank": rank, "seed": seed} for seed in range(3) for rank in (*RANKS, 0)]  # 0: all weights
    return Experiment({"corpus": CORPUS, "training": TRAINING}, partial(go_abroad, *worlds()), arms)


@experiment("lora-rate")
def lora_rate() -> Experiment:
    """The same at five learning rates, for adapters of rank 8 and for all weights."""
    arms = [
        {"rank": rank, "learning_rate": rate, "seed": seed}
        for seed in range(3)
        for rank in (8, 0)
        for rate in RATES
    ]
    fixed = {name: value for name, value in TRAINING.items() if name != "learning_rate"}
    return Experiment({"corpus": CORPUS, "training": fixed}, partial(go_abroad, *worlds()), arms)


def worlds() -> tuple[DatasetDict, DatasetDict]:
    """The stories of the new world, and those of the old one."""
    return load_stories(4_000, HELD_OUT, world=1), load_corpus("stories")


def go_abroad(
    abroad: DatasetDict,
    home: DatasetDict,
    rank: int,
    seed: int,
    learning_rate: float = TRAINING["learning_rate"],
) -> dict[str, Any]:
    """Let a copy of the base read on in the new world, and measure it in both, before and after."""
    model, tokenizer = base(seed)
    fields = {"abroad": abroad["validation"]["text"], "home": home["validation"]["text"][:HELD_OUT]}

    def measure() -> dict[str, float]:
        return {
            name: round(math.log(perplexity(model, tokenizer, list(texts))), 3)
            for name, texts in fields.items()
        }

    before = measure()
    reproducible(seed)
    if rank:
        add_lora(model, LoraConfig(r=rank, lora_alpha=2 * rank), seed)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    settings = {**TRAINING, "learning_rate": learning_rate, "eval_every": TRAINING["steps"]}
    try:
        continue_pretrain(model, tokenizer, abroad, TrainConfig(**settings, seed=seed))
    except FmkitError as error:  # the loss is no longer finite
        return {"trained_parameters": trained, "before": before, "error": str(error)}
    return {"trained_parameters": trained, "before": before, "scores": measure()}
