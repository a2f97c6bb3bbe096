"""Continuous pre-training on medical notes: what is learned, what is forgotten, and how replay helps.

The question of Ibrahim et al. 2024 (arXiv:2403.08763): a few percent of old text are enough to remember most.
"""

from typing import Any

from bookkit.experiments.course import checks
from bookkit.experiments.foundations import SIZE, base
from bookkit.experiments.recording import Experiment, experiment
from fmkit import continue_pretrain
from fmkit.config import TrainConfig, reproducible
from fmkit.data.corpora import load_corpus
from fmkit.model import Transformer
from fmkit.world import MEDICAL

TRAINING: dict[str, Any] = {"steps": 300, "batch_size": 4, "learning_rate": 4e-3}
SHARES = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5)


@experiment("forgetting")
def forgetting() -> Experiment:
    stories, notes = load_corpus("stories"), MEDICAL.load(4_000, 400)

    def train(start: str, replay_share: float, seed: int) -> dict[str, Any]:
        model, tokenizer = base(seed)
        if start == "scratch":
            model = Transformer(SIZE, seed=seed)
        reproducible(seed)
        config = TrainConfig(**TRAINING, seed=seed, eval_every=50)
        run = continue_pretrain(model, tokenizer, notes, config, replay=stories, replay_share=replay_share)
        return checks(run.history, medical="validation_loss", stories="replay_loss")

    arms = [
        {"start": start, "replay_share": share, "seed": seed}
        for seed in range(3)
        for start, shares in (("base", SHARES), ("scratch", SHARES[:1]))
        for share in shares
    ]
    about = {"corpus": "4,000 medical notes", "replay": "stories", "training": TRAINING}
    return Experiment(about, train, arms)
