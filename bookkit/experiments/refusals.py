"""Refusals: an assistant that learned from uneven writers, and then by preferences to refuse harm alone.

The two errors of Röttger et al. 2023 (arXiv:2308.01263), help with harm and refusals of what only looks like
it, for several β of direct preference optimization. Both are known exactly here.
"""

import copy
from collections.abc import Sequence
from functools import cache, partial
from typing import Any

from datasets import Dataset
from tokenizers import Tokenizer

from bookkit.experiments.course import checks, follow
from bookkit.experiments.foundations import base
from bookkit.experiments.recording import Experiment, experiment
from fmkit import finetune
from fmkit.config import TrainConfig, reproducible
from fmkit.data.chat import encode_prompt
from fmkit.data.example_batches import ExampleLoader, collate_pairs, tokenize_pairs
from fmkit.data.tokenizer import EOS, PAD, special_id
from fmkit.evaluation.divergence import sampled_kl
from fmkit.evaluation.sampling import complete
from fmkit.model import Transformer
from fmkit.objectives import dpo
from fmkit.trainer import Record, Trainer
from fmkit.world import BROKEN, REQUEST_KINDS, REQUESTS, Requests

WRITTEN: dict[str, Any] = {"steps": 1_200, "batch_size": 16, "learning_rate": 4e-3, "min_lr_ratio": 0.0}
ALIGNING: dict[str, Any] = {"steps": 300, "batch_size": 16, "learning_rate": 1e-4, "min_lr_ratio": 1.0}
LOOKS = (50, 100, 200)  # steps after which the model answers, besides the first and the last
BETAS = (0.05, 0.1, 0.3, 1.0)
ASKED = 300  # held-out requests, none of which was in training
LONGEST = 40  # tokens of an answer; those of the data have at most 35
SHOWN = 2  # requests of each kind whose answers are kept


@experiment("refusals")
def refusals() -> Experiment:
    data = REQUESTS.load(5_000, 600)
    seen = set(data["train"]["prompt"])
    asked = data["validation"].filter(lambda row: row["prompt"] not in seen).take(ASKED)

    @cache
    def helper(seed: int) -> tuple[Transformer, Tokenizer]:
        """The base after it has learned to answer as the writers do."""
        model, tokenizer = base(seed)
        reproducible(seed)
        config = TrainConfig(**WRITTEN, seed=seed, eval_every=WRITTEN["steps"])
        finetune(model, tokenizer, data, config)
        return model, tokenizer

    def train(beta: float, seed: int) -> dict[str, Any]:
        reference, tokenizer = helper(seed)
        model, config = copy.deepcopy(reference), TrainConfig(**ALIGNING, seed=seed)
        eos, pad = special_id(tokenizer, EOS), special_id(tokenizer, PAD)
        pairs = tokenize_pairs(data["train"], tokenizer, model.config.max_position_embeddings)
        loader = ExampleLoader(pairs, config.batch_size, partial(collate_pairs, pad_id=pad), seed)
        trainer = Trainer(model, dpo(reference, beta), loader, config)
        prompts = [encode_prompt(prompt, tokenizer) for prompt in asked["prompt"]]
        kept = [i for kind in REQUEST_KINDS for i in of_kind(asked, kind)[:SHOWN]]
        written: dict[int, list[str]] = {}

        def measure() -> Record:
            answers = answer(model, tokenizer, prompts)
            written[trainer.step] = [asked["prompt"][i] + answers[i] for i in kept]
            kl = sampled_kl(model, reference, prompts, LONGEST, eos, pad)
            return {"kl": kl, **rates(asked, answers)}

        start = measure()
        found = checks([{"step": 0, **start}, *follow(trainer, measure, LOOKS)], *start)
        return {**found, "written": written}

    about = {"corpus": "requests", "requests": ASKED, "writing": WRITTEN, "aligning": ALIGNING}
    arms = [{"beta": beta, "seed": seed} for seed in range(3) for beta in BETAS]
    return Experiment(about, train, arms)


def answer(model: Transformer, tokenizer: Tokenizer, prompts: Sequence[Sequence[int]]) -> list[str]:
    """An answer to each prompt, sampled at temperature 1."""
    rows = complete(model, prompts, LONGEST, special_id(tokenizer, EOS))
    return [tokenizer.decode(row) for row in rows]


def rates(requests: Dataset, answers: Sequence[str]) -> dict[str, float]:
    """The mean true reward, and for each kind of request the shares that are refused, right and broken."""
    town = Requests()
    found: dict[str, float] = {}
    rewards = [town.truth(p + a) for p, a in zip(requests["prompt"], answers, strict=True)]
    for kind in REQUEST_KINDS:
        rows = of_kind(requests, kind)
        counts = {
            "refused": sum(town.is_refusal(answers[i]) for i in rows),
            "right": sum(rewards[i] == 1 for i in rows),
            "broken": sum(rewards[i] == BROKEN for i in rows),
        }
        found |= {f"{kind}: {name}": count / len(rows) for name, count in counts.items()}
    return {"true_reward": sum(rewards) / len(rewards), **found}


def of_kind(requests: Dataset, kind: str) -> list[int]:
    """Where the requests of one kind are."""
    return [i for i, each in enumerate(requests["kind"]) if each == kind]
