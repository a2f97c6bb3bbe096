"""Losses: pure functions of tensors. Each is a *sum*; the trainer divides by the number of items.

So accumulation is exact whatever the batches hold. A label of −100, PyTorch's `ignore_index`, is not to be
predicted. Where the logits (B * T, V) would be by far the largest tensor of a step, they are made and used in
chunks and never exist as a whole.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

LOGITS = 2**23  # numbers in a chunk of logits on a CPU: 32 MB in float32, which its cache still helps with
CACHED = 2**20  # numbers in a chunk of logits that stays in a processor's cache from product to product
IGNORE_INDEX = -100


def token_loss(hidden: Tensor, head: Tensor, labels: Tensor) -> Tensor:
    """Compute the cross-entropy of `labels` (B, T) under softmax(hidden headᵀ), summed, in nats.

    hidden (B, T, d), head (V, d). Next-token and masked-token training differ only in the labels.
    """
    native = hidden.device.type == "cpu" and hidden.dtype == torch.bfloat16
    if native and torch.is_grad_enabled() and not torch.compiler.is_compiling():
        return _SumWithGradient.apply(hidden.flatten(0, 1), head, labels.flatten())
    return -sequence_log_probs(hidden, head, labels).sum()


class _SumWithGradient(torch.autograd.Function):
    """The cross-entropy of N labels, whose gradient is computed along with it, chunk by chunk.

    So the logits of a chunk are made once and never leave the cache (Hsu et al. 2024, Liger Kernel,
    arXiv:2410.10989, section 3.2): on a CPU with native bfloat16, a step took 0.75 to 0.9 times as long.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, head: Tensor, labels: Tensor) -> Tensor:
        weight, total = head.to(hidden.dtype), torch.zeros((), device=hidden.device)
        d_hidden, d_head = torch.empty_like(hidden), torch.zeros_like(head)
        size = max(128, CACHED // len(head))
        for h, label, d_h in zip(*(t.split(size) for t in (hidden, labels, d_hidden)), strict=True):
            wanted = (label != IGNORE_INDEX)[:, None]
            index = label[:, None].where(wanted, 0)
            logits = F.linear(h, weight).float()
            log_sum = logits.logsumexp(-1, keepdim=True)
            total += ((log_sum - logits.gather(1, index)) * wanted).sum()
            d_logits = logits.sub_(log_sum).exp_()  # the probabilities, less 1 for the label
            d_logits.scatter_add_(1, index, d_logits.new_full(index.shape, -1.0))
            d_logits = d_logits.mul_(wanted).to(h.dtype)
            torch.mm(d_logits, weight, out=d_h)
            if ctx.needs_input_grad[1]:
                d_head += d_logits.T @ h
        ctx.save_for_backward(d_hidden, d_head)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        d_hidden, d_head = ctx.saved_tensors
        return d_hidden * grads[0], d_head * grads[0], None


def distillation_loss(
    hidden: Tensor,
    head: Tensor,
    teacher_hidden: Tensor,
    teacher_head: Tensor,
    labels: Tensor,
    temperature: float = 1.0,
) -> Tensor:
    """Compute T² KL(teacher ‖ student) of the next token, summed over positions with a label, in nats.

    Both distributions are softened by the temperature T; T² keeps the gradient's size (Hinton et al. 2015,
    arXiv:1503.02531, section 2). hidden (B, T, d) and head (V, d) are the student's; the teacher may be
    wider, but has the same V tokens. At T = 1 this is the plain Kullback-Leibler divergence.
    """

    def divergence(student: Tensor, teacher: Tensor) -> Tensor:  # (N, d), (N, D) → (N,)
        log_q = (F.linear(student, head.to(student.dtype)).float() / temperature).log_softmax(-1)
        log_p = (F.linear(teacher, teacher_head.to(teacher.dtype)).float() / temperature).log_softmax(-1)
        return F.kl_div(log_q, log_p, reduction="none", log_target=True).sum(-1)

    rows = hidden.flatten(0, 1), teacher_hidden.flatten(0, 1)
    each = _in_chunks(divergence, len(head), *rows)
    return temperature**2 * each.masked_fill(labels.flatten() == IGNORE_INDEX, 0.0).sum()


def sequence_log_probs(hidden: Tensor, head: Tensor, labels: Tensor) -> Tensor:
    """Compute the log-probability (B,) of each row's labels (B, T) that are not ignored, in nats."""
    return token_log_probs(hidden, head, labels).sum(1)


def token_log_probs(hidden: Tensor, head: Tensor, labels: Tensor) -> Tensor:
    """Compute the log-probability (B, T) of each label (B, T) in nats; 0 for those that are ignored."""

    def nats(h: Tensor, label: Tensor) -> Tensor:  # (N, d), (N,) → (N,)
        logits = F.linear(h, head.to(h.dtype)).float()
        return F.cross_entropy(logits, label, reduction="none", ignore_index=IGNORE_INDEX)

    return -_in_chunks(nats, len(head), hidden.flatten(0, 1), labels.flatten()).view_as(labels)


def ranking_loss(chosen: Tensor, rejected: Tensor) -> Tensor:
    """Compute −log σ(chosen − rejected), summed over the pairs (B,): nats of what people preferred.

    Scores are then those of a Bradley-Terry model (1952): the difference is the log-odds of being preferred.
    """
    return -F.logsigmoid(chosen - rejected).sum()


def dpo_loss(
    chosen: Tensor, rejected: Tensor, reference_chosen: Tensor, reference_rejected: Tensor, beta: float
) -> Tensor:
    """Compute the DPO loss (Rafailov et al. 2023, arXiv:2305.18290, equation 7), summed over pairs.

    Its arguments are log-probabilities (B,) of whole completions, by the model and by a frozen reference. It
    is the ranking loss of the implicit rewards β log(π / π_ref).
    """
    return ranking_loss(beta * (chosen - reference_chosen), beta * (rejected - reference_rejected))


def grpo_loss(
    log_probs: Tensor,
    old_log_probs: Tensor,
    reference_log_probs: Tensor,
    advantages: Tensor,
    mask: Tensor,
    beta: float,
    epsilon: float = 0.2,
) -> Tensor:
    """Compute the GRPO loss (Shao et al. 2024, arXiv:2402.03300, equations 3 and 4), summed over answers.

    The log-probabilities (B, T) of an answer's tokens, which `mask` (B, T) tells from the others, are those
    of the model, of the model that sampled the answer, and of a frozen reference. Each token gains its
    answer's advantage (B,) times its probability ratio to the old model, which counts only up to 1 ± epsilon
    (Schulman et al. 2017, arXiv:1707.06347), and costs `beta` times an unbiased estimate of the divergence
    from the reference. An answer's loss is the mean over its tokens.
    """
    ratio = (log_probs - old_log_probs).exp()
    gain = advantages[:, None] * torch.stack((ratio, ratio.clamp(1 - epsilon, 1 + epsilon)))
    behind = reference_log_probs - log_probs
    kl = behind.exp() - behind - 1
    each = mask * (beta * kl - gain.amin(0))
    return (each.sum(1) / mask.sum(1).clamp(min=1)).sum()


def _in_chunks(function: Callable[..., Tensor], vocab_size: int, *rows: Tensor) -> Tensor:
    """Apply `function` to N positions (N, …) → (N,), some positions at a time.

    What a chunk computes on its way is not kept, but computed again in the backward pass.
    """
    size = max(1, _most_logits(rows[0].device) // vocab_size)
    if len(rows[0]) <= size:
        return function(*rows)
    chunks = zip(*(tensor.split(size) for tensor in rows), strict=True)
    parts = [checkpoint(function, *chunk, use_reentrant=False, preserve_rng_state=False) for chunk in chunks]
    return torch.cat(parts)


@torch.compiler.assume_constant_result
def _most_logits(device: torch.device) -> int:
    """Say how many logits to make at once: on CUDA, a sixteenth of the device's memory in float32.

    Few large products use a GPU best: 99 chunks of what suits a CPU took 1.8 times as long there.
    """
    if device.type != "cuda":
        return LOGITS
    return torch.cuda.get_device_properties(device).total_memory // 64
