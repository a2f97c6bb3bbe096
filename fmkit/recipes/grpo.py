"""Reinforcement learning with a reward: group relative policy optimization (GRPO)."""

import copy
import inspect
import math
from pathlib import Path

import torch
from tokenizers import Tokenizer

from fmkit.config import GRPO, TrainConfig
from fmkit.data.tables import Data
from fmkit.errors import FmkitError
from fmkit.evaluation.divergence import total_kl
from fmkit.evaluation.preferences import require_one_score
from fmkit.evaluation.sampling import BATCH
from fmkit.model import Classifier, Transformer, require_kind
from fmkit.objectives import grpo as objective
from fmkit.recipes.prepare import accept, fingerprint, freeze, prepare_prompts, require_tokens
from fmkit.recipes.rollouts import RewardFunction, Rollouts, Sampler
from fmkit.run import Callbacks, TrainingRun, fit
from fmkit.settings import require_numbers
from fmkit.trainer import Record, Trainer


def grpo(
    model: Transformer,
    tokenizer: Tokenizer,
    data: Data,
    config: TrainConfig | None = None,
    *,
    reward: Classifier | RewardFunction,
    beta: float = 0.04,
    num_generations: int = 8,
    max_new_tokens: int = 100,
    temperature: float = 1.0,
    scale_rewards: bool = True,
    output_dir: str | Path | None = None,
    resume: bool = False,
    callbacks: Callbacks = (),
) -> TrainingRun:
    """Learn from rewards of the model's own answers, by group relative policy optimization (Shao et al. 2024,
    arXiv:2402.03300, section 4.1).

    Each step samples `num_generations` answers to each of some prompts, `batch_size` answers in all, and
    makes those likelier that `reward` scores above the others to the same prompt, and the rest less likely.
    `reward` is a reward model, or a function of a list of prompts and a list with an answer to each, which
    returns a number for each; of several processes, each calls it for its share. The reference is the model
    as it is now; a small `beta` lets the model go far from it. `data` has prompts or messages, with answers
    or without: answers are not read. On answers to held-out prompts, sampled at temperature 1, the run
    records `reward`, their mean reward, and `kl`, as `align` does. Raises `FmkitError` for a reward model
    with other tokens or a shorter context, and as `pretrain` does.
    """
    tokenizer, config = accept(model, tokenizer, config, GRPO, Transformer)
    if config.fsdp:
        raise FmkitError("grpo holds two whole models in each process: leave fsdp off")
    _require_settings(config, beta, num_generations, temperature)
    prompts, held_out, identity = prepare_prompts(model, tokenizer, data, config)
    _require_reward(reward, model, tokenizer)
    if isinstance(reward, Classifier):
        identity["reward"] = fingerprint(freeze(reward, config).named_parameters())
    else:  # a function is known by its name
        identity["reward"] = getattr(reward, "__qualname__", type(reward).__name__)
    reference = freeze(copy.deepcopy(model), config)
    sampler = Sampler(model, reward, max_new_tokens, config.seed)
    loader = Rollouts(prompts, sampler, config.batch_size, num_generations, temperature, scale_rewards)
    trainer = Trainer(model, objective(reference, beta, temperature), loader, config)
    asked = list(held_out)

    def validate() -> Record:
        rewards = kl = 0.0
        for start in range(0, len(asked), BATCH):
            batch, scores = sampler(asked[start : start + BATCH], start, temperature=1.0)
            rewards += scores.sum().item()
            kl += total_kl(model, reference, batch)
        return {"reward": rewards / len(asked), "kl": kl / len(asked)}

    identity |= {"reference": fingerprint(reference.named_parameters()), "beta": beta}
    identity |= {"num_generations": num_generations, "max_new_tokens": max_new_tokens}
    identity |= {"temperature": temperature, "scale_rewards": scale_rewards}
    return fit(trainer, validate, output_dir, resume, identity, callbacks)


def _require_settings(config: TrainConfig, beta: float, num_generations: int, temperature: float) -> None:
    require_numbers(float, beta=beta, temperature=temperature)
    require_numbers(int, num_generations=num_generations)
    if not 0 <= beta < math.inf or not 0 < temperature < math.inf:
        raise FmkitError(f"beta={beta} must be at least 0 and temperature={temperature} positive")
    if num_generations < 2 or config.batch_size % num_generations:
        raise FmkitError(
            f"batch_size={config.batch_size} counts answers: it must be a multiple of "
            f"num_generations={num_generations}, which must be at least 2"
        )


def _require_reward(reward: Classifier | RewardFunction, model: Transformer, tokenizer: Tokenizer) -> None:
    """Raise `FmkitError` for a reward that cannot read what the model writes."""
    if isinstance(reward, torch.nn.Module):
        require_kind(reward, Classifier)
    if not isinstance(reward, Classifier):
        try:
            inspect.signature(reward).bind([], [])
        except TypeError as error:
            raise FmkitError(
                f"the reward must be a Classifier, or a function of prompts and answers, two lists: {error}"
            ) from None
        return
    require_one_score(reward)
    require_tokens(reward, tokenizer, "reward")
    ours, theirs = model.config, reward.config
    if theirs.vocab_size < ours.vocab_size or theirs.max_position_embeddings < ours.max_position_embeddings:
        raise FmkitError(
            f"the reward model reads {theirs.max_position_embeddings} tokens of {theirs.vocab_size} and the "
            f"model writes {ours.max_position_embeddings} of {ours.vocab_size}: start both from one base"
        )
