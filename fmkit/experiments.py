"""Recorded runs: training that is too long, or repeated too often, for a notebook. Kept in assets/runs/.

    python -m fmkit.experiments                        record every experiment again (`make experiments`)
    python -m fmkit.experiments lab                    record one
    python -m fmkit.experiments lab steps=50 seed=0    rerun the arms with these settings, beside the record

An experiment is a function that returns an `Experiment`: its arms are trained one after the other, each with
settings that no other has.
"""

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from fmkit import lab as laboratory
from fmkit.config import ModelConfig, TrainConfig, reproducible
from fmkit.data.batches import make_loader, validation_batches
from fmkit.data.corpora import load_corpus
from fmkit.data.tokenizer import BOS, EOS, special_id, train_tokenizer
from fmkit.data.world import World, floor, validity
from fmkit.errors import FmkitError
from fmkit.generation import generate_ids
from fmkit.model import Transformer
from fmkit.trainer import Record, Trainer, predict_tokens

ROOT = Path(__file__).parents[1]
RUNS = ROOT / "assets" / "runs"
POINTS = 200  # at most so many of a run are kept

Settings = dict[str, Any]


@dataclass(frozen=True)
class Arm:
    """One run of an experiment. `train` returns what is kept of it, ready for JSON (see `follow`)."""

    settings: Settings
    train: Callable[[], dict[str, Any]]

    @property
    def name(self) -> str:
        return " ".join(f"{key}={value}" for key, value in self.settings.items())


@dataclass(frozen=True)
class Experiment:
    """`about` is what all arms share: model, corpus, floor."""

    about: dict[str, Any]
    arms: list[Arm]


# --- the experiments --------------------------------------------------------------------------------------


def lab() -> Experiment:
    """The runs that the training lab replays: every setting of its three sliders, one of them three times."""
    shared = laboratory.open_lab()
    rates = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 1.0, 100.0)
    settings = [
        laboratory.Setting(rate, batch_size, steps, seed)
        for rate in rates
        for batch_size in (2, 8, 32)
        for steps in (50, 100, 200)
        for seed in ((0, 1, 2) if (batch_size, steps) == (8, 200) else (0,))
    ]

    def train(setting: laboratory.Setting) -> dict[str, Any]:
        trainer = shared.trainer(setting)
        return follow(trainer, lambda: trainer.evaluate(shared.validation))

    arms = [Arm(asdict(setting), lambda setting=setting: train(setting)) for setting in settings]  # type: ignore[misc]
    return Experiment(laboratory.describe() | {"floor": round(shared.floor, 4)}, arms)


def pretraining() -> Experiment:
    """The run of the chapter on pre-training, over three seeds, with what the model can tell on its way."""
    corpus = load_corpus("stories")
    tokenizer = train_tokenizer(corpus["train"], vocab_size=1024)
    size = ModelConfig(vocab_size=1024, hidden_size=128, num_hidden_layers=4)
    settings: dict[str, Any] = {
        "steps": 2000,
        "batch_size": 2,
        "learning_rate": 4e-3,
        "adam_beta2": 0.98,
        "min_lr_ratio": 0.0,
    }
    words = {word for text in corpus["train"]["text"] for word in re.findall(r"[\w'-]+", text)}

    def train(seed: int) -> dict[str, Any]:
        reproducible(seed)
        model, config = Transformer(size, seed=seed), TrainConfig(**settings, seed=seed, eval_every=10**6)
        loader = make_loader(corpus["train"], tokenizer, 2, 256, seed)
        held_out = validation_batches(corpus["validation"], tokenizer, 8, 256, limit=16)
        trainer = Trainer(model, predict_tokens, loader, config)
        history: list[Record] = []
        snapshots: list[dict[str, float]] = []
        for step_record in trainer.run():
            history.append(step_record)
            if trainer.step in (50, 100, 200, 400, 800, 1400, config.steps):
                loss = round(trainer.evaluate(held_out), 3)
                told = tell_stories(model, tokenizer, 100)
                snapshots.append({"tokens": trainer.tokens, "loss": loss, **judge(told, words)})
        return {**thin(history), "validation_loss": snapshots[-1]["loss"], "snapshots": snapshots}

    known = round(floor(World(), tokenizer, n=5000).nats_per_token, 4)
    about = {"model": asdict(size), "training": settings, "corpus": "stories", "floor": known}
    return Experiment(about, [Arm({"seed": seed}, lambda seed=seed: train(seed)) for seed in range(3)])  # type: ignore[misc]


def tell_stories(model: Transformer, tokenizer: Tokenizer, count: int) -> list[str]:
    """Stories of the model's own, sampled at temperature 1 from nothing."""
    start, end = special_id(tokenizer, BOS), special_id(tokenizer, EOS)
    rows = generate_ids(model, [[start]] * count, 160, seed=0, eos_id=end)
    return [tokenizer.decode(row) for row in rows]


