"""A sorter of reviews and how sure it is of each: what the slider over its threshold replays.

The story model learns from 200 labels, or from 1,000. Of each held-out review, the probability that it is a
complaint is kept, so that any threshold can be tried afterward.
"""

from functools import partial
from typing import Any

import torch
from datasets import Dataset
from tokenizers import Tokenizer

from bookkit.experiments.foundations import base
from bookkit.experiments.recording import Experiment, experiment
from fmkit import finetune
from fmkit.config import TrainConfig, reproducible
from fmkit.data.example_batches import collate_labeled, example_batches, tokenize_labeled
from fmkit.data.tokenizer import PAD, special_id
from fmkit.evaluation.classification import accuracy
from fmkit.model import Classifier
from fmkit.world import LABELS, load_reviews

LABELED = (200, 1_000)
HELD_OUT = 300
TUNING: dict[str, Any] = {"batch_size": 20, "learning_rate": 2e-3}
EPOCHS = 10
COMPLAINT = LABELS.index("negative")


@experiment("sorter")
def sorter() -> Experiment:
    known = set(load_reviews(max(LABELED), 1)["train"]["text"])
    new = load_reviews(1, 2 * HELD_OUT)["validation"].filter(lambda row: row["text"] not in known)
    held_out = new.select(range(HELD_OUT))

    def train(labels: int, seed: int) -> dict[str, Any]:
        story_model, tokenizer = base(seed)
        reproducible(seed)
        model = Classifier.from_base(story_model, LABELS, seed)
        steps = EPOCHS * labels // TUNING["batch_size"]
        config = TrainConfig(steps, **TUNING, seed=seed, eval_every=steps)
        finetune(model, tokenizer, load_reviews(labels, 1), config)
        complaint = probabilities(model, tokenizer, held_out)
        predicted = [COMPLAINT if p >= 0.5 else 1 - COMPLAINT for p in complaint]
        return {
            "complaint": [round(p, 3) for p in complaint],
            "scores": {"accuracy": round(accuracy(predicted, list(held_out["label"])), 3)},
        }

    about = {
        "corpus": "reviews with labels; the base has read stories alone",
        "tuning": {**TUNING, "epochs": EPOCHS},
        "reviews": list(held_out["text"]),
        "is_complaint": [int(label == COMPLAINT) for label in held_out["label"]],
    }
    return Experiment(about, train, [{"labels": labels, "seed": 0} for labels in LABELED])


@torch.no_grad()
def probabilities(model: Classifier, tokenizer: Tokenizer, reviews: Dataset) -> list[float]:
    """How likely each review is a complaint, according to the model."""
    model.eval()
    examples = tokenize_labeled(reviews, tokenizer, model.config.max_position_embeddings, LABELS)
    batches = example_batches(examples, 64, partial(collate_labeled, pad_id=special_id(tokenizer, PAD)))
    return [p for b in batches for p in model(b["input_ids"], b["last"]).softmax(-1)[:, COMPLAINT].tolist()]
