"""Multiple choice by log-likelihood: which of several continuations a model finds likeliest.

Benchmarks such as HellaSwag and ARC are scored this way by `lm-eval`, without any generated text; its
`acc` is the share of questions where the right continuation has the highest log-probability.
"""

from collections.abc import Sequence

import torch
from tokenizers import Tokenizer

from fmkit.data.chat import encode_next, encode_prompt
from fmkit.data.tokenizer import PAD, as_tokenizer, special_id
from fmkit.errors import FmkitError
from fmkit.generation import require_writer
from fmkit.model import Transformer
from fmkit.settings import as_several


@torch.no_grad()
def choice_log_probs(
    model: Transformer, tokenizer: Tokenizer, prompt: str, choices: Sequence[str]
) -> list[float]:
    """Compute log p(choice | prompt) in nats of each choice, the sum over its tokens.

    The prompt follows <|bos|>; a choice begins with the space that separates the two. Raises `FmkitError` for
    fewer than two choices, an empty one, and a text that is longer than the context.
    """
    require_writer(model)
    tokenizer, choices = as_tokenizer(tokenizer), as_several(choices)
    if len(choices) < 2 or not all(choices):
        raise FmkitError(f"{len(choices)} choices, of which none may be empty: give two or more")
    start = encode_prompt(prompt, tokenizer)
    rows = [[*start, *encode_next(prompt, choice, tokenizer)] for choice in choices]
    width, longest = max(map(len, rows)), model.config.max_position_embeddings
    if width > longest:
        raise FmkitError(f"{width} tokens, and the model reads {longest}: shorten the prompt or the choices")
    model.eval()
    pad = special_id(tokenizer, PAD)
    ids = torch.tensor([[*row, *[pad] * (width - len(row))] for row in rows], device=model.device)
    found = model(ids[:, :-1]).float().log_softmax(-1).gather(-1, ids[:, 1:, None])[..., 0]
    return [found[i, len(start) - 1 : len(row) - 1].sum().item() for i, row in enumerate(rows)]


def choose(model: Transformer, tokenizer: Tokenizer, prompt: str, choices: Sequence[str]) -> int:
    """Return the index of the likeliest choice; errors as in `choice_log_probs`."""
    scores = choice_log_probs(model, tokenizer, prompt, choices)
    return scores.index(max(scores))
