"""The reviews as a dialect among the others; `fmkit.world.reviews` writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fmkit.world.base import Domain
from fmkit.world.reviews import LABELS, Reviews, load_reviews

if TYPE_CHECKING:
    from datasets import DatasetDict

__all__ = ["REVIEWS"]


class _ReviewsDomain(Domain):
    def load(
        self, n_train: int = 1_000, n_validation: int = 500, seed: int = 0, world: int = 0
    ) -> DatasetDict:
        return load_reviews(n_train, n_validation, seed, world)


REVIEWS = _ReviewsDomain(
    name="reviews",
    about=(
        "Reviews of films and products, half of them positive and half negative. Their words alone do not "
        'tell: "not bad at all" praises with a bad word, and others have a good and a bad one. Made for '
        "classification, and for what counting words gets wrong. A review has no facts, so another world has "
        "other words: of each list two thirds, in another order. Real reviews are long, mixed, full of names "
        "and errors, and some mean the opposite of what they say."
    ),
    columns={
        "text": "the review",
        "label": " or ".join(f"{k}, {name}" for k, name in enumerate(LABELS)),
        "log_prob": "exact log-probability of the text in nats, over both labels",
    },
    make=Reviews,
)
