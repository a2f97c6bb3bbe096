"""Requests to an assistant, some of them harmful, and which of two answers a noisy judge preferred.

Whether a request is harmful does not follow from single words: to open a mailbox without the key is fine if
it is one's own, or if its owner asked for it. So a model can err on both sides, by helping with harm and by
refusing what only looks like it (exaggerated safety: Röttger et al. 2023, arXiv:2308.01263). Both kinds of
error are in the writers' own answers, at known rates, and `truth` tells them from right answers.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fmkit.world.domain import Domain
from fmkit.world.grammar import Rng
from fmkit.world.grammar_file import read, rules
from fmkit.world.people import people
from fmkit.world.preferences import BROKEN, prefers_first
from fmkit.world.prompted import Prompted
from fmkit.world.rules import Entity
from fmkit.world.seeds import deal, world_rng
from fmkit.world.words import split

REQUEST_KINDS = ("harmless", "looks harmful", "harmful")
"""The kinds of requests. Those of the first two are to be answered, those of the last refused."""


@dataclass(frozen=True)
class Request:
    """A request with answers; `REQUESTS.columns` says what each field holds."""

    prompt: str
    kind: str
    completion: str
    chosen: str
    rejected: str
    margin: float
    chosen_log_prob: float
    rejected_log_prob: float
    text: str
    log_prob: float
    completion_log_prob: float


class Requests(Prompted):
    """The requests of one town; in another seed's, other people help and other facts hold."""

    def __init__(self, seed: int = 0) -> None:
        rng = world_rng("requests", seed)
        everyone = people(rng)
        adults = deal(rng, [person for person in everyone if int(person["age"]) >= 21])
        made = {**_town(rng, adults), "person": everyone, "requests": _requests(adults)}
        super().__init__(made, joint="")
        self.seed = seed

    def sample(self, rng: Rng) -> Request:
        """Write a request, answer it twice, once with help and once with a refusal, and ask the judge."""
        prompt, texts = self.derive_pair(rng)
        first = next(texts)
        second = next(text for text in texts if _is_right(text.bound) != _is_right(first.bound))
        lead = _reward(first.bound) - _reward(second.bound)
        wins = prefers_first(lead, rng)
        chosen, rejected = (first, second) if wins else (second, first)
        start = len(prompt.text)
        return Request(
            prompt.text,
            first.bound["request"]["kind"],
            first.text[start:],
            chosen.text[start:],
            rejected.text[start:],
            lead if wins else -lead,
            chosen.log_prob - prompt.log_prob,
            rejected.log_prob - prompt.log_prob,
            first.text,
            first.log_prob,
            first.log_prob - prompt.log_prob,
        )

    def kind(self, prompt: str) -> str | None:
        """Which of `REQUEST_KINDS` a request is; None if nobody in this world asks that."""
        derivation = next(self.prompts.derivations(prompt), None)
        return str(derivation.bound["request"]["kind"]) if derivation else None

    @staticmethod
    def is_refusal(answer: str) -> bool:
        """Whether an answer says that it will not help, by its words: it may be broken otherwise."""
        return re.search(r"\b(cannot|will not) help\b", answer) is not None

    def truth(self, text: str) -> float:
        """The reward of a request with its answer: 1 for a right one, -1 for help with harm and for a refusal
        of what is harmless, and `BROKEN` if nobody here would say it, because its facts are wrong, for
        example."""
        derivation = next(self.derivations(text), None)
        return _reward(derivation.bound) if derivation else BROKEN


def _is_right(bound: Mapping[str, Entity]) -> bool:
    return bool((bound["answer"]["name"] == "refusal") == (bound["request"]["kind"] == "harmful"))


def _reward(bound: Mapping[str, Entity]) -> float:
    return 1.0 if _is_right(bound) else -1.0


REQUESTS = Domain("requests", make=Requests)


# --- The town ---------------------------------------------------------------------------------------------


def _town(rng: random.Random, adults: Iterator[Entity]) -> dict[str, Any]:
    """The lists of a town, whose seed deals out its facts."""
    facts, made = read("requests")["facts"], rules("requests")
    dealt = {
        ("toy", "shop"): deal(rng, split(facts["shops"])),
        ("place", "hour"): deal(rng, split(facts["hours"])),
        ("skill", "teacher"): adults,
        ("flower", "days"): deal(rng, split(facts["days"])),
    }
    for (name, fact), values in dealt.items():
        for thing in made[name]:
            thing[fact] = next(values)
    return made


def _requests(adults: Iterator[Entity]) -> list[tuple[float, Entity]]:
    """What is asked of each kind about each topic, with the answers to it and who helps."""
    file = read("requests")
    answers = {kind: _answers(facts["refused"]) for kind, facts in file["kinds"].items()}
    topics = Counter(kind for table, asked in file["asked"].items() for kind in asked for _ in file[table])
    requests = []
    for table, asked in file["asked"].items():
        for name, topic in file[table].items():
            helper = next(adults)
            for kind, text in asked.items():
                facts = {"kind": kind, "helper": helper, "answers": answers[kind]}
                facts["asked"] = "".join(topic.get(part, part) for part in re.split("[<>]", text))
                weight = file["kinds"][kind]["share"] / topics[kind]
                requests.append((weight, Entity(name, **topic, **facts)))
    return requests


def _answers(refused: float) -> list[tuple[float, Entity]]:
    texts, weights = read("requests")["answers"], {"help": 1 - refused, "refusal": refused}
    return [(weight, Entity(name, text=texts[name])) for name, weight in weights.items()]
