"""The people of the domains: the children of the stories with a family name, a job or a school.

The same names turn up in stories, notes, clauses and reports, so no domain can be told from the others by its
names alone.
"""

from __future__ import annotations

import random

from fmkit.world.grammar_file import read
from fmkit.world.rules import Entity
from fmkit.world.seeds import deal
from fmkit.world.words import split


def people(rng: random.Random) -> list[Entity]:
    """Sixty people with facts: `full` and `last` name, pronouns, `age`, and `who` they are.

    Every second one is a child that goes to school (`work` is where they are missed when ill, `by` who
    comes with them).
    """
    file = read("people")
    surnames, jobs = deal(rng, split(file["surnames"])), deal(rng, split(file["jobs"]))
    children, grown = deal(rng, range(4, 15)), deal(rng, range(21, 67))
    girl, boy = file["gender"]["girl"], file["gender"]["boy"]
    found = []
    for k, pair in enumerate(zip(split(file["girls"]), split(file["boys"]), strict=True)):
        for name, gender in zip(pair, (girl, boy), strict=True):
            last = next(surnames)
            if (k + (gender is boy)) % 2:
                age, who, work, by = next(grown), next(jobs), "work", file["relatives"]
            else:
                age, who, work, by = next(children), gender["kind"], "school", file["parents"]
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
            )
            found.append(person)
    return found
