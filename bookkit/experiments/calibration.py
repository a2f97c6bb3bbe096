"""Over-training and calibration: a sorter of reviews with few labels, looked at after more and more epochs.

The question of Guo et al. 2017 (arXiv:1706.04599): is a classifier right as often as it says, and what does
one temperature repair? The temperature is fitted to reviews of its own, and measured on others.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from datasets import Dataset
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import cross_entropy

from bookkit.experiments.course import follow
from bookkit.experiments.foundations import SIZE, base
from bookkit.experiments.recording import Experiment, experiment
from fmkit.config import TrainConfig, reproducible
from fmkit.data.batches import Batch
from fmkit.data.example_batches import ExampleLoader, collate_labeled, example_batches, tokenize_labeled
from fmkit.data.tokenizer import PAD, special_id
from fmkit.evaluation.calibration import expected_calibration_error, fit_temperature
from fmkit.model import Classifier
from fmkit.objectives import classification
from fmkit.trainer import Record, Trainer
from fmkit.world import LABELS, load_reviews

EPOCHS = (1, 2, 5, 10, 20, 50)
TUNING: dict[str, Any] = {"batch_size": 20, "learning_rate": 2e-3}
CONTEXT = SIZE.max_position_embeddings
FITTED, MEASURED = 500, 1_000  # reviews for the temperature, and others for everything that is reported


@experiment("calibration")
def calibration() -> Experiment:
    known = set(load_reviews(1_000, 1)["train"]["text"])
    new = load_reviews(1, 2 * (FITTED + MEASURED))["validation"].filter(lambda row: row["text"] not in known)
    fitted, measured = new.select(range(FITTED)), new.select(range(FITTED, FITTED + MEASURED))

    def train(labels: int, seed: int) -> dict[str, Any]:
        story_model, tokenizer = base(seed)
        reproducible(seed)
        model = Classifier.from_base(story_model, LABELS, seed)
        looks = {epochs * labels // TUNING["batch_size"]: epochs for epochs in EPOCHS}
        config = TrainConfig(max(looks), **TUNING, seed=seed)
        trainer = Trainer(model, classification, loader_of(labels, tokenizer, seed), config)
        found = follow(trainer, partial(look, model, tokenizer, fitted, measured), looks)
        looked = [
            {"epochs": looks[record["step"]], **record["looked"]} for record in found if "looked" in record
        ]
        ahead = [each.pop("ahead") for each in looked][-1]
        return {"looks": looked, "ahead": ahead, "scores": looked[-1]["scores"]}

    about = {
        "corpus": "reviews with labels; the base has read stories alone",
        "tuning": TUNING,
        "reviews": {"fitted": FITTED, "measured": MEASURED},
        "truth": {"fitted": in_a_row(fitted), "measured": in_a_row(measured)},
    }
    return Experiment(about, train, [{"labels": 200, "seed": seed} for seed in range(3)])


def in_a_row(reviews: Dataset) -> str:
    """The labels, a digit each."""
    return "".join(map(str, reviews["label"]))


def loader_of(labels: int, tokenizer: Tokenizer, seed: int) -> ExampleLoader:
    """Batches of so many labeled reviews, in another order in each epoch."""
    rows = tokenize_labeled(load_reviews(labels, 1)["train"], tokenizer, CONTEXT, LABELS)
    return ExampleLoader(rows, TUNING["batch_size"], collate(tokenizer), seed)


def collate(tokenizer: Tokenizer) -> Callable[[list[Any]], Batch]:
    return partial(collate_labeled, pad_id=special_id(tokenizer, PAD))


def look(model: Classifier, tokenizer: Tokenizer, fitted: Dataset, measured: Dataset) -> Record:
    """Scores before and after temperature scaling, and of each review how far *positive* is ahead."""
    logits = [scores_of(model, tokenizer, reviews) for reviews in (fitted, measured)]
    truth = [torch.tensor(reviews["label"]) for reviews in (fitted, measured)]
    temperature = fit_temperature(logits[0], truth[0])
    before, after = judge(logits[1], truth[1]), judge(logits[1] / temperature, truth[1])
    scores = {"accuracy": before["accuracy"], "ece": before["ece"], "nats": before["nats"]}
    scores |= {"temperature": round(temperature, 3), "ece_after": after["ece"], "nats_after": after["nats"]}
    ahead = [[round(row, 2) for row in (each[:, 1] - each[:, 0]).tolist()] for each in logits]
    return {"looked": {"scores": scores, "ahead": {"fitted": ahead[0], "measured": ahead[1]}}}


@torch.no_grad()
def scores_of(model: Classifier, tokenizer: Tokenizer, reviews: Dataset) -> Tensor:
    """The model's scores of the labels (N, 2), before softmax."""
    model.eval()
    rows = tokenize_labeled(reviews, tokenizer, CONTEXT, LABELS)
    batches = example_batches(rows, 64, collate(tokenizer))
    return torch.cat([model(batch["input_ids"], batch["last"]) for batch in batches])


def judge(logits: Tensor, truth: Tensor) -> dict[str, float]:
    """Accuracy, calibration error and nats of a true label."""
    sure, said = logits.softmax(1).max(1)
    right = said == truth
    scores = {
        "accuracy": right.float().mean().item(),
        "ece": expected_calibration_error(sure.tolist(), right.tolist()),
        "nats": cross_entropy(logits, truth).item(),
    }
    return {name: round(value, 4) for name, value in scores.items()}
