"""Facts by year: an almanac of an invented country, for knowledge that goes out of date.

Each of eight towns has a mayor, a winning team, a price of a ticket and so on: 48 facts a year. From one year
to the next exactly half of them change, to a new value that nothing in an earlier year hints at. A text is
about one town in one year. So a model trained on the years up to a cutoff can answer for those,
and for later years it can at best guess that nothing has changed.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fmkit.errors import FmkitError
from fmkit.world.domain import Domain
from fmkit.world.grammar import Grammar, Rng
from fmkit.world.grammar_file import read, rules
from fmkit.world.rules import Entity
from fmkit.world.seeds import pick, world_rng
from fmkit.world.words import split

YEARS = (2021, 2022, 2023, 2024)
"""The years the almanac covers."""


@dataclass(frozen=True)
class Entry:
    """A text of the almanac, the year and the town it is about, and its exact log-probability in nats."""

    text: str
    year: int
    town: str
    log_prob: float


@dataclass(frozen=True)
class Question:
    """A sentence of the almanac without its answer.

    The sentence goes on after `prompt` with a space and the `answer`, one word. `distractors` are the other
    values of the topic: the same for each year. `changed` says whether the answer was another one the year
    before; in the first year of the almanac it is False.
    """

    prompt: str
    answer: str
    distractors: tuple[str, ...]
    year: int
    topic: str
    town: str
    changed: bool


class Almanac(Grammar):
    """The almanac of a country for some of its `YEARS`; another seed is another country.

    The facts of a year do not depend on which years are asked for: `Almanac(0, years=(2021, 2022))` is all
    that was known at the end of 2022, and `Almanac(0, years=(2023,))` is what the next year brought.

    Raises `FmkitError` for a year that the almanac does not cover.
    """

    def __init__(self, seed: int = 0, years: Iterable[int] = YEARS) -> None:
        self.years = tuple(sorted(set(years)))
        if not self.years or not set(self.years) <= set(YEARS):
            raise FmkitError(
                f"the almanac covers the years {YEARS[0]} to {YEARS[-1]}: choose from them, not {self.years}"
            )
        rng, file = world_rng("almanac", seed), read("facts")
        self.seed = seed
        self.towns = pick(rng, split(file["facts"]["towns"]), 8)
        self.facts = _facts(rng, self.towns)
        dated = "[{asked}|{turned}|{{town}}, {{year}}. {plain}]"
        topics = [
            (1.0, Entity(name, dated=dated.format_map(topic), plain=topic["plain"]))
            for name, topic in file["topics"].items()
        ]
        known = [(1.0, self._year(year)) for year in self.years]
        super().__init__({**rules("facts"), "year": known, "topic": topics})

    def _year(self, year: int) -> Entity:
        towns = [(1.0, Entity(town, **self.facts[year][town])) for town in self.towns]
        return Entity(str(year), towns=towns)

    def sample(self, rng: Rng) -> Entry:
        """Write an entry of the almanac."""
        told = self.derive(rng)
        return Entry(told.text, int(told.bound["year"]["name"]), told.bound["town"]["name"], told.log_prob)

    def questions(self, year: int) -> list[Question]:
        """All 48 questions about a year, which need not be one that this almanac covers.

        Raises `FmkitError` for a year outside `YEARS`.
        """
        if year not in YEARS:
            raise FmkitError(f"the almanac covers the years {YEARS[0]} to {YEARS[-1]}, not {year!r}")
        found = []
        for town in self.towns:
            for topic, texts in read("facts")["topics"].items():
                answer = self.facts[year][town][topic]
                before = self.facts[max(year - 1, YEARS[0])][town][topic]
                prompt = texts["asked"].partition(f" {{town.{topic}}}")[0].format(year=year, town=town)
                others = tuple(value for value in split(texts["values"]) if value != answer)
                found.append(Question(prompt, answer, others, year, topic, town, answer != before))
        return found


def _facts(rng: random.Random, towns: list[str]) -> dict[int, dict[str, dict[str, str]]]:
    """Year, town, topic: the value. Every year, half of the towns have news on each topic."""
    values = {topic: split(texts["values"]) for topic, texts in read("facts")["topics"].items()}
    now: dict[str, dict[str, str]] = {town: {} for town in towns}
    facts: dict[int, Any] = {}
    for year in YEARS:
        for topic, possible in values.items():
            for town in towns if year == YEARS[0] else pick(rng, towns, len(towns) // 2):
                new = [value for value in possible if value != now[town].get(topic)]
                now[town][topic] = new[int(rng.random() * len(new))]
        facts[year] = {town: dict(known) for town, known in now.items()}
    return facts


FACTS = Domain("facts", make=Almanac)
