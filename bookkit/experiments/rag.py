"""Retrieval and reading, each measured by itself and then together.

Does the retriever find the page that tells a fact, and does the reader say what the page says? The almanacs
know every answer, so each error has its place.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from bookkit.experiments.recording import Experiment, experiment
from fmkit import asset
from fmkit.evaluation.answers import answer_messages, probability_of
from fmkit.evaluation.retrieval import KeywordRetriever, mean_reciprocal_rank, recall_at_k
from fmkit.model import Transformer
from fmkit.world import YEARS, Almanac
from fmkit.world.readings import UNKNOWN, Page, answer_to, ask, pages, put, values

READER = "reader"
DEPTHS = (1, 2, 3, 5, 10)  # pages that are looked for
READ = (1, 2, 3, 5)  # pages that are read: more have no room in the reader's context
LONGEST = 20  # tokens of an answer
OUTCOMES = ("right", "wrong", "abstains")

# What no almanac has, so that every answer but one is invented.
TOWNS = ("Thornwick", "Dunmore", "Kingsport", "Bellham", "Ravenhill", "Coldwater", "Sandwick", "Fairhaven")
TOPICS = (
    "Who was the baker of {town} in {year}?",
    "Who won the race of {town} in {year}?",
    "What did a loaf of bread in {town} cost in {year}?",
    "What color was the bridge of {town} in {year}?",
    "What did people drink at the fair in {town} in {year}?",
    "Which bird did {town} choose in {year}?",
)
POLICIES = (
    "Can I return the kettle?",
    "How long can I return a chair?",
    "Who pays when I send back a lamp?",
    "What does gift wrap cost?",
    "Is the shop open on Sunday?",
    "How long is the warranty on a toy robot?",
)


@dataclass(frozen=True)
class Case:
    """A question and its right answer, which a page about this year, town and topic tells."""

    question: str
    right: str
    year: int
    town: str
    topic: str

    def told_by(self, page: Page) -> bool:
        return page.tells(self.year, self.town, self.topic)


def cases_of(world: Almanac, years: Sequence[int] = YEARS) -> list[Case]:
    """All questions about some years of an almanac."""
    return [
        Case(ask(q.topic, q.town, year), answer_to(q.topic, q.answer), year, q.town, q.topic)
        for year in years
        for q in world.questions(year)
    ]


class Reader:
    """A model that answers questions about pages."""

    def __init__(self, model: Transformer) -> None:
        assert model.tokenizer
        self.model, self.tokenizer = model, model.tokenizer

    def answer(
        self, questions: Sequence[str], shown: Sequence[Sequence[Page]]
    ) -> tuple[list[str], list[float]]:
        """The likeliest answer to each question about the pages shown, and the probability of that answer."""
        return answer_messages(self.model, self.tokenizer, _asked(questions, shown), LONGEST)

    def doubt(self, questions: Sequence[str], shown: Sequence[Sequence[Page]]) -> float:
        """The mean probability of "I don't know."."""
        found = probability_of(self.model, self.tokenizer, _asked(questions, shown), UNKNOWN)
        return sum(found) / len(found)


def _asked(questions: Sequence[str], shown: Sequence[Sequence[Page]]) -> list[list[dict[str, str]]]:
    return [[put([p.text for p in each], q)] for q, each in zip(questions, shown, strict=True)]


def outcome(said: str, right: str) -> str:
    if said == UNKNOWN:
        return "abstains"
    return "right" if said == right else "wrong"


def is_faithful(said: str, case: Case, shown: Sequence[Page]) -> bool:
    """Whether a page about the town and year says what the answer says: true or not, it was read."""
    return any(case.told_by(page) and is_in(value_in(said, case), page.text) for page in shown)


def value_in(said: str, case: Case) -> str:
    """The value that an answer gives; empty if it doesn't answer the question."""
    before, after = answer_to(case.topic, "\n").split("\n")
    fits = said.startswith(before) and said.endswith(after) and len(said) > len(before) + len(after)
    return said[len(before) : len(said) - len(after)] if fits else ""


def is_in(value: str, text: str) -> bool:
    return bool(value and re.search(rf"\b{re.escape(value)}\b", text, re.IGNORECASE))


def alter(case: Case, page: Page, rng: Random) -> Page:
    """The page with another value where the right one was."""
    right = value_in(case.right, case)
    wrong = rng.choice([value for value in values(case.topic) if value != right])
    text = re.sub(rf"\b{right}\b", wrong, page.text)
    text = re.sub(rf"\b{right.capitalize()}\b", wrong.capitalize(), text)
    return Page(text, page.year, page.town, page.topics)


# --- what is recorded -------------------------------------------------------------------------------------


@experiment("rag")
def rag() -> Experiment:
    about = {"reader": READER, "pages": "an almanac, each fact on one page, three facts a page"}
    return Experiment(about, measure, [{"almanac": seed} for seed in range(3)])


