"""Instruction tuning of the story model to a support assistant: how fast it learns the format, what it loses,
and which adapters are enough."""

import json
import math
from typing import Any

from datasets import DatasetDict
from tokenizers import Tokenizer

from bookkit.experiments.bases import SIZE, base
from bookkit.experiments.recording import Experiment
from fmkit import finetune
from fmkit.config import TrainConfig, reproducible
from fmkit.data.chat import add_chat_tokens
from fmkit.data.corpora import load_corpus
from fmkit.data.example_batches import tokenize_completions
from fmkit.evaluation.answers import answer_examples
from fmkit.evaluation.likelihood import perplexity
from fmkit.lora import LoraConfig, add_lora
from fmkit.model import Transformer
from fmkit.world.support import SUPPORT

TRAINING: dict[str, Any] = {"batch_size": 16, "learning_rate": 4e-3}
ASKED = 200  # held-out questions whose answers are checked
EMBEDDINGS = ("embed_tokens",)  # the whole table, 29 % of the weights: input and output share it
RANKS = (1, 2, 4, 8, 16)


def format_learning() -> Experiment:
    """Answers as JSON after more and more steps, from the story model and from nothing."""
    arms = [
        {"start": start, "steps": steps, "seed": seed}
        for seed in range(3)
        for steps in (0, 25, 50, 100, 200)
        for start in ("base", "scratch")
    ]

    def train(start: str, steps: int, seed: int) -> dict[str, Any]:
        return learn(seed, steps, scratch=start == "scratch")

    about = {"corpus": "support, answers as JSON", "training": TRAINING}
    return Experiment(about, train, arms)


def lora_rank() -> Experiment:
    """Adapters of several ranks, with embeddings for the new chat tokens trained or not, beside all weights.

    The question of LoRA's section 7.2, and of Biderman et al. 2024 (arXiv:2405.09673): it learns less and
    forgets less.
    """
    arms = [
        {"rank": rank, "embeddings": embeddings, "seed": seed}
        for seed in range(3)
        for rank, choices in (*((rank, (0, 1)) for rank in RANKS), (0, (1,)))  # 0: no adapter, all weights
        for embeddings in choices
    ]

    def train(rank: int, embeddings: int, seed: int) -> dict[str, Any]:
        saved = EMBEDDINGS if embeddings else ()
        lora = LoraConfig(r=rank, lora_alpha=2 * rank, modules_to_save=saved) if rank else None
        return learn(seed, 150, lora)

    about = {"corpus": "support, answers as JSON", "training": {**TRAINING, "steps": 150}}
    return Experiment(about, train, arms)


def learn(seed: int, steps: int, lora: LoraConfig | None = None, scratch: bool = False) -> dict[str, Any]:
    """Tune a copy of the base to answer in JSON, and ask it what it has not been asked before."""
    model, tokenizer = base(seed)
    if scratch:
        model = Transformer(SIZE, seed=seed)
    tokenizer = prepare_chat(model, tokenizer)
    reproducible(seed)
    data = dialogs("json")
    trained = sum(p.numel() for p in model.parameters())
    if lora:
        add_lora(model, lora, seed)
        trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    if steps:
        finetune(model, tokenizer, data, TrainConfig(steps, **TRAINING, seed=seed, eval_every=steps))
    stories = list(load_corpus("stories")["validation"]["text"][:200])
    scores = {
        **judge(model, tokenizer, data),
        "stories": round(math.log(perplexity(model, tokenizer, stories)), 3),
    }
    return {"trained_parameters": trained, "scores": scores}


def prepare_chat(model: Transformer, tokenizer: Tokenizer) -> Tokenizer:
    """The tokenizer with the tokens that mark who speaks, and the model with embeddings for them."""
    tokenizer = add_chat_tokens(tokenizer)
    model.resize_vocab(tokenizer.get_vocab_size())
    return tokenizer


def dialogs(column: str, examples: int = 2_000) -> DatasetDict:
    """Support dialogs whose answers are a column of the dialect: completion, json or intent."""

    def answered(row: dict[str, Any]) -> dict[str, Any]:
        answer = {"role": "assistant", "content": row[column]}
        return {"messages": [row["messages"][0], answer]}

    data = SUPPORT.load(examples, ASKED)
    return data.map(answered, remove_columns=data["train"].column_names)


def judge(model: Transformer, tokenizer: Tokenizer, data: DatasetDict) -> dict[str, float]:
    """Shares of held-out answers that are JSON, name the right intent and item, and are right as a whole."""
    examples = tokenize_completions(data["validation"], tokenizer, model.config.max_position_embeddings)
    said, truth = answer_examples(model, tokenizer, examples)
    counts = dict.fromkeys(("json", "intent", "item", "exact"), 0)
    for answer, right in zip(said, truth, strict=True):
        known, found = json.loads(right), as_object(answer)
        counts["json"] += found is not None
        counts["exact"] += found == known
        for name in ("intent", "item"):
            counts[name] += found is not None and found.get(name, "") == known[name]
    return {name: round(count / len(truth), 3) for name, count in counts.items()}


def as_object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
