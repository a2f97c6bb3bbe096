"""Any recipe as a widget: its loss while it trains, and its hyperparameters to turn.

`LiveLoss` watches the runs of a block of code, `RecipeLab` starts runs itself. Both know any recipe, since
all of them train by `fmkit.run.fit`, which can be watched.
"""

import copy
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from IPython.display import display
from tokenizers import Tokenizer

from fmkit.config import TrainConfig
from fmkit.model import Model
from fmkit.run import TrainingRun, watched
from fmkit.trainer import Trainer
from fmkit.widgets.base import traitlets
from fmkit.widgets.controls import FIRST, Controls, Settings
from fmkit.widgets.modules import module, styles
from fmkit.widgets.run_widget import RunsWidget, WidgetRun

POINTS = 2000  # a longer curve is thinned: a plot has fewer pixels
SAVED = 100  # points of each curve that a notebook keeps
DRAWN = ("loss", "learning_rate", "grad_norm")
STEP = ("step", "tokens", "loss", "learning_rate", "grad_norm", "tokens_per_second", "mfu")  # of every record


@dataclass
class RecipeRun(WidgetRun):
    """A run of a recipe: a point is (step, loss, learning rate, gradient norm), a check (step, measures)."""

    code: str = ""  # that trains by this setting
    steps: int = 0
    training: TrainingRun | None = None  # what the recipe returns, from the first step on
    model: Model | None = None  # what was trained
    stride: int = 1  # every so many steps have a point
    begun: tuple[float, int] = (0.0, 0)  # time and step

    def facts(self) -> dict[str, Any]:
        return {**super().facts(), "code": self.code, **self.progress()}

    def progress(self) -> dict[str, Any]:
        """Where the run is: steps, tokens a second, and how many seconds are left by the pace so far."""
        facts: dict[str, Any] = {"checks": list(self.checks), "steps": self.steps}
        if not self.training or not self.training.history:
            return facts
        recent = self.training.history[-20:]
        step, (since, first) = recent[-1]["step"], self.begun
        pace = (time.monotonic() - since) / max(1, step - first)
        speed = statistics.median(record["tokens_per_second"] for record in recent)
        return {**facts, "step": step, "speed": round(speed), "left": round(pace * (self.steps - step), 1)}

    def add(self, record: dict[str, Any]) -> None:
        """Take over the record of a step."""
        step = record["step"]
        if step % self.stride == 0 or step == self.steps:
            self.points.append((step, *(_short(record[name]) for name in DRAWN)))
        if measured := {name: _short(value) for name, value in record.items() if name not in STEP}:
            self.checks.append((step, measured))
        if len(self.points) > POINTS:
            self.stride, self.points, self.sent = 2 * self.stride, self.points[1::2], 0


def _short(value: float) -> float:
    return float(f"{value:.4g}")


class RecipeWidget(RunsWidget):
    """What `LiveLoss` and `RecipeLab` share: one front end, and runs that are watched."""

    _esm, _css = module("recipe_lab"), styles("recipe_lab")

    controls: Any = traitlets.List(help="see fmkit.widgets.controls").tag(sync=True)
    setting = traitlets.Dict(help="what is chosen now").tag(sync=True)
    saved: Any = traitlets.List(help="runs that have ended, coarser: what a page without a kernel shows").tag(
        sync=True
    )
    saved_floor = traitlets.Float(None, allow_none=True).tag(sync=True)

    def __init__(self, floor: float | None, **traits: Any) -> None:
        super().__init__(saved_floor=floor, **traits)
        self.floor = floor

    def _new_run(self, number: int, setting: Settings) -> RecipeRun:
        return RecipeRun(number, setting)

    def _watch(self, run: RecipeRun, training: TrainingRun, trainer: Trainer) -> None:
        """Follow a step; before the first one, the run has just been prepared."""
        if run.training is None:
            run.training, run.model, run.steps = training, trainer.model, trainer.config.steps
            run.state, run.begun = "training", (time.monotonic(), trainer.step)
            for record in training.history:  # of a run that is resumed
                run.add(record)
            self._tell(run)
        elif training.history:
            run.add(training.history[-1])
        if run.stop.is_set():
            training.stop()
        self._report(run)

    def _close(self, run: RecipeRun, state: str, message: str = "") -> None:
        super()._close(run, state, message)
        self.saved = [_saved(each) for each in self.runs if each.ended.is_set()]

    def on_remove(self, number: int) -> None:
        super().on_remove(number)
        self.saved = [run for run in self.saved if run["number"] != number]


