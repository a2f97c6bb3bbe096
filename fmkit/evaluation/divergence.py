"""How far a model has moved from another."""

from collections.abc import Collection, Sequence

import torch

from fmkit.data.batches import Batch
from fmkit.evaluation.sampling import BATCH, answered, complete
from fmkit.losses import distillation_loss
from fmkit.model import Transformer


@torch.no_grad()
def sampled_kl(
    model: Transformer,
    reference: Transformer,
    prompts: Sequence[Sequence[int]],
    max_new_tokens: int,
    eos_id: int | Collection[int],
    pad_id: int,
    seed: int = 0,
) -> float:
    """Estimate KL(model ‖ reference) of whole answers, in nats an answer, on one sample for each prompt."""
    answers = complete(model, prompts, max_new_tokens, eos_id, seed=seed, keep_end=True)
    total = 0.0
    for start in range(0, len(prompts), BATCH):
        part = slice(start, start + BATCH)
        batch = answered(model, prompts[part], answers[part], pad_id)
        total += total_kl(model, reference, batch)
    return total / len(prompts)


@torch.no_grad()
def total_kl(model: Transformer, reference: Transformer, batch: Batch) -> float:
    """Estimate KL(model ‖ reference) on answers that the model gave, summed over them, in nats.

    The sum over an answer's positions of the exact divergence of the next token: unbiased, never negative,
    and of less variance than the log-ratio of the sample.
    """
    model.eval()
    ours, theirs = (m.hidden_states(batch["input_ids"]) for m in (model, reference))
    heads = reference.lm_head.weight, model.lm_head.weight
    return distillation_loss(theirs, heads[0], ours, heads[1], batch["labels"]).item()
