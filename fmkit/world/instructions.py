"""Four things to do with a customer's message, each told in a system message: data for instruction tuning.

One model is to answer the customer, name the topic, fill in a form as JSON, or sum the message up for a
colleague, whichever the instruction says. Each task is put in several ways, and in two more that training
does not have. Everything but the answer follows from the message alone.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fmkit.errors import FmkitError
from fmkit.world.domain import at_least
from fmkit.world.support import Dialog, Support

if TYPE_CHECKING:
    from datasets import DatasetDict

# Each task with the ways in which it is put. The last two of each are not for training.
TASKS = {
    "answer": (
        "Answer the customer.",
        "Write to the customer.",
        "Help the customer.",
        "What do you tell the customer?",
        "Write an answer to the customer.",
        "How can you help the customer?",
    ),
    "topic": (
        "Name the topic.",
        "What is the topic?",
        "Give the topic only.",
        "Write down the topic.",
        "Tell me the topic.",
        "Which topic is it?",
    ),
    "json": (
        "Answer as JSON.",
        "Give JSON only.",
        "Write it as JSON.",
        "Put it into JSON.",
        "Give the answer as JSON.",
        "Write JSON only.",
    ),
    "summary": (
        "Give a summary.",
        "Write a short summary.",
        "Answer with a summary.",
        "What is the summary?",
        "Write down a summary.",
        "Tell me a summary.",
    ),
}
HELD_OUT = 2  # of the ways of each task

SUMMARIES = {
    "order status": "asks where the {item} is",
    "return": "wants to send back the {item}",
    "refund": "waits for the money for the {item}",
    "broken": "says that the {item} broke",
    "wrong item": "got another thing than the {item}",
    "wrong size": "wants the {item} in another size",
    "cancel": "does not want the {item} anymore",
    "change address": "wants an order sent to another town",
    "invoice": "needs a paper for an order",
    "password": "cannot log in",
    "discount": "asks for a discount on the {item}",
    "hours": "asks when the shop is open",
    "price": "asks for the price of the {item}",
    "material": "asks what the {item} is made of",
    "color": "asks for a color of the {item}",
    "warranty": "asks about the warranty on the {item}",
    "delivery": "asks how soon the {item} can come",
    "gift wrap": "wants the {item} wrapped",
    "talk to a person": "wants to talk to a person",
}


@dataclass(frozen=True)
class Instructed:
    """A conversation of a system message, a customer's and the assistant's; its task; what is asked, and what
    is right to say."""

    messages: list[dict[str, str]]
    task: str
    instruction: str
    prompt: str
    completion: str


def load_instructions(
    n_train: int = 4_000, n_validation: int = 200, ways: int = 4, seed: int = 0, world: int = 0
) -> DatasetDict:
    """Conversations in the splits train, validation and reworded, the tasks in turn.

    Train and validation put each task in its first `ways` ways, 1 to 4; reworded asks what validation does,
    in ways that train does not have. `world` is the number of the shop, and `seed` draws other messages of
    its customers. Raises `FmkitError` for fewer than four conversations in a split, and for other ways.
    """
    from datasets import Dataset, DatasetDict

    most = len(TASKS["answer"]) - HELD_OUT
    at_least("n_train", n_train, len(TASKS))
    at_least("n_validation", n_validation, len(TASKS))
    at_least("ways", ways, 1)
    if ways > most:
        raise FmkitError(f"ways={ways}: each task is put in {most} ways at most")
    shop = Support(world)
    splits = {}
    for split, size in (("train", n_train), ("validation", n_validation), ("reworded", n_validation)):
        held_out = split == "reworded"
        messages = random.Random(f"instructions {'train' if split == 'train' else 'validation'} {seed}")
        choice = random.Random(f"instructions {split} {seed} ways")
        rows = []
        for i in range(size):
            dialog, task = shop.sample(messages), tuple(TASKS)[i % len(TASKS)]
            told = TASKS[task][most:] if held_out else TASKS[task][:ways]
            rows.append(vars(_instructed(dialog, task, told[int(choice.random() * len(told))])))
        splits[split] = Dataset.from_list(rows)
    return DatasetDict(splits)


def instruct(instruction: str, prompt: str) -> list[dict[str, str]]:
    """The messages that put an instruction and a customer's message to a model."""
    return [{"role": "system", "content": instruction}, {"role": "user", "content": prompt}]


def is_right(shop: Support, row: Mapping[str, Any], answer: str) -> bool:
    """Whether an answer to a row of `load_instructions` is right: a letter is if the shop could write it, and
    everything else if it is the row's completion."""
    if row["task"] == "answer":
        return shop.completion_log_prob(row["prompt"], answer) > -math.inf
    return bool(answer == row["completion"])


def _instructed(dialog: Dialog, task: str, instruction: str) -> Instructed:
    said = {
        "answer": dialog.completion,
        "topic": dialog.intent,
        "json": dialog.json,
        "summary": f"The customer {SUMMARIES[dialog.intent].format(item=dialog.item)}.",
    }[task]
    turns = [*instruct(instruction, dialog.prompt), {"role": "assistant", "content": said}]
    return Instructed(turns, task, instruction, dialog.prompt, said)
