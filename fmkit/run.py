"""A run from the first step to the last: what it reports, what it saves, how it resumes after a kill."""

import json
import math
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm.auto import tqdm

from fmkit import checkpoint
from fmkit.errors import FmkitError
from fmkit.footprint import Meter, Usage
from fmkit.optim import last_stable_step
from fmkit.parallel import any_of, by_first, gather, held_by_first, rank, size
from fmkit.processes import only_writer
from fmkit.resume import settings_of, step_to_resume
from fmkit.settings import as_path, require_numbers
from fmkit.trainer import Record, Trainer

if TYPE_CHECKING:
    from fmkit.plots import Plot


class TrainingRun:
    """What a training run did, step by step.

    `history` holds a record for each step: step, tokens (seen so far), loss (nats per predicted token),
    learning_rate, grad_norm, tokens_per_second, mfu (share of the chip's peak, None where it is unknown) and,
    where the run was validated, validation_loss and what else the recipe measures. With a `directory`, each
    record is also a line of its metrics.jsonl as soon as it is made. `usage` is what the run used, seconds
    and energy, including before it was resumed; usage.json has it, written with each checkpoint. Of several
    processes, the first one writes the files, and `usage` is its own.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = directory
        self.history: list[Record] = []
        self.interrupted = False
        self.stopping = False
        self.usage = Usage()

    def __repr__(self) -> str:
        return self.summary

    @property
    def summary(self) -> str:
        """Sum up the run in a sentence: where the loss began, where it ended, after how many steps."""
        if not self.history:
            return "no steps yet"
        last = self.history[-max(1, len(self.history) // 20) :]
        end = sum(record["loss"] for record in last) / len(last)
        first, steps = self.history[0]["loss"], self.history[-1]["step"]
        sentence = f"loss {first:.1f} → {end:.1f} over {steps} steps"
        validation = [record["validation_loss"] for record in self.history if "validation_loss" in record]
        return f"{sentence}, validation {validation[-1]:.1f}" if validation else sentence

    def stop(self) -> None:
        """End the run after its current step: it is saved, where it has a directory, and returned."""
        self.stopping = True

    def plot(self, floor: float | None = None) -> "Plot":
        """Plot the loss over the tokens seen. In a notebook the figure appears; elsewhere call `.save(path)`.

        `floor` (nats per token) draws the loss that no model can beat, where it is known. Raises `FmkitError`
        if matplotlib is not installed.
        """
        require_numbers(float, floor=floor)
        from fmkit.plots import plot_loss  # plots need matplotlib, training does not

        return plot_loss(self.history, self.summary, floor)

    # --- metrics.jsonl ---

    @property
    def metrics_file(self) -> Path | None:
        return self.directory / "metrics.jsonl" if self.directory and rank() == 0 else None

    def append(self, record: Record) -> None:
        """Add a record, and write it to the file at once."""
        self.history.append(record)
        if self.metrics_file:
            with (
                checkpoint.explain_write_errors(self.metrics_file),
                self.metrics_file.open("a", encoding="utf-8") as stream,
            ):
                stream.write(json.dumps(record) + "\n")

    def rewind(self, step: int) -> None:
        """Drop what came after `step`: the steps that a killed run did but did not save."""
        if self.metrics_file is None:
            return
        self.history = []
        if self.metrics_file.is_file():
            for line in self.metrics_file.read_text(encoding="utf-8", errors="replace").splitlines():
                try:
                    record = json.loads(line)
                except ValueError:  # the line being written when the run was killed
                    break
                if record["step"] > step:
                    break
                self.history.append(record)
        with checkpoint.explain_write_errors(self.metrics_file):
            scratch = self.metrics_file.with_name(".metrics.jsonl.tmp")
            scratch.write_text("".join(json.dumps(r) + "\n" for r in self.history), encoding="utf-8")
            scratch.replace(self.metrics_file)


Callbacks = Sequence[Callable[[Record], Any]]
Watcher = Callable[[TrainingRun, Trainer], None]
_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Have each run of this block watched, of whatever recipe, since all of them train by `fit`.

    `watcher(run, trainer)` is called before the first step and after each, when its record is in
    `run.history`. It draws the progress, so there is no bar, and may end the run by `run.stop()`.
    """
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def fit(
    trainer: Trainer,
    validate: Callable[[], Record],
    directory: str | Path | None = None,
    resume: bool = False,
    identity: dict[str, Any] | None = None,
    callbacks: Callbacks = (),
) -> TrainingRun:
    """Train to the end, with a progress bar, metrics and, in a `directory`, checkpoints.

    What `validate` measures, every `eval_every` steps and at the end, becomes part of that step's record.
    With a directory, SIGTERM or an interrupt finishes the step, saves and returns, and a second one kills;
    without one they act as usual. With `resume` the run continues from its newest whole checkpoint, to the
    same bits as if it had never stopped, on a machine of the same kind; `identity` (data and anything else
    that must not change) is compared with that of the run's start. The schedule may differ, as for more
    steps: the run continues from the newest checkpoint up to which each step has the same learning rate by
    it, for `warmup_stable_decay` at the latest the one before its decay. Until the new end, the directory
    keeps the model of the earlier one.

    Each of `callbacks` is called with each step's record, complete and already written; what it raises ends
    the run as a kill does. A resumed run calls them from its first step on, so that some may come again.

    Of several processes (`fmkit.parallel`), the first one reports and writes, and a signal to any stops all,
    once; a checkpoint opens on any number of them, and the order of the data is the same.

    Raises `FmkitError` if the directory holds another run, or none that can be resumed, or is being written
    by another process, if the disk is full, and if the loss is not finite. The checkpoints made so far are
    always kept.
    """
    if callable(callbacks) or not all(map(callable, callbacks)):
        raise FmkitError("callbacks is a list of functions that take a record, as in callbacks=[print]")
    run = TrainingRun(None if directory is None else as_path(directory))
    with _stop_signals(run):  # before the processes meet, so that each of them can be stopped from then on
        _fit(run, trainer, validate, resume, identity or {}, callbacks)
    return run


