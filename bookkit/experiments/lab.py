"""The runs that the training lab replays: every setting of its three sliders, one of them three times."""

from dataclasses import asdict
from typing import Any

from bookkit.experiments.recording import Experiment, follow
from fmkit.widgets import lab as laboratory

RATES = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 1.0, 100.0)


def lab() -> Experiment:
    shared = laboratory.open_lab()
    settings = [
        laboratory.Setting(rate, batch_size, steps, seed)
        for rate in RATES
        for batch_size in (2, 8, 32)
        for steps in (50, 100, 200)
        for seed in ((0, 1, 2) if (batch_size, steps) == (8, 200) else (0,))
    ]

    def train(**setting: Any) -> dict[str, Any]:
        trainer = shared.trainer(laboratory.Setting(**setting))
        return follow(trainer, lambda: trainer.evaluate(shared.validation))

    about = laboratory.describe() | {"floor": round(shared.floor, 4)}
    return Experiment(about, train, [asdict(setting) for setting in settings])
