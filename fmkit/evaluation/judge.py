"""A language model as the judge: it reads a prompt and two answers, and says which is better, A or B.

Pairwise comparison, as in Zheng et al. 2023 (arXiv:2306.05685, section 3.1). The verdict is not sampled: the
probabilities of the two letters are read, so that a judge's doubt is seen. A judge may have a taste for a
place or for length; `in_both_orders` and `settle` remove the first (their section 3.4, "swapping positions").
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from tokenizers import Tokenizer

from fmkit.data.chat import chat_prompt, encode_prompt
from fmkit.data.tokenizer import PAD, can_chat, special_id
from fmkit.errors import FmkitError
from fmkit.model import Transformer

VERDICTS = ("A", "B")
TEMPLATE = "{prompt}\nA: {first}\nB: {second}"
LEAD = "\nBetter:\n"  # what a model without chat tokens completes with its verdict
BATCH = 32  # pairs that are read at a time


class Comparison(NamedTuple):
    """A prompt with two answers to it."""

    prompt: str
    first: str
    second: str

    def swapped(self) -> "Comparison":
        """The same with the answers in the other order."""
        return Comparison(self.prompt, self.second, self.first)


def judging_example(
    pair: Comparison, verdict: str, template: str = TEMPLATE, chat: bool = True
) -> Mapping[str, Any]:
    """A row from which `finetune` learns to judge: messages, or with `chat=False` prompt and completion.

    `template` has the places {prompt}, {first} and {second}. Raises `FmkitError` unless the verdict is A or
    B, and for a template without one of the places.
    """
    if verdict not in VERDICTS:
        raise FmkitError(f"the verdict {verdict!r} is neither A nor B: leave ties out of the training")
    asked = _fill(template, pair)
    if not chat:
        return {"prompt": asked + LEAD, "completion": verdict}
    return {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": verdict}]}


@torch.no_grad()
def prefer_first(model: Transformer, pairs: Sequence[Comparison], template: str = TEMPLATE) -> list[float]:
    """Compute for each pair the probability of A, of the two verdicts A and B.

    A model with chat tokens is asked in the chat layout, another one to complete a text. Raises `FmkitError`
    for no pairs, a template without one of its places, a model without its tokenizer, one whose tokenizer has
    no token for a verdict, and a pair that is longer than the context.
    """
    tokenizer = _checked(model, pairs)
    letters = [tokenizer.token_to_id(letter) for letter in VERDICTS]
    if None in letters:
        raise FmkitError("the tokenizer has no token A or no token B: this model cannot give a verdict")
    prompts = [_encode(tokenizer, _fill(template, pair)) for pair in pairs]
    longest = model.config.max_position_embeddings
    for number, ids in enumerate(prompts):
        if len(ids) > longest:
            raise FmkitError(f"pair {number}: {len(ids)} tokens, and the judge reads {longest}: shorten it")
    model.eval()
    found = []
    for start in range(0, len(prompts), BATCH):
        rows = prompts[start : start + BATCH]
        width = max(map(len, rows))
        padded = [[*row, *[special_id(tokenizer, PAD)] * (width - len(row))] for row in rows]
        logits = model(torch.tensor(padded, device=model.device)).float()
        last = torch.tensor([len(row) - 1 for row in rows], device=model.device)
        scores = logits[torch.arange(len(rows), device=model.device), last][:, letters]
        found += scores.softmax(-1)[:, 0].tolist()
    return found


def in_both_orders(
    model: Transformer, pairs: Sequence[Comparison], template: str = TEMPLATE
) -> list[tuple[float, float]]:
    """Compute twice, for each pair, how probably its first answer is the better one: asked as it is, and with
    the answers swapped. Errors as in `prefer_first`."""
    there = prefer_first(model, pairs, template)
    back = prefer_first(model, [pair.swapped() for pair in pairs], template)
    return [(one, 1 - other) for one, other in zip(there, back, strict=True)]


def verdict(first: float) -> str:
    """The letter of the likelier answer; "tie" if both are equally likely."""
    return "tie" if first == 0.5 else "A" if first > 0.5 else "B"


def settle(there: float, back: float) -> str:
    """The verdict of both orders, where they agree on one answer, and "tie" where they do not."""
    one, other = verdict(there), verdict(back)
    return one if one == other else "tie"


def _checked(model: Transformer, pairs: Sequence[Comparison]) -> Tokenizer:
    model.require_causal()
    if not pairs:
        raise FmkitError("no pairs to judge: give one or more")
    if model.tokenizer is None:
        raise FmkitError("the judge has no tokenizer: open it by from_pretrained, or set model.tokenizer")
    return model.tokenizer


def _encode(tokenizer: Tokenizer, asked: str) -> list[int]:
    if not can_chat(tokenizer):
        return encode_prompt(asked + LEAD, tokenizer)
    return chat_prompt([{"role": "user", "content": asked}], tokenizer)


def _fill(template: str, pair: Comparison) -> str:
    """Fill the places in one pass: an answer may itself contain a brace."""
    for place in ("{prompt}", "{first}", "{second}"):
        if place not in template:
            raise FmkitError(f"the template has no {place}: write where the judge reads it")
    return template.format(prompt=pair.prompt, first=pair.first, second=pair.second)