def measure(almanac: int) -> dict[str, Any]:
    world, rng = Almanac(almanac), Random(f"rag {almanac}")
    reader, book = Reader(Transformer.from_pretrained(asset(f"models/{READER}"))), pages(world)
    retriever, cases = KeywordRetriever([page.text for page in book]), cases_of(world)
    ranked = retriever.search([case.question for case in cases], max(DEPTHS))
    relevant = [[i for i, page in enumerate(book) if case.told_by(page)] for case in cases]
    right = [[book[i] for i in places] for places in relevant]
    others = {  # one thing about them is not what is asked for
        "other year": lambda case, p: p.town == case.town and p.year != case.year and case.topic in p.topics,
        "other town": lambda case, p: p.town != case.town and p.year == case.year and case.topic in p.topics,
        "other topic": lambda case, p: (
            p.town == case.town and p.year == case.year and case.topic not in p.topics
        ),
    }
    shown: dict[str, list[list[Page]]] = {
        "none": [[] for _ in cases],
        "right": right,
        "altered": [[alter(case, page, rng)] for case, (page,) in zip(cases, right, strict=True)],
        **{
            name: [[rng.choice([page for page in book if fits(case, page)])] for case in cases]
            for name, fits in others.items()
        },
        **{f"k={k}": [[book[i] for i in order[:k]] for order in ranked] for k in READ},
    }
    reading = {name: read(reader, cases, given) for name, given in shown.items()}
    return {
        "recall": {str(k): round(recall_at_k(ranked, relevant, k), 4) for k in DEPTHS},
        "mrr": round(mean_reciprocal_rank(ranked, relevant), 4),
        "recall_by_topic": by_topic(cases, ranked, relevant),
        "reading": reading,
        "unanswerable": unanswerable(reader, retriever, book, world, rng),
        "scores": {name: reading[name]["right"] for name in ("none", "right", "k=1", "k=3")},
    }


def by_topic(
    cases: Sequence[Case], ranked: Sequence[list[int]], relevant: Sequence[list[int]]
) -> dict[str, float]:
    """Recall at 1 of each topic."""
    groups: dict[str, list[int]] = {}
    for number, case in enumerate(cases):
        groups.setdefault(case.topic, []).append(number)
    return {
        topic: round(recall_at_k([ranked[i] for i in group], [relevant[i] for i in group], 1), 4)
        for topic, group in groups.items()
    }


def read(reader: Reader, cases: Sequence[Case], shown: Sequence[Sequence[Page]]) -> dict[str, Any]:
    """Outcomes as shares, by year, and by whether the right page was there; how many answers are faithful, or
    at least have a word of the pages for their value; and the probabilities of the answers, by outcome."""
    said, sure = reader.answer([case.question for case in cases], shown)
    outcomes = [outcome(text, case.right) for text, case in zip(said, cases, strict=True)]
    found = [any(map(case.told_by, each)) for case, each in zip(cases, shown, strict=True)]
    faithful = [is_faithful(*each) for each in zip(said, cases, shown, strict=True)]
    words = [
        any(is_in(value_in(text, case), page.text) for page in each)
        for text, case, each in zip(said, cases, shown, strict=True)
    ]
    years = Counter(f"{case.year} {name}" for case, name in zip(cases, outcomes, strict=True))
    cells = Counter(f"{'found' if f else 'missed'} {name}" for f, name in zip(found, outcomes, strict=True))
    return {
        **{name: round(outcomes.count(name) / len(cases), 4) for name in OUTCOMES},
        "doubt": round(reader.doubt([case.question for case in cases], shown), 4),
        "faithful": round(sum(faithful) / len(cases), 4),
        "words": round(sum(words) / len(cases), 4),
        "cells": dict(sorted(cells.items())),
        "years": dict(sorted(years.items())),
        "sure": {
            name: sorted(round(p, 3) for p, o in zip(sure, outcomes, strict=True) if o == name)
            for name in OUTCOMES
        },
    }


def reading_scores(reader: Reader) -> dict[str, float]:
    """How well a model reads: almanac 1 with pages, and almanac 0, some of which it knows, without."""
    world, rng = Almanac(1), Random("reading scores")
    book, cases = pages(world), cases_of(world)
    right = [next(page for page in book if case.told_by(page)) for case in cases]
    others = [[p for p in book if p.town == case.town and not case.told_by(p)] for case in cases]
    three = [rng.sample([page, *rng.sample(p, 2)], 3) for page, p in zip(right, others, strict=True)]
    alone = {years: cases_of(Almanac(0), years) for years in (YEARS[:2], YEARS[2:])}
    return {
        "read_one": read(reader, cases, [[page] for page in right])["right"],
        "read_three": read(reader, cases, three)["right"],
        "not_told": read(reader, cases, [[rng.choice(p)] for p in others])["abstains"],
        "by_heart": read(reader, alone[YEARS[:2]], [[] for _ in alone[YEARS[:2]]])["right"],
        "after_cutoff": read(reader, alone[YEARS[2:]], [[] for _ in alone[YEARS[2:]]])["right"],
    }


def unanswerable(
    reader: Reader, retriever: KeywordRetriever, book: Sequence[Page], world: Almanac, rng: Random
) -> dict[str, Any]:
    """What is answered where nothing is known, alone and with the best page: who abstains, and examples."""
    asked = {
        "a town that does not exist": [
            ask(c.topic, rng.choice(TOWNS), c.year) for c in cases_of(world, YEARS[2:])
        ],
        "a topic nobody wrote of": [
            t.format(town=n, year=y) for t in TOPICS for n in world.towns for y in YEARS[2:]
        ],
        "a policy of the shop": list(POLICIES),
    }
    results: dict[str, Any] = {}
    for name, questions in asked.items():
        best = [[book[i] for i in order] for order in retriever.search(questions, 1)]
        results[name] = {}
        for how, shown in (("none", [[] for _ in questions]), ("k=1", best)):
            said, sure = reader.answer(questions, shown)
            results[name][how] = {
                "abstains": round(sum(text == UNKNOWN for text in said) / len(said), 4),
                "examples": [
                    [q, text, round(p, 2)] for q, text, p in zip(questions, said, sure, strict=True)
                ][:6],
            }
    return results
