"""Preferences: two endings of one story, and which of them a noisy judge preferred.

The rule behind the judgments is known. An ending has three parts, what the hero does, how the friend takes it
and how it ends, and each is kind (+1) or unkind (-1); in each stands just one word of `KIND` or `UNKIND`, so
on true endings counting words is the same as judging. On other texts it is not: a model that is pushed too
hard learns to pile up kind words, its `reward` goes on rising above 3, and its stories break. `truth` sees
that; the distance between the two is over-optimization (Gao et al. 2022, arXiv:2210.10760), measured.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fmkit.world.domain import Domain
from fmkit.world.grammar import Rng
from fmkit.world.grammar_file import read, rules
from fmkit.world.prompted import Prompted
from fmkit.world.rules import Entity
from fmkit.world.stories import story_rules
from fmkit.world.words import split

TEMPERATURE = 1.0
"""The noise of the judge: a prefers b with probability sigmoid((reward(a) - reward(b)) / TEMPERATURE)."""

BROKEN = -4.0
"""The true reward of a text that is not a story of the grammar: below that of the unkindest one."""

MOODS = ("kind", "unkind")
KIND_DEEDS, SAME_MOOD = 0.35, 0.75  # how often a deed is kind, and a part like the one before


@dataclass(frozen=True)
class Pair:
    """Two endings of a story; `PREFERENCES.columns` says what each field holds."""

    prompt: str
    chosen: str
    rejected: str
    margin: float
    chosen_log_prob: float
    rejected_log_prob: float
    text: str
    log_prob: float


class Preferences(Prompted):
    """Stories with kind and unkind endings; another seed has the facts of another story world."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__({**story_rules(seed), **rules("preferences"), "scenes": _scenes()}, joint="")
        self.seed = seed

    def sample(self, rng: Rng) -> Pair:
        """Tell a story up to its turn, end it twice with different rewards, and ask the judge."""
        prompt, texts = self.derive_pair(rng)
        first = next(texts)
        second = next(text for text in texts if self.reward(text.text) != self.reward(first.text))
        lead = self.reward(first.text) - self.reward(second.text)
        wins = prefers_first(lead, rng)
        chosen, rejected = (first, second) if wins else (second, first)
        start = len(prompt.text)
        return Pair(
            prompt.text,
            chosen.text[start:],
            rejected.text[start:],
            lead if wins else -lead,
            chosen.log_prob - prompt.log_prob,
            rejected.log_prob - prompt.log_prob,
            first.text,
            first.log_prob,
        )

    @staticmethod
    def reward(text: str) -> float:
        """Kind words less unkind words, of a whole story or an ending; the prompts have none of either.

        Of every true ending it is the sum of its three parts, -3 to 3. It is also easy to fool.
        """
        kind, unkind = rewarded()
        found = re.findall(r"[a-z]+", text.lower())
        return float(sum((word in kind) - (word in unkind) for word in found))

    def truth(self, text: str) -> float:
        """The reward that cannot be fooled: `reward` of a whole text that is valid, else `BROKEN`."""
        return self.reward(text) if self.log_prob(text) > -math.inf else BROKEN


def prefers_first(lead: float, rng: Rng) -> bool:
    """Ask the judge, who prefers the first of two texts with the probability that `TEMPERATURE` states; the
    first one's reward is `lead` higher."""
    return rng.random() < 1 / (1 + math.exp(-lead / TEMPERATURE))


@functools.cache
def rewarded() -> tuple[frozenset[str], frozenset[str]]:
    """The kind words, each of which counts +1, and the unkind ones, each -1."""
    kind, unkind = (frozenset(split(read("preferences")["rewarded"][mood])) for mood in MOODS)
    return kind, unkind


def _scenes() -> list[tuple[float, Entity]]:
    """Scenes with the deeds that can follow, these with the replies, and these with the closes."""
    file = read("preferences")
    closes = {mood: _parts("close", file["closes"][mood], mood) for mood in MOODS}
    replies = {mood: _parts("reply", file["replies"][mood], mood, closes=closes) for mood in MOODS}
    weights = {"kind": KIND_DEEDS, "unkind": 1 - KIND_DEEDS}
    scenes = []
    for name, texts in file["scenes"].items():
        deeds = [(weights[mood], Entity("deed", text=texts[mood], replies=replies[mood])) for mood in MOODS]
        scenes.append((1.0, Entity(name, text=texts["text"], deeds=deeds)))
    return scenes


def _parts(name: str, texts: Mapping[str, str], before: str, **facts: Any) -> list[tuple[float, Entity]]:
    """What can follow a kind or an unkind part, with the facts of its mood."""
    weights = {mood: SAME_MOOD if mood == before else 1 - SAME_MOOD for mood in MOODS}
    return [
        (weights[mood], Entity(name, text=texts[mood], **{key: fact[mood] for key, fact in facts.items()}))
        for mood in MOODS
    ]


PREFERENCES = Domain("preferences", make=Preferences)
