"""Random choices that make a world: the same ones for the same seed, on every machine."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from fmkit.errors import FmkitError

T = TypeVar("T")


def world_rng(facts: str, seed: int) -> random.Random:
    """The random numbers behind the facts of a world. Raises `FmkitError` if the seed is no whole number."""
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise FmkitError(f"the seed of a world is a whole number, not {seed!r}")
    return random.Random(f"{facts} {seed}")


def deal(rng: random.Random, items: Iterable[T]) -> Iterator[T]:
    """Hand out the items one by one in random order, and all of them again whenever they are used up."""
    items = list(items)
    while True:
        left = list(items)
        while left:
            yield left.pop(int(rng.random() * len(left)))


def pick(rng: random.Random, items: Sequence[T], n: int) -> list[T]:
    """Choose `n` different items, in random order."""
    dealt = deal(rng, items)
    return [next(dealt) for _ in range(n)]
