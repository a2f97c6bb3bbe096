"""The runs that the training lab replays: every setting of its sliders, some with three seeds."""

from dataclasses import asdict
from typing import Any

from bookkit.experiments.course import curve, follow
from bookkit.experiments.recording import Experiment, experiment
from fmkit.errors import FmkitError
from fmkit.flops import num_parameters
from fmkit.trainer import Record
from fmkit.widgets.training_lab import SMALL, STORIES, Lab, Setting, story_lab

RATES = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 1.0, 100.0)


@experiment("lab")
def lab() -> Experiment:
    shared = story_lab()
    settings = [
        Setting(rate, batch_size, steps, seed)
        for rate in RATES
        for batch_size in (2, 8, 32)
        for steps in (50, 100, 200)
        for seed in ((0, 1, 2) if (batch_size, steps) == (8, 200) else (0,))
    ]

    def train(**setting: Any) -> dict[str, Any]:
        return train_in(shared, Setting(**setting))

    return Experiment(about(shared), train, [asdict(setting) for setting in settings])


def about(lab: Lab) -> dict[str, Any]:
    """What all runs of the story lab share."""
    assert lab.floor is not None, "that of stories is known"
    return {
        "corpus": f"{STORIES:,} stories",
        "parameters": num_parameters(SMALL),
        "model": asdict(SMALL),
        "floor": round(lab.floor, 4),
    }


def train_in(lab: Lab, setting: Setting) -> dict[str, Any]:
    """Train with these settings, to the end or until the loss is no longer finite."""
    trainer = lab.trainer(setting)
    history: list[Record] = []
    try:
        history.extend(follow(trainer, lambda: {"validation_loss": trainer.evaluate(lab.validation)}))
    except FmkitError as error:
        return {**curve(history), "error": str(error)}
    return {**curve(history), "validation_loss": round(history[-1]["validation_loss"], 3)}
