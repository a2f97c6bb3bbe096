"""Learning from preferences: which of two answers people liked better."""

import copy
import math
from functools import partial
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict
from tokenizers import Tokenizer

from fmkit.config import TrainConfig
from fmkit.data.batches import Batch
from fmkit.data.examples import ExampleLoader, collate_pairs, example_batches, tokenize_pairs
from fmkit.data.tokenizer import EOS, PAD, special_id
from fmkit.defaults import ALIGN, FINETUNE
from fmkit.errors import FmkitError
from fmkit.evaluation.divergence import sampled_kl
from fmkit.evaluation.preferences import judge_rewards, require_one_score, scores
from fmkit.model import Classifier, Transformer
from fmkit.objectives import prefer, rank
from fmkit.recipes.shared import consult, fingerprint, fit_together, identity
from fmkit.run import TrainingRun, fit
from fmkit.trainer import Record, Trainer


def train_reward(
    model: Classifier,
    tokenizer: Tokenizer,
    preferences: DatasetDict,
    config: TrainConfig | None = None,
    output_dir: str | Path | None = None,
    resume: bool = False,
) -> TrainingRun:
    """Train a reward model: a classifier with one label, whose score ranks answers as people did.

    `preferences` has the splits train and validation and the columns prompt, chosen and rejected. The loss is
    that of Ouyang et al. 2022 (arXiv:2203.02155, equation 1); the run records `reward_accuracy`, the share of
    held-out pairs ranked as people did, and `margin`, the mean difference of their scores. Raises
    `FmkitError` for a model with another number of labels, and as `pretrain` does.
    """
    config = config or TrainConfig(**FINETUNE)
    context = fit_together(model, tokenizer, preferences, config, (Classifier,))
    require_one_score(model)
    loader, held_out, _ = _pairs(tokenizer, preferences, config, context)
    trainer = Trainer(model, rank, loader, config)

    def validate() -> Record:
        return judge_rewards(scores(model, held_out))

    what = identity(model, {"preferences": preferences}, tokenizer)
    return fit(trainer, validate, output_dir, resume, what)


def align(
    model: Transformer,
    tokenizer: Tokenizer,
    preferences: DatasetDict,
    config: TrainConfig | None = None,
    beta: float = 0.1,
    output_dir: str | Path | None = None,
    resume: bool = False,
) -> TrainingRun:
    """Direct preference optimization: make what people chose likelier than what they rejected.

    The reference is the model as it is now. A small `beta` lets the model go far from it. `preferences` are
    those of `train_reward`. On held-out pairs the run records `reward_accuracy` and `margin` of the implicit
    reward β log(π / π_ref) (Rafailov et al. 2023, arXiv:2305.18290, section 4), and `kl`: how far the model
    has gone, in nats an answer, on answers sampled from it to held-out prompts. Raises `FmkitError` as
    `pretrain` does.
    """
    config = config or TrainConfig(**ALIGN)
    if not 0 < beta < math.inf:
        raise FmkitError(f"beta={beta} must be positive")
    context = fit_together(model, tokenizer, preferences, config)
    model.require_causal()
    loader, held_out, prompts = _pairs(tokenizer, preferences, config, context)
    reference = consult(copy.deepcopy(model), config)
    trainer = Trainer(model, prefer(reference, beta), loader, config)
    longest = max(batch["input_ids"].shape[1] for batch in held_out)
    eos, pad = special_id(tokenizer, EOS), special_id(tokenizer, PAD)
    before = scores(reference, held_out)

    def validate() -> Record:
        rewards = beta * (scores(model, held_out) - before)
        kl = sampled_kl(model, reference, prompts, longest, eos, pad, seed=config.seed)
        return {**judge_rewards(rewards), "kl": kl}

    start = fingerprint(reference.named_parameters())
    what = identity(model, {"preferences": preferences}, tokenizer, reference=start, beta=beta)
    return fit(trainer, validate, output_dir, resume, what)


def _pairs(
    tokenizer: Tokenizer, preferences: DatasetDict, config: TrainConfig, context: int
) -> tuple[ExampleLoader, list[Batch], list[list[int]]]:
    """Training batches, those that are held out, and the held-out prompts."""
    train, validation = (
        tokenize_pairs(preferences[split], tokenizer, context) for split in ("train", "validation")
    )
    collate = partial(collate_pairs, pad_id=special_id(tokenizer, PAD))
    held_out: Dataset = validation.select(
        range(min(len(validation), config.batch_size * config.eval_batches))
    )
    loader = ExampleLoader(train, config.batch_size, collate, config.seed)
    rows: list[Any] = list(held_out)
    return loader, example_batches(held_out, config.batch_size, collate), [row["prompt_ids"] for row in rows]
