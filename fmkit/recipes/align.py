"""Alignment: make the answers that people preferred likelier, by direct preference optimization (DPO)."""

import copy
import math
from pathlib import Path

from tokenizers import Tokenizer

from fmkit.config import ALIGN, TrainConfig
from fmkit.data.chat import end_ids
from fmkit.data.example_batches import pair_prompts
from fmkit.data.tables import Data
from fmkit.data.tokenizer import PAD, special_id
from fmkit.errors import FmkitError
from fmkit.evaluation.divergence import sampled_kl
from fmkit.evaluation.preferences import judge_rewards, scores
from fmkit.model import Transformer
from fmkit.objectives import dpo
from fmkit.recipes.prepare import accept, fingerprint, freeze, prepare_pairs
from fmkit.run import Callbacks, TrainingRun, fit
from fmkit.settings import require_numbers
from fmkit.trainer import Record, Trainer


def align(
    model: Transformer,
    tokenizer: Tokenizer,
    data: Data,
    config: TrainConfig | None = None,
    *,
    beta: float = 0.1,
    output_dir: str | Path | None = None,
    resume: bool = False,
    callbacks: Callbacks = (),
) -> TrainingRun:
    """Make what people chose likelier than what they rejected, by direct preference optimization.

    The reference is the model as it is now. A small `beta` lets the model go far from it. `data` is as in
    `train_reward`. On held-out pairs the run records `reward_accuracy` and `margin` of the implicit reward
    β log(π / π_ref) (Rafailov et al. 2023, arXiv:2305.18290, section 4), and `kl`: how far the model has
    gone, in nats an answer, on answers sampled from it to held-out prompts. Raises `FmkitError` as `pretrain`
    does.
    """
    tokenizer, config = accept(model, tokenizer, config, ALIGN, Transformer)
    model.require_causal()
    require_numbers(float, beta=beta)
    if not 0 < beta < math.inf:
        raise FmkitError(f"beta={beta} must be positive")
    if config.fsdp:
        raise FmkitError("align holds two whole models in each process: leave fsdp off")
    loader, held_out, identity = prepare_pairs(model, tokenizer, data, config)
    reference = freeze(copy.deepcopy(model), config)
    trainer = Trainer(model, dpo(reference, beta), loader, config)
    before = scores(reference, held_out)
    prompts = [prompt for pairs in held_out for prompt in pair_prompts(pairs)]
    longest = max(pairs["input_ids"].shape[1] for pairs in held_out)
    ends, pad = end_ids(tokenizer), special_id(tokenizer, PAD)

    def validate() -> Record:
        rewards = beta * (scores(model, held_out) - before)
        kl = sampled_kl(model, reference, prompts, longest, ends, pad, seed=config.seed)
        return {**judge_rewards(rewards), "kl": kl}

    identity |= {"reference": fingerprint(reference.named_parameters()), "beta": beta}
    return fit(trainer, validate, output_dir, resume, identity, callbacks)
