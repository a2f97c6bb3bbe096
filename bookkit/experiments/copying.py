"""Copying an order number: a plateau of hundreds of steps and then a jump, long after the format is learned.

The order number is drawn at random, so nothing but copying it from the question can be right. Such copying is
the work of induction heads, which form all at once (Olsson et al. 2022, arXiv:2209.11895).
"""

import json
import math
import random
import re
from collections import Counter
from functools import partial
from typing import Any

from datasets import Dataset
from tokenizers import Tokenizer

from bookkit.experiments.assistant import as_object, prepare_chat
from bookkit.experiments.course import checks, curve, follow
from bookkit.experiments.foundations import base
from bookkit.experiments.recording import Experiment, experiment
from fmkit.config import TrainConfig, reproducible
from fmkit.data.corpora import load_corpus
from fmkit.data.example_batches import ExampleLoader, collate_completions, tokenize_completions
from fmkit.data.tokenizer import PAD, special_id
from fmkit.evaluation.answers import answer_examples
from fmkit.evaluation.likelihood import perplexity
from fmkit.model import Transformer
from fmkit.objectives import language_modeling
from fmkit.trainer import Record, Trainer
from fmkit.world import SUPPORT

TRAINING: dict[str, Any] = {
    "steps": 2_500,
    "batch_size": 16,
    "learning_rate": 4e-3,
    "lr_scheduler_type": "warmup_stable_decay",  # constant to step 2,000: a jump before is not of the rate
}
LOOKS = (25, 50, *range(100, TRAINING["steps"], 100))  # steps after which the model is asked
EXAMPLES, ASKED, STORIES = 20_000, 200, 100
FIELDS = ("intent", "item", "order")
SCORES = (*FIELDS, "json", "exact")
MISTAKES = 8  # that are kept to be read


@experiment("copying")
def copying() -> Experiment:
    dialogs = SUPPORT.load(EXAMPLES, ASKED)
    shown = orders(dialogs["train"], "train")
    asked = {digits: orders(dialogs["validation"], "validation", digits) for digits in (2, 3, 4)}
    stories = list(load_corpus("stories")["validation"]["text"][:STORIES])

    def train(seed: int) -> dict[str, Any]:
        model, tokenizer = base(seed)
        tokenizer = prepare_chat(model, tokenizer)
        reproducible(seed)
        config = TrainConfig(**TRAINING, seed=seed)
        examples = tokenize_completions(shown, tokenizer, model.config.max_position_embeddings)
        collate = partial(collate_completions, pad_id=special_id(tokenizer, PAD))
        loader = ExampleLoader(examples, config.batch_size, collate, seed)

        def measure() -> Record:
            nats = math.log(perplexity(model, tokenizer, stories))
            return {**score(*ask(model, tokenizer, asked[3])), "stories": nats}

        start = {"step": 0, **measure()}
        history = list(follow(Trainer(model, language_modeling, loader, config), measure, LOOKS))
        said, truth = ask(model, tokenizer, asked[3])
        other_lengths = {
            f"{digits} digits": score(*ask(model, tokenizer, asked[digits]))["order"] for digits in (2, 4)
        }
        return {
            "curve": curve(history),
            **checks([start, *history], *SCORES, "stories"),
            "tokens": history[-1]["tokens"],
            "wrong_digits": wrong_digits(said, truth),
            "other_lengths": other_lengths,
            "mistakes": mistakes(asked[3], said, truth),
        }

    about = {"corpus": "support, answers as JSON with the order number", "training": TRAINING}
    return Experiment(about, train, [{"seed": seed} for seed in range(3)])


def orders(dialogs: Dataset, split: str, digits: int = 3) -> Dataset:
    """Conversations whose questions have an order number and whose JSON answers repeat it.

    The number of a question that has one already is replaced; others get it in front or at the end.
    """
    rng = random.Random(f"orders {split} {digits}")
    rows = []
    for prompt, answer in zip(dialogs["prompt"], dialogs["json"], strict=True):
        number = rng.randrange(10 ** (digits - 1), 10**digits)
        question, count = re.subn(r"(?<=order )\d{3}", str(number), prompt)
        if not count and rng.random() < 0.5:
            question = f"Order {number}. {prompt}"
        elif not count:
            question = f"{prompt} My order number is {number}."
        reply = json.dumps({**json.loads(answer), "order": number})
        rows.append([{"role": "user", "content": question}, {"role": "assistant", "content": reply}])
    return Dataset.from_dict({"messages": rows})


def ask(
    model: Transformer, tokenizer: Tokenizer, questions: Dataset
) -> tuple[list[dict[str, Any] | None], list[dict[str, Any]]]:
    """The likeliest answers, as objects where they are valid JSON, and the right ones."""
    examples = tokenize_completions(questions, tokenizer, model.config.max_position_embeddings)
    said, truth = answer_examples(model, tokenizer, examples)
    return [as_object(answer) for answer in said], [json.loads(answer) for answer in truth]


def score(said: list[dict[str, Any] | None], truth: list[dict[str, Any]]) -> dict[str, float]:
    """Shares of answers that are valid JSON, have the right value in a field, and are right as a whole."""
    pairs = list(zip(said, truth, strict=True))
    right = {field: sum((s or {}).get(field, "") == t[field] for s, t in pairs) for field in FIELDS}
    right |= {"json": sum(s is not None for s, _ in pairs), "exact": sum(s == t for s, t in pairs)}
    return {name: count / len(truth) for name, count in right.items()}


def wrong_digits(said: list[dict[str, Any] | None], truth: list[dict[str, Any]]) -> dict[str, int]:
    """How many answers have no number of three digits, and how many such a number with 0 to 3 wrong ones."""
    counts = Counter(
        _wrong_digits(str((s or {}).get("order")), str(t["order"])) for s, t in zip(said, truth, strict=True)
    )
    return {name: counts[name] for name in ("0", "1", "2", "3", "no number")}


def _wrong_digits(said: str, right: str) -> str:
    if not re.fullmatch(r"\d{3}", said):
        return "no number"
    return str(sum(a != b for a, b in zip(said, right, strict=True)))


def mistakes(
    questions: Dataset, said: list[dict[str, Any] | None], truth: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The first questions that are answered wrongly, with both answers."""
    rows = zip(questions["messages"], said, truth, strict=True)
    wrong = [{"question": m[0]["content"], "said": s, "right": t} for m, s, t in rows if s != t]
    return wrong[:MISTAKES]
