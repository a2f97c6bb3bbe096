"""The training lab: choose learning rate, batch size and steps, train, and compare the losses."""

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import cache, partial
from typing import Any

from datasets import Dataset, DatasetDict
from tokenizers import Tokenizer

from fmkit.config import ModelConfig, TrainConfig
from fmkit.data.batches import Batch, PackedLoader, tokenize, validation_batches
from fmkit.data.tokenizer import PAD, special_id, train_tokenizer
from fmkit.flops import num_parameters
from fmkit.model import Transformer
from fmkit.objectives import language_modeling
from fmkit.trainer import Trainer
from fmkit.widgets.base import Widget, traitlets
from fmkit.widgets.modules import module, styles
from fmkit.world import World, floor, load_stories

STORIES = 6_000  # about a million tokens: more than the longest recorded run sees
SMALL = ModelConfig(
    vocab_size=512, hidden_size=48, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=128
)
INTERVAL = 0.1  # seconds between two messages to the page, however fast the steps are


@dataclass(frozen=True)
class Setting:
    """What the reader chooses. `seed` determines the initial weights and the order of the texts."""

    learning_rate: float
    batch_size: int
    steps: int
    seed: int = 0


@dataclass(frozen=True)
class Lab:
    """What all runs share: the size of the model, the tokenized texts, the held-out batches, and the floor in
    nats per token, where it is known."""

    size: ModelConfig
    tokenizer: Tokenizer
    pieces: Dataset
    validation: list[Batch]
    floor: float | None = None

    def trainer(self, setting: Setting) -> Trainer:
        """A new model and its training, on the CPU, which is the fastest device for one so small."""
        context, pad = self.size.max_position_embeddings, special_id(self.tokenizer, PAD)
        loader = PackedLoader(self.pieces, setting.batch_size, context, pad, setting.seed)
        config = TrainConfig(**asdict(setting), device="cpu", dtype="float32")
        return Trainer(Transformer(self.size, seed=setting.seed), language_modeling, loader, config)


def open_lab(size: ModelConfig, corpus: DatasetDict) -> Lab:
    """Train a tokenizer on a corpus (splits `train` and `validation`, column `text`) and tokenize it."""
    tokenizer, context = train_tokenizer(corpus["train"], size.vocab_size), size.max_position_embeddings
    return Lab(
        size,
        tokenizer,
        tokenize(corpus["train"], tokenizer, context),
        validation_batches(corpus["validation"], tokenizer, 8, context, limit=64),
    )


@cache
def story_lab(size: ModelConfig = SMALL) -> Lab:
    """The lab of the book's stories, whose floor is known: opened in about three seconds, once."""
    lab = open_lab(size, load_stories(n_train=STORIES, n_validation=200))
    return replace(lab, floor=floor(World(), lab.tokenizer).nats_per_token)


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
    """A small model, its hyperparameters as sliders, and its loss while it trains on a corpus.

    Without arguments it trains the book's smallest model on stories, and draws the floor that no model's loss
    can pass; `size` is another model, `corpus` other texts (see `load_corpus`). With a kernel it trains in a
    thread, so that other cells can run meanwhile; `runs` holds the results. On a page without a kernel it
    replays the recorded runs of assets/runs/<recording>.json, which exist for the smallest model on stories.
    """

    _esm, _css = module("training_lab"), styles("training_lab")

    learning_rate = traitlets.Float(0.003).tag(sync=True)
    batch_size = traitlets.Int(8).tag(sync=True)
    steps = traitlets.Int(200).tag(sync=True)
    context_length = traitlets.Int().tag(sync=True)
    vocab_size = traitlets.Int(help="a model that guesses has a loss of its logarithm").tag(sync=True)
    recording = traitlets.Unicode(help="the recorded runs that replace a kernel").tag(sync=True)

    def __init__(self, corpus: DatasetDict | None = None, size: ModelConfig = SMALL, **traits: Any) -> None:
        texts = f"{STORIES:,} stories" if corpus is None else f"{len(corpus['train']):,} texts"
        super().__init__(
            description=f"Training lab: {num_parameters(size):,} parameters learn from {texts}",
            context_length=size.max_position_embeddings,
            vocab_size=size.vocab_size,
            recording="lab" if corpus is None and size == SMALL else "",
            **traits,
        )
        self._open: Callable[[], Lab] = (
            partial(story_lab, size) if corpus is None else cache(partial(open_lab, size, corpus))
        )
        self.runs: list[LabRun] = []
        self.current: LabRun | None = None  # the run that is being trained
        self.floor: float | None = None  # nats per token, known from the first run on

    def train(self, setting: Setting) -> LabRun:
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

    def on_train(self, setting: dict[str, Any]) -> None:
        self.train(Setting(**setting))

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
