"""Direct preference optimization toward kind endings: what it gains, how far the model moves, when it breaks.

The question of Rafailov et al. 2023 (arXiv:2305.18290, section 6.1): reward against KL for several β, along
the training. The preference is known here, so the reward that is optimized and the one that is meant are
measured apart (Gao et al. 2022, arXiv:2210.10760).
"""

import copy
from collections.abc import Sequence
from functools import cache, partial
from typing import Any

from tokenizers import Tokenizer

from bookkit.experiments.course import checks, follow
from bookkit.experiments.foundations import base, committed
from bookkit.experiments.recording import Experiment, experiment
from fmkit import continue_pretrain
from fmkit.config import TrainConfig, reproducible
from fmkit.data.example_batches import ExampleLoader, collate_pairs, tokenize_pairs
from fmkit.data.tokenizer import EOS, PAD, special_id
from fmkit.evaluation.divergence import sampled_kl
from fmkit.evaluation.sampling import complete
from fmkit.model import Transformer
from fmkit.objectives import dpo
from fmkit.trainer import Record, Trainer
from fmkit.world import BROKEN, PREFERENCES, Preferences

READING: dict[str, Any] = {"steps": 1_500, "batch_size": 4, "learning_rate": 6e-3, "min_lr_ratio": 0.0}
ALIGNING: dict[str, Any] = {"steps": 200, "batch_size": 16, "learning_rate": 2e-4, "min_lr_ratio": 1.0}
LOOKS = (25, 50, 75, 100, 150, 200)  # steps after which the model writes endings
BETAS = (0.1, 0.3, 1.0, 3.0)
LONGEST = 80  # tokens of an ending; those of the data have at most 51


@experiment("preference")
def preference() -> Experiment:
    data = PREFERENCES.load()
    prompts = list(data["validation"]["prompt"])

    @cache
    def endings_before(seed: int) -> list[str]:
        return end_stories(*reader(seed), prompts)

    def train(beta: float, seed: int) -> dict[str, Any]:
        (reference, tokenizer), before = reader(seed), endings_before(seed)
        model, config = copy.deepcopy(reference), TrainConfig(**ALIGNING, seed=seed)
        eos, pad = special_id(tokenizer, EOS), special_id(tokenizer, PAD)
        pairs = tokenize_pairs(data["train"], tokenizer, model.config.max_position_embeddings)
        loader = ExampleLoader(pairs, config.batch_size, partial(collate_pairs, pad_id=pad), seed)
        trainer = Trainer(model, dpo(reference, beta), loader, config)
        ids = [tokenizer.encode(prompt).ids for prompt in prompts]
        start = {"kl": 0.0, **compare(before, before)}

        def measure() -> Record:
            kl = sampled_kl(model, reference, ids, LONGEST, eos, pad)
            return {"kl": kl, **compare(end_stories(model, tokenizer, prompts), before)}

        return checks([{"step": 0, **start}, *follow(trainer, measure, LOOKS)], *start)

    about = {"corpus": "preferences", "prompts": len(prompts), "reading": READING, "aligning": ALIGNING}
    arms = [{"beta": beta, "seed": seed} for seed in range(3) for beta in BETAS]
    return Experiment(about, train, arms)


@cache
def reader(seed: int) -> tuple[Transformer, Tokenizer]:
    """The base after it has read such stories, with kind and unkind endings; copy it to train it.

    With seed 0 it is the committed assets/models/preference-start: the same weights, to the bit.
    """
    if seed == 0:
        return committed("preference-start")
    model, tokenizer = base(seed)
    reproducible(seed)
    config = TrainConfig(**READING, seed=seed, eval_every=READING["steps"])
    continue_pretrain(model, tokenizer, PREFERENCES.load(), config)
    return model, tokenizer


def end_stories(model: Transformer, tokenizer: Tokenizer, prompts: Sequence[str]) -> list[str]:
    """A story for each prompt, with an ending that the model samples."""
    model.eval()
    ids = [tokenizer.encode(prompt).ids for prompt in prompts]
    rows = complete(model, ids, LONGEST, special_id(tokenizer, EOS))
    return [prompt + tokenizer.decode(row) for prompt, row in zip(prompts, rows, strict=True)]


def compare(stories: Sequence[str], before: Sequence[str]) -> dict[str, float]:
    """Compare stories with those that the earlier model wrote to the same prompts.

    Returns their mean reward, as counted and as meant; the share that the world calls broken; and how often
    they are better, by either reward, where a tie counts half.
    """
    world = Preferences()
    count, true = ([score(text) for text in stories] for score in (world.reward, world.truth))
    return {
        "counted_reward": sum(count) / len(stories),
        "true_reward": sum(true) / len(stories),
        "broken": sum(value == BROKEN for value in true) / len(stories),
        "counted_win_rate": _win_rate(count, [world.reward(text) for text in before]),
        "win_rate": _win_rate(true, [world.truth(text) for text in before]),
    }


def _win_rate(now: Sequence[float], before: Sequence[float]) -> float:
    return sum((a > b) + 0.5 * (a == b) for a, b in zip(now, before, strict=True)) / len(now)
