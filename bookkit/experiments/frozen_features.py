"""Sentiment by a head on the frozen features of the story model, by all its weights, or from scratch.

The question of Peters et al. 2019 (arXiv:1903.05987): to tune or not to tune. Held-out reviews that rest on
one statement alone show which kinds of sentences are misread.
"""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from datasets import Dataset
from tokenizers import Tokenizer

from bookkit.experiments.foundations import SIZE, base
from bookkit.experiments.recording import Experiment, experiment
from fmkit import finetune
from fmkit.config import TrainConfig, reproducible
from fmkit.data.example_batches import collate_labeled, example_batches, tokenize_labeled
from fmkit.data.tokenizer import PAD, special_id
from fmkit.evaluation.classification import predict_labels
from fmkit.model import Classifier
from fmkit.world import LABELS, load_reviews

EPOCHS = 10  # each label is seen so often, however many there are
BATCH = 20
RATES = {"frozen": 2e-2, "base": 2e-3, "scratch": 2e-3}  # each the best of several for its start
HELD_OUT = 1_000
POOL = 4_000  # reviews from which those of one statement are taken
POSITIVE = LABELS.index("positive")

CLAIMS = {  # the kinds of statements, each with words that no other kind has
    "negation": r"\bnot .* at all\b|\bThere was nothing\b|\b(?:far from|anything but|was never)\b",
    "contrast": r"\bbut the \w+ itself\b|\b[Aa]lthough\b|\b[Ee]ven though\b",
    "hearsay": r"\btold me\b",
    "expectation": r"\bI expected\b|\bI wanted to\b",
    "plain": r"^The [\w ]+ was (?:really |truly |simply |just )?\w+$",
}


@experiment("frozen-features")
def frozen_features() -> Experiment:
    pool = load_reviews(1, POOL)["validation"]
    held_out, of_one_kind = pool.take(HELD_OUT), pool.filter(lambda row: kind_of(row["text"]) is not None)

    def train(start: str, labels: int, seed: int) -> dict[str, Any]:
        data = load_reviews(labels, 200)
        story_model, tokenizer = base(seed)
        reproducible(seed)
        if start == "scratch":
            model = Classifier(SIZE, LABELS, seed)
        else:
            model = Classifier.from_base(story_model, LABELS, seed)
        model.model.requires_grad_(start != "frozen")
        trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
        steps = EPOCHS * labels // BATCH
        config = TrainConfig(steps, batch_size=BATCH, learning_rate=RATES[start], seed=seed, eval_every=steps)
        finetune(model, tokenizer, data, config)
        return {"trained_parameters": trained, **judge(model, tokenizer, held_out, of_one_kind)}

    arms = [
        {"start": start, "labels": labels, "seed": seed}
        for seed in range(3)
        for labels in (50, 200, 1_000)
        for start in RATES
    ]
    about = {
        "corpus": "reviews with labels; the base has read stories alone",
        "training": {"epochs": EPOCHS, "batch_size": BATCH, "learning_rate": RATES},
        "held_out": HELD_OUT,
    }
    return Experiment(about, train, arms)


def judge(model: Classifier, tokenizer: Tokenizer, held_out: Dataset, of_one_kind: Dataset) -> dict[str, Any]:
    """Scores of the label positive, the four counts behind them, and accuracy on each kind of statement."""
    counts = confusion(classify(model, tokenizer, held_out), list(held_out["label"]))
    told = zip(
        classify(model, tokenizer, of_one_kind), of_one_kind["label"], of_one_kind["text"], strict=True
    )
    right: dict[str, list[bool]] = {kind: [] for kind in CLAIMS}
    for predicted, label, text in told:
        right[kind_of(text) or ""].append(predicted == label)
    by_kind = {
        kind: {"reviews": len(hits), "accuracy": round(sum(hits) / len(hits), 3)}
        for kind, hits in right.items()
    }
    return {"counts": counts, "by_kind": by_kind, "scores": scores_of(**counts)}


def classify(model: Classifier, tokenizer: Tokenizer, reviews: Dataset) -> list[int]:
    """The likeliest label of each review."""
    examples = tokenize_labeled(reviews, tokenizer, model.config.max_position_embeddings, LABELS)
    collate = partial(collate_labeled, pad_id=special_id(tokenizer, PAD))
    return predict_labels(model, example_batches(examples, 64, collate))


def confusion(predicted: Sequence[int], truth: Sequence[int]) -> dict[str, int]:
    """True and false positives, false and true negatives."""
    cells = {
        "true_positive": (True, True),
        "false_positive": (True, False),
        "false_negative": (False, True),
        "true_negative": (False, False),
    }
    pairs = [(p == POSITIVE, t == POSITIVE) for p, t in zip(predicted, truth, strict=True)]
    return {name: pairs.count(cell) for name, cell in cells.items()}


def scores_of(
    true_positive: int, false_positive: int, false_negative: int, true_negative: int
) -> dict[str, float]:
    """Accuracy, and precision, recall and F1 of the label positive; a precision of nothing claimed is 0."""
    right, claimed, cases = (
        true_positive + true_negative,
        true_positive + false_positive,
        true_positive + false_negative,
    )
    scores = {
        "accuracy": right / (right + false_positive + false_negative),
        "precision": true_positive / claimed if claimed else 0.0,
        "recall": true_positive / cases,
        "f1": 2 * true_positive / (claimed + cases),
    }
    return {name: round(value, 3) for name, value in scores.items()}


def kind_of(review: str) -> str | None:
    """The kind of statement that a review's label rests on; None if it has several, or a verdict."""
    _, *statements = review.removesuffix(".").split(". ")
    if len(statements) != 1:
        return None
    return next((kind for kind, words in CLAIMS.items() if re.search(words, statements[0])), None)
