"""What the dialects share: people, and plots to draw from.

The people are the children of the stories with a family name, a job or a school: the same names turn up in
stories, notes, clauses and reports, so no dialect can be told from the others by its names alone.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from fmkit.world.dice import deal, split
from fmkit.world.template import Entity
from fmkit.world.words import BOY, BOYS, GIRL, GIRLS

__all__ = ["SURNAMES", "people", "plots"]

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
