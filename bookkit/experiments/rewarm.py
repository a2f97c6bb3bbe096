"""How high the learning rate should be when a finished model goes on reading, and whether it needs a warm-up.

The question of Gupta et al. 2023 (arXiv:2308.04014) and Ibrahim et al. 2024 (arXiv:2403.08763, section 6.1).
The base was trained with a peak of 8e-3, and its rate has fallen to zero.
"""

from typing import Any

from bookkit.experiments.course import checks
from bookkit.experiments.foundations import SETTINGS, base
from bookkit.experiments.recording import Experiment, experiment
from fmkit import continue_pretrain
from fmkit.config import TrainConfig, reproducible
from fmkit.data.corpora import load_corpus
from fmkit.world import MEDICAL

TRAINING: dict[str, Any] = {"steps": 300, "batch_size": 4}
REPLAY_SHARE = 0.05
PEAK: float = SETTINGS["learning_rate"]
WAYS: dict[str, dict[str, Any]] = {
    "left low": {"learning_rate": PEAK / 10, "warmup_steps": 0, "min_lr_ratio": 1.0},
    "raised halfway": {"learning_rate": PEAK / 2, "warmup_steps": 15},
    "raised": {"learning_rate": PEAK, "warmup_steps": 15},
    "raised at once": {"learning_rate": PEAK, "warmup_steps": 0},
}


@experiment("rewarm")
def rewarm() -> Experiment:
    stories, notes = load_corpus("stories"), MEDICAL.load(4_000, 400)

    def train(way: str, seed: int) -> dict[str, Any]:
        model, tokenizer = base(seed)
        reproducible(seed)
        config = TrainConfig(**TRAINING, **WAYS[way], seed=seed, eval_every=20)
        run = continue_pretrain(model, tokenizer, notes, config, replay=stories, replay_share=REPLAY_SHARE)
        return checks(run.history, medical="validation_loss", stories="replay_loss")

    arms = [{"way": way, "seed": seed} for seed in range(3) for way in WAYS]
    about = {
        "corpus": "4,000 medical notes",
        "replay": f"stories, {REPLAY_SHARE:.0%} of the tokens",
        "training": TRAINING,
        "ways": WAYS,
    }
    return Experiment(about, train, arms)
