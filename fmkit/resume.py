"""What a resumed run has in common with its start, so that it is the same run."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from fmkit.config import Derived, TrainConfig
from fmkit.errors import FmkitError
from fmkit.optim import learning_rate
from fmkit.trainer import Trainer

Settings = dict[str, Any]

# What may differ: how often a run measures and saves, and what gives the same by other means.
REPORTS = ("eval_every", "checkpoint_every", "gradient_checkpointing", "fsdp")
SCHEDULE = ("steps", "lr_scheduler_type", "warmup_steps", "min_lr_ratio", "decay_ratio")
"""What the learning rate alone depends on: may differ where the steps done have the same rates by it."""


def settings_of(trainer: Trainer, identity: Settings) -> Settings:
    """Return what a run is, as JSON has it: its settings, with the device and number format in use."""
    training = asdict(trainer.config) | {
        "device": trainer.device.type,
        "dtype": str(trainer.model.dtype).removeprefix("torch."),
        "compile": trainer.compiled,
    }
    settings: Settings = {"model": asdict(trainer.model.config), "training": training, **identity}
    return dict(json.loads(json.dumps(settings, default=lambda number: number.item())))  # NumPy's


def step_to_resume(
    before: Settings, trainer: Trainer, identity: Settings, saved: Sequence[int], where: str
) -> int:
    """Find the last of the `saved` steps after which a run that began with `before` goes on as the trainer's.

    What was not given and depends on the number of steps stays as it was, also in the trainer. Standard error
    says how the schedule differs from there on. Raises `FmkitError`, naming what differs, where a run with
    these settings from its start would have been at none of the steps.
    """
    done = saved[-1] if saved else 0
    if trainer.config.steps < done:
        raise FmkitError(
            f"{where}: {done} steps are done, and steps={trainer.config.steps} is fewer: give more, or start "
            "in another directory"
        )
    trainer.config = _as_begun(trainer.config, before)
    differences = _differences(before, settings_of(trainer, identity))

    def take(names: tuple[str, ...]) -> list[str]:
        return [differences.pop(key) for name in names if (key := f"training.{name}") in differences]

    take(REPORTS)
    schedule = take(SCHEDULE)
    if differences:
        raise FmkitError(
            f"{where}: the run to resume had another configuration: "
            f"{', '.join([*differences.values(), *schedule])}: give the same, or start in another directory"
        )
    if schedule:
        what = f"{where}: {', '.join(schedule)}"
        then = replace(trainer.config, **{name: before["training"].get(name) for name in SCHEDULE})
        shared = _shared_steps(then, trainer.config, done)
        usable = [step for step in saved if step <= shared]
        if saved and not usable:
            raise FmkitError(_explain_rates(then, trainer.config, shared + 1, done, what))
        done = usable[-1] if usable else 0
        print(f"fmkit: {what}, from step {done + 1} on", file=sys.stderr)
    return done


def _as_begun(config: TrainConfig, before: Settings) -> TrainConfig:
    """The settings, with those that follow from the number of steps, unless given, as they were."""
    then = before.get("training", {})
    derived = [name for name in ("warmup_steps", "eval_every") if isinstance(getattr(config, name), Derived)]
    return replace(config, **{name: then[name] for name in derived if name in then})


def _shared_steps(then: TrainConfig, now: TrainConfig, done: int) -> int:
    """Count the steps from the first on, of those that are done, that have the same rate by both."""
    steps = range(1, done + 1)
    differing = (step for step in steps if learning_rate(step, then) != learning_rate(step, now))
    return next(differing, done + 1) - 1


def _explain_rates(then: TrainConfig, now: TrainConfig, step: int, done: int, what: str) -> str:
    was, would_be = learning_rate(step, then), learning_rate(step, now)
    return (
        f"{what}: step {step} of the {done} that are done had the learning rate {was:.6g} and would have had "
        f"{would_be:.6g}: a schedule can change while it does not depend on its end, as warmup_stable_decay "
        "before its decay: give the same settings, or start in another directory"
    )


def _differences(old: dict[str, Any], new: dict[str, Any]) -> dict[str, str]:
    """What differs, in words, by the name of the setting."""

    def flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key, value in settings.items():
            out |= flat(value, f"{key}.") if isinstance(value, dict) else {prefix + key: value}
        return out

    old, new = flat(old), flat(new)
    changed = [key for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)]
    return {key: f"{key} was {old.get(key)} and is {new.get(key)}" for key in changed}
