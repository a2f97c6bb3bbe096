"""Batch size at a fixed number of tokens: many small steps against few large ones."""

from typing import Any

from bookkit.experiments.recording import Experiment, follow
from fmkit.widgets import lab

TOKENS = 400_000


def batch_size() -> Experiment:
    """Each batch size with three learning rates, since a larger batch may want a larger one."""
    shared = lab.open_lab()
    context = lab.MODEL.max_position_embeddings

    def train(batch_size: int, learning_rate: float, seed: int) -> dict[str, Any]:
        setting = lab.Setting(learning_rate, batch_size, TOKENS // (batch_size * context), seed)
        trainer = shared.trainer(setting)
        return follow(trainer, lambda: trainer.evaluate(shared.validation))

    arms = [
        {"batch_size": size, "learning_rate": rate, "seed": seed}
        for size in (1, 4, 16, 64)
        for rate in (0.003, 0.01, 0.03)
        for seed in range(3)
    ]
    about = lab.describe() | {"tokens_per_run": TOKENS, "floor": round(shared.floor, 4)}
    return Experiment(about, train, arms)
