"""What the dialects share: people, numbers and dates, and the dealing of facts by the seed of a world.

The people are the children of the stories with a family name, a job or a school: the same names turn up in
stories, notes, clauses and reports, so no dialect can be told from the others by its names alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from fmkit.data.world_template import Entity
from fmkit.data.world_words import BOY, BOYS, GIRL, GIRLS
from fmkit.errors import FmkitError

__all__ = ["SURNAMES", "deal", "dice", "people", "pick", "plots", "split"]

T = TypeVar("T")

SURNAMES = (
    "Hill, Baker, Brooks, Stone, Bell, Fox, Marsh, Field, Woods, Lamb, Cook, Lake, Reed, Snow, Berry, Swan, "
    "Frost, Day, King, Miller, Waters, Birch, Page, Rivers, Park, Pepper, Harper, Sailor, Weaver, Archer"
)
JOBS = (
    "teacher, baker, farmer, sailor, nurse, driver, cook, painter, pilot, gardener, carpenter, singer, "
    "librarian, tailor, builder, shop owner, fisher, mechanic, clerk, student"
)
PARENTS = "[mother|father|grandmother|grandfather|aunt|uncle]"
RELATIVES = "[brother|sister|neighbor|cousin|friend]"


def dice(dialect: str, seed: int) -> random.Random:
    """The dice that deal out the facts of a world. Raises `FmkitError` if the seed is no whole number."""
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise FmkitError(f"the seed of a world is a whole number, not {seed!r}")
    return random.Random(f"{dialect} {seed}")


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


def people(rng: random.Random) -> list[Entity]:
    """Sixty people with facts: `full` and `last` name, pronouns, `age`, and `who` they are.

    Every second one is a child that goes to school (`work` is where they are missed when ill, `by` who
    comes with them).
    """
    surnames, jobs = deal(rng, split(SURNAMES)), deal(rng, split(JOBS))
    children, grown = deal(rng, range(4, 15)), deal(rng, range(21, 67))
    found = []
    for k, (girl, boy) in enumerate(zip(split(GIRLS), split(BOYS), strict=True)):
        for name, gender in ((girl, GIRL), (boy, BOY)):
            last = next(surnames)
            if (k + (name == boy)) % 2:
                age, who, work, by = next(grown), next(jobs), "work", RELATIVES
            else:
                age, who, work, by = next(children), gender["kind"], "school", PARENTS
            article = "an" if str(age).startswith("8") or age == 11 else "a"
            person = Entity(
                name,
                **{key: gender[key] for key in ("he", "him", "his")},
                full=f"{name} {last}",
                last=last,
                age=str(age),
                who=f"{age}-year-old {who}",
                a=f"{article} {age}-year-old {who}",
                work=work,
                by=by,
                mail=f"{name}.{last}".lower(),
            )
            found.append(person)
    return found


def plots(texts: Mapping[str, str], **facts: Any) -> list[tuple[float, Entity]]:
    """Plots by name, all of one weight, ready to be drawn."""
    return [(1.0, Entity(name, text=text, **facts)) for name, text in texts.items()]
