"""How much pre-training helps a classifier, by the number of labels: the front chapter's run, repeated."""

import random
from typing import Any

from datasets import Dataset, DatasetDict

from bookkit.experiments.course import checks
from bookkit.experiments.foundations import pretrained
from bookkit.experiments.recording import Experiment, experiment
from fmkit import finetune
from fmkit.config import ModelConfig, TrainConfig, reproducible
from fmkit.data.tokenizer import train_tokenizer
from fmkit.model import Classifier
from fmkit.world import LABELS, load_reviews, load_stories

SIZE = ModelConfig(vocab_size=1024, hidden_size=64, num_hidden_layers=3, max_position_embeddings=128)
READING: dict[str, Any] = {"steps": 1500, "batch_size": 4, "learning_rate": 8e-3}
TUNING: dict[str, Any] = {"batch_size": 20, "learning_rate": 2e-3}
EPOCHS = 10  # each label is seen so often, however many there are


def read_texts() -> DatasetDict:
    """What the pre-trained ones have read: reviews without labels, and stories."""
    texts = [
        *load_reviews(n_train=20_000, seed=1)["train"]["text"],
        *load_stories(n_train=3_000)["train"]["text"],
    ]
    random.Random(0).shuffle(texts)
    return DatasetDict(
        train=Dataset.from_dict({"text": texts[300:]}), validation=Dataset.from_dict({"text": texts[:300]})
    )


@experiment("transfer")
def transfer() -> Experiment:
    raw = read_texts()
    tokenizer = train_tokenizer(raw["train"], SIZE.vocab_size)

    def train(start: str, labels: int, seed: int) -> dict[str, Any]:
        data = load_reviews(n_train=labels, n_validation=300, seed=0)
        reproducible(seed)
        if start == "pre-trained":
            model = Classifier.from_base(pretrained(SIZE, raw, READING, seed)[0], LABELS, seed)
        else:
            model = Classifier(SIZE, LABELS, seed)
        steps = EPOCHS * labels // TUNING["batch_size"]
        run = finetune(model, tokenizer, data, TrainConfig(steps, **TUNING, seed=seed))
        return checks(run.history, "accuracy")

    arms = [
        {"start": start, "labels": labels, "seed": seed}
        for seed in range(5)
        for labels in (50, 200, 1000)
        for start in ("pre-trained", "scratch")
    ]
    about = {"corpus": "20,000 reviews and 3,000 stories", "pretraining": READING, "finetuning": TUNING}
    return Experiment(about, train, arms)
