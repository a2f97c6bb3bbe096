"""The runs that the training lab replays: every setting of its sliders, some with three seeds.

The longest run of each batch size reads as many tokens as those of the others.
"""

from dataclasses import asdict
from typing import Any

from bookkit.experiments.course import curve, follow
from bookkit.experiments.recording import Experiment, experiment
from fmkit.errors import FmkitError
from fmkit.flops import num_parameters
from fmkit.trainer import Record
from fmkit.widgets.text_lab import SMALL, STORIES, TextLab, story_lab

RATES = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 1.0, 100.0)
LONG = ((2, 800), (2, 3200), (8, 800))  # batch sizes and steps, for the rates around the best
POINTS = 100  # of a curve, at most: as many as one can tell apart


@experiment("lab")
def lab() -> Experiment:
    shared = story_lab()
    short = [(batch_size, steps) for batch_size in (2, 8, 32) for steps in (50, 100, 200)]
    settings = [
        {"learning_rate": rate, "batch_size": batch_size, "steps": steps, "seed": seed}
        for rate in RATES
        for batch_size, steps in [*short, *(LONG if 0.003 <= rate <= 0.03 else ())]
        for seed in range(3 if (batch_size, steps) == (8, 200) else 1)
    ]

    def train(**setting: Any) -> dict[str, Any]:
        return train_in(shared, setting, POINTS)

    return Experiment(about(shared), train, settings)


def about(lab: TextLab) -> dict[str, Any]:
    """What all runs of the story lab share."""
    assert lab.floor is not None, "that of stories is known"
    return {
        "corpus": f"{STORIES:,} stories",
        "parameters": num_parameters(SMALL),
        "model": asdict(SMALL),
        "floor": round(lab.floor, 4),
    }


def train_in(lab: TextLab, setting: dict[str, Any], points: int) -> dict[str, Any]:
    """Train with these settings, to the end or until the loss is no longer finite; `points` as in `curve`."""
    trainer = lab.trainer(**setting)
    history: list[Record] = []
    try:
        history.extend(follow(trainer, lambda: {"validation_loss": trainer.evaluate(lab.validation)}))
    except FmkitError as error:
        return {**curve(history, points), "error": str(error)}
    return {**curve(history, points), "validation_loss": round(history[-1]["validation_loss"], 3)}