def _saved(run: RecipeRun) -> dict[str, Any]:
    """The run for a page without a kernel: fewer points and digits, nothing that depends on speed."""
    every = max(1, len(run.points) // SAVED)
    points = [[step, *(float(f"{value:.3g}") for value in rest)] for step, *rest in run.points[::every]]
    names = ("number", "setting", "state", "message", "checks", "code", "steps")
    step = run.points[-1][0] if run.points else 0
    return {**{name: getattr(run, name) for name in names}, "step": step, "points": points}


class LiveLoss(RecipeWidget):
    """Show every run of a block while it trains, of any recipe: losses, learning rate, speed, time left.

    ```python
    with LiveLoss(floor=0.9):
        run = finetune(model, tokenizer, data)
    ```

    *Stop* ends the run after its current step: its checkpoint is kept, its result returned, and the block
    goes on. A cell that runs keeps the kernel from hearing a press, unless it hears in another thread, as
    ipykernel 7 does with JupyterLab 4.4 or newer; where it does not, the widget says to interrupt the kernel.
    `runs` has what was trained, also after an error: `runs[-1].training` is its TrainingRun. `floor` is the
    loss in nats per token that no model can beat, where it is known.
    """

    def __init__(self, floor: float | None = None) -> None:
        super().__init__(floor, description="Live loss: the runs of this cell while they train")
        self._block = ExitStack()
        # A page's messages come to a thread of their own, but ipykernel 7.4 moves them to the thread that has
        # drawn last: here that is the one that trains, and would hear them when the cell is done.
        if hasattr(self.comm, "_reply_subshell_for"):
            self.comm._reply_subshell_for = lambda message, thread: thread

    def __enter__(self) -> "LiveLoss":
        display(self)
        self._block.enter_context(watched(self._see))
        return self

    def __exit__(self, _: Any, error: BaseException | None, __: Any) -> None:
        self._block.close()
        if not self.current:
            return
        if error is None:
            self._close(self.current, "stopped")
        else:
            interrupted = isinstance(error, KeyboardInterrupt)
            why = "" if interrupted else str(error) or type(error).__name__
            self._close(self.current, "stopped" if interrupted else "failed", why)

    def _see(self, training: TrainingRun, trainer: Trainer) -> None:
        """Follow a step of the current run, or the beginning of the next."""
        if self.current and self.current.training is not training:
            self._close(self.current, "stopped")  # by an interrupt, or by an error that the block has caught
        if not self.current:
            self._begin({name: getattr(trainer.config, name) for name in FIRST})
        run = self.current
        self._watch(run, training, trainer)
        if trainer.step == run.steps:
            self._close(run, "finished")
        elif training.stopping and training.history:
            self._close(run, "stopped")


class RecipeLab(RecipeWidget):
    """Turn a recipe's hyperparameters, train, and compare the runs; the code of each can be copied.

    ```python
    RecipeLab(finetune, model, tokenizer, data)
    RecipeLab(align, model, tokenizer, pairs, TrainConfig(steps=100), beta=0.05)
    RecipeLab(distill, student, tokenizer, texts, teacher=teacher)
    ```

    Each run trains a copy of the model as it is now, in a thread, so that other cells can run meanwhile; it
    goes on when the page is closed. `runs[-1].model` is the trained copy, `runs[-1].training` its
    TrainingRun, `runs[-1].code` a program that trains the same. The controls are fields of `TrainConfig`, the
    numbers and switches among the recipe's own keywords, and `lora_r`, the rank of adapters, where the recipe
    begins with a trained model; they start at `config` and `settings`, or the recipe's defaults. Raises
    `FmkitError` for a setting that the recipe does not have, or lacks.
    """

    def __init__(
        self,
        recipe: Callable[..., TrainingRun],
        model: Model,
        tokenizer: Tokenizer,
        data: Any,
        config: TrainConfig | None = None,
        *,
        floor: float | None = None,
        **settings: Any,
    ) -> None:
        chosen = Controls(recipe, model, config, settings)
        size = sum(p.numel() for p in model.parameters())
        super().__init__(
            floor,
            description=f"Recipe lab: {chosen.name} trains {size:,} parameters",
            controls=chosen.to_json(),
            setting=dict(chosen.start),
        )
        self._recipe, self._chosen = recipe, chosen
        self._given = copy.deepcopy(model), tokenizer, data

    def train(self, **changes: Any) -> RecipeRun:
        """Start a run by what is chosen now, and these changes; `.ended.wait()` waits for it.

        Raises `FmkitError` for a setting that there is not, and while another run is being trained.
        """
        self._chosen.check(changes)
        return self._start({**self.setting, **changes})

    def _follow(self, run: RecipeRun) -> None:
        config = self._chosen.config(run.setting)
        run.code = self._chosen.code(run.setting)
        model, tokenizer, data = self._given
        model = copy.deepcopy(model)
        self._chosen.adapt(model, run.setting)
        with watched(partial(self._watch, run)):
            result = self._recipe(model, tokenizer, data, config, **self._chosen.keywords(run.setting))
        run.state = "stopped" if result.interrupted else "finished"
