"""Experiments: arms that are trained one after the other, followed, and written down in assets/runs/.

An experiment is a function that returns an `Experiment`; each of its arms has settings that no other has.
"""

import json
import os
import platform
import shlex
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from fmkit.errors import FmkitError
from fmkit.run import TrainingRun
from fmkit.trainer import Record, Trainer

ROOT = Path(__file__).parents[2]
RUNS = ROOT / "assets" / "runs"
POINTS = 200  # at most so many of a run are kept

Settings = dict[str, Any]


@dataclass(frozen=True)
class Experiment:
    """`about` is what all arms share: model, corpus, floor. `train` is called with the settings of each arm,
    and returns what is kept of it, ready for JSON (see `follow`)."""

    about: dict[str, Any]
    train: Callable[..., dict[str, Any]]
    arms: list[Settings]


def spell(settings: Settings) -> str:
    """Settings as a command line has them: what a shell would take apart stands in quotes."""
    return " ".join(shlex.quote(f"{key}={value}") for key, value in settings.items())


def says(text: str, value: Any) -> bool:
    """Whether this is how a setting may be written: 0.5, .5 or 5e-1 for a number, a name as it is."""
    if isinstance(value, str):
        return text == value
    try:
        return float(text) == value
    except ValueError:
        return False


# --- following a run --------------------------------------------------------------------------------------


def follow(trainer: Trainer, validate: Callable[[], float]) -> dict[str, Any]:
    """Train to the end, or to where the loss is no number any more, and keep what a plot needs."""
    history: list[Record] = []
    try:
        history.extend(trainer.run())
    except FmkitError as error:
        return {**thin(history), "error": str(error)}
    return {**thin(history), "validation_loss": round(validate(), 3)}


def last(run: TrainingRun, **metrics: str) -> dict[str, Any]:
    """What a finished run says of itself: the course of some `metrics` of its records, and their ends."""
    checks = [record for record in run.history if all(metric in record for metric in metrics.values())]
    course = {name: [round(check[metric], 3) for check in checks] for name, metric in metrics.items()}
    return {
        "steps": [check["step"] for check in checks],
        **course,
        "scores": {name: values[-1] for name, values in course.items()},
    }


def thin(history: list[Record]) -> dict[str, list[float]]:
    """At most `POINTS` points of a run: each the mean loss of some steps, at the tokens seen after them."""
    size = -(-len(history) // POINTS) or 1
    groups = [history[start : start + size] for start in range(0, len(history), size)]
    return {
        "tokens": [group[-1]["tokens"] for group in groups],
        "loss": [round(sum(record["loss"] for record in group) / len(group), 3) for group in groups],
    }


# --- recording --------------------------------------------------------------------------------------------


def record(name: str, experiment: Experiment) -> Path:
    """Train every arm of an experiment and write them to assets/runs/<name>.json.

    The file is written after each arm. One that was left `unfinished`, by a kill, is gone on with; an arm
    that another machine or commit then adds says so.
    """
    command, path = f"python -m bookkit.experiments {name}", RUNS / f"{name}.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    here = provenance()
    first = {key: kept[key] for key in here} if kept.get("unfinished") else here
    done = {repr(run["settings"]): run for run in kept["runs"]} if kept.get("unfinished") else {}
    RUNS.mkdir(parents=True, exist_ok=True)
    for number, settings in enumerate(experiment.arms, start=1):
        if repr(settings) in done:
            continue
        print(f"{name} {number}/{len(experiment.arms)}  {spell(settings)}", end="", flush=True)
        started = time.process_time()
        outcome = experiment.train(**settings)
        seconds = round(time.process_time() - started, 1)
        print(f"  {result(outcome)}  ({seconds:.0f} CPU seconds)", flush=True)
        done[repr(settings)] = {
            "settings": settings,
            "command": f"{command} {spell(settings)}",
            "cpu_seconds": seconds,
            **{key: value for key, value in here.items() if value != first[key]},
            **outcome,
        }
        runs = [done[repr(arm)] for arm in experiment.arms if repr(arm) in done]
        missing = {"unfinished": True} if len(runs) < len(experiment.arms) else {}
        head = {"command": command, **first, **experiment.about, **missing}
        path.write_text(to_json(head, runs), encoding="utf-8")
    return path


def rerun(name: str, experiment: Experiment, chosen: dict[str, str]) -> None:
    """Train the arms that have the `chosen` settings again; print what comes out beside the record."""
    path = RUNS / f"{name}.json"
    kept = json.loads(path.read_text(encoding="utf-8"))["runs"] if path.is_file() else []
    recorded = {repr(run["settings"]): result(run) for run in kept}
    arms = [arm for arm in experiment.arms if matches(chosen, arm)]
    if not arms:
        raise FmkitError(f"{name} has no run with {spell(chosen)}: see {path.relative_to(ROOT)}")
    for arm in arms:
        again = result(experiment.train(**arm))
        print(f"{spell(arm)}  {again}  (recorded: {recorded.get(repr(arm), 'never')})", flush=True)


def matches(chosen: dict[str, str], settings: Settings) -> bool:
    """Whether an arm has these settings, as they are written on a command line."""
    return all(key in settings and says(text, settings[key]) for key, text in chosen.items())


def result(run: dict[str, Any]) -> str:
    """What came out, in a few words: the `scores` of a run, or its validation loss."""
    if "error" in run:
        return run["error"].split(":")[0] + ": not finite"
    scores = run.get("scores") or {"loss": run["validation_loss"]}
    return ", ".join(f"{name} {value:.2f}" for name, value in scores.items())


def provenance() -> dict[str, Any]:
    """Where and when: the processor's name, the version of torch, and the commit, with `-dirty` where fmkit
    differs from it."""
    git = ["git", "-C", str(ROOT)]
    commit, changed = (
        subprocess.run([*git, *what], capture_output=True, text=True, check=False).stdout.strip()
        for what in (["rev-parse", "--short=12", "HEAD"], ["status", "--porcelain", "--", "fmkit"])
    )
    at = f"{commit}-dirty" if changed else commit
    return {"machine": processor(), "torch": torch.__version__, "commit": at or None}


def processor() -> str:
    """The processor's name, and how many cores there are of it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, one of {os.cpu_count()} cores"


def to_json(head: dict[str, Any], runs: list[dict[str, Any]]) -> str:
    """One line for each run, so that a difference shows which has changed."""
    short = [json.dumps(run, separators=(",", ":")) for run in runs]
    return json.dumps(head, indent=1)[:-2] + ',\n "runs": [\n' + ",\n".join(short) + "\n]}\n"
