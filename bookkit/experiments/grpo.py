"""Online reinforcement learning toward a reward model, and what it does to the reward that was meant.

Group relative policy optimization (Shao et al. 2024, arXiv:2402.03300, section 4.1) with several β. The
reward model learned from pairs that a noisy judge had compared; the rule behind the judgments is known, so
the reward that is optimized and the one that is meant are measured apart (Gao et al. 2022, arXiv:2210.10760,
figure 1).
"""

import copy
from functools import cache
from typing import Any

from bookkit.experiments.course import checks, follow
from bookkit.experiments.dpo import LONGEST, reader
from bookkit.experiments.foundations import MODELS
from bookkit.experiments.recording import Experiment, experiment
from fmkit import evaluate, train_reward
from fmkit.config import TrainConfig, reproducible
from fmkit.data.example_batches import tokenize_prompts
from fmkit.evaluation.divergence import total_kl
from fmkit.model import Classifier
from fmkit.objectives import grpo
from fmkit.recipes.rollouts import Rollouts, Sampler
from fmkit.trainer import Record, Trainer
from fmkit.world import BROKEN, PREFERENCES, Preferences

JUDGING: dict[str, Any] = {"steps": 300, "batch_size": 16, "learning_rate": 1e-3}
LEARNING: dict[str, Any] = {"steps": 120, "batch_size": 64, "learning_rate": 3e-4, "min_lr_ratio": 1.0}
GROUP = 8  # answers to each prompt
LOOKS = range(10, 121, 10)  # steps after which the model writes endings
BETAS = (0.02, 0.1, 0.3)
PROMPTS, SHOWN = 200, 3  # held-out openings, and how many of their stories are kept


@experiment("grpo")
def online() -> Experiment:
    data, world = PREFERENCES.load(), Preferences()
    openings = {split: data[split].select_columns("prompt") for split in ("train", "validation")}

    @cache
    def judge(seed: int) -> tuple[Classifier, float]:
        """A reward model that starts from the reader, and the share of pairs that it ranks as the judge.

        With seed 0 it is the committed assets/models/preference-reward: the same weights, to the bit.
        """
        start, tokenizer = reader(seed)
        reproducible(seed)
        if seed == 0:
            model = Classifier.from_pretrained(MODELS / "preference-reward")
        else:
            model = Classifier.from_base(start, ["reward"], seed=seed)
            config = TrainConfig(**JUDGING, seed=seed, eval_every=JUDGING["steps"])
            train_reward(model, tokenizer, data, config)
        accuracy = evaluate(model, tokenizer, data["validation"])["reward_accuracy"]
        return model.eval(), round(accuracy, 3)

    def train(beta: float, seed: int) -> dict[str, Any]:
        (reference, tokenizer), (reward, accuracy) = reader(seed), judge(seed)
        reproducible(seed)
        model, config = copy.deepcopy(reference), TrainConfig(**LEARNING, seed=seed)
        context = model.config.max_position_embeddings
        asked = {split: tokenize_prompts(rows, tokenizer, context) for split, rows in openings.items()}
        sampler = Sampler(model, reward, LONGEST, seed)
        loader = Rollouts(asked["train"], sampler, config.batch_size, GROUP, 1.0, scale_rewards=True)
        trainer = Trainer(model, grpo(reference, beta), loader, config)
        held_out = list(asked["validation"].take(PROMPTS))
        written: dict[int, list[str]] = {}

        def measure() -> Record:
            batch, proxy = sampler(held_out, 0, temperature=1.0)
            rows = zip(batch["input_ids"].tolist(), batch["last"].tolist(), strict=True)
            stories = [tokenizer.decode(ids[: last + 1]) for ids, last in rows]
            true = [world.truth(story) for story in stories]
            written[trainer.step] = stories[:SHOWN]
            return {
                "kl": total_kl(model, reference, batch) / len(stories),
                "proxy_reward": proxy.mean().item(),
                "true_reward": sum(true) / len(stories),
                "broken": sum(value == BROKEN for value in true) / len(stories),
            }

        start = measure()
        found = checks([{"step": 0, **start}, *follow(trainer, measure, LOOKS)], *start)
        return {"reward_accuracy": accuracy, **found, "written": written}

    about = {"corpus": "preferences", "prompts": PROMPTS, "judging": JUDGING, "learning": LEARNING}
    arms = [{"beta": beta, "seed": seed} for seed in range(3) for beta in BETAS]
    return Experiment({**about, "num_generations": GROUP}, train, arms)
