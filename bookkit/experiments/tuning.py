"""The runs that the fine-tuning lab replays, and what the schedule of the learning rate does to such runs."""

from typing import Any

from bookkit.experiments.course import curve, follow
from bookkit.experiments.recording import Experiment, experiment
from fmkit.errors import FmkitError
from fmkit.flops import num_parameters
from fmkit.trainer import Record
from fmkit.widgets.text_lab import AnswerLab, shop_lab

RATES = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)
EPOCHS = {4: (2, 5, 10), 16: (2, 5, 10, 20), 64: (2, 5, 10)}  # by the batch size
TOO_HIGH = 100.0
POINTS = 40  # of a training curve, at most: two an epoch


@experiment("tuning")
def tuning() -> Experiment:
    """Every setting of the lab's sliders; those of 10 epochs in batches of 16 with three seeds."""
    shared = shop_lab()

    def train(**setting: Any) -> dict[str, Any]:
        return train_in(shared, **setting)

    arms = [
        {"learning_rate": rate, "batch_size": batch_size, "epochs": epochs, "seed": seed}
        for rate in (*RATES, TOO_HIGH)
        for batch_size in EPOCHS
        for epochs in EPOCHS[batch_size]
        for seed in range(3 if (batch_size, epochs) == (16, 10) and rate < TOO_HIGH else 1)
    ]
    return Experiment(about(shared), train, arms)


@experiment("schedule")
def schedule() -> Experiment:
    """The same task for five epochs: warm-ups of 0, 3 and 12 of its 62 steps, and three ways to go on."""
    shared = shop_lab()
    fixed: dict[str, Any] = {"batch_size": 16, "epochs": 5}

    def train(**setting: Any) -> dict[str, Any]:
        ratio = {"decay_ratio": 0.3} if setting["lr_scheduler_type"] == "warmup_stable_decay" else {}
        if setting["lr_scheduler_type"] == "constant":  # no decay but that of the last step
            setting["lr_scheduler_type"], ratio = "warmup_stable_decay", {"decay_ratio": 0.0}
        return train_in(shared, **setting, **fixed, **ratio)

    arms = [
        {"learning_rate": rate, "warmup_steps": warmup, "lr_scheduler_type": "cosine", "seed": seed}
        for rate in (0.01, 0.03, 0.1)
        for warmup in (0, 3, 12)
        for seed in range(3)
    ]
    arms += [
        {"learning_rate": 0.01, "warmup_steps": 12, "lr_scheduler_type": kind, "seed": seed}
        for kind in ("warmup_stable_decay", "constant")
        for seed in range(3)
    ]
    return Experiment({**about(shared), "training": fixed}, train, arms)


def about(lab: AnswerLab) -> dict[str, Any]:
    """What all runs of the shop's lab share."""
    return {
        "corpus": f"{len(lab.examples)} answers of the shop",
        "examples": len(lab.examples),
        "parameters": num_parameters(lab.model().config),
        "floor": round(lab.floor, 4),
    }


def train_in(lab: AnswerLab, **setting: Any) -> dict[str, Any]:
    """Train with these settings, to the end or until the loss is no longer finite; `checks` are places and
    validation losses there, `test_loss` is that of other dialogs at the end."""
    trainer = lab.trainer(**setting)
    history: list[Record] = []
    due = range(0, trainer.config.steps, trainer.config.eval_every or 1)
    outcome: dict[str, Any] = {}
    try:
        for record in follow(trainer, lambda: {"validation_loss": trainer.evaluate(lab.validation)}, due):
            history.append({**record, "epochs": lab.place(trainer)})
        outcome = {"test_loss": round(trainer.evaluate(lab.test), 3)}
    except FmkitError as error:
        outcome = {"error": str(error)}
    measured = [record for record in history if "validation_loss" in record]
    checks = [[record["epochs"], round(record["validation_loss"], 3)] for record in measured]
    if "error" not in outcome:
        outcome = {"validation_loss": checks[-1][1], **outcome}
    return {**curve(history, POINTS, over="epochs"), "checks": checks, **outcome}
