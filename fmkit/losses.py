"""Losses: pure functions from a model's numbers to a sum of nats.

Each returns a sum, not a mean: whoever adds up micro-batches divides once by the number of items, so that
accumulation is exact whatever the batches hold.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from fmkit.data.batches import IGNORE


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
