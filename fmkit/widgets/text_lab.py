"""What the labs train: a model that learns stories from nothing, and one that learns a shop's answers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, Protocol

from datasets import Dataset, DatasetDict
from tokenizers import Tokenizer

from fmkit.assets import asset
from fmkit.config import ModelConfig, TrainConfig
from fmkit.data.batches import Batch, PackedLoader, tokenize, validation_batches
from fmkit.data.chat import add_chat_tokens
from fmkit.data.example_batches import (
    ExampleLoader,
    collate_completions,
    example_batches,
    tokenize_completions,
)
from fmkit.data.quiet import quiet
from fmkit.data.tokenizer import PAD, special_id, train_tokenizer
from fmkit.generation import generate
from fmkit.model import Transformer
from fmkit.objectives import language_modeling
from fmkit.trainer import Trainer
from fmkit.world import SUPPORT, MarkedText, World, floor, load_stories

STORIES = 6_000  # about a million tokens: more than the longest recorded run sees
SMALL = ModelConfig(
    vocab_size=512, hidden_size=48, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=128
)
WRITTEN, TEMPERATURE = 120, 0.5  # tokens of a text that a model writes as it learns
SHOWN = 5  # words that the world expected
SIZES = {  # of models, by their hidden_size
    size.hidden_size: size
    for size in (
        replace(SMALL, hidden_size=24, num_hidden_layers=1, num_attention_heads=2),
        SMALL,
        replace(SMALL, hidden_size=64, num_hidden_layers=3),
        replace(SMALL, hidden_size=96, num_hidden_layers=3),
    )
}
ANSWERS, HELD_OUT, TESTED = 200, 64, 400  # dialogs of the shop: to learn, to validate on, to test with


class Lab(Protocol):
    """What all runs of a lab share: held-out batches, and the floor in nats per token, where it is known."""

    @property
    def validation(self) -> list[Batch]: ...
    @property
    def floor(self) -> float | None: ...

    def trainer(self, *_: Any, **setting: Any) -> Trainer:
        """A new model and its training, on the CPU, which is the fastest device for one so small."""

    def place(self, trainer: Trainer) -> float:
        """How far a run is, on the horizontal axis."""

    def write(self, trainer: Trainer) -> dict[str, Any] | None:
        """A text by the model as it is now, and what the world says about it, if that knows such texts."""


@dataclass(frozen=True)
class TextLab:
    """A model learns texts from random weights, for so many steps; of this size, if none is chosen."""

    size: ModelConfig
    tokenizer: Tokenizer
    pieces: Dataset
    validation: list[Batch]
    floor: float | None = None

    def trainer(
        self,
        *,
        learning_rate: float,
        batch_size: int,
        steps: int,
        hidden_size: int | None = None,
        seed: int = 0,
    ) -> Trainer:
        size = SIZES[hidden_size] if hidden_size and hidden_size != self.size.hidden_size else self.size
        context, pad = self.size.max_position_embeddings, special_id(self.tokenizer, PAD)
        config = TrainConfig(
            steps,
            batch_size,
            learning_rate=learning_rate,
            eval_every=max(1, steps),
            seed=seed,
            device="cpu",
            dtype="float32",
        )
        loader = PackedLoader(self.pieces, batch_size, context, pad, seed)
        return Trainer(Transformer(size, seed=seed), language_modeling, loader, config)

    def place(self, trainer: Trainer) -> float:
        """Tokens seen."""
        return trainer.tokens

    def write(self, trainer: Trainer) -> dict[str, Any] | None:
        """A text of at most `WRITTEN` tokens, as story.js shows it."""
        assert isinstance(trainer.model, Transformer)
        text = generate(trainer.model, self.tokenizer, "", WRITTEN, TEMPERATURE, seed=trainer.step)
        if self.floor is None:
            return {"text": text}
        judged = MarkedText(text)
        start, end = judged.wrong or (len(text),) * 2
        more = max(0, len(judged.expected) - SHOWN)
        parts = {"right": text[:start], "wrong": text[start:end], "rest": text[end:]}
        return {**parts, "expected": judged.expected[:SHOWN], "more": more}


@dataclass(frozen=True)
class AnswerLab:
    """A pre-trained model learns the answers of dialogs, for so many epochs, and is validated after each."""

    model: Callable[[], Transformer]
    examples: Dataset
    validation: list[Batch]
    test: list[Batch]
    floor: float

    def trainer(
        self, *, learning_rate: float, batch_size: int, epochs: int, seed: int = 0, **others: Any
    ) -> Trainer:
        """Like every lab's; `others` are further settings of a `TrainConfig`."""
        model = self.model()
        assert model.tokenizer is not None
        collate = partial(collate_completions, pad_id=special_id(model.tokenizer, PAD))
        config = TrainConfig(
            epochs * len(self.examples) // batch_size,
            batch_size,
            learning_rate=learning_rate,
            eval_every=max(1, len(self.examples) // batch_size),
            seed=seed,
            device="cpu",
            dtype="float32",
            **others,
        )
        loader = ExampleLoader(self.examples, batch_size, collate, seed)
        return Trainer(model, language_modeling, loader, config)

    def place(self, trainer: Trainer) -> float:
        """Epochs done, with two decimals."""
        return round(trainer.step * trainer.config.batch_size / len(self.examples), 2)

    def write(self, trainer: Trainer) -> None:
        """Nothing: an answer needs a question."""


def open_lab(size: ModelConfig, corpus: DatasetDict) -> TextLab:
    """Train a tokenizer on a corpus (splits `train` and `validation`, column `text`) and tokenize it."""
    tokenizer, context = train_tokenizer(corpus["train"], size.vocab_size), size.max_position_embeddings
    return TextLab(
        size,
        tokenizer,
        tokenize(corpus["train"], tokenizer, context),
        validation_batches(corpus["validation"], tokenizer, 8, context, limit=64),
    )


@cache
def story_lab(size: ModelConfig = SMALL) -> TextLab:
    """The lab of the book's stories, whose floor is known: opened in about three seconds, once."""
    lab = open_lab(size, load_stories(n_train=STORIES, n_validation=200))
    return replace(lab, floor=floor(World(), lab.tokenizer).nats_per_token)


@cache
def shop_lab() -> AnswerLab:
    """The lab of the shop's answers to its customers: opened in two seconds, once.

    Held-out dialogs whose question is also one of those to be learned are left out.
    """
    learned, others = SUPPORT.load(ANSWERS, ANSWERS + HELD_OUT + TESTED).values()
    asked = set(learned["prompt"])
    with quiet():
        new = others.filter(lambda row: row["prompt"] not in asked).take(HELD_OUT + TESTED)
    tokenizer, context = assistant().tokenizer, assistant().config.max_position_embeddings
    assert tokenizer is not None
    examples, held_out = (tokenize_completions(split, tokenizer, context) for split in (learned, new))
    collate = partial(collate_completions, pad_id=special_id(tokenizer, PAD))
    validation = example_batches(held_out.take(HELD_OUT), HELD_OUT, collate)
    test = example_batches(held_out.skip(HELD_OUT), HELD_OUT, collate)
    surprise = -sum(new.take(HELD_OUT)["completion_log_prob"])
    return AnswerLab(assistant, examples, validation, test, surprise / validation[0]["num_items"])


def assistant() -> Transformer:
    """A new copy of the book's story model, with tokens that mark who speaks."""
    model = Transformer.from_pretrained(asset("models/base"))
    assert model.tokenizer is not None
    model.tokenizer = add_chat_tokens(model.tokenizer)
    model.resize_vocab(model.tokenizer.get_vocab_size())
    return model
