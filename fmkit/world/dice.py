"""How the facts of a world are dealt: the same ones for the same seed, on every machine."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from fmkit.errors import FmkitError

__all__ = ["deal", "dice", "pick", "split"]

T = TypeVar("T")


def dice(facts: str, seed: int) -> random.Random:
    """The dice that deal out the facts of a world. Raises `FmkitError` if the seed is no whole number."""
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise FmkitError(f"the seed of a world is a whole number, not {seed!r}")
    return random.Random(f"{facts} {seed}")


def split(text: str) -> list[str]:
    """The items of a list with commas."""
    return [item.strip() for item in text.split(",")]


def deal(rng: random.Random, items: Iterable[T]) -> Iterator[T]:
    """Hand out the items one by one in random order, all of them again whenever they are used up."""
    items = list(items)
    while True:
        left = list(items)
        while left:
            yield left.pop(int(rng.random() * len(left)))


def pick(rng: random.Random, items: Sequence[T], n: int) -> list[T]:
    """`n` different items in random order."""
    dealt = deal(rng, items)
    return [next(dealt) for _ in range(n)]
