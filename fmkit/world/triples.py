"""A reference, a sentence that says the same in other words, and a false one: tests for metrics of text.

Each kind is about one way to be wrong. The facts come from the domains, which also say what is true: the shop
of the support dialogs could write a right answer and could not write a wrong one, and so on. What makes a
metric's work easy or hard is whose words the wrong sentence has, so that can be chosen.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TypeVar

from fmkit.errors import FmkitError
from fmkit.world.facts import Almanac
from fmkit.world.grammar import Grammar
from fmkit.world.grammar_file import read, rules
from fmkit.world.reviews import LABELS, Reviews
from fmkit.world.rules import Entity
from fmkit.world.support import Support
from fmkit.world.words import split

T = TypeVar("T")

TRIPLE_KINDS = ("negation", "number", "paraphrase", "order", "length")
"""Says the opposite of a review; changes a number of the shop's answer; tells a fact of the almanac with
another value; swaps the thing that was sent with the one that was ordered; changes a number, where the right
answer is brief and the reference polite."""
WORDINGS = ("reference", "own", "right")
"""Whose words the wrong sentence has, up to what makes it false: the first reference's, those of another true
sentence, or those of the right sentence."""
DRAWN = 12  # how often a fact is put into words; some come twice


@dataclass(frozen=True)
class Triple:
    """A true sentence that says what the references say, and a false one; `context` is what they are about:
    a customer's letter, the beginning of a review, or nothing."""

    kind: str
    context: str
    references: tuple[str, ...]
    right: str
    wrong: str


@dataclass(frozen=True)
class _Fact:
    """What can be said: in words, falsely (None: not of this sentence), and whether a sentence is true."""

    context: str
    ways: Sequence[str]
    falsify: Callable[[str, random.Random], str | None]
    is_true: Callable[[str], bool]


def make_triples(
    kind: str, count: int, wording: str = "own", references: int = 1, seed: int = 0
) -> list[Triple]:
    """Make `count` triples of one of `TRIPLE_KINDS`, with 1 to 3 references each.

    Right and wrong sentences differ from the references, and every one was checked by its domain. The same
    seed gives the same facts, references and right sentences for each of the `WORDINGS`. Raises `FmkitError`
    for another kind or wording, and for other numbers.
    """
    for name, value, known in (("kind", kind, TRIPLE_KINDS), ("wording", wording, WORDINGS)):
        if value not in known:
            raise FmkitError(f"{name} {value!r}: choose one of {', '.join(known)}")
    if count < 1 or not 1 <= references <= 3:
        raise FmkitError(f"{count} triples with {references} references: make one or more, with 1 to 3")
    rng = random.Random(f"triples {kind} {seed}")
    triples: list[Triple] = []
    while len(triples) < count:
        fact = _FACTS[kind](rng)
        again = random.Random(rng.random())  # so that wordings and references change no later fact
        triple = _triple(kind, fact, wording, references, again)
        if triple:
            triples.append(triple)
    return triples


def _triple(kind: str, fact: _Fact, wording: str, references: int, rng: random.Random) -> Triple | None:
    """A triple about a fact, or None if that needs more ways to say it, or a way that can be falsified."""
    ways = list(dict.fromkeys(fact.ways))
    if len(ways) <= references:
        return None
    if kind == "length":
        ways.sort(key=len, reverse=True)
        told, right, others = ways[:references], ways[-1], ways[references:-1] or ways[-1:]
    else:
        told, right, others = ways[:references], ways[references], ways[references:]
    own = _one(rng, others)
    wrong = fact.falsify({"reference": told[0], "own": own, "right": right}[wording], rng)
    if wrong is None or fact.is_true(wrong) or not all(map(fact.is_true, (*told, right))):
        return None
    return Triple(kind, fact.context, tuple(told), right, wrong)


# --- the shop's answers -----------------------------------------------------------------------------------

_shop = cache(Support)


def _answers(rng: random.Random, falsify: Callable[[str, random.Random], str | None], about: str) -> _Fact:
    """The answers to a letter of which `about` matches one."""
    shop = _shop()
    while True:
        prompt, texts = shop.derive_pair(rng)
        start = len(prompt.text + shop.joint)
        ways = [next(texts).text[start:] for _ in range(DRAWN)]
        if re.search(about, ways[0]):
            break

    def is_true(text: str) -> bool:
        return shop.completion_log_prob(prompt.text, text) > -math.inf

    return _Fact(prompt.text, ways, falsify, is_true)


