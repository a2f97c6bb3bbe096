"""The story world as a dialect among the others; `fmkit.world.stories` tells the stories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fmkit.world.base import Domain
from fmkit.world.plots import ANIMAL_PLOTS, CHILD_PLOTS
from fmkit.world.stories import World, load_stories

if TYPE_CHECKING:
    from datasets import DatasetDict

__all__ = ["STORIES"]


class _StoriesDomain(Domain):
    def load(
        self, n_train: int = 20_000, n_validation: int = 1_000, seed: int = 0, world: int = 0
    ) -> DatasetDict:
        return load_stories(n_train, n_validation, seed, world)


STORIES = _StoriesDomain(
    name="stories",
    about=(
        "Short stories of children and animals. In one world a character always has the same home, favorite "
        "food, hobby and pet; what is lost in a story is what is found, and numbers add up. Made for "
        "pre-training at a size that a laptop can do, with a floor that is known and stories that can be "
        "checked for truth. Real stories have more than a few plots, longer sentences, and people with "
        "thoughts that no rule gave them."
    ),
    columns={
        "text": "the story",
        "log_prob": "exact log-probability of the text in nats, over everything this world can write",
        "plot": f"what happens, one of {len(CHILD_PLOTS) + len(ANIMAL_PLOTS)}",
    },
    make=World,
)
