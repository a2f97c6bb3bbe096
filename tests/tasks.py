"""Toy tasks that a small model learns in seconds, and how it is trained on them."""

import random

from datasets import Dataset, DatasetDict
from tokenizers import Tokenizer

from fmkit import ModelConfig, TrainConfig

COLORS = ("red", "blue", "green", "black", "white", "brown")
DEEDS = {"hat": "wear", "boat": "sail", "lamp": "light", "door": "open", "kite": "fly", "cup": "fill"}
THINGS = tuple(DEEDS)


def splits(rows: list[dict]) -> DatasetDict:
    """The rows in random order: eight for validation, the others to train on."""
    random.Random(0).shuffle(rows)
    return DatasetDict({"train": Dataset.from_list(rows[8:]), "validation": Dataset.from_list(rows[:8])})


QUESTIONS = splits(
    [
        {"prompt": f"Sam has a {color} {thing}. What now?", "completion": f" {DEEDS[thing]} it"}
        for color in COLORS
        for thing in THINGS
    ]
)
CHATS = splits(
    [
        {
            "messages": [
                {"role": "user", "content": f"I have a {color} {thing}."},
                {"role": "assistant", "content": f"So {DEEDS[thing]} it."},
            ]
        }
        for color in COLORS
        for thing in THINGS
    ]
)
PREFERENCES = splits(
    [
        {"prompt": f"The {color} {thing} is", "chosen": " good.", "rejected": " bad."}
        for color in COLORS
        for thing in THINGS
    ]
)
SOLD = [(color, thing, coins) for color in COLORS for thing in THINGS for coins in range(2, 9)]
SALES = splits([{"text": f"Sold: one {color} {thing}, {coins} coins."} for color, thing, coins in SOLD])


def all_texts() -> list[str]:
    """Everything that the tasks say, to train a tokenizer on."""
    rows = [text for data in (QUESTIONS, PREFERENCES) for row in data["train"] for text in row.values()]
    talk = [message["content"] for row in CHATS["train"] for message in row["messages"]]
    return [*rows, *talk, *SALES["train"]["text"]]


def shape(tokenizer: Tokenizer, **more) -> ModelConfig:
    sizes = {"hidden_size": 48, "num_hidden_layers": 2, "max_position_embeddings": 64} | more
    return ModelConfig(vocab_size=tokenizer.get_vocab_size(), **sizes)


def config(steps: int, learning_rate: float = 5e-3, **more) -> TrainConfig:
    """Settings that validate at the end alone."""
    settings = {"batch_size": 8, "eval_every": 10**6, "device": "cpu"} | more
    return TrainConfig(steps=steps, learning_rate=learning_rate, **settings)
