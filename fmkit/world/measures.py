"""What a source of known probability measures: the floor of a model's loss, and the truth of its texts."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fmkit.errors import FmkitError
from fmkit.world.domain import Source, at_least
from fmkit.world.grammar import Grammar, Verdict
from fmkit.world.stories import World

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True)
class Floor:
    """The entropy of a source of texts per token of a tokenizer: no model's loss can go below it.

    `nats_per_token` has `standard_error`; `nats_per_text` and `tokens_per_text` are the two means behind it.
    """

    nats_per_token: float
    standard_error: float
    nats_per_text: float
    tokens_per_text: float


def floor(source: Source, tokenizer: Tokenizer, n: int = 2_000, seed: int = 0) -> Floor:
    """Estimate the floor from `n` sampled texts: their nats over the tokens that a model predicts.

    A text's predicted tokens are its ids without special tokens, and one end of text.

    Raises `FmkitError` for fewer than two texts.
    """
    at_least("n", n, 2)
    rng = random.Random(f"floor {seed}")
    samples = [source.sample(rng) for _ in range(n)]
    encoded = tokenizer.encode_batch([sample.text for sample in samples], add_special_tokens=False)
    nats = [-sample.log_prob for sample in samples]
    tokens = [len(encoding.ids) + 1 for encoding in encoded]
    ratio = math.fsum(nats) / sum(tokens)
    spread = math.fsum((x - ratio * t) ** 2 for x, t in zip(nats, tokens, strict=True))  # of a ratio of means
    error = math.sqrt(spread / (n - 1) / n) / (sum(tokens) / n)
    return Floor(ratio, error, math.fsum(nats) / n, sum(tokens) / n)


@dataclass(frozen=True)
class Validity:
    """How many of some texts are valid: the share, the share that only lacked an end, and every verdict."""

    share: float
    unfinished: float
    verdicts: tuple[Verdict, ...]


def validity(texts: Iterable[str], grammar: Grammar | None = None) -> Validity:
    """Check texts (a model's own stories, without special tokens) against a grammar, by default `World()`.

    Raises `FmkitError` where there is no text.
    """
    if isinstance(texts, str):
        raise FmkitError("validity takes a list of texts, not one text")
    grammar = World() if grammar is None else grammar
    verdicts = tuple(grammar.check(text) for text in texts)
    if not verdicts:
        raise FmkitError("validity needs at least one text")
    return Validity(
        sum(verdict.valid for verdict in verdicts) / len(verdicts),
        sum(verdict.unfinished for verdict in verdicts) / len(verdicts),
        verdicts,
    )
