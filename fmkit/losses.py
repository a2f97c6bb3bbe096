"""Losses: pure functions from a model's numbers to a sum of nats.

Each returns a sum, not a mean: whoever adds up micro-batches divides once by the number of items, so that
accumulation is exact whatever the batches hold.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

IGNORE = -100  # a label that is not to be predicted, as in PyTorch and transformers


def token_loss(hidden: Tensor, head: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of `labels` (B, T) under softmax(hidden headᵀ), summed over those not `IGNORE`, in nats.

    hidden (B, T, d), head (V, d). Next-token and masked-token training differ only in the labels. The logits
    (B * T, V), by far the largest tensor of a step, are made and used in chunks and never exist as a whole.
    """
    return F.linear_cross_entropy(
        hidden.flatten(0, 1),
        head.to(hidden.dtype),
        labels.flatten(),
        reduction="sum",
        ignore_index=IGNORE,
        options=torch.nn.LinearCrossEntropyOptions(),
    )


def mask_tokens(
    input_ids: Tensor, vocab_size: int, mask_id: int, generator: torch.Generator, share: float = 0.15
) -> tuple[Tensor, Tensor]:
    """Hide tokens for masked-token training (Devlin et al. 2018, arXiv:1810.04805, section 3.1).

    Of the `share` chosen, 80 % become the mask, 10 % a random token, 10 % stay. Special tokens (the ids up to
    `mask_id`) are never chosen. Returns the corrupted ids and the labels, both (B, T).
    """
    dice = torch.rand(input_ids.shape, generator=generator)
    chosen = (dice < share) & (input_ids > mask_id)
    labels = torch.where(chosen, input_ids, IGNORE)
    random_ids = torch.randint(mask_id + 1, vocab_size, input_ids.shape, generator=generator)
    corrupted = torch.where(chosen & (dice < 0.8 * share), mask_id, input_ids)
    corrupted = torch.where(chosen & (dice >= 0.9 * share), random_ids, corrupted)
    return corrupted, labels
