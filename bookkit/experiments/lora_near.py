"""Adapters in a domain close to what the base has read: stories of another world, with other names and facts.

The other half of LoRA's question (see `lora_rank`): close to the pre-training data, a low rank should be
enough.
"""

import math
from typing import Any

from bookkit.experiments.bases import base
from bookkit.experiments.lora_rank import RANKS
from bookkit.experiments.recording import Experiment, experiment
from fmkit import continue_pretrain
from fmkit.config import TrainConfig, reproducible
from fmkit.data.corpora import load_corpus
from fmkit.evaluation.likelihood import perplexity
from fmkit.lora import LoraConfig, add_lora
from fmkit.world import load_stories

TRAINING: dict[str, Any] = {"steps": 150, "batch_size": 4, "learning_rate": 4e-3}
HELD_OUT = 100  # stories of each world to measure with


@experiment("lora-near")
def lora_near() -> Experiment:
    """Nats per token in the new world and in the old one; the embeddings stay as they are."""
    abroad, home = load_stories(4_000, HELD_OUT, world=1), load_corpus("stories")

    def train(rank: int, seed: int) -> dict[str, Any]:
        model, tokenizer = base(seed)
        fields = {"abroad": abroad["validation"]["text"], "home": home["validation"]["text"][:HELD_OUT]}

        def measure() -> dict[str, float]:
            return {
                name: round(math.log(perplexity(model, tokenizer, list(texts))), 3)
                for name, texts in fields.items()
            }

        before = measure()
        reproducible(seed)
        if rank:
            add_lora(model, LoraConfig(r=rank, lora_alpha=2 * rank), seed)
        trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
        config = TrainConfig(**TRAINING, seed=seed, eval_every=TRAINING["steps"])
        continue_pretrain(model, tokenizer, abroad, config)
        return {"trained_parameters": trained, "before": before, "scores": measure()}

    arms = [{"rank": rank, "seed": seed} for seed in range(3) for rank in (*RANKS, 0)]  # 0: all weights
    return Experiment({"corpus": "4,000 stories of another world", "training": TRAINING}, train, arms)
