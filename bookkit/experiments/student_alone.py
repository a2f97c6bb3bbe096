"""The committed student, and models of its shape that learned from the stories alone.

The student of assets/models saw its teacher's probabilities at every step. What would it know without them,
after as many steps, and after as much computing?
"""

import math
from typing import Any

from bookkit.experiments.foundations import committed
from bookkit.experiments.recording import Experiment, experiment
from fmkit import distill, pretrain
from fmkit.config import TrainConfig, reproducible
from fmkit.data.corpora import load_corpus
from fmkit.evaluation.likelihood import perplexity
from fmkit.model import Transformer

TRAINING: dict[str, Any] = {
    "batch_size": 4,
    "learning_rate": 1e-2,
    "adam_beta2": 0.98,
    "min_lr_ratio": 0.0,
}
STEPS = {"soft": 1_800, "alone": 1_800, "alone, longer": 3_600}  # a step with the teacher takes twice as long


@experiment("student-alone")
def student_alone() -> Experiment:
    corpus = load_corpus("stories")
    held_out = corpus["validation"]["text"][:300]  # those that the committed models are measured on

    def train(method: str, seed: int) -> dict[str, Any]:
        teacher, tokenizer = committed("teacher")
        shape = committed("student")[0].config
        config = TrainConfig(STEPS[method], **TRAINING, seed=seed, eval_every=STEPS[method])
        reproducible(seed)
        model = Transformer(shape, seed=seed)
        if method == "soft":
            run = distill(model, tokenizer, corpus, config, teacher=teacher, temperature=1.0, soft_weight=1.0)
        else:
            run = pretrain(model, tokenizer, corpus, config)
        loss = math.log(perplexity(model, tokenizer, held_out))
        return {"scores": {"loss": round(loss, 3), "cpu_seconds": round(run.usage.cpu_seconds, 1)}}

    arms = [{"method": method, "seed": seed} for seed in range(3) for method in STEPS]
    return Experiment({"training": TRAINING, "steps": STEPS}, train, arms)
