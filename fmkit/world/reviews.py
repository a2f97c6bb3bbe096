"""Reviews of films and products with a label, from the same engine as the story world.

A review is positive or negative as a whole, but its words alone do not tell: "not bad at all" praises with
a bad word, and "the box was ugly, but the lamp was lovely" has one of each. A model that only counts words
gets part of them wrong. The label is drawn first and never written, so `Reviews.log_prob` sums over it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fmkit.world.domain import Domain
from fmkit.world.grammar import Grammar, Rng
from fmkit.world.grammar_file import read, rules
from fmkit.world.rules import Entity
from fmkit.world.seeds import pick, world_rng
from fmkit.world.words import nouns, split

if TYPE_CHECKING:
    from datasets import DatasetDict, Features

LABELS = ("negative", "positive")
"""The labels in the order of their ids."""


@dataclass(frozen=True)
class Review:
    """A review, its label (0 negative, 1 positive) and its exact log-probability in nats."""

    text: str
    label: int
    log_prob: float


class Reviews(Grammar):
    """The grammar of reviews: `sample`, `log_prob` and `check` as in the story world.

    A review has no facts, so another seed has other words: of each list two thirds, in another order. World 0
    has them all.
    """

    def __init__(self, seed: int = 0) -> None:
        file, rng = read("reviews"), world_rng("reviews", seed)

        def some(text: str) -> str:
            items = split(text)
            return ", ".join(pick(rng, items, len(items) * 2 // 3)) if seed else text

        kinds = file["kinds"]
        adjectives = {
            name: {label: some(kind[label]) for label in ("positive", "negative")}
            for name, kind in kinds.items()
        }
        labels = [(1.0, _label(name, other, adjectives)) for name, other in (LABELS, LABELS[::-1])]
        items = {
            name: _items(some(kind["items"]), some(kind["parts"]), kind["facts"])
            for name, kind in kinds.items()
        }
        super().__init__({**rules("reviews"), "labels": labels, **items})

    def sample(self, rng: Rng) -> Review:
        """Write a review."""
        derivation = self.derive(rng)
        return Review(derivation.text, LABELS.index(derivation.bound["label"]["name"]), derivation.log_prob)


def _label(name: str, other: str, adjectives: dict[str, dict[str, str]]) -> Entity:
    """A label with its own adjectives and the other label's, for each kind of thing."""
    kinds = {
        kind: [Entity(kind, mine=nouns(words[name]), other=nouns(words[other]))]
        for kind, words in adjectives.items()
    }
    return Entity(name, **read("reviews")["labels"][name], **kinds)


def _items(names: str, parts: str, facts: dict[str, Any]) -> list[Entity]:
    items, shared = nouns(names), nouns(parts)
    for item in items:
        item.update(parts=shared, **facts)
    return items


def _features() -> Features:
    from datasets import ClassLabel, Features, Value

    label = ClassLabel(names=list(LABELS))
    return Features({"text": Value("string"), "label": label, "log_prob": Value("float64")})


REVIEWS = Domain("reviews", make=Reviews, n_train=1_000, features=_features)


def load_reviews(n_train: int = 1_000, n_validation: int = 500, seed: int = 0, world: int = 0) -> DatasetDict:
    """Reviews as a `DatasetDict` of `train` and `validation`, the same on every machine.

    The columns are `text`, `label` (a `ClassLabel`: negative, positive) and `log_prob` (nats). `world` is the
    number of the world: another one has other words. `seed` draws other reviews of the same world.

    Raises `FmkitError` for fewer than one review in a split, and for a world that is no whole number.
    """
    return REVIEWS.load(n_train, n_validation, seed, world)