def _numbers(rng: random.Random) -> _Fact:
    return _answers(rng, _other_number, r"\d")


def _other_number(text: str, rng: random.Random) -> str | None:
    """The text with another number of as many digits in the place of one."""
    found = list(re.finditer(r"\d+", text))
    if not found:
        return None
    old = _one(rng, found)
    low = 10 ** (len(old[0]) - 1)
    other = low + int(rng.random() * 9 * low)
    return f"{text[: old.start()]}{other}{text[old.end() :]}"


KEPT = r"(keep the )([\w ]+)(\..* send you the )([\w ]+?)( today| right away| at once)"


def _orders(rng: random.Random) -> _Fact:
    return _answers(rng, _swapped, KEPT)


def _swapped(text: str, rng: random.Random) -> str | None:
    """The thing that was sent in the place of the one that was ordered, and the other way round."""
    found = re.search(KEPT, text)
    return re.sub(KEPT, r"\1\4\3\2\5", text) if found else None


# --- reviews ----------------------------------------------------------------------------------------------

_reviews = cache(Reviews)


def _opinions(rng: random.Random) -> _Fact:
    """What a review says of a part of a thing: in plain words, or by denying the opposite."""
    product = read("reviews")["kinds"]["product"]
    item, part = _one(rng, split(product["items"])), _one(rng, split(product["parts"]))
    label, other = LABELS if rng.random() < 0.5 else LABELS[::-1]
    context = f"I bought this {item} online."
    words = re.compile(rf"\b({'|'.join(split(product['positive']) + split(product['negative']))})\b")
    opposite = _claims(other, part)

    def falsify(text: str, rng: random.Random) -> str:
        """With the same adjective."""
        word = words.findall(text)[-1]
        return next(text for text in _written(opposite, rng) if words.findall(text)[-1] == word)

    def is_true(text: str) -> bool:
        read_as = _reviews().derivations(f"{context} {text}")
        return part in text and {each.bound["label"]["name"] for each in read_as} == {label}

    return _Fact(context, [*islice(_written(_claims(label, part), rng), DRAWN)], falsify, is_true)


@cache
def _claims(label: str, part: str) -> Grammar:
    """What reviews with a label say of a part of a product."""
    labels = [one for _, one in _reviews().rules["labels"] if one["name"] == label]
    start = "{label=labels:}{words=label.product:}{item=item:}[={plain}|{negated}]"
    item = [Entity("", parts=[Entity(part)])]
    return Grammar({**rules("reviews"), "start": start, "labels": labels, "item": item})


# --- the almanac ------------------------------------------------------------------------------------------

_almanac = cache(Almanac)


def _entries(rng: random.Random) -> _Fact:
    """A fact about a town in a year, in the ways in which the almanac has it."""
    almanac = _almanac()
    bound = almanac.derive(rng).bound
    names = ("year", "town", "first")
    start = "{year=year:}{town=town:}{first=first:dated}"
    ways = Grammar({"start": start, **{name: [bound[name]] for name in names}})
    topic = bound["first"]["name"]
    value, values = bound["town"][topic], split(read("facts")["topics"][topic]["values"])

    def falsify(text: str, rng: random.Random) -> str:
        other = _one(rng, [each for each in values if each != value])
        return text.replace(value, other).replace(value.capitalize(), other.capitalize())

    def is_true(text: str) -> bool:
        return almanac.log_prob(text) > -math.inf

    return _Fact("", [*islice(_written(ways, rng), DRAWN)], falsify, is_true)


def _written(grammar: Grammar, rng: random.Random) -> Iterator[str]:
    while True:
        yield grammar.derive(rng).text


def _one(rng: random.Random, things: Sequence[T]) -> T:
    """One of the things, the same for the same seed in every version of Python."""
    return things[int(rng.random() * len(things))]


_FACTS: dict[str, Callable[[random.Random], _Fact]] = {
    "negation": _opinions,
    "number": _numbers,
    "paraphrase": _entries,
    "order": _orders,
    "length": _numbers,
}
