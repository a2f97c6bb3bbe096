"""A scaling law whose end is known: models of many sizes, on Markov text whose entropy is exact.

One arm is one chain, of its own seed, and all the models trained on it: sizes times amounts of tokens, each
with its own schedule (Hoffmann et al. 2022, section 3.3), and none reads a token twice. The record has N, D
and the loss of each model, the fitted law, whether the 95 % interval of its E contains the true entropy, and
how well a law that is fitted to the smaller models predicts the largest.
"""

from collections.abc import Collection
from typing import Any

from bookkit.experiments.course import follow
from bookkit.experiments.recording import Experiment, experiment
from fmkit.config import ModelConfig, TrainConfig, reproducible
from fmkit.data.batches import PackedLoader, tokenize, validation_batches
from fmkit.data.tokenizer import PAD, special_id, word_level_tokenizer
from fmkit.flops import num_parameters
from fmkit.model import Transformer
from fmkit.objectives import language_modeling
from fmkit.scaling import bootstrap, fit_scaling_law, forecast_largest, interval
from fmkit.trainer import Trainer
from fmkit.world import MARKOV, Chain

WIDTHS = (4, 8, 16, 32, 64)
TOKENS = (300_000, 600_000, 1_200_000, 2_400_000)
CONTEXT, BATCH_SIZE = 128, 8
RATE = 0.5  # over the width: of four tried on world 0, within 0.03 nats of the best at every size
TRAINING: dict[str, Any] = {"batch_size": BATCH_SIZE, "min_lr_ratio": 0.0}
ABOUT = {"corpus": "markov", "training": {**TRAINING, "learning_rate": f"{RATE} / width"}}


@experiment("scaling")
def scaling() -> Experiment:
    arms = [{"world": world} for world in range(5)]
    return Experiment({**ABOUT, "widths": WIDTHS, "tokens": TOKENS}, train, arms)


def train(world: int) -> dict[str, Any]:
    """All the models of one chain, and the law that fits them."""
    text = Text(world, max(TOKENS))
    runs = [text.train(width, tokens) for width in WIDTHS for tokens in TOKENS]
    columns = {name: [run[name] for run in runs] for name in ("parameters", "tokens", "loss")}
    return {**columns, "truth": round(text.entropy, 4), **measure(**columns, truth=text.entropy)}


def measure(parameters: list[float], tokens: list[float], loss: list[float], truth: float) -> dict[str, Any]:
    """The law of the losses of one chain, the interval of its E, and the errors of its forecast."""
    law = fit_scaling_law(parameters, tokens, loss)
    low, high = interval([each.E for each in bootstrap(parameters, tokens, loss)])
    forecast = forecast_largest(parameters, tokens, loss)
    return {
        "law": {name: round(value, 4) for name, value in vars(law).items()},
        "interval": [round(low, 4), round(high, 4)],
        "forecast": {name: values.round(4).tolist() for name, values in vars(forecast).items()},
        "scores": {
            "E": round(law.E, 3),
            "truth": round(truth, 3),
            "covered": float(low <= truth <= high),
            "forecast_error": round(forecast.error(forecast.law), 4),
            "without_E_error": round(forecast.error(forecast.without_E), 4),
            "no_change_error": round(forecast.error(forecast.no_change), 4),
        },
    }


class Text:
    """The text of one chain, enough for `tokens`, and held-out text."""

    def __init__(self, world: int, tokens: float) -> None:
        chain = Chain(world)
        # A text has 129 tokens on average, and 2 % are spare: a token that is read twice obeys another law.
        corpus = MARKOV.load(n_train=round(tokens / 126), n_validation=800, seed=world, world=world)
        tokenizer = word_level_tokenizer(chain.words)
        self.world, self.entropy, self.pad = world, chain.nats_per_token, special_id(tokenizer, PAD)
        self.pieces = tokenize(corpus["train"], tokenizer, CONTEXT)
        self.held_out = validation_batches(corpus["validation"], tokenizer, 32, CONTEXT, limit=640)

    def train(self, width: int, tokens: float) -> dict[str, Any]:
        """The size, the tokens read and the held-out loss in nats of a model of this width."""
        return self.course(width, tokens)[-1]

    def course(self, width: int, tokens: float, at: Collection[int] = ()) -> list[dict[str, Any]]:
        """The same after each of the steps `at` and after the last, of one run over so many tokens."""
        reproducible(self.world)
        rate = RATE / width
        config = TrainConfig(steps(tokens), **TRAINING, learning_rate=rate, seed=self.world)
        loader = PackedLoader(self.pieces, BATCH_SIZE, CONTEXT, self.pad, self.world)
        trainer = Trainer(Transformer(shape(width), seed=self.world), language_modeling, loader, config)
        records = follow(trainer, lambda: {"validation_loss": trainer.evaluate(self.held_out)}, at)
        size = num_parameters(shape(width))
        return [
            {"parameters": size, "tokens": one["tokens"], "loss": round(one["validation_loss"], 4)}
            for one in records
            if "validation_loss" in one
        ]


def steps(tokens: float) -> int:
    """The batches that hold so many tokens."""
    return round(tokens / (BATCH_SIZE * CONTEXT))


def shape(width: int) -> ModelConfig:
    """A model of one block. Input and output have a matrix each: words that follow the same words aren't
    always followed by the same ones, and with a shared matrix some models still guessed by frequency alone
    at the end of their text."""
    return ModelConfig(
        vocab_size=260,
        hidden_size=width,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=2 * width,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=False,
    )
