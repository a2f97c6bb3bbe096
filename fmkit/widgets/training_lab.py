"""The labs as widgets: choose hyperparameters, train, compare the losses. One pre-trains, one fine-tunes."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from datasets import DatasetDict

from fmkit.config import ModelConfig
from fmkit.flops import num_parameters
from fmkit.trainer import Trainer
from fmkit.widgets.base import Widget, traitlets
from fmkit.widgets.labs import ANSWERS, SMALL, STORIES, Lab, assistant, open_lab, shop_lab, story_lab
from fmkit.widgets.modules import module, styles

INTERVAL = 0.1  # seconds between two messages to the page, however fast the steps are

Settings = dict[str, Any]  # what the reader chooses, as keywords of a lab's `trainer`


@dataclass
class LabRun:
    """A run. `state` is preparing, training, finished, stopped or failed; then `message` says why."""

    number: int
    setting: Settings
    state: str = "preparing"
    points: list[tuple[float, float]] = field(default_factory=list)  # place, training loss
    checks: list[tuple[float, float]] = field(default_factory=list)  # place, validation loss
    message: str = ""
    stop: threading.Event = field(default_factory=threading.Event, repr=False)

    def facts(self) -> dict[str, Any]:
        """All but the points, ready to be sent."""
        return {name: getattr(self, name) for name in ("number", "setting", "state", "checks", "message")}


class LabWidget(Widget):
    """A small model, its hyperparameters as sliders, and its loss while it trains.

    With a kernel it trains in a thread, so that other cells can run meanwhile; `runs` holds the results. On a
    page without a kernel it replays the recorded runs of assets/runs/<recording>.json.
    """

    _esm, _css = module("training_lab"), styles("training_lab")

    learning_rate = traitlets.Float(0.003).tag(sync=True)
    batch_size = traitlets.Int(8).tag(sync=True)
    vocab_size = traitlets.Int(help="a model that guesses has a loss of its logarithm").tag(sync=True)
    recording = traitlets.Unicode(help="the recorded runs that replace a kernel").tag(sync=True)

    def __init__(self, open_lab: Callable[[], Lab], **traits: Any) -> None:
        super().__init__(**traits)
        self._open = open_lab
        self.runs: list[LabRun] = []
        self.current: LabRun | None = None  # the run that is being trained
        self.floor: float | None = None  # nats per token, known from the first run on

    def train(self, **setting: Any) -> LabRun:
        """Start a run in a thread of its own; while one is being trained, that one is returned."""
        if self.current:
            return self.current
        run = LabRun(self.runs[-1].number + 1 if self.runs else 1, setting)
        self.runs.append(run)
        self.current = run
        threading.Thread(target=self._work, args=[run], daemon=True).start()
        return run

    def stop(self) -> None:
        """End the current run after its current step."""
        if self.current:
            self.current.stop.set()

    # --- what the page asks for ---

    def hello(self) -> dict[str, Any]:
        runs = [{**run.facts(), "points": list(run.points)} for run in self.runs]
        return {"runs": runs, "floor": self.floor}

    def on_train(self, setting: Settings) -> None:
        self.train(**setting)

    def on_stop(self) -> None:
        self.stop()

    def on_remove(self, number: int) -> None:
        self.runs = [run for run in self.runs if run.number != number]

    # --- the thread ---

    def _work(self, run: LabRun) -> None:
        """Train, and report to the page; errors too, since nothing else would show those of a thread."""
        self._tell(run)
        try:
            lab = self._open()
            self.floor = lab.floor
            self.send({"type": "floor", "floor": lab.floor})
            self._follow(run, lab)
        except Exception as error:
            run.state, run.message = "failed", str(error) or type(error).__name__
        self.current = None
        self._tell(run)

    def _follow(self, run: LabRun, lab: Lab) -> None:
        trainer = lab.trainer(**run.setting)
        run.state = "training"
        self._tell(run)
        sent, soon = 0, 0.0
        try:
            for record in trainer.run():
                run.points.append((lab.place(trainer), round(record["loss"], 3)))
                if run.stop.is_set():
                    break
                due = trainer.step % (trainer.config.eval_every or 1) == 0
                if due and trainer.step < trainer.config.steps:
                    self._check(run, lab, trainer)
                if time.monotonic() >= soon:
                    sent, soon = self._send_points(run, sent), time.monotonic() + INTERVAL
        finally:
            self._send_points(run, sent)
        self._check(run, lab, trainer)
        run.state = "finished" if trainer.step == trainer.config.steps else "stopped"

    def _check(self, run: LabRun, lab: Lab, trainer: Trainer) -> None:
        run.checks.append((lab.place(trainer), round(trainer.evaluate(lab.validation), 3)))

    def _send_points(self, run: LabRun, sent: int) -> int:
        """Send the points after the first `sent`, and all checks; returns how many points are sent now."""
        points, checks = run.points[sent:], run.checks
        message = {"type": "points", "number": run.number, "start": sent, "points": points, "checks": checks}
        self.send(message)
        return len(run.points)

    def _tell(self, run: LabRun) -> None:
        self.send({"type": "run", **run.facts()})


class TrainingLab(LabWidget):
    """The lab of pre-training: a model learns texts from random weights, for so many steps.

    Without arguments it trains the book's smallest model on stories, and draws the floor that no model's loss
    can pass; `size` is another model, `corpus` other texts (see `load_corpus`). The recorded runs are of the
    smallest model on stories.
    """

    steps = traitlets.Int(200).tag(sync=True)
    context_length = traitlets.Int().tag(sync=True)

    def __init__(self, corpus: DatasetDict | None = None, size: ModelConfig = SMALL, **traits: Any) -> None:
        texts = f"{STORIES:,} stories" if corpus is None else f"{len(corpus['train']):,} texts"
        super().__init__(
            partial(story_lab, size) if corpus is None else cache(partial(open_lab, size, corpus)),
            description=f"Training lab: {num_parameters(size):,} parameters learn from {texts}",
            context_length=size.max_position_embeddings,
            vocab_size=size.vocab_size,
            recording="lab" if corpus is None and size == SMALL else "",
            **traits,
        )


class FinetuningLab(LabWidget):
    """The lab of fine-tuning: the book's story model learns a shop's answers, for so many epochs.

    It is validated after each epoch, on questions that are not among those it learns from; the floor is what
    is left to chance in the shop's answers to these.
    """

    epochs = traitlets.Int(5).tag(sync=True)
    examples = traitlets.Int(ANSWERS).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        size = assistant().config
        what = f"{num_parameters(size):,} parameters learn {ANSWERS} answers of a shop"
        super().__init__(
            shop_lab,
            description=f"Fine-tuning lab: {what}",
            vocab_size=size.vocab_size,
            recording="tuning",
            **{"batch_size": 16, **traits},
        )
