"""The training lab: choose learning rate, batch size and steps, train, and compare."""

import threading
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from fmkit.widgets.base import Widget, traitlets
from fmkit.widgets.lab import MODEL, Lab, Setting, describe, open_lab
from fmkit.widgets.modules import module, styles

INTERVAL = 0.1  # seconds between two messages to the page, however fast the steps are


@dataclass
class LabRun:
    """A run. `state` is preparing, training, finished, stopped or failed; then `message` says why."""

    number: int
    setting: Setting
    state: str = "preparing"
    points: list[tuple[int, float]] = field(default_factory=list)  # tokens seen, loss
    validation_loss: float | None = None
    message: str = ""
    stop: threading.Event = field(default_factory=threading.Event, repr=False)

    def facts(self) -> dict[str, Any]:
        """All but the points, ready to be sent."""
        names = ("number", "state", "validation_loss", "message")
        return {"setting": asdict(self.setting), **{name: getattr(self, name) for name in names}}


class TrainingLab(Widget):
    """A small model, its training on stories, and the floor that no model's loss can pass.

    With a kernel it trains in a thread, so that cells go on running meanwhile; `runs` holds what came out.
    On a page without a kernel it replays the runs of assets/runs/<recording>.json.
    """

    _esm, _css = module("training_lab"), styles()

    learning_rate = traitlets.Float(0.003).tag(sync=True)
    batch_size = traitlets.Int(8).tag(sync=True)
    steps = traitlets.Int(200).tag(sync=True)
    context_length = traitlets.Int(MODEL.max_position_embeddings).tag(sync=True)
    recording = traitlets.Unicode("lab", help="which recorded runs stand in for a kernel").tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        facts = describe()
        traits["description"] = (
            f"Training lab: {facts['parameters']:,} parameters learn from {facts['corpus']}"
        )
        super().__init__(**traits)
        self.runs: list[LabRun] = []
        self.current: LabRun | None = None  # the run that is being trained
        self.floor: float | None = None  # nats per token, known from the first run on

    def train(self, setting: Setting) -> LabRun:
        """Start a run in a thread of its own; while one is going on, that one is returned."""
        if self.current:
            return self.current
        run = LabRun(self.runs[-1].number + 1 if self.runs else 1, setting)
        self.runs.append(run)
        self.current = run
        threading.Thread(target=self._work, args=[run], daemon=True).start()
        return run

    def stop(self) -> None:
        """End the current run after the step it is in."""
        if self.current:
            self.current.stop.set()

    # --- what the page asks for ---

    def hello(self) -> dict[str, Any]:
        runs = [{**run.facts(), "points": list(run.points)} for run in self.runs]
        return {"runs": runs, "floor": self.floor}

    def on_train(self, setting: dict[str, Any]) -> None:
        self.train(Setting(**setting))

    def on_stop(self) -> None:
        self.stop()

    def on_remove(self, number: int) -> None:
        self.runs = [run for run in self.runs if run.number != number]

    # --- the thread ---

    def _work(self, run: LabRun) -> None:
        """Train, and tell the page. Whatever goes wrong is told too: a thread has nobody else to tell."""
        self._tell(run)
        try:
            lab = open_lab()
            self.floor = lab.floor
            self.send({"type": "floor", "floor": lab.floor})
            self._follow(run, lab)
        except Exception as error:
            run.state, run.message = "failed", str(error) or type(error).__name__
        self.current = None
        self._tell(run)

    def _follow(self, run: LabRun, lab: Lab) -> None:
        trainer = lab.trainer(run.setting)
        run.state = "training"
        self._tell(run)
        sent, due = 0, 0.0
        try:
            for record in trainer.run():
                run.points.append((record["tokens"], round(record["loss"], 3)))
                if run.stop.is_set():
                    break
                if time.monotonic() >= due:
                    sent, due = self._send_points(run, sent), time.monotonic() + INTERVAL
        finally:
            self._send_points(run, sent)
        run.validation_loss = round(trainer.evaluate(lab.validation), 3)
        run.state = "finished" if trainer.step == run.setting.steps else "stopped"

    def _send_points(self, run: LabRun, sent: int) -> int:
        """Send the points after the first `sent`; returns how many are sent now."""
        self.send({"type": "points", "number": run.number, "start": sent, "points": run.points[sent:]})
        return len(run.points)

    def _tell(self, run: LabRun) -> None:
        self.send({"type": "run", **run.facts()})
