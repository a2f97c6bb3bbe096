"""A Markov corpus: text whose entropy per token is known in closed form, for scaling laws.

Each of 256 words is a state, and the next word depends on the last one alone. The logits of the transitions
are a matrix whose singular values fall as a power of their rank, so a model of width d, whose logits have
rank d at most, can learn the d strongest patterns and misses the rest: the loss falls with the width as a
power law (compare Maloney et al. 2022, arXiv:2210.16859), toward an entropy that is known. The story world
has no such spectrum, and at small sizes a fit to it does not find its floor.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fmkit.errors import FmkitError
from fmkit.world.domain import Domain
from fmkit.world.grammar import Rng
from fmkit.world.grammar_file import read
from fmkit.world.seeds import pick, world_rng
from fmkit.world.words import split

STATES = 256
EXPONENT = 0.85  # the k-th singular value of the logits falls as k to this power
SPREAD = 1.56  # scales the logits, so that the entropy rate is close to 3.5 nats
STOP = 1 / 128  # the probability that a text ends after a word, whatever the word


@dataclass(frozen=True)
class Walk:
    """A text of the chain and its exact log-probability in nats."""

    text: str
    log_prob: float


class Chain:
    """A Markov chain of 256 words; another seed is another chain.

    The first word has the stationary distribution, so every word has; after each word the text ends with
    probability 1/128. `stationary` (256,) and `transitions` (256, 256) hold the probabilities of `words`,
    rows by the last word; `entropy_rate` is the entropy of a word given the last one, in nats.
    """

    def __init__(self, seed: int = 0) -> None:
        rng, facts = world_rng("markov", seed), read("markov")["facts"]
        syllables = [onset + rime for onset in split(facts["onsets"]) for rime in split(facts["rimes"])]
        self.words = pick(rng, syllables, STATES)
        left, right = (
            np.array([[rng.gauss(0, 1) for _ in range(STATES)] for _ in range(STATES)]) for _ in range(2)
        )
        spectrum = SPREAD * np.arange(1, STATES + 1) ** -EXPONENT
        commonness = -np.log(np.arange(STATES) + 8.0)
        # Rounded, so that a last bit that differs between machines does not make another chain. For the same
        # reason no product of matrices follows, and `math` takes the place of NumPy's exp and log.
        logits = np.round((left * spectrum) @ right + commonness, 9)
        weights = _each(math.exp, logits)
        self.transitions = weights / weights.sum(1, keepdims=True)
        self.stationary = np.full(STATES, 1 / STATES)
        for _ in range(200):  # every word can follow every other, so this converges, and fast
            self.stationary = (self.stationary[:, None] * self.transitions).sum(0)
        self.entropy_rate = float((self.stationary * _entropy(self.transitions)).sum())

        self._index = {word: k for k, word in enumerate(self.words)}
        rows = np.vstack([self.transitions, self.stationary])  # the last row begins a text
        self._logs = _each(math.log, rows).tolist()
        self._bounds = rows.cumsum(1)[:, :-1].tolist()

    @property
    def nats_per_text(self) -> float:
        """The entropy of a whole text: its first word, the words after it, and its length."""
        length = 1 / STOP
        end = float(_entropy(np.array([STOP, 1 - STOP])))
        return float(_entropy(self.stationary)) + (length - 1) * self.entropy_rate + length * end

    @property
    def nats_per_token(self) -> float:
        """The floor of a model's loss: nats per text over its tokens, the end of text among them."""
        return self.nats_per_text / (1 / STOP + 1)

    def sample(self, rng: Rng) -> Walk:
        """Walk until the text ends."""
        states, more = [_roll(self._bounds[-1], rng)], 1 - STOP
        while rng.random() < more:
            states.append(_roll(self._bounds[states[-1]], rng))
        return Walk(" ".join(self.words[k] for k in states), self._log_prob(states))

    def log_prob(self, text: str) -> float:
        """The exact log-probability of a text in nats, its end included; -inf if the chain cannot write it.

        Raises `FmkitError` for what is not a `str`.
        """
        if not isinstance(text, str):
            raise FmkitError(f"a chain reads text (str), not {type(text).__name__}")
        states = [self._index.get(word, -1) for word in text.split(" ")]
        return -math.inf if -1 in states else self._log_prob(states)

    def _log_prob(self, states: Sequence[int]) -> float:
        steps = [self._logs[-1][states[0]]]
        steps += [self._logs[a][b] for a, b in itertools.pairwise(states)]
        return math.fsum(steps) + (len(states) - 1) * math.log(1 - STOP) + math.log(STOP)


def _each(function: Callable[[float], float], values: np.ndarray) -> np.ndarray:
    """The function of each value: the same bits on every machine, unlike NumPy's."""
    return np.array([function(value) for value in values.ravel().tolist()]).reshape(values.shape)


def _entropy(p: np.ndarray) -> np.ndarray:
    """The entropy in nats of distributions (..., N)."""
    return -(p * _each(math.log, p)).sum(-1)


def _roll(bounds: list[float], rng: Rng) -> int:
    return bisect.bisect_right(bounds, rng.random())


MARKOV = Domain("markov", make=Chain)
