"""The training lab: a model and a corpus so small that a run takes seconds. A run is three numbers, a seed.

The widget trains here when it has a kernel, and `bookkit.experiments` records here what it replays.
"""

from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from datasets import Dataset
from tokenizers import Tokenizer

from fmkit.config import ModelConfig, TrainConfig
from fmkit.data.batches import Batch, PackedLoader, tokenize, validation_batches
from fmkit.data.tokenizer import PAD, special_id, train_tokenizer
from fmkit.model import Transformer
from fmkit.objectives import predict_tokens
from fmkit.trainer import Trainer
from fmkit.world.stories import World, floor, load_stories

STORIES = 6_000  # about a million tokens: more than the longest recorded run sees
MODEL = ModelConfig(
    vocab_size=512, hidden_size=48, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=128
)


@dataclass(frozen=True)
class Setting:
    """What the reader turns. `seed` chooses the initial weights and the order of the stories."""

    learning_rate: float
    batch_size: int
    steps: int
    seed: int = 0

    @property
    def tokens(self) -> int:
        """How many tokens the run sees, were every sequence full."""
        return self.steps * self.batch_size * MODEL.max_position_embeddings


@dataclass(frozen=True)
class Lab:
    """What all runs share: tokenized stories, the batches that judge them, the floor in nats a token."""

    tokenizer: Tokenizer
    pieces: Dataset
    validation: list[Batch]
    floor: float

    def trainer(self, setting: Setting) -> Trainer:
        """A new model and its training, on the CPU, which is the fastest place for something so small."""
        context, pad = MODEL.max_position_embeddings, special_id(self.tokenizer, PAD)
        loader = PackedLoader(self.pieces, setting.batch_size, context, pad, setting.seed)
        config = TrainConfig(**asdict(setting), device="cpu", dtype="float32")
        return Trainer(Transformer(MODEL, seed=setting.seed), predict_tokens, loader, config)


@cache
def open_lab() -> Lab:
    """Tell the stories, learn their tokens and measure the floor: about three seconds, once."""
    corpus = load_stories(n_train=STORIES, n_validation=200)
    tokenizer = train_tokenizer(corpus["train"], MODEL.vocab_size)
    context = MODEL.max_position_embeddings
    return Lab(
        tokenizer,
        tokenize(corpus["train"], tokenizer, context),
        validation_batches(corpus["validation"], tokenizer, 8, context, limit=8),
        floor(World(), tokenizer).nats_per_token,
    )


def describe() -> dict[str, Any]:
    """The fixed part of every run, for whoever reads a record of them."""
    weights = sum(parameter.numel() for parameter in Transformer(MODEL).parameters())
    return {"corpus": f"{STORIES:,} stories", "parameters": weights, "model": asdict(MODEL)}
