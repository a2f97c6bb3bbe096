"""Instruction tuning of the story model to a support assistant, and what it answers afterwards."""

import json
import math
from typing import Any

from datasets import DatasetDict
from tokenizers import Tokenizer

from bookkit.experiments.foundations import SIZE, base
from fmkit import finetune
from fmkit.config import TrainConfig, reproducible
from fmkit.data.chat import add_chat_tokens
from fmkit.data.corpora import load_corpus
from fmkit.data.example_batches import tokenize_completions
from fmkit.evaluation.answers import answer_examples
from fmkit.evaluation.likelihood import perplexity
from fmkit.lora import LoraConfig, add_lora
from fmkit.model import Transformer
from fmkit.world import SUPPORT

TRAINING: dict[str, Any] = {"batch_size": 16, "learning_rate": 4e-3}
ASKED = 200  # held-out questions whose answers are checked


def learn(
    seed: int, steps: int, lora: LoraConfig | None = None, scratch: bool = False, **training: Any
) -> dict[str, Any]:
    """Tune a copy of the base to answer in JSON, and score its answers to new questions.

    `training` takes the place of settings in `TRAINING`.
    """
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
        config = TrainConfig(steps, **{**TRAINING, **training}, seed=seed, eval_every=steps)
        finetune(model, tokenizer, data, config)
    stories = list(load_corpus("stories")["validation"]["text"][:200])
    scores = {
        **judge(model, tokenizer, data),
        "stories": round(math.log(perplexity(model, tokenizer, stories)), 3),
    }
    return {"trained_parameters": trained, "scores": scores}


def prepare_chat(model: Transformer, tokenizer: Tokenizer) -> Tokenizer:
    """Add the tokens that mark the speakers: returns the new tokenizer, and resizes the model in place."""
    tokenizer = add_chat_tokens(tokenizer)
    model.resize_vocab(tokenizer.get_vocab_size())
    return tokenizer


def dialogs(column: str, examples: int = 2_000) -> DatasetDict:
    """Support dialogs whose answers are a column of the domain: completion, json or intent."""

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
