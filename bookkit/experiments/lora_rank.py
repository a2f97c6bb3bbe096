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
    def train(rank: int, embeddings: int, seed: int) -> dict[str, Any]:
        saved = EMBEDDINGS if embeddings else ()
        lora = LoraConfig(r=rank, lora_alpha=2 * rank, modules_to_save=saved) if rank else None
        return learn(seed, STEPS, lora)

    arms = [
        {"rank": rank, "embeddings": embeddings, "seed": seed}
        for seed in range(3)
        for rank, choices in (*((rank, (0, 1)) for rank in RANKS), (0, (1,)))  # 0: no adapter, all weights
        for embeddings in choices
    ]
    about = {"corpus": "support, answers as JSON", "training": {**TRAINING, "steps": STEPS}}
    return Experiment(about, train, arms)
