"""Many answers at once, to prompts of any length."""

from collections.abc import Sequence

from fmkit.generation import generate_ids
from fmkit.model import Transformer

BATCH = 64  # prompts that are continued at a time


def complete(
    model: Transformer,
    prompts: Sequence[Sequence[int]],
    max_new_tokens: int,
    eos_id: int,
    temperature: float = 1.0,
    seed: int = 0,
) -> list[list[int]]:
    """Generate token ids for each prompt, without the final <|eos|>, in the order of the prompts.

    The same seed gives the same answers, whichever prompts are answered together. Raises `FmkitError` for a
    prompt that fills the context.
    """
    by_length = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))  # so that little is padding
    answers: list[list[int]] = [[] for _ in prompts]
    for start in range(0, len(prompts), BATCH):
        batch = by_length[start : start + BATCH]
        ids = [prompts[i] for i in batch]
        rows = generate_ids(model, ids, max_new_tokens, temperature, seed=seed, eos_id=eos_id, numbers=batch)
        for i, row in zip(batch, rows, strict=True):
            answers[i] = row
    return answers
