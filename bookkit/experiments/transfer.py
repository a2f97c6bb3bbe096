"""What pre-training is worth to a classifier, by the number of labels: the front chapter's run, repeated."""

import random
from typing import Any

from datasets import Dataset, DatasetDict

from bookkit.experiments.recording import Experiment
from fmkit.config import ModelConfig, TrainConfig, reproducible
from fmkit.data.tokenizer import train_tokenizer
from fmkit.model import Classifier, Transformer
from fmkit.recipes import finetune, pretrain
from fmkit.world.reviews import LABELS, load_reviews
from fmkit.world.stories import load_stories

SIZE = ModelConfig(vocab_size=1024, hidden_size=64, num_hidden_layers=3, max_position_embeddings=128)
READING: dict[str, Any] = {"steps": 1500, "batch_size": 4, "learning_rate": 8e-3}
TUNING: dict[str, Any] = {"batch_size": 20, "learning_rate": 2e-3}
EPOCHS = 10  # so often each label is seen, however many there are


def transfer() -> Experiment:
    texts = [
        *load_reviews(n_train=20_000, seed=1)["train"]["text"],
        *load_stories(n_train=3_000)["train"]["text"],
    ]
    random.Random(0).shuffle(texts)
    raw = DatasetDict(
        train=Dataset.from_dict({"text": texts[300:]}), validation=Dataset.from_dict({"text": texts[:300]})
    )
    tokenizer = train_tokenizer(raw["train"], vocab_size=1024)
    bases: dict[int, Transformer] = {}  # one for each seed, pre-trained when it is first needed

    def base(seed: int) -> Transformer:
        if seed not in bases:
            reproducible(seed)
            bases[seed] = Transformer(SIZE, seed=seed)
            pretrain(bases[seed], tokenizer, raw, TrainConfig(**READING, seed=seed))
        return bases[seed]

    def train(start: str, labels: int, seed: int) -> dict[str, Any]:
        data = load_reviews(n_train=labels, n_validation=300, seed=0)
        reproducible(seed)
        model = (
            Classifier.from_base(base(seed), LABELS, seed)
            if start == "pre-trained"
            else Classifier(SIZE, LABELS, seed)
        )
        steps = EPOCHS * labels // TUNING["batch_size"]
        run = finetune(model, tokenizer, data, TrainConfig(steps, **TUNING, seed=seed))
        checks = [record for record in run.history if "accuracy" in record]
        return {
            "steps": [record["step"] for record in checks],
            "accuracy": [round(record["accuracy"], 3) for record in checks],
            "scores": {"accuracy": round(checks[-1]["accuracy"], 3)},
        }

    arms = [
        {"start": start, "labels": labels, "seed": seed}
        for seed in range(5)
        for labels in (50, 200, 1000)
        for start in ("pre-trained", "scratch")
    ]
    about = {"corpus": "20,000 reviews and 3,000 stories", "pretraining": READING, "finetuning": TUNING}
    return Experiment(about, train, arms)
