"""What all widgets that train have in common: runs in a thread, kept to be compared, and told to the page."""

import threading
import time
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any

from fmkit.errors import FmkitError
from fmkit.widgets.base import Widget

INTERVAL = 0.1  # seconds between two messages to the page, however fast the steps are

Settings = dict[str, Any]  # what the reader chooses


@dataclass
class WidgetRun:
    """A run. `state` is preparing, training, finished, stopped or failed; then `message` says why.

    A point is a place (tokens, epochs or steps) and a training loss, a check a place and what was validated.
    """

    number: int
    setting: Settings
    state: str = "preparing"
    points: list[tuple[float, ...]] = field(default_factory=list)
    checks: list[tuple[float, Any]] = field(default_factory=list)
    message: str = ""
    stop: threading.Event = field(default_factory=threading.Event, repr=False)
    ended: threading.Event = field(default_factory=threading.Event, repr=False)
    sent: int = 0  # so many points are at the page
    soon: float = 0.0  # when the next may be sent

    def facts(self) -> dict[str, Any]:
        """All but the points, ready to be sent."""
        return {name: getattr(self, name) for name in ("number", "setting", "state", "checks", "message")}

    def progress(self) -> dict[str, Any]:
        """What else changes with the points."""
        return {"checks": self.checks}


class RunsWidget(Widget):
    """A widget whose `runs` are trained one after the other; `current` is the one that is being trained."""

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.runs: list[Any] = []
        self.current: Any = None
        self.floor: float | None = None  # nats per token, where it is known
        self._heard = False  # whether a page has been there to get all points so far

    def stop(self) -> None:
        """End the current run after its current step."""
        if self.current:
            self.current.stop.set()

    # --- what the page asks for ---

    def hello(self) -> dict[str, Any]:
        self._heard = True
        return {
            "runs": [{**run.facts(), "points": list(run.points)} for run in self.runs],
            "floor": self.floor,
        }

    def on_train(self, setting: Settings) -> None:
        if not self.current:  # a second press, on its way while the first was heard
            self._start(setting)

    def on_stop(self) -> None:
        self.stop()

    def on_remove(self, number: int) -> None:
        self.runs = [run for run in self.runs if run.number != number]

    # --- a run ---

    def _new_run(self, number: int, setting: Settings) -> WidgetRun:
        return WidgetRun(number, setting)

    @abstractmethod  # mypy sees to it; a widget's metaclass is not ABCMeta
    def _follow(self, run: Any) -> None:
        """Train, in a thread; sets the run's `state` at its end."""

    def _start(self, setting: Settings) -> Any:
        """Start a run in a thread of its own, so that other cells can run meanwhile."""
        run = self._begin(setting)
        threading.Thread(target=self._work, args=[run], daemon=True).start()
        return run

    def _begin(self, setting: Settings) -> Any:
        if self.current:
            raise FmkitError(f"run {self.current.number} is being trained: stop() it, or wait for its end")
        run = self._new_run(self.runs[-1].number + 1 if self.runs else 1, setting)
        self.runs.append(run)
        self.current = run
        self._tell(run)
        return run

    def _work(self, run: Any) -> None:
        """Train, and report to the page; errors too, since nothing else would show those of a thread."""
        try:
            self._follow(run)
        except Exception as error:
            self._close(run, "failed", str(error) or type(error).__name__)
        else:
            self._close(run, run.state)

    def _close(self, run: Any, state: str, message: str = "") -> None:
        run.state, run.message = state, message
        self.current = None
        self._send_points(run)
        self._tell(run)
        run.ended.set()

    def _report(self, run: Any) -> None:
        """Send the new points, unless some were sent just now."""
        if time.monotonic() >= run.soon:
            self._send_points(run)
            run.soon = time.monotonic() + INTERVAL

    def _send_points(self, run: Any) -> None:
        start = run.sent if self._heard else 0
        points = run.points[start:]
        message = {"type": "points", "number": run.number, "start": start, "points": points}
        self.send({**message, **run.progress()})
        run.sent = start + len(points)

    def _tell(self, run: Any) -> None:
        self.send({"type": "run", **run.facts()})
