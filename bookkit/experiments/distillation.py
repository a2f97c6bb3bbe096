"""A small student, alone and with a teacher: its probabilities at several temperatures, or texts by it.

The question of Hinton et al. 2015 (arXiv:1503.02531): the probabilities that a teacher gives to all
tokens teach more than its choices, most of all where data is scarce.
"""

from typing import Any

import torch
from datasets import DatasetDict

from bookkit.experiments.course import checks
from bookkit.experiments.foundations import SIZE, base
from bookkit.experiments.recording import Experiment, experiment
from fmkit import distill, pretrain, write_corpus
from fmkit.config import ModelConfig, TrainConfig, reproducible
from fmkit.data.batches import IGNORE, Batch, validation_batches
from fmkit.data.corpora import load_corpus
from fmkit.evaluation.likelihood import total_nats
from fmkit.flops import num_parameters
from fmkit.model import Transformer

STUDENT = ModelConfig(vocab_size=1024, hidden_size=32, num_hidden_layers=2)
TRAINING: dict[str, Any] = {"steps": 600, "batch_size": 4, "learning_rate": 1e-2}
FEW, WRITTEN, MANY = 300, 5_500, 20_000  # stories: enough in the last two that none is read twice
# Method and temperature. A longer arm costs about as much as a soft one; the teacher is only measured.
WAYS = {
    FEW: [
        ("alone", 1.0),
        ("alone, longer", 1.0),
        *(("soft", temperature) for temperature in (1.0, 2.0, 4.0, 8.0)),
        ("half soft", 1.0),
        ("teacher's texts", 1.0),
    ],
    WRITTEN: [("teacher's texts", 1.0)],
    MANY: [("teacher", 1.0), ("alone", 1.0), ("alone, longer", 1.0), ("soft", 1.0)],
}


@experiment("distillation")
def distillation() -> Experiment:
    corpus = load_corpus("stories")

    def train(method: str, stories: int, temperature: float, seed: int) -> dict[str, Any]:
        teacher, tokenizer = base(seed)
        held_out = validation_batches(corpus["validation"], tokenizer, 8, 256, limit=128)
        if method == "teacher":
            return {"scores": judge(teacher, held_out)}
        data = DatasetDict(train=corpus["train"].select(range(stories)), validation=corpus["validation"])
        steps = TRAINING["steps"] * (2 if method == "alone, longer" else 1)
        config = TrainConfig(**TRAINING | {"steps": steps}, seed=seed, eval_every=100)
        reproducible(seed)
        student = Transformer(STUDENT, seed=seed)
        if method.startswith("alone"):
            run = pretrain(student, tokenizer, data, config)
        elif method == "teacher's texts":
            data["train"] = write_corpus(teacher, tokenizer, stories, seed=seed)
            run = pretrain(student, tokenizer, data, config)
        else:
            mix: Any = {"temperature": temperature, "soft_weight": 1.0 if method == "soft" else 0.5}
            run = distill(student, tokenizer, data, config, teacher=teacher, **mix)
        cost = {"cpu_seconds": round(run.usage.cpu_seconds, 1)}
        return checks(run.history, loss="validation_loss") | {"scores": judge(student, held_out) | cost}

    arms = [
        {"method": method, "stories": stories, "temperature": temperature, "seed": seed}
        for seed in range(3)
        for stories in WAYS
        for method, temperature in WAYS[stories]
    ]
    about = {
        "teacher": vars(SIZE),
        "student": vars(STUDENT),
        "parameters": {"teacher": num_parameters(SIZE), "student": num_parameters(STUDENT)},
        "training": TRAINING,
    }
    return Experiment(about, train, arms)


@torch.no_grad()
def judge(model: Transformer, batches: list[Batch]) -> dict[str, float]:
    """Nats a token, and how often the likeliest token is the right one."""
    nats, tokens = total_nats(model, batches)
    guesses = [model(batch["input_ids"], batch["document_ids"]).argmax(-1) for batch in batches]
    right = sum(
        int(((guess == batch["labels"]) & (batch["labels"] != IGNORE)).sum())
        for guess, batch in zip(guesses, batches, strict=True)
    )
    return {"loss": round(nats / tokens, 3), "accuracy": round(right / tokens, 4)}
