"""Direct preference optimization toward kind endings: how much is won, at what distance, and when it breaks.

The question of Rafailov et al. 2023 (arXiv:2305.18290, section 6.1): reward against KL for several β. The
preference is known here, so the reward that is chased and the true one are measured apart (Gao et al. 2022,
arXiv:2210.10760).
"""

import copy
from functools import cache
from typing import Any

from datasets import DatasetDict
from tokenizers import Tokenizer

from fmkit.config import TrainConfig, reproducible
from fmkit.data.domains.preferences import BROKEN, PREFERENCES, Preferences
from fmkit.data.tokenizer import EOS, special_id
from fmkit.evaluation.sampling import complete
from fmkit.experiments.bases import base
from fmkit.experiments.recording import Arm, Experiment
from fmkit.model import Transformer
from fmkit.recipes import align, continue_pretrain

READING: dict[str, Any] = {"steps": 400, "batch_size": 4, "learning_rate": 4e-3}
ALIGNING: dict[str, Any] = {"batch_size": 16, "learning_rate": 5e-4}
ASKED = 200  # held-out prompts that are continued


def preference() -> Experiment:
    data = PREFERENCES.load(2_000, ASKED)

    @cache
    def reader(seed: int) -> tuple[Transformer, Tokenizer]:
        """The base after it has read such stories, kind and unkind ones, as they come."""
        model, tokenizer = base(seed)
        reproducible(seed)
        config = TrainConfig(**READING, seed=seed, eval_every=READING["steps"])
        continue_pretrain(model, tokenizer, data, config)
        return model, tokenizer

    def train(beta: float, steps: int, seed: int) -> dict[str, Any]:
        before, tokenizer = reader(seed)
        model, kl, accuracy = copy.deepcopy(before), 0.0, 0.5
        reproducible(seed)
        if steps:
            config = TrainConfig(steps, **ALIGNING, seed=seed, eval_every=steps)
            run = align(model, tokenizer, data, config, beta)
            kl, accuracy = run.history[-1]["kl"], run.history[-1]["reward_accuracy"]
        scores = judge(model, before, tokenizer, data)
        return {"scores": {"kl": round(kl, 3), "reward_accuracy": round(accuracy, 3), **scores}}

    tried = {0.01: (30, 240), 0.03: (240,), 0.1: (0, 30, 240), 0.3: (240,), 1.0: (30, 240)}
    arms = [
        {"beta": beta, "steps": steps, "seed": seed}
        for seed in range(3)
        for beta, lengths in tried.items()
        for steps in lengths
    ]
    about = {"corpus": "2,000 pairs of endings", "reading": READING, "aligning": ALIGNING}
    return Experiment(about, [Arm(s, lambda s=s: train(**s)) for s in arms])  # type: ignore[misc]


def judge(
    model: Transformer, before: Transformer, tokenizer: Tokenizer, data: DatasetDict
) -> dict[str, float]:
    """Endings of the model's own to held-out prompts: their mean reward, as counted and as it truly is, the
    share that is no story any more, and how often they are truly better than those of the model before."""
    world = Preferences()
    prompts = list(data["validation"]["prompt"])
    ids = [tokenizer.encode(prompt).ids for prompt in prompts]

    def endings(writer: Transformer) -> list[str]:
        rows = complete(writer, ids, 80, special_id(tokenizer, EOS), seed=0)
        return [prompt + tokenizer.decode(row) for prompt, row in zip(prompts, rows, strict=True)]

    now = endings(model)
    true, true_before = ([world.truth(text) for text in texts] for texts in (now, endings(before)))
    counted = [world.reward(text) for text in now]
    wins = [(a > b) + 0.5 * (a == b) for a, b in zip(true, true_before, strict=True)]
    return {
        "counted_reward": round(sum(counted) / len(counted), 3),
        "true_reward": round(sum(true) / len(true), 3),
        "broken": round(sum(value == BROKEN for value in true) / len(true), 3),
        "win_rate": round(sum(wins) / len(wins), 3),
    }
