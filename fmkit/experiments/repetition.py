"""Reading the same again: a fixed number of stories for more and more epochs, beside as many fresh ones.

The question of Muennighoff et al. 2023 (arXiv:2305.16264): up to about four epochs, repeated text is worth
almost as much as new text.
"""

from typing import Any

from fmkit import lab
from fmkit.config import TrainConfig
from fmkit.data.batches import PackedLoader, tokenize
from fmkit.data.tokenizer import PAD, special_id
from fmkit.data.world import load_stories
from fmkit.experiments.recording import Arm, Experiment, follow
from fmkit.model import Transformer
from fmkit.objectives import predict_tokens
from fmkit.trainer import Trainer

UNIQUE = 400  # stories that are read again and again: about 60,000 tokens
BATCH_SIZE = 4


def repetition() -> Experiment:
    shared = lab.open_lab()
    context, pad = lab.MODEL.max_position_embeddings, special_id(shared.tokenizer, PAD)
    fresh = tokenize(load_stories(n_train=16_000)["train"], shared.tokenizer, context)
    few = fresh.select(range(UNIQUE))
    tokens = sum(len(ids) - 1 for ids in few["input_ids"])

    def train(text: str, epochs: int, seed: int) -> dict[str, Any]:
        steps = epochs * tokens // (BATCH_SIZE * context)
        config = TrainConfig(steps, BATCH_SIZE, learning_rate=0.01, seed=seed)
        pieces = few if text == "repeated" else fresh
        loader = PackedLoader(pieces, BATCH_SIZE, context, pad, seed)
        trainer = Trainer(Transformer(lab.MODEL, seed=seed), predict_tokens, loader, config)
        return follow(trainer, lambda: trainer.evaluate(shared.validation))

    arms = [
        {"text": text, "epochs": epochs, "seed": seed}
        for epochs in (1, 2, 4, 8, 16, 32)
        for text in ("fresh", "repeated")
        for seed in range(3)
        if epochs > 1 or text == "fresh"  # one epoch is fresh
    ]
    about = lab.describe() | {"unique_tokens": tokens, "floor": round(shared.floor, 4)}
    return Experiment(about, [Arm(s, lambda s=s: train(**s)) for s in arms])  # type: ignore[misc]
