"""How far a model has moved from another."""

from collections.abc import Sequence

import torch

from fmkit.data.batches import IGNORE, to_device
from fmkit.data.example_batches import collate_completions
from fmkit.evaluation.sampling import BATCH, complete
from fmkit.losses import distillation_loss
from fmkit.model import Transformer


@torch.no_grad()
def sampled_kl(
    model: Transformer,
    reference: Transformer,
    prompts: Sequence[Sequence[int]],
    max_new_tokens: int,
    eos_id: int,
    pad_id: int,
    seed: int = 0,
) -> float:
    """Estimate KL(model ‖ reference) of whole answers, in nats an answer, on one sample for each prompt.

    The sum over an answer's positions of the exact divergence of the next token: unbiased, never negative,
    and of less variance than the log-ratio of the sample.
    """
    model.eval()
    answers = complete(model, prompts, max_new_tokens, eos_id, seed=seed)
    longest = model.config.max_position_embeddings
    rows = []
    for prompt, answer in zip(prompts, answers, strict=True):
        room = min(max_new_tokens, longest - len(prompt))
        answer = answer + [eos_id] * (len(answer) < room)  # the end is part of what was said
        rows.append({"input_ids": [*prompt, *answer], "labels": [IGNORE] * len(prompt) + answer})
    total = 0.0
    for start in range(0, len(rows), BATCH):
        batch = to_device(collate_completions(rows[start : start + BATCH], pad_id), model.device)
        ours, theirs = (m.hidden_states(batch["input_ids"]) for m in (model, reference))
        total += distillation_loss(
            theirs, reference.lm_head.weight, ours, model.lm_head.weight, batch["labels"]
        ).item()
    return total / len(rows)
