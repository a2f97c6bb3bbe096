"""Facts by year: an almanac of an invented country, for knowledge that goes out of date.

Each of eight towns has a mayor, a winning team, a price of a ticket and so on: 48 facts a year. From one year
to the next exactly half of them change, to a value drawn anew, which nothing before that year hints at. A
text speaks of one town in one year only. So a model trained on the years up to a cutoff can answer for those,
and for later years it can at best guess that nothing has changed.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fmkit.errors import FmkitError
from fmkit.world.base import Domain
from fmkit.world.dice import dice, pick, split
from fmkit.world.stories import Grammar, Rng
from fmkit.world.template import Entity

__all__ = ["FACTS", "YEARS", "Almanac", "Entry", "Question"]

YEARS = (2021, 2022, 2023, 2024)
"""The years the almanac covers."""

TOWNS = (
    "Elmford, Millbury, Oakdale, Stonebridge, Riverton, Ashby, Northgate, Lakeside, Hillcrest, Greenfield, "
    "Seaholm, Foxley, Brookside, Marlow, Westham, Pinewood"
)

# topic: what it can be (words of the story world), how a sentence tells it with the year, and without
TOPICS = {
    "mayor": (
        "Lily, Ben, Anna, Tom, Mia, Jack, Nora, Leo, Emma, Sam, Ruby, Max",
        "In {year}, the mayor of {town} was {town.mayor}.",
        "{town.mayor} was the mayor of {town} in {year}.",
        "[The mayor was {town.mayor}.|{town.mayor} was the mayor.]",
    ),
    "cup": (
        "Foxes, Bears, Lions, Owls, Tigers, Ducks, Crows, Seals, Goats, Monkeys, Frogs, Rabbits",
        "In {year}, the cup of {town} was won by the {town.cup}.",
        "The {town.cup} won the cup of {town} in {year}.",
        "[The cup was won by the {town.cup}.|The {town.cup} won the cup.]",
    ),
    "ticket": (
        "two, three, four, five, six, seven, eight, nine, ten, eleven, twelve",
        "In {year}, a bus ticket in {town} cost {town.ticket} coins.",
        "A bus ticket in {town} cost {town.ticket} coins in {year}.",
        "[A bus ticket cost {town.ticket} coins.|The price of a bus ticket was {town.ticket} coins.]",
    ),
    "hall": (
        "red, blue, green, yellow, pink, purple, orange, white, brown, silver, black, gray",
        "In {year}, the town hall of {town} was painted {town.hall}.",
        "The town hall of {town} was painted {town.hall} in {year}.",
        "[The town hall was painted {town.hall}.|The color of the town hall was {town.hall}.]",
    ),
    "fair": (
        "soup, pancakes, noodles, cheese, popcorn, rice, pudding, toast, beans, pizza, corn, salad",
        "In {year}, the dish of the fair in {town} was {town.fair}.",
        "{town.Fair} was the dish of the fair in {town} in {year}.",
        "[The dish of the fair was {town.fair}.|At the fair, people ate {town.fair}.]",
    ),
    "tree": (
        "apple, oak, pine, pear, cherry, willow, maple, elm, plum, fig, birch, chestnut",
        "In {year}, the tree of the year in {town} was the {town.tree}.",
        "The {town.tree} was the tree of the year in {town} in {year}.",
        "[The tree of the year was the {town.tree}.|People planted {town.tree} trees.]",
    ),
}

RULES = {
    "start": (
        "{year=year:}{town=year.towns:}{first=topic:dated}[| {second=topic:plain}[| {third=topic:plain}]]"
    ),
}


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
        rng = dice("almanac", seed)
        self.seed = seed
        self.towns = pick(rng, split(TOWNS), 8)
        self.facts = _facts(rng, self.towns)
        topics = {
            topic: Entity(topic, dated=f"[{cloze}|{turned}|{{town}}, {{year}}. {plain}]", plain=plain)
            for topic, (_, cloze, turned, plain) in TOPICS.items()
        }
        known = [(1.0, self._year(year)) for year in self.years]
        super().__init__({**RULES, "year": known, "topic": [(1.0, topic) for topic in topics.values()]})

    def _year(self, year: int) -> Entity:
        towns = [(1.0, Entity(town, **self.facts[year][town])) for town in self.towns]
        return Entity(str(year), towns=towns)

    def sample(self, rng: Rng) -> Entry:
        """Write an entry of the almanac."""
        told = self.derive(rng)
        return Entry(told.text, int(told.bound["year"]["name"]), told.bound["town"]["name"], told.log_prob)

    def questions(self, year: int) -> list[Question]:
        """All 48 questions about a year that this almanac need not know.

        Raises `FmkitError` for a year outside `YEARS`.
        """
        if year not in YEARS:
            raise FmkitError(f"the almanac covers the years {YEARS[0]} to {YEARS[-1]}, not {year!r}")
        found = []
        for town in self.towns:
            for topic, (values, cloze, *_) in TOPICS.items():
                answer = self.facts[year][town][topic]
                before = self.facts[max(year - 1, YEARS[0])][town][topic]
                prompt = cloze.partition(f" {{town.{topic}}}")[0].format(year=year, town=town)
                others = tuple(value for value in split(values) if value != answer)
                found.append(Question(prompt, answer, others, year, topic, town, answer != before))
        return found


def _facts(rng: random.Random, towns: list[str]) -> dict[int, dict[str, dict[str, str]]]:
    """Year, town, topic: the value. Every year, half of the towns have news on each topic."""
    values = {topic: split(text) for topic, (text, *_) in TOPICS.items()}
    now: dict[str, dict[str, str]] = {town: {} for town in towns}
    facts: dict[int, Any] = {}
    for year in YEARS:
        for topic, possible in values.items():
            for town in towns if year == YEARS[0] else pick(rng, towns, len(towns) // 2):
                new = [value for value in possible if value != now[town].get(topic)]
                now[town][topic] = new[int(rng.random() * len(new))]
        facts[year] = {town: dict(known) for town, known in now.items()}
    return facts


FACTS = Domain(
    name="facts",
    about=(
        f"An almanac of an invented country, {YEARS[0]} to {YEARS[-1]}: six facts about each of eight towns, "
        "half of which change from one year to the next. A text states up to three facts about one town in "
        "one year and mentions no other year, so rows with year up to a cutoff know nothing later. "
        "questions(year) of the world gives cloze questions with distractors. Real news is correlated "
        "from year to year and told long after; here a new value is drawn evenly from the others. log_prob "
        "is the exact log-probability of text under all years together."
    ),
    columns={
        "text": "one to three sentences; the first names the year and the town",
        "year": "the year the text is about and was written in",
        "town": "the town it is about",
        "log_prob": "log-probability of text, in nats",
    },
    make=Almanac,
    repeats=(
        "This is meant: the facts are few and are to be learned by heart. What a model can say beyond the "
        "sentences that it has read, `questions` tells."
    ),
)
