"""The labs as widgets: choose hyperparameters, train, compare the losses. One pre-trains, one fine-tunes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from datasets import DatasetDict

from fmkit.config import ModelConfig
from fmkit.flops import num_parameters
from fmkit.trainer import Trainer
from fmkit.widgets.base import traitlets
from fmkit.widgets.modules import module, styles
from fmkit.widgets.run_widget import RunsWidget, Settings, WidgetRun
from fmkit.widgets.text_lab import (
    ANSWERS,
    SIZES,
    SMALL,
    STORIES,
    Lab,
    assistant,
    open_lab,
    shop_lab,
    story_lab,
)

WRITINGS = 10  # texts that are written in a run, as the model learns


@dataclass
class LabRun(WidgetRun):
    """A run with what its model wrote last."""

    story: dict[str, Any] | None = None

    def progress(self) -> dict[str, Any]:
        return {**super().progress(), "story": self.story}


class LabWidget(RunsWidget):
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
        self._open_lab = open_lab

    def _new_run(self, number: int, setting: Settings) -> LabRun:
        return LabRun(number, setting)

    def train(self, **setting: Any) -> LabRun:
        """Start a run in a thread of its own. Raises `FmkitError` while another is being trained."""
        return self._start(setting)

    def _follow(self, run: LabRun) -> None:
        lab = self._open_lab()
        self.floor = lab.floor
        self.send({"type": "floor", "floor": lab.floor})
        trainer = lab.trainer(**run.setting)
        every = max(1, trainer.config.steps // WRITINGS)
        run.state = "training"
        self._tell(run)
        for record in trainer.run():
            run.points.append((lab.place(trainer), round(record["loss"], 3)))
            if run.stop.is_set():
                break
            due = trainer.step % (trainer.config.eval_every or 1) == 0
            if due and trainer.step < trainer.config.steps:
                self._check(run, lab, trainer)
            if trainer.step % every == 0:
                run.story = lab.write(trainer)
            self._report(run)
        self._check(run, lab, trainer)
        run.story = lab.write(trainer)
        run.state = "finished" if trainer.step == trainer.config.steps else "stopped"

    def _check(self, run: WidgetRun, lab: Lab, trainer: Trainer) -> None:
        run.checks.append((lab.place(trainer), round(trainer.evaluate(lab.validation), 3)))


class TrainingLab(LabWidget):
    """The lab of pre-training: a model learns texts from random weights, for so many steps.

    Without arguments it trains one of the book's smallest models on stories, and draws the floor that no
    model's loss can pass; `size` is another model, `corpus` other texts (see `load_corpus`). A page of the
    book trains by itself, without a kernel, before recorded runs of a model of 80,112 parameters.
    """

    steps = traitlets.Int(200).tag(sync=True)
    context_length = traitlets.Int().tag(sync=True)
    hidden_size = traitlets.Int().tag(sync=True)
    sizes: Any = traitlets.List(help="the models to choose from: shape, and number of parameters").tag(
        sync=True
    )

    def __init__(self, corpus: DatasetDict | None = None, size: ModelConfig = SMALL, **traits: Any) -> None:
        texts = f"{STORIES:,} stories" if corpus is None else f"{len(corpus['train']):,} texts"
        sizes: list[ModelConfig] = list(SIZES.values()) if size == SMALL else [size]
        super().__init__(
            partial(story_lab, size) if corpus is None else cache(partial(open_lab, size, corpus)),
            hidden_size=size.hidden_size,
            sizes=[shape(one) for one in sizes],
            description=f"Training lab: {num_parameters(size):,} parameters learn from {texts}",
            context_length=size.max_position_embeddings,
            vocab_size=size.vocab_size,
            recording="lab" if corpus is None and size == SMALL else "",
            **traits,
        )


def shape(size: ModelConfig) -> dict[str, int]:
    """What a page needs to build a model, and how many parameters it has."""
    heads = ("num_attention_heads", "num_key_value_heads")
    names = ("hidden_size", "intermediate_size", "num_hidden_layers", *heads)
    return {name: int(getattr(size, name)) for name in names} | {"parameters": num_parameters(size)}


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
