"""Many answers at once, to prompts of any length."""

from collections.abc import Collection, Sequence
from typing import Any

from fmkit.data.batches import IGNORE, Batch, to_device
from fmkit.data.example_batches import collate_completions
from fmkit.generation import generate_ids
from fmkit.model import Transformer

BATCH = 64  # prompts that are continued at a time


def complete(
    model: Transformer,
    prompts: Sequence[Sequence[int]],
    max_new_tokens: int,
    eos_id: int | Collection[int],
    temperature: float = 1.0,
    seed: int = 0,
    keep_end: bool = False,
) -> list[list[int]]:
    """Generate token ids for each prompt, in the order of the prompts.

    An answer ends before its `eos_id`, or with it (`keep_end`). The same seed gives the same answers,
    whichever prompts are answered together. Raises `FmkitError` for a prompt that fills the context.
    """
    by_length = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))  # so that little is padding
    answers: list[list[int]] = [[] for _ in prompts]
    for start in range(0, len(prompts), BATCH):
        batch = by_length[start : start + BATCH]
        ids = [prompts[i] for i in batch]
        how: dict[str, Any] = {"seed": seed, "eos_id": eos_id, "keep_end": keep_end}
        rows = generate_ids(model, ids, max_new_tokens, temperature, **how, numbers=batch)
        for i, row in zip(batch, rows, strict=True):
            answers[i] = row
    return answers


def answered(
    model: Transformer,
    prompts: Sequence[Sequence[int]],
    answers: Sequence[Sequence[int]],
    pad_id: int,
) -> Batch:
    """Collate prompts with the answers that the model gave, as `fmkit.data.example_batches` does completions.

    The token that ended an answer (`keep_end`) is part of what was said, and of the labels.
    """
    rows = [
        {"input_ids": [*prompt, *said], "labels": [IGNORE] * len(prompt) + [*said]}
        for prompt, said in zip(prompts, answers, strict=True)
    ]
    return to_device(collate_completions(rows, pad_id), model.device)
