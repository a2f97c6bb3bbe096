"""Passages of almanacs with questions about them: data for a model that is to read and not to remember.

The passages are from hundreds of almanacs, whose facts are drawn at random. So nothing that a model has
learned by heart helps: the answer is in the passage, or nowhere, and then the right answer is `UNKNOWN`. Some
conversations have no passage: they ask about the old years of one almanac, which can be learned by heart.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fmkit.world.domain import at_least
from fmkit.world.facts import YEARS, Almanac
from fmkit.world.grammar import Grammar, Rng
from fmkit.world.grammar_file import read
from fmkit.world.rules import Entity
from fmkit.world.seeds import pick
from fmkit.world.words import split

if TYPE_CHECKING:
    from datasets import DatasetDict

ABOUT = (
    "Pages of invented almanacs, each with questions and answers, which a command above wrote "
    "(`fmkit.world.readings`)."
)
UNKNOWN = "I don't know."
KNOWN_YEARS = YEARS[:2]
"""The years of almanac 0 that training asks about without a passage: what came later, no training has."""
FIRST_ALMANAC = 1_000
"""The almanacs of training have numbers from here on; those before are for measuring."""

Message = dict[str, str]


@dataclass(frozen=True)
class Page:
    """A passage of an almanac: one town in one year, and the topics that it tells of."""

    text: str
    year: int
    town: str
    topics: tuple[str, ...]

    def tells(self, year: int, town: str, topic: str) -> bool:
        return (self.year, self.town) == (year, town) and topic in self.topics


def pages(almanac: Almanac, facts: Sequence[int] = (3,), seed: int = 0) -> list[Page]:
    """The whole almanac, each fact once: for each year and town some pages, with so many facts a page.

    Of several numbers of facts, each page has one by chance. Another seed tells the same facts in other words
    and another order.
    """
    rng, found = random.Random(f"pages {almanac.seed} {seed}"), []
    for year in almanac.years:
        for town in almanac.towns:
            topics = pick(rng, list(read("facts")["topics"]), len(read("facts")["topics"]))
            while topics:
                size = rng.choice(facts)
                found.append(_page(almanac, year, town, tuple(topics[:size]), rng))
                del topics[:size]
    return found


def ask(topic: str, town: str, year: int) -> str:
    """The question about a topic, as people put it."""
    return str(read("facts")["topics"][topic]["question"].format(town=town, year=year))


def values(topic: str) -> list[str]:
    """All that a topic can be."""
    return split(read("facts")["topics"][topic]["values"])


def answer_to(topic: str, value: str) -> str:
    """The answer to that question, in one sentence, which tells neither town nor year."""
    first = read("facts")["topics"][topic]["plain"].strip("[]").partition("|")[0]
    return str(first.replace(f"{{town.{topic}}}", value))


def put(passages: Iterable[str], question: str) -> Message:
    """The message that puts a question to a model: the passages, each on a line, and then the question."""
    return {"role": "user", "content": "\n".join([*passages, question])}


def load_readings(
    n_train: int = 30_000,
    n_validation: int = 300,
    missing: float = 0.3,
    three: float = 0.3,
    by_heart: float = 0.15,
    seed: int = 0,
) -> DatasetDict:
    """Conversations: three questions about one passage, two about three, or three without any.

    `missing` is the share of questions about passages that ask for something else: another topic, another
    year or another town. `three` and `by_heart` are the shares of conversations with three passages and
    without any. Raises `FmkitError` for fewer than one conversation in a split.
    """
    from datasets import Dataset, DatasetDict

    splits, almanac = {}, FIRST_ALMANAC
    for name, size in (("train", n_train), ("validation", n_validation)):
        at_least(f"n_{name}", size, 1)
        rng, rows = random.Random(f"readings {name} {seed}"), list[dict[str, list[Message]]]()
        while len(rows) < size:
            world = Almanac(almanac)
            book = pages(world, facts=(1, 2, 3))
            for page in book:
                kind = rng.random()
                if kind < by_heart:
                    rows.append({"messages": _remembered(rng)})
                else:
                    shown = [page] if kind >= by_heart + three else _among_others(page, book, rng)
                    rows.append({"messages": _read(world, shown, missing, rng)})
            almanac += 1
        splits[name] = Dataset.from_list(rows[:size])
    return DatasetDict(splits)


def _page(almanac: Almanac, year: int, town: str, topics: tuple[str, ...], rng: Rng) -> Page:
    texts = read("facts")["topics"]
    first, *others = (texts[topic] for topic in topics)
    dated = f"[{first['asked']}|{first['turned']}|{{town}}, {{year}}. {first['plain']}]"
    start = " ".join(["{year=year:}{town=town:}" + dated, *(other["plain"] for other in others)])
    told = Entity(town, **almanac.facts[year][town])
    grammar = Grammar({"start": start, "year": [(1.0, Entity(str(year)))], "town": [(1.0, told)]})
    return Page(grammar.derive(rng).text, year, town, topics)


def _among_others(page: Page, book: Sequence[Page], rng: random.Random) -> list[Page]:
    """A page and two others of the same town or the same year, in any order."""
    near = [p for p in book if (p.town == page.town) != (p.year == page.year)]
    return rng.sample([page, *rng.sample(near, 2)], 3)


def _read(almanac: Almanac, shown: Sequence[Page], missing: float, rng: random.Random) -> list[Message]:
    """A conversation about pages, which come with its first question."""
    messages: list[Message] = []
    for number in range(3 if len(shown) == 1 else 2):
        about = _told(shown, rng) if rng.random() >= missing else _missing(almanac, shown, rng)
        year, town, topic = about
        known = any(page.tells(*about) for page in shown)
        answer = answer_to(topic, almanac.facts[year][town][topic]) if known else UNKNOWN
        texts = [page.text for page in shown] if number == 0 else []
        messages += [put(texts, ask(topic, town, year)), {"role": "assistant", "content": answer}]
    return messages


def _remembered(rng: random.Random) -> list[Message]:
    """Three questions about the years of almanac 0 that are to be known."""
    almanac, messages = Almanac(0), list[Message]()
    for _ in range(3):
        asked = rng.choice(almanac.questions(rng.choice(KNOWN_YEARS)))
        answer = answer_to(asked.topic, asked.answer)
        messages += [
            put([], ask(asked.topic, asked.town, asked.year)),
            {"role": "assistant", "content": answer},
        ]
    return messages


def _told(shown: Sequence[Page], rng: random.Random) -> tuple[int, str, str]:
    page = rng.choice(shown)
    return page.year, page.town, rng.choice(page.topics)


def _missing(almanac: Almanac, shown: Sequence[Page], rng: random.Random) -> tuple[int, str, str]:
    """A year, town and topic that no page tells: each but one of them as on a page."""
    while True:
        year, town, topic = _told(shown, rng)
        match rng.randrange(3):
            case 0:
                topic = rng.choice(list(read("facts")["topics"]))
            case 1:
                year = rng.choice(YEARS)
            case _:
                town = rng.choice(almanac.towns)
        if not any(page.tells(year, town, topic) for page in shown):
            return year, town, topic
