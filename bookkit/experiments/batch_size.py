"""Batch size at a fixed number of tokens: many small steps against few large ones."""

from typing import Any

from bookkit.experiments.course import POINTS
from bookkit.experiments.lab import about, train_in
from bookkit.experiments.recording import Experiment, experiment
from fmkit.widgets.text_lab import SMALL, story_lab

TOKENS = 400_000


@experiment("batch-size")
def batch_size() -> Experiment:
    """Each batch size with three learning rates, since a larger batch may need a larger one."""
    shared = story_lab()

    def train(batch_size: int, learning_rate: float, seed: int) -> dict[str, Any]:
        steps = TOKENS // (batch_size * SMALL.max_position_embeddings)
        setting = {"learning_rate": learning_rate, "batch_size": batch_size, "steps": steps, "seed": seed}
        return train_in(shared, setting, POINTS)

    arms = [
        {"batch_size": size, "learning_rate": rate, "seed": seed}
        for size in (1, 4, 16, 64)
        for rate in (0.003, 0.01, 0.03)
        for seed in range(3)
    ]
    return Experiment({**about(shared), "tokens_per_run": TOKENS}, train, arms)
