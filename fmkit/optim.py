"""The optimizer and its learning rate over time."""

import math

import torch
from torch import Tensor, nn

from fmkit.config import TrainConfig


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.AdamW:
    """Make AdamW (Loshchilov and Hutter 2017, arXiv:1711.05101); matrices decay, norms do not."""
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.dim() >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in trained if p.dim() < 2], "weight_decay": 0.0},
    ]
    betas = (config.adam_beta1, config.adam_beta2)
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=betas, fused=True)


def step_where(finite: Tensor, optimizer: torch.optim.Optimizer) -> None:
    """Take the optimizer's step if `finite` (), on the device of the weights; else nothing changes."""
    fused = all(group.get("fused") for group in optimizer.param_groups)
    if finite.is_cuda and fused and isinstance(optimizer, torch.optim.Adam):
        # These kernels of CUDA read a flag on the device itself: the host need not wait for the gradient.
        optimizer.found_inf = (~finite).float()  # type: ignore[attr-defined]
        optimizer.step()
    elif finite:
        optimizer.step()


def learning_rate(step: int, config: TrainConfig) -> float:
    """Compute the learning rate of optimizer step `step`, counted from 1 to `config.steps`.

    Both schedules rise linearly to the peak. `cosine` then falls along half a cosine (Loshchilov and Hutter
    2016, arXiv:1608.03983); `warmup_stable_decay` stays and falls linearly over the last `decay_ratio` of the
    steps (Hu et al. 2024, arXiv:2404.06395, section 4). Both end at `min_lr_ratio` of the peak.
    """
    warmup, peak = config.warmup_steps or 0, config.learning_rate
    if step <= warmup:
        return peak * step / warmup
    if config.lr_scheduler_type == "cosine":
        progress = (step - warmup) / max(1, config.steps - warmup)
        height = 0.5 * (1 + math.cos(math.pi * progress))
    else:
        height = min(1.0, (config.steps - step) / _decay_steps(config))
    return peak * (config.min_lr_ratio + (1 - config.min_lr_ratio) * height)


def last_stable_step(config: TrainConfig) -> int | None:
    """Return the last step of `warmup_stable_decay` before its decay; None for `cosine`, which has none."""
    return None if config.lr_scheduler_type == "cosine" else config.steps - _decay_steps(config)


def _decay_steps(config: TrainConfig) -> int:
    steps = round(config.decay_ratio * config.steps)
    return max(1, min(steps, config.steps - (config.warmup_steps or 0)))
