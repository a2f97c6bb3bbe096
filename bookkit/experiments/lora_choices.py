"""What one chooses for an adapter besides its rank: its places, trained embeddings, a rounded base.

A seed changes the adapter's start and the order of the examples; the model and the examples stay the same.
The chapter on adapters runs one seed of each live.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from datasets import Dataset, DatasetDict

from bookkit.experiments.foundations import committed
from bookkit.experiments.recording import Experiment, experiment
from fmkit import continue_pretrain, finetune
from fmkit.config import TrainConfig, reproducible
from fmkit.data.example_batches import tokenize_completions
from fmkit.evaluation.answers import answer_examples, exact_match
from fmkit.evaluation.likelihood import perplexity
from fmkit.lora import LoraConfig, add_lora
from fmkit.world import SUPPORT, load_stories

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
MLP = ("gate_proj", "up_proj", "down_proj")
PLACES = {
    "two of attention": (8, ("q_proj", "v_proj")),
    "attention": (4, ATTENTION),
    "MLP": (3, MLP),
    "both": (2, ATTENTION + MLP),
}
HEADINGS = {
    "return": "Rückgabe",
    "refund": "Erstattung",
    "wrong size": "Umtausch",
    "wrong item": "Falschlieferung",
    "broken": "Reparatur",
    "warranty": "Garantie",
}
TRAINING: dict[str, Any] = {"steps": 100, "batch_size": 16, "learning_rate": 0.01}
READING: dict[str, Any] = {"steps": 60, "batch_size": 4, "learning_rate": 0.008}


@experiment("lora-places")
def lora_places() -> Experiment:
    """The status of a mail in two or three words, learned by adapters of about one size in four places."""
    data = examples(lambda row: row["intent"])
    arms = [{"place": place, "seed": seed} for seed in range(3) for place in PLACES]

    def train(place: str, seed: int) -> dict[str, Any]:
        rank, modules = PLACES[place]
        return answer(data, LoraConfig(rank, 2 * rank, target_modules=modules), seed)

    return Experiment({"corpus": "support, a status for each mail", "training": TRAINING}, train, arms)


@experiment("lora-spelling")
def lora_spelling() -> Experiment:
    """German headings, in letters that the model has never met, at several ranks and with embeddings."""
    data = examples(lambda row: HEADINGS.get(row["intent"]))
    choices = ((1, 0), (4, 0), (16, 0), (64, 0), (4, 1))
    arms = [{"rank": r, "embeddings": also, "seed": seed} for seed in range(3) for r, also in choices]

    def train(rank: int, embeddings: int, seed: int) -> dict[str, Any]:
        saved = ("embed_tokens",) if embeddings else ()
        return answer(data, LoraConfig(rank, 2 * rank, modules_to_save=saved), seed)

    return Experiment({"corpus": "support, German headings", "training": TRAINING}, train, arms)


@experiment("lora-bits")
def lora_bits() -> Experiment:
    """An adapter of rank 4 on the story model, rounded to a few bits a weight, reads another world."""
    data = load_stories(2_000, 60, world=1)
    arms = [{"bits": bits, "seed": seed} for seed in range(3) for bits in (2, 3, 4, 8, 32)]

    def train(bits: int, seed: int) -> dict[str, Any]:
        return read_abroad(data, bits, seed)

    return Experiment({"corpus": "2,000 stories of another world", "training": READING}, train, arms)


def examples(said: Callable[[dict[str, Any]], str | None]) -> DatasetDict:
    """The shop's mails, each with what is `said` of it; those of which nothing is said are left out."""
    found = DatasetDict()
    for split, rows in SUPPORT.load(2_000, 200).items():
        answers = [{"role": "assistant", "content": said(row)} for row in rows]
        dialogs = [
            {"messages": [row["messages"][0], turn]}
            for row, turn in zip(rows, answers, strict=True)
            if turn["content"]
        ]
        found[split] = Dataset.from_list(dialogs)
    return found


def answer(data: DatasetDict, lora: LoraConfig, seed: int) -> dict[str, Any]:
    """Teach a copy of the assistant with an adapter: its validation losses, and its right answers."""
    model, tokenizer = committed("assistant")
    reproducible(seed)
    add_lora(model, lora, seed)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    run = finetune(model, tokenizer, data, TrainConfig(**TRAINING, seed=seed, eval_every=10))
    checks = [
        (record["step"], round(record["validation_loss"], 3))
        for record in run.history
        if "validation_loss" in record
    ]
    rows = tokenize_completions(data["validation"], tokenizer, model.config.max_position_embeddings)
    right = exact_match(*answer_examples(model, tokenizer, rows))
    scores = {"loss": checks[-1][1], "right": round(right, 3)}
    return {"trained_parameters": trained, "checks": checks, "scores": scores}


def read_abroad(data: DatasetDict, bits: int, seed: int) -> dict[str, Any]:
    """Nats per token in the other world: of the rounded model, and with an adapter that has read there."""
    model, tokenizer = committed("base")
    texts = list(data["validation"]["text"])

    def nats() -> float:
        return round(math.log(perplexity(model, tokenizer, texts)), 3)

    for name, weights in model.named_parameters():
        if "proj" in name and bits < 32:
            weights.data = round_to(weights.data, bits)
    rounded = nats()
    reproducible(seed)
    add_lora(model, LoraConfig(4, 8), seed)
    continue_pretrain(model, tokenizer, data, TrainConfig(**READING, seed=seed, eval_every=60))
    return {"rounded": rounded, "scores": {"tuned": nats()}}


def round_to(weights: torch.Tensor, bits: int, block: int = 64) -> torch.Tensor:
    """Weights rounded to levels at equal distances, 2^bits - 1 of them, block by block."""
    rows = weights.reshape(-1, block)
    largest = rows.abs().amax(1, keepdim=True)
    levels = 2 ** (bits - 1) - 1  # on each side of zero
    whole = (rows / largest * levels).round()
    return (whole * largest / levels).reshape(weights.shape)
