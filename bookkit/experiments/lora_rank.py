"""Adapters of several ranks, with embeddings for the new chat tokens trained or not, beside all weights.

The question of LoRA's section 7.2, and of Biderman et al. 2024 (arXiv:2405.09673): an adapter learns less and
forgets less.
"""

from typing import Any

from bookkit.experiments.assistant import TRAINING, learn
from bookkit.experiments.recording import Experiment, experiment
from fmkit.lora import LoraConfig

RANKS = (1, 2, 4, 8, 16)
EMBEDDINGS = ("embed_tokens",)  # the whole table, 29 % of the weights: input and output share it
STEPS = 150


@experiment("lora-rank")
def lora_rank() -> Experiment:
    arms = [
        {"rank": rank, "embeddings": embeddings, "seed": seed}
        for seed in range(3)
        for rank, choices in (*((rank, (0, 1)) for rank in RANKS), (0, (1,)))  # 0: no adapter, all weights
        for embeddings in choices
    ]
    about = {"corpus": "support, answers as JSON", "training": {**TRAINING, "steps": STEPS}}
    return Experiment(about, answer_in_json, arms)


@experiment("lora-rank-rate")
def lora_rank_rate() -> Experiment:
    """Other learning rates than that of lora-rank: lower ones for all weights, a higher one for adapters."""
    arms = [
        {"rank": rank, "embeddings": embeddings, "learning_rate": rate, "seed": seed}
        for seed in range(3)
        for rank, embeddings, rate in ((0, 1, 0.00025), (0, 1, 0.001), (16, 1, 0.016), (16, 0, 0.016))
    ]
    about = {"corpus": "support, answers as JSON", "training": {"batch_size": 16, "steps": STEPS}}
    return Experiment(about, answer_in_json, arms)


def answer_in_json(rank: int, embeddings: int, seed: int, **training: Any) -> dict[str, Any]:
    """Tune the base with adapters, or all of it if `rank` is 0."""
    saved = EMBEDDINGS if embeddings else ()
    lora = LoraConfig(r=rank, lora_alpha=2 * rank, modules_to_save=saved) if rank else None
    return learn(seed, STEPS, lora, **training)
