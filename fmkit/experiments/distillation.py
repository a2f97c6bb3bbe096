"""A small student, alone and with a teacher: soft answers at several temperatures, or texts that it wrote.

The question of Hinton et al. 2015 (arXiv:1503.02531): a teacher's doubts carry more than its choices, most of
all where there is little data.
"""

from typing import Any

from datasets import DatasetDict

from fmkit.config import ModelConfig, TrainConfig, reproducible
from fmkit.data.corpora import load_corpus
from fmkit.experiments.bases import base
from fmkit.experiments.recording import Arm, Experiment, last
from fmkit.model import Transformer
from fmkit.recipes import distill, pretrain, write_corpus

STUDENT = ModelConfig(vocab_size=1024, hidden_size=32, num_hidden_layers=2)
TRAINING: dict[str, Any] = {"steps": 600, "batch_size": 4, "learning_rate": 1e-2}
FEW, MANY = 300, 20_000  # stories


def distillation() -> Experiment:
    corpus = load_corpus("stories")

    def train(method: str, stories: int, temperature: float, seed: int) -> dict[str, Any]:
        teacher, tokenizer = base(seed)
        data = DatasetDict(train=corpus["train"].select(range(stories)), validation=corpus["validation"])
        config = TrainConfig(**TRAINING, seed=seed, eval_every=TRAINING["steps"])
        reproducible(seed)
        student = Transformer(STUDENT, seed=seed)
        if method == "alone":
            run = pretrain(student, tokenizer, data, config)
        elif method == "teacher's texts":
            data["train"] = write_corpus(teacher, tokenizer, stories, seed=seed)
            run = pretrain(student, tokenizer, data, config)
        else:
            weight = 1.0 if method == "soft" else 0.5
            run = distill(student, teacher, tokenizer, data, config, temperature, weight)
        return last(run, loss="validation_loss")

    ways = [("alone", 1.0), ("teacher's texts", 1.0), ("half soft", 2.0)]
    ways += [("soft", temperature) for temperature in (1.0, 2.0, 4.0, 8.0)]
    arms = [
        {"method": method, "stories": stories, "temperature": temperature, "seed": seed}
        for seed in range(3)
        for stories in (FEW, MANY)
        for method, temperature in ways
        if not (method == "teacher's texts" and stories == MANY)  # the teacher would write for an hour
    ]
    about = {"teacher": "the story model", "student": vars(STUDENT), "training": TRAINING}
    return Experiment(about, [Arm(s, lambda s=s: train(**s)) for s in arms])  # type: ignore[misc]