def judge(stories: list[str], words: set[str]) -> dict[str, float]:
    """Shares: of words that the corpus has, of a story before its first mistake, of stories wholly true."""
    used = [word for story in stories for word in re.findall(r"[\w'-]+", story)]
    verdicts = validity(stories).verdicts
    passes = [
        1.0 if v.valid else (v.broke_at or 0) / max(1, len(s)) for v, s in zip(verdicts, stories, strict=True)
    ]
    return {
        "words": round(sum(word in words for word in used) / max(1, len(used)), 3),
        "passes": round(sum(passes) / len(passes), 3),
        "true": round(sum(verdict.valid for verdict in verdicts) / len(verdicts), 3),
    }


EXPERIMENTS: dict[str, Callable[[], Experiment]] = {"lab": lab, "pretraining": pretraining}


# --- following a run --------------------------------------------------------------------------------------


def follow(trainer: Trainer, validate: Callable[[], float]) -> dict[str, Any]:
    """Train to the end, or to where the loss is no number any more, and keep what a plot needs."""
    history: list[Record] = []
    try:
        history.extend(trainer.run())
    except FmkitError as error:
        return {**thin(history), "error": str(error)}
    return {**thin(history), "validation_loss": round(validate(), 3)}


def thin(history: list[Record]) -> dict[str, list[float]]:
    """At most `POINTS` points of a run: each the mean loss of some steps, at the tokens seen after them."""
    size = -(-len(history) // POINTS) or 1
    groups = [history[start : start + size] for start in range(0, len(history), size)]
    return {
        "tokens": [group[-1]["tokens"] for group in groups],
        "loss": [round(sum(record["loss"] for record in group) / len(group), 3) for group in groups],
    }


# --- recording --------------------------------------------------------------------------------------------


def record(name: str) -> Path:
    """Train every arm of an experiment and write them to assets/runs/<name>.json."""
    experiment, command = EXPERIMENTS[name](), f"python -m fmkit.experiments {name}"
    runs = []
    for number, arm in enumerate(experiment.arms, start=1):
        print(f"{name} {number}/{len(experiment.arms)}  {arm.name}", end="", flush=True)
        outcome = arm.train()
        print(f"  {result(outcome)}", flush=True)
        runs.append({"settings": arm.settings, "command": f"{command} {arm.name}", **outcome})
    RUNS.mkdir(parents=True, exist_ok=True)
    path = RUNS / f"{name}.json"
    path.write_text(to_json({"command": command, **provenance(), **experiment.about}, runs), encoding="utf-8")
    return path


def rerun(name: str, chosen: Settings) -> None:
    """Train the arms that have the `chosen` settings again; print what comes out beside the record."""
    path = RUNS / f"{name}.json"
    kept = json.loads(path.read_text(encoding="utf-8"))["runs"] if path.is_file() else []
    recorded = {repr(run["settings"]): result(run) for run in kept}
    arms = [arm for arm in EXPERIMENTS[name]().arms if chosen.items() <= arm.settings.items()]
    if not arms:
        raise FmkitError(f"{name} has no run with {Arm(chosen, dict).name}: see {path.relative_to(ROOT)}")
    for arm in arms:
        again = result(arm.train())
        print(f"{arm.name}  {again}  (recorded: {recorded.get(repr(arm.settings), 'never')})", flush=True)


def result(run: dict[str, Any]) -> str:
    return (
        run["error"].split(":")[0] + ": not finite"
        if "error" in run
        else f"loss {run['validation_loss']:.2f}"
    )


def provenance() -> dict[str, Any]:
    """Where and when: the processor's name, the version of torch, and the commit."""
    git = ["git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
    return {"machine": processor(), "torch": torch.__version__, "commit": commit or None}


def processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, one of {os.cpu_count()} cores"


def to_json(head: dict[str, Any], runs: list[dict[str, Any]]) -> str:
    """One line for each run, so that a difference shows which has changed."""
    short = [json.dumps(run, separators=(",", ":")) for run in runs]
    return json.dumps(head, indent=1)[:-2] + ',\n "runs": [\n' + ",\n".join(short) + "\n]}\n"


def main(arguments: Iterable[str] | None = None) -> int:
    name, *pairs = list(sys.argv[1:] if arguments is None else arguments) or ["all"]
    reproducible(0)
    try:
        if name not in (*EXPERIMENTS, "all"):
            raise FmkitError(f"no experiment {name!r}: choose from {', '.join(EXPERIMENTS)}")
        chosen = {key: json.loads(value) for key, _, value in (pair.partition("=") for pair in pairs)}
        for each in EXPERIMENTS if name == "all" else [name]:
            if chosen:
                rerun(each, chosen)
            else:
                print(record(each).relative_to(ROOT))
    except FmkitError as error:
        print(error, file=sys.stderr)
        return 2
    except ValueError:
        print("settings are written like learning_rate=0.003 seed=0", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