def _fit(
    run: TrainingRun,
    trainer: Trainer,
    validate: Callable[[], Record],
    resume: bool,
    identity: dict[str, Any],
    callbacks: Callbacks,
) -> None:
    _require_same(settings_of(trainer, identity))
    if run.directory is None:
        if trainer.config.checkpoint_every or resume:
            raise FmkitError("checkpoints need a place: give output_dir")
        _train(run, trainer, validate, callbacks)
        trainer.collect()
        return
    directory = run.directory
    by_first(lambda: _make_place(directory))
    with held_by_first(only_writer(directory, "run")):
        _open_directory(run, trainer, resume, identity)
        _train(run, trainer, validate, callbacks)
        model = trainer.collect()
        if not run.interrupted:
            by_first(lambda: model.save_pretrained(directory))  # and all wait for it


def _require_same(settings: dict[str, Any]) -> None:
    """Raise `FmkitError` where the processes would not train one model, by one setting, on the same data."""
    if any(other != settings for other in gather(settings)):
        raise FmkitError(
            "the processes differ in data, tokenizer, model or settings: give all of them the same"
        )


def _train(run: TrainingRun, trainer: Trainer, validate: Callable[[], Record], callbacks: Callbacks) -> None:
    """Train to the end, or until the run is stopped."""
    config = trainer.config
    meter = Meter(trainer.device, before=run.usage)
    watch = _watcher.get()
    with _progress_bar(trainer, hidden=watch is not None) as bar:
        if watch:
            watch(run, trainer)
        for record in trainer.run():
            step = trainer.step
            if step % (config.eval_every or 1) == 0 or step == config.steps:
                record |= _finite(validate(), step)
            run.append(record)
            for callback in callbacks if rank() == 0 else ():
                callback(dict(record))
            meter.tick()
            if watch:
                watch(run, trainer)
            bar.update()
            bar.set_postfix_str(f"loss {record['loss']:.2f}", refresh=False)
            due = config.checkpoint_every and step % config.checkpoint_every == 0
            stopping = any_of(run.stopping)
            if due or stopping or step in (config.steps, last_stable_step(config)):
                run.usage = meter.usage()
                if run.directory:
                    _save_usage(run.directory, run.usage)
                    save(run.directory, trainer)
            if stopping and step < config.steps:
                run.interrupted = True
                break


