"""Recorded runs, read for a page: grouped by a setting, with the lowest and highest of their seeds."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fmkit.errors import FmkitError
from fmkit.experiments.recording import RUNS

Run = dict[str, Any]


@dataclass(frozen=True)
class Seeds:
    """One number over several seeds."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return sum(self.values) / len(self.values)

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)


def read_runs(name: str) -> list[Run]:
    """The runs of an experiment. Raises `FmkitError` where it was never recorded."""
    path = RUNS / f"{name}.json"
    if not path.is_file():
        raise FmkitError(f"{path.name} was never recorded: python -m fmkit.experiments {name}")
    return list(json.loads(path.read_text(encoding="utf-8"))["runs"])


def by_setting(runs: list[Run], setting: str, value: Callable[[Run], float], **only: Any) -> dict[Any, Seeds]:
    """`value` of the runs that have the settings `only`, for each value of `setting`, over the seeds."""
    chosen = [run for run in runs if only.items() <= run["settings"].items()]
    groups: dict[Any, list[float]] = {}
    for run in chosen:
        groups.setdefault(run["settings"][setting], []).append(value(run))
    return {key: Seeds(tuple(values)) for key, values in groups.items()}


def score(name: str) -> Callable[[Run], float]:
    """What a run scored; for `by_setting`."""
    return lambda run: float(run["scores"][name])
