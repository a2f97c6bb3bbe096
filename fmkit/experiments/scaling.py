"""A scaling law whose end is known: models of many sizes, on Markov text whose entropy is exact.

One arm is one chain, of its own seed, and all the models trained on it: sizes times amounts of tokens, each
with its own schedule (Hoffmann et al. 2022, section 3.3). What is kept: N, D and the loss of each model, the
fitted law, and whether the 95 % interval of its E holds the true entropy.
"""

import math
from typing import Any

from fmkit.config import ModelConfig, TrainConfig, reproducible
from fmkit.data.batches import PackedLoader, tokenize, validation_batches
from fmkit.data.domains.markov import MARKOV, Chain
from fmkit.data.tokenizer import PAD, special_id
from fmkit.experiments.recording import Arm, Experiment
from fmkit.flops import num_parameters
from fmkit.model import Transformer
from fmkit.objectives import predict_tokens
from fmkit.scaling import bootstrap, fit_scaling_law, interval
from fmkit.trainer import Trainer

WIDTHS = (4, 8, 16, 32)
TOKENS = (300_000, 600_000, 1_200_000, 2_400_000)
CONTEXT, BATCH_SIZE = 128, 8
TRAINING: dict[str, Any] = {"batch_size": BATCH_SIZE, "min_lr_ratio": 0.0}
RATE = 0.03  # over the square root of the width: a wide model wants smaller steps


def scaling() -> Experiment:
    arms = [Arm({"world": world}, lambda world=world: train(world)) for world in range(5)]  # type: ignore[misc]
    about = {
        "corpus": "markov",
        "training": {**TRAINING, "learning_rate": f"{RATE} / sqrt(width)"},
        "widths": WIDTHS,
        "tokens": TOKENS,
    }
    return Experiment(about, arms)


def train(world: int) -> dict[str, Any]:
    """All the models of one chain, and the law that fits them."""
    chain = Chain(world)
    corpus = MARKOV.load(n_train=4_000, n_validation=400, seed=world, world=world)
    tokenizer = chain.tokenizer()
    pieces = tokenize(corpus["train"], tokenizer, CONTEXT)
    held_out = validation_batches(corpus["validation"], tokenizer, 32, CONTEXT, limit=20)
    sizes, tokens, losses = [], [], []
    for width in WIDTHS:
        for budget in TOKENS:
            reproducible(world)
            steps, rate = budget // (BATCH_SIZE * CONTEXT), RATE / width**0.5
            config = TrainConfig(steps, **TRAINING, learning_rate=rate, seed=world)
            model = Transformer(shape(width), seed=world)
            loader = PackedLoader(pieces, BATCH_SIZE, CONTEXT, special_id(tokenizer, PAD), world)
            trainer = Trainer(model, predict_tokens, loader, config)
            for _ in trainer.run():
                pass
            sizes.append(num_parameters(shape(width)))
            tokens.append(trainer.tokens)
            losses.append(round(trainer.evaluate(held_out), 4))
    law = fit_scaling_law(sizes, tokens, losses)
    laws = bootstrap(sizes, tokens, losses, n=200, seed=world)
    low, high = interval([each.E for each in laws])
    residuals = [
        abs(math.log(law.loss(n, d) / loss)) for n, d, loss in zip(sizes, tokens, losses, strict=True)
    ]
    return {
        "parameters": sizes,
        "tokens": tokens,
        "loss": losses,
        "law": {name: round(value, 4) for name, value in vars(law).items()},
        "truth": round(chain.nats_per_token, 4),
        "interval": [round(low, 4), round(high, 4)],
        "largest_residual": round(max(residuals), 4),
        "scores": {
            "E": round(law.E, 3),
            "truth": round(chain.nats_per_token, 3),
            "covered": float(low <= chain.nats_per_token <= high),
        },
    }


def shape(width: int) -> ModelConfig:
    return ModelConfig(
        vocab_size=260,
        hidden_size=width,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=2 * width,
        max_position_embeddings=CONTEXT,
    )