def _finite(measured: Record, step: int) -> Record:
    """What was measured. Raises `FmkitError` where the loss is not finite, before anything is saved."""
    for name, value in measured.items():
        if name.endswith("loss") and not math.isfinite(value):
            raise FmkitError(
                f"step {step}: {name} is {value}: not finite; this step is not saved: lower learning_rate"
            )
    return measured


def save(directory: Path, trainer: Trainer) -> Path:
    """Write a checkpoint of the trainer's current state."""
    tensors, state = trainer.state_dict()
    model = trainer.model
    return checkpoint.save_checkpoint(
        directory,
        trainer.step,
        model.to_hugging_face(),
        model.weights(),
        model.tokenizer,
        tensors,
        state,
        keep=last_stable_step(trainer.config),  # where a longer run goes on
    )


def _save_usage(directory: Path, usage: Usage) -> None:
    by_first(lambda: checkpoint.write_json(directory / "usage.json", usage.to_json()))


def _make_place(directory: Path) -> None:
    """Raise `FmkitError` for what is no directory of runs; a hidden file is what a killed run was writing."""
    if directory.exists() and not directory.is_dir():
        raise FmkitError(f"{directory}: is a file: choose another directory")
    there = {path.name for path in directory.iterdir()} if directory.exists() else set()
    if "run.json" not in there and not all(name.startswith(".") for name in there):
        raise FmkitError(f"{directory}: is not empty and holds no run: choose another directory")
    with checkpoint.explain_write_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)


def _open_directory(run: TrainingRun, trainer: Trainer, resume: bool, identity: dict[str, Any]) -> None:
    """Start a run in its directory, or restore trainer and history from its newest checkpoint."""
    directory = run.directory
    assert directory is not None
    run_file = directory / "run.json"
    begun, saved = by_first(lambda: (run_file.is_file(), checkpoint.saved_steps(directory)))
    if begun and not resume:
        raise FmkitError(
            f"{directory}: there is a run here already: go on with --resume "
            "(resume=True) or choose another directory"
        )
    start = saved[-1] if saved else 0
    if begun:
        before = by_first(lambda: checkpoint.read_json(run_file))
        start = step_to_resume(before, trainer, identity, saved, str(directory))
    newest = by_first(lambda: checkpoint.latest_checkpoint(directory, start))
    by_first(lambda: checkpoint.write_json(run_file, settings_of(trainer, identity)))
    if newest:
        weights, tensors = checkpoint.read_checkpoint(newest, trainer.model.weights(), trainer.shards())
        checkpoint.assign_weights(trainer.model.weights(), weights, str(newest))
        trainer.load_state_dict(tensors, checkpoint.read_json(newest / "training.json"))
        run.usage = Usage.of(directory)
    run.rewind(trainer.step)
    run.history = by_first(lambda: run.history)


@contextmanager
def _progress_bar(trainer: Trainer, hidden: bool) -> "Iterator[tqdm[Any]]":
    # On a terminal or in a notebook; the notebook's bar ignores tqdm's own variable.
    disable = True if hidden or rank() or os.environ.get("TQDM_DISABLE") else None
    with tqdm(total=trainer.config.steps, initial=trainer.step, unit="step", disable=disable) as bar:
        yield bar


@contextmanager
def _stop_signals(run: TrainingRun) -> Iterator[None]:
    """Let SIGTERM or an interrupt stop a run that saves, once; after that the usual handlers are back."""
    if run.directory is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def handle(number: int, _: Any) -> None:
        if rank() == 0 and not run.stopping:
            print("\nfmkit: finishing this step, then stopping", file=sys.stderr)
        run.stop()
        if size() == 1:  # Slurm and torchrun both pass a signal on
            for each, handler in usual.items():
                signal.signal(each, handler)

    for number in usual:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
