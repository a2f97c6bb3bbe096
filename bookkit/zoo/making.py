"""Making a model: run its commands in a scratch directory, measure it, and install its files."""

import datetime
import json
import os
import re
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard

from bookkit.experiments.recording import ROOT, provenance
from bookkit.zoo.card import card
from bookkit.zoo.commands import Plan
from bookkit.zoo.measures import measure_all
from fmkit.checkpoint import filling, read_json, write_json
from fmkit.errors import FmkitError
from fmkit.footprint import Usage
from fmkit.run import TrainingRun

MODELS = ROOT / "assets" / "models"
KEPT = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
STEP = ("step", "tokens", "loss", "learning_rate", "grad_norm", "tokens_per_second", "mfu")  # of every record


def make(plan: Plan, models: Path) -> None:
    """Run a model's commands, measure it, and install it with its record.json under `models`.

    An earlier model is replaced once everything has worked. Raises `FmkitError` for a command that fails.
    """
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        writes = re.findall(r"--out (\S+)", " ".join(plan.commands))  # its own, also under another's name
        for made in models.iterdir():
            if (made / "model.safetensors").is_file() and made.name not in writes:
                shutil.copytree(made, work / made.name)
        before = _cpu_seconds()
        runs = [run for command in plan.commands if (run := _run(command, work))]
        if not (work / plan.name / "model.safetensors").is_file():
            raise FmkitError(f"{plan.name}: its last command must write --out {plan.name}")
        record = {
            **provenance(),
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "commands": plan.commands,
            "command_cpu_seconds": round(_cpu_seconds() - before, 1),
            "runs": runs,
            "results": measure_all(
                plan.measures, work / plan.name, work / plan.beside if plan.beside else None
            ),
        }
        with filling(models / plan.name) as target:
            for name in KEPT:
                shutil.copyfile(work / plan.name / name, target / name)
            write_json(target / "record.json", record)


def _cpu_seconds() -> float:
    """The CPU seconds of all child processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def write_card(plan: Plan, models: Path) -> None:
    """Write a model's README.md from its plan and its record.json."""
    with filling(models / plan.name) as target:
        card_of(plan, models).save(target / "README.md")


def card_of(plan: Plan, models: Path) -> ModelCard:
    """The card of an installed model. Raises `FmkitError` where it has not been made."""
    earlier = read_json(models / plan.base / "record.json") if plan.base else None
    return card(plan, models / plan.name, read_json(models / plan.name / "record.json"), earlier)


def _run(command: str, work: Path) -> dict[str, Any] | None:
    """Run a command line in `work`: one of fmkit, or of python that writes data; the facts of a training."""
    print(command, flush=True)
    program, *arguments = shlex.split(command)
    start = {"fmkit": [sys.executable, "-m", "fmkit.cli"], "python": [sys.executable]}.get(program)
    if start is None:
        raise FmkitError(f"{command}: not a command of fmkit or python")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*start, *arguments], cwd=work, env=environment, check=False)
    if done.returncode:
        raise FmkitError(f"{command}: ended with code {done.returncode}")
    if program == "python":
        return None
    out = work / arguments[arguments.index("--out") + 1]
    settings, run = read_json(out / "run.json"), TrainingRun(out)
    history = [json.loads(line) for line in (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    run.history = history
    return {
        "command": command,
        "summary": run.summary,
        "steps": history[-1]["step"],
        "tokens": history[-1]["tokens"],
        "measured": {key: value for key, value in history[-1].items() if key not in STEP},
        "settings": settings,
        "usage": Usage.of(out).to_json(),
    }
