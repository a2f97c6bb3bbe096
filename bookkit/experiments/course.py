"""The course of a training, in the one form that experiments keep: a history with a record of each step.

`TrainingRun.history` of the recipes has this form, and `follow` gives it to a `Trainer` of one's own. `curve`
and `checks` are what is recorded of it.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any

from fmkit.trainer import Record, Trainer

POINTS = 200  # of a curve, at most


def follow(trainer: Trainer, measure: Callable[[], Record], at: Collection[int] = ()) -> Iterator[Record]:
    """Train to the end and yield the record of each step; those after the steps `at`, and the last, with
    what `measure` returns."""
    for record in trainer.run():
        if trainer.step in at or trainer.step == trainer.config.steps:
            record |= measure()
        yield record


def curve(history: list[Record], points: int = POINTS, over: str = "tokens") -> dict[str, list[float]]:
    """The loss, in at most so many points: each the mean of some steps, at the tokens seen after them (or at
    what else `over` names in the records)."""
    size = -(-len(history) // points) or 1
    groups = [history[start : start + size] for start in range(0, len(history), size)]
    return {
        over: [group[-1][over] for group in groups],
        "loss": [round(sum(record["loss"] for record in group) / len(group), 3) for group in groups],
    }


def checks(history: list[Record], *names: str, **renamed: str) -> dict[str, Any]:
    """The metrics that were measured at some steps, under their own or other names: the steps, the values
    there, and the last ones as `scores`."""
    metrics = {name: name for name in names} | renamed
    measured = [record for record in history if all(metric in record for metric in metrics.values())]
    values = {name: [round(record[metric], 3) for record in measured] for name, metric in metrics.items()}
    return {
        "steps": [record["step"] for record in measured],
        **values,
        "scores": {name: column[-1] for name, column in values.items()},
    }
