"""How a model judges pairs of answers of which people preferred one."""

from collections.abc import Sequence

import torch
from torch import Tensor

from fmkit.data.batches import Batch, to_device
from fmkit.errors import FmkitError
from fmkit.losses import ranking_loss
from fmkit.model import Classifier, Transformer
from fmkit.objectives import log_probs


@torch.no_grad()
def scores(model: Classifier | Transformer, pairs: Sequence[Batch]) -> Tensor:
    """Score N pairs (2, N), chosen first: a reward model's, or log-probabilities of answers in nats.

    Raises `FmkitError` for a classifier of several labels, and for a model of masked tokens.
    """
    if isinstance(model, Transformer):
        model.require_causal()
    else:
        require_one_score(model)
    model.eval()
    found = []
    for pair in pairs:
        batch = to_device(pair, model.device)
        if isinstance(model, Classifier):
            score = model(batch["input_ids"], batch["last"]).float().squeeze(-1)
        else:
            score = log_probs(model, batch)
        found.append(score.view(2, -1))
    return torch.cat(found, dim=1)


def require_one_score(model: Classifier) -> None:
    """Raise `FmkitError` for a classifier that isn't a reward model."""
    if len(model.labels) != 1:
        raise FmkitError(f"a reward model has one score and this classifier {len(model.labels)} labels")


def judge_rewards(rewards: Tensor) -> dict[str, float]:
    """From rewards (2, N), chosen first: ranking loss a pair, share ranked as people did, mean difference."""
    chosen, rejected = rewards
    return {
        "validation_loss": ranking_loss(chosen, rejected).item() / len(chosen),
        "reward_accuracy": (chosen > rejected).float().mean().item(),
        "margin": (chosen - rejected).mean().item(),
    }
