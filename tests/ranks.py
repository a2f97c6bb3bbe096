"""Trains small models in the ways there are, in one process or under torchrun; see fmkit/test_parallel.py.

As a program, `ranks.py OUT WAY…`: the first process writes to OUT what each way did by each engine.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import torch
from datasets import Dataset, DatasetDict

import fmkit
from fmkit import Classifier, LoraConfig, ModelConfig, TrainConfig, Transformer, add_lora
from fmkit.parallel import rank, whole
from fmkit.world import load_stories

MODEL = ModelConfig(400, 32, 2, 4, num_key_value_heads=2, max_position_embeddings=64)
CONFIG = TrainConfig(
    steps=3,
    batch_size=4,
    gradient_accumulation_steps=2,
    learning_rate=1e-2,
    eval_every=2,
    eval_rows=4,
    device="cpu",
    dtype="float32",
)
ENGINES: dict[str, dict[str, Any]] = {
    "ddp": {},
    "fsdp": {"fsdp": True},
    "checkpointed": {"fsdp": True, "gradient_checkpointing": True},
    "compiled": {"compile": True},
    "compiled blocks": {"compile": True, "fsdp": True},
}


def texts() -> DatasetDict:
    return load_stories(200, 20)


def examples(**columns: list[Any]) -> DatasetDict:
    rows = Dataset.from_dict({name: values * 4 for name, values in columns.items()})
    return DatasetDict({"train": rows, "validation": rows})


def answers() -> DatasetDict:
    """Completions of very unequal lengths."""
    prompts = [f"Who is number {i}?" for i in range(8)]
    return examples(prompt=prompts, completion=[" A fox" + " and a hen" * i for i in range(8)])


def reviews() -> DatasetDict:
    return examples(text=["so good" * (1 + i) for i in range(8)], label=["no", "yes"] * 4)


def pairs() -> DatasetDict:
    sides = {"chosen": [" yes" * (1 + i) for i in range(8)], "rejected": [" no" * (8 - i) for i in range(8)]}
    return examples(prompt=["Is it?"] * 8, **sides)


def vowels(_: list[Any], answers: list[str]) -> list[float]:
    """A reward that differs between answers, however little the model knows."""
    return [sum(answer.count(letter) for letter in "aeiou") / 10 for answer in answers]


def classifier(*labels: str) -> Classifier:
    return Classifier(MODEL, labels)


def adapted() -> Transformer:
    model = Transformer(MODEL)
    add_lora(model, LoraConfig(r=4, modules_to_save=("embed_tokens",)))
    return model


SAMPLED: dict[str, Any] = {"num_generations": 2, "max_new_tokens": 12}
WAYS = {
    "pretrain": lambda go: go(fmkit.pretrain, Transformer(MODEL), texts()),
    "untied": lambda go: go(fmkit.pretrain, Transformer(replace(MODEL, tie_word_embeddings=False)), texts()),
    "masked": lambda go: go(fmkit.pretrain, Transformer(replace(MODEL, is_causal=False)), texts()),
    "replay": lambda go: go(
        fmkit.continue_pretrain, Transformer(MODEL), texts(), replay=load_stories(200, 20), replay_share=0.3
    ),
    "lora": lambda go: go(fmkit.finetune, adapted(), answers()),
    "answers": lambda go: go(fmkit.finetune, Transformer(MODEL), answers()),
    "labels": lambda go: go(fmkit.finetune, classifier("no", "yes"), reviews()),
    "distill": lambda go: go(fmkit.distill, Transformer(MODEL), texts(), teacher=Transformer(MODEL, seed=1)),
    "reward": lambda go: go(fmkit.train_reward, classifier("score"), pairs()),
    "align": lambda go: go(fmkit.align, Transformer(MODEL), pairs()),
    "grpo": lambda go: go(fmkit.grpo, Transformer(MODEL), answers(), reward=vowels, **SAMPLED),
}


def engines_for(way: str) -> list[str]:
    """All of them, but that two whole models share no weights, and that compiling takes long."""
    if way in ("align", "grpo"):
        return ["ddp"]
    return [name for name in ENGINES if way == "untied" or not name.startswith("compiled")]


def train(way: str, **settings: Any) -> dict[str, Any]:
    """Train in one way; returns the gradients of each step, the history, and the weights at the end."""
    gradients: list[list[torch.Tensor]] = []
    clip = torch.nn.utils.clip_grad_norm_

    def keep(parameters: Any, max_norm: float) -> torch.Tensor:
        parameters = list(parameters)
        gradients.append([whole(p.grad).clone() for p in parameters if p.grad is not None])
        return clip(parameters, max_norm)

    def go(recipe: Any, model: Any, data: DatasetDict, **how: Any) -> dict[str, Any]:
        tokenizer = fmkit.train_tokenizer(texts()["train"], MODEL.vocab_size)
        with patch("torch.nn.utils.clip_grad_norm_", keep):
            run = recipe(model, tokenizer, data, replace(CONFIG, **settings), **how)
        return {"gradients": gradients, "history": run.history, "weights": dict(model.weights())}

    return WAYS[way](go)


if __name__ == "__main__":
    torch.set_num_threads(1)
    out, *ways = sys.argv[1:]
    done = {(way, engine): train(way, **ENGINES[engine]) for way in ways for engine in engines_for(way)}
    if rank() == 0:
        torch.save(done, out)
