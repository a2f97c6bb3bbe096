"""Recording experiments: train their arms one after the other, and write each to assets/runs/ when it ends.

An experiment is a function that returns an `Experiment`, registered under the name of its record with
`@experiment("name")` in a module of this package.
"""

import json
import os
import platform
import shlex
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from fmkit.data.files import write_whole
from fmkit.errors import FmkitError
from fmkit.processes import only_writer

ROOT = Path(__file__).parents[2]
RUNS = ROOT / "assets" / "runs"

Settings = dict[str, Any]


@dataclass(frozen=True)
class Experiment:
    """What all arms share (`about`: corpus, model, training); `train`, which is called with the settings of
    an arm and returns what is recorded, ready for JSON; and the settings, no two of which are equal."""

    about: dict[str, Any]
    train: Callable[..., dict[str, Any]]
    arms: list[Settings]


EXPERIMENTS: dict[str, Callable[[], Experiment]] = {}


def experiment(name: str) -> Callable[[Callable[[], Experiment]], Callable[[], Experiment]]:
    """Register a function as the experiment that is recorded in assets/runs/<name>.json."""

    def register(function: Callable[[], Experiment]) -> Callable[[], Experiment]:
        EXPERIMENTS[name] = function
        return function

    return register


# --- recording --------------------------------------------------------------------------------------------


def record(name: str, experiment: Experiment) -> Path:
    """Train every arm of an experiment and write them to assets/runs/<name>.json.

    The file is written after each arm. A recording that was killed is `unfinished`, and goes on where it was;
    an arm that another machine or commit then adds says so. Raises `FmkitError` where another process is
    recording it.
    """
    path = RUNS / f"{name}.json"
    RUNS.mkdir(parents=True, exist_ok=True)
    with only_writer(path):
        _record(name, experiment, path)
    return path


def _record(name: str, experiment: Experiment, path: Path) -> None:
    command = f"python -m bookkit.experiments {name}"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    here = provenance()
    first = {key: kept[key] for key in here} if kept.get("unfinished") else here
    done = {repr(run["settings"]): run for run in kept["runs"]} if kept.get("unfinished") else {}
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
        write_whole(path, to_json(head, runs).encode())


def rerun(name: str, experiment: Experiment, chosen: dict[str, str]) -> None:
    """Train the arms that have the `chosen` settings again, and print the results beside the recorded ones.

    Raises `FmkitError` where no arm has these settings.
    """
    path = RUNS / f"{name}.json"
    kept = json.loads(path.read_text(encoding="utf-8"))["runs"] if path.is_file() else []
    recorded = {repr(run["settings"]): result(run) for run in kept}
    arms = select(chosen, experiment.arms)
    if not arms:
        raise FmkitError(f"{name} has no run with {spell(chosen)}: see {path.relative_to(ROOT)}")
    for arm in arms:
        again = result(experiment.train(**arm))
        print(f"{spell(arm)}  {again}  (recorded: {recorded.get(repr(arm), 'never')})", flush=True)


def result(run: dict[str, Any]) -> str:
    """The result of a run in a few words: its `scores`, or its validation loss."""
    if "error" in run:
        return run["error"].split(":")[0] + ": not finite"
    scores = run.get("scores") or {"loss": run["validation_loss"]}
    return ", ".join(f"{name} {value:.2f}" for name, value in scores.items())


def to_json(head: dict[str, Any], runs: list[dict[str, Any]]) -> str:
    """JSON with one line for each run, so that a diff shows which one has changed."""
    short = [json.dumps(run, separators=(",", ":")) for run in runs]
    return json.dumps(head, indent=1)[:-2] + ',\n "runs": [\n' + ",\n".join(short) + "\n]}\n"


# --- settings on a command line ---------------------------------------------------------------------------


def spell(settings: Settings) -> str:
    """Settings as on a command line: quoted where a shell would split them."""
    return " ".join(shlex.quote(f"{key}={value}") for key, value in settings.items())


def select(chosen: dict[str, str], arms: Iterable[Settings]) -> list[Settings]:
    """The arms with these settings; one that has no others is chosen alone."""
    found = [arm for arm in arms if matches(chosen, arm)]
    return [arm for arm in found if len(arm) == len(chosen)] or found


def matches(chosen: dict[str, str], settings: Settings) -> bool:
    """Whether an arm has these settings, which were read from a command line."""
    return all(key in settings and says(text, settings[key]) for key, text in chosen.items())


def says(text: str, value: Any) -> bool:
    """Whether the text is a way to write the value: 0.5, .5 or 5e-1 for a number, what is none as it is."""
    if value is None or isinstance(value, str | bool):
        return text == str(value)
    try:
        return float(text) == value
    except ValueError:
        return False


# --- where a run was made ---------------------------------------------------------------------------------


def provenance() -> dict[str, Any]:
    """The processor, the version of torch, and the commit, with `-dirty` where fmkit or bookkit differs from
    it."""
    git = ["git", "-C", str(ROOT)]
    commit, changed = (
        subprocess.run([*git, *what], capture_output=True, text=True, check=False).stdout.strip()
        for what in (
            ["rev-parse", "--short=12", "HEAD"],
            ["status", "--porcelain", "--", "fmkit", "bookkit"],
        )
    )
    at = f"{commit}-dirty" if changed else commit
    return {"machine": processor(), "torch": torch.__version__, "commit": at or None}


def processor() -> str:
    """The processor's name, and how many cores the machine has."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, one of {os.cpu_count()} cores"
