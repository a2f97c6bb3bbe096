"""Objectives: functions (model, batch) → sum of losses over the batch's `num_items`.

The objective and the data are all that differs between the ways of training. An objective that needs more
than a model and a batch, such as a teacher, is made by a function that closes over it.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from fmkit.data.batches import IGNORE, Batch
from fmkit.losses import (
    distillation_loss,
    dpo_loss,
    grpo_loss,
    ranking_loss,
    sequence_log_probs,
    token_log_probs,
    token_loss,
)
from fmkit.model import Classifier, Transformer

Objective = Callable[[Any, Batch], Tensor]  # of a model and a batch that fits it


def language_modeling(model: Transformer, batch: Batch) -> Tensor:
    """Sum the nats of all the batch's labels: next tokens, masked tokens, or those of completions."""
    hidden = model.hidden_states(batch["input_ids"], batch["document_ids"])
    return token_loss(hidden, model.lm_head.weight, batch["labels"])


def classification(model: Classifier, batch: Batch) -> Tensor:
    """Sum the nats of the texts' true labels."""
    return F.cross_entropy(model(batch["input_ids"], batch["last"]).float(), batch["labels"], reduction="sum")


def distillation(teacher: Transformer, temperature: float = 2.0, soft_weight: float = 0.5) -> Objective:
    """Learn `soft_weight` from the teacher's distributions, the rest from the text itself.

    `temperature` softens both models' distributions (see `fmkit.losses.distillation_loss`).
    """

    def objective(model: Transformer, batch: Batch) -> Tensor:
        ids, documents, labels = batch["input_ids"], batch["document_ids"], batch["labels"]
        with torch.no_grad():
            shown = teacher.hidden_states(ids, documents)
        hidden, head = model.hidden_states(ids, documents), model.lm_head.weight
        soft = distillation_loss(hidden, head, shown, teacher.lm_head.weight.detach(), labels, temperature)
        return soft_weight * soft + (1 - soft_weight) * token_loss(hidden, head, labels)

    return objective


def reward_ranking(model: Classifier, batch: Batch) -> Tensor:
    """Sum the nats of which completion of each pair was preferred, by a reward model of one score."""
    chosen, rejected = model(batch["input_ids"], batch["last"]).float().squeeze(-1).chunk(2)
    return ranking_loss(chosen, rejected)


def dpo(reference: Transformer, beta: float = 0.1) -> Objective:
    """Optimize preferences directly, away from a frozen `reference`; a small `beta` lets the model go far."""

    def objective(model: Transformer, batch: Batch) -> Tensor:
        with torch.no_grad():
            reference_chosen, reference_rejected = log_probs(reference, batch).chunk(2)
        chosen, rejected = log_probs(model, batch).chunk(2)
        return dpo_loss(chosen, rejected, reference_chosen, reference_rejected, beta)

    return objective


def grpo(reference: Transformer, beta: float = 0.04, temperature: float = 1.0) -> Objective:
    """Make answers likelier, the better they were than others to their prompt, near a frozen `reference`.

    Group relative policy optimization; see `fmkit.losses.grpo_loss`. Beside what `log_probs` reads, a batch
    has `advantages` (B,) and `old_log_probs` (B, T), under the model that sampled the answers at this
    `temperature`.
    """

    def objective(model: Transformer, batch: Batch) -> Tensor:
        with torch.no_grad():
            theirs = sampling_log_probs(reference, batch, temperature)
        ours, mask = sampling_log_probs(model, batch, temperature), batch["labels"] != IGNORE
        return grpo_loss(ours, batch["old_log_probs"], theirs, batch["advantages"], mask, beta)

    return objective


def log_probs(model: Transformer, batch: Batch) -> Tensor:
    """Return the log-probability (B,) of each row's labels under the model, in nats."""
    hidden = model.hidden_states(batch["input_ids"], batch["document_ids"])
    return sequence_log_probs(hidden, model.lm_head.weight, batch["labels"])


def sampling_log_probs(model: Transformer, batch: Batch, temperature: float) -> Tensor:
    """Return the log-probability (B, T) of each label where the model samples at `temperature`, in nats."""
    hidden = model.hidden_states(batch["input_ids"], batch["document_ids"])
    return token_log_probs(hidden / temperature, model.lm_head.weight, batch["labels"])
