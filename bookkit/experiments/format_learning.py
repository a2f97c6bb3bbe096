"""How fast the story model learns to answer in JSON, beside a model that starts from random weights."""

from typing import Any

from bookkit.experiments.assistant import TRAINING, learn
from bookkit.experiments.recording import Experiment, experiment


@experiment("format")
def format_learning() -> Experiment:
    def train(start: str, steps: int, seed: int) -> dict[str, Any]:
        return learn(seed, steps, scratch=start == "scratch")

    arms = [
        {"start": start, "steps": steps, "seed": seed}
        for seed in range(3)
        for steps in (0, 25, 50, 100, 200)
        for start in ("base", "scratch")
    ]
    return Experiment({"corpus": "support, answers as JSON", "training": TRAINING}, train, arms)
