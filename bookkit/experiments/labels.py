"""What a sorter of mail learns from labels: how many there are, who wrote them, and how they are split.

The story model becomes a classifier of the shop's mail by topic, the customer's intent. Each seed draws other
messages, other slips of the annotators, another head and another order.
"""

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from datasets import Dataset, DatasetDict

from bookkit.experiments.foundations import base
from bookkit.experiments.recording import Experiment, experiment
from fmkit import Classifier, TrainConfig, finetune
from fmkit.config import reproducible
from fmkit.data.example_batches import collate_labeled, example_batches, tokenize_labeled
from fmkit.data.tokenizer import PAD, special_id
from fmkit.evaluation.agreement import agreement
from fmkit.evaluation.classification import predict_labels
from fmkit.world import Support, annotate, load_mailbox

TRAINING: dict[str, Any] = {"steps": 120, "batch_size": 16, "learning_rate": 2e-3}
MISREAD = {"broken": "warranty", "discount": "price", "order status": "delivery", "refund": "return"}
ANNOTATORS: dict[str, dict[str, Any]] = {  # what they get wrong
    "nothing": {},
    "slips 10%": {"slips": 0.1},
    "slips 20%": {"slips": 0.2},
    "slips 40%": {"slips": 0.4},
    "misreads 4 topics": {"misread": MISREAD},
}
Sorter = Callable[[Sequence[str]], list[str]]
SIZES = (80, 160, 320, 640, 1280)
NEW = 500  # messages that nobody has labeled, to measure on


@experiment("labels")
def labels() -> Experiment:
    """Accuracy on new messages against the truth, and against labels by the same annotator."""

    def train(labels: int, errors: str, seed: int) -> dict[str, Any]:
        rng, shop = random.Random(f"labels {seed}"), Support()
        drawn = [shop.sample(rng) for _ in range(SIZES[-1] + NEW)]
        truth = [dialog.intent for dialog in drawn]
        topics = sorted(set(truth))
        texts = [dialog.prompt for dialog in drawn]
        written = annotate(truth, topics, **ANNOTATORS[errors], seed=seed)
        sorter = sort_by(topics, texts[:labels], written[:labels], seed)
        predicted = sorter(texts[-NEW:])
        found = {
            "truth": agreement(predicted, truth[-NEW:]),
            "reported": agreement(predicted, written[-NEW:]),
        }
        return {"scores": {name: round(value, 3) for name, value in found.items()}}

    arms = [
        {"labels": labels, "errors": errors, "seed": seed}
        for seed in range(3)
        for errors in ANNOTATORS
        for labels in SIZES
    ]
    return Experiment({"corpus": "support", "training": TRAINING}, train, arms)


@experiment("leaks")
def leaks() -> Experiment:
    """Accuracy on the part of a mailbox that was held out, and on a later mailbox without copies."""

    def train(split: str, seed: int) -> dict[str, Any]:
        box = load_mailbox(seed=seed)
        later = [mail for mail in load_mailbox(NEW * 5 // 4, seed=1_000 + seed) if not mail["copy_of"]]
        texts, topics = list(box["message"]), sorted(set(box["intent"]))
        if split == "topic in the text":
            texts = [f"[{mail['intent']}] {mail['message']}" for mail in box]
        groups = [mail["copy_of"] or number for number, mail in enumerate(box, 1)]
        if split == "by row":
            groups = list(range(len(box)))
        held = set(random.Random(seed).sample(sorted(set(groups)), len(set(groups)) // 5))
        inside = [number for number, group in enumerate(groups) if group not in held]
        outside = [number for number, group in enumerate(groups) if group in held]
        known = [box["intent"][number] for number in inside]
        sorter = sort_by(topics, [texts[number] for number in inside], known, seed)
        measured = {
            "reported": (
                [texts[number] for number in outside],
                [box["intent"][number] for number in outside],
            ),
            "later": ([mail["message"] for mail in later], [mail["intent"] for mail in later]),
        }
        found = {name: agreement(sorter(asked), truth) for name, (asked, truth) in measured.items()}
        return {"scores": {name: round(value, 3) for name, value in found.items()}}

    arms = [
        {"split": split, "seed": seed}
        for seed in range(10)
        for split in ("by message", "by row", "topic in the text")
    ]
    return Experiment({"corpus": "a mailbox of the shop", "training": TRAINING}, train, arms)


def sort_by(topics: Sequence[str], texts: Sequence[str], known: Sequence[str], seed: int) -> Sorter:
    """Train a classifier of topics, and return the function that sorts texts."""
    reproducible(seed)
    model, tokenizer = base(seed=0)
    sorter = Classifier.from_base(model, topics, seed)
    rows = Dataset.from_dict({"text": list(texts), "label": list(known)})
    config = TrainConfig(**TRAINING, seed=seed, eval_every=TRAINING["steps"])
    finetune(sorter, tokenizer, DatasetDict(train=rows, validation=rows.take(1)), config)
    collate = partial(collate_labeled, pad_id=special_id(tokenizer, PAD))

    def sort(texts: Sequence[str]) -> list[str]:
        asked = Dataset.from_dict({"text": list(texts), "label": [0] * len(texts)})
        examples = tokenize_labeled(asked, tokenizer, model.config.max_position_embeddings, topics)
        return [topics[label] for label in predict_labels(sorter, example_batches(examples, 64, collate))]

    return sort
