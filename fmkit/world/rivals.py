"""Two answers to one letter to the shop, of which one is better, and the world knows which and why.

The better one is right and polite; the other has one of three planted faults. A judge can find rudeness by
its words, a wrong number by knowing the shop's policies, and an answer that misses the topic only by reading
the letter. Of a pair without a fault, neither answer is better: whoever prefers one of them shows a habit.
"""

from __future__ import annotations

import functools
import random
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from fmkit.errors import FmkitError
from fmkit.world.domain import at_least
from fmkit.world.grammar import Derivation
from fmkit.world.support import Support

FAULTS = ("rude", "off topic", "wrong number")
NO_FAULT = "none"

RUDE = (
    "You should have known that.",
    "That is not our problem.",
    "Please stop writing to us.",
    "I do not have time for this.",
    "Read our page before you write.",
)
COUNTED = re.compile(r"\b(\d+) (\w+)")  # a number and what it counts
SAMPLE = 600  # dialogs, in which the numbers of a shop are looked up


@dataclass(frozen=True)
class Rivals:
    """A letter with two answers. `better` is "A", "B", or "tie"; `longer` is the one with more words."""

    letter: str
    first: str
    second: str
    better: str
    longer: str
    fault: str


def make_rivals(
    n: int,
    seed: int | str = 0,
    *,
    first: float = 0.5,
    longer: float = 0.5,
    faults: Sequence[str] = FAULTS,
    world: int = 0,
) -> list[Rivals]:
    """Draw n pairs of answers, the same on every machine.

    In a share `first` of the pairs the better answer is A, and in a share `longer`, independently, it has
    more words than the other; no two have equally many. Faults are equally frequent; "none" makes two right
    answers. Raises `FmkitError` for n below 1, shares outside 0 to 1, and an unknown fault.
    """
    at_least("n", n, 1)
    if not (0 <= first <= 1 and 0 <= longer <= 1):
        raise FmkitError(f"first={first} and longer={longer}: give shares from 0 to 1")
    if unknown := [fault for fault in faults if fault not in (*FAULTS, NO_FAULT)]:
        raise FmkitError(f"no fault {unknown[0]!r}: choose from {', '.join((*FAULTS, NO_FAULT))}")
    shop, rng, pairs = Support(world), random.Random(f"rivals {seed}"), []
    for _ in range(n):
        fault = faults[int(rng.random() * len(faults))]
        pairs.append(_draw(shop, rng, fault, rng.random() < first, rng.random() < longer))
    return pairs


def _draw(shop: Support, rng: random.Random, fault: str, is_first: bool, is_longer: bool) -> Rivals:
    while True:
        prompt, texts = shop.derive_pair(rng)
        start = len(prompt.text) + len(shop.joint)
        good, other = (next(texts).text[start:] for _ in range(2))
        bad = _spoil(shop, rng, fault, prompt, other)
        lead = len(good.split()) - len(bad.split())
        if bad and lead and (lead > 0) == is_longer:
            answers = (good, bad) if is_first else (bad, good)
            better = "tie" if fault == NO_FAULT else "A" if is_first else "B"
            longest = "A" if is_first == is_longer else "B"
            return Rivals(prompt.text, *answers, better, longest, fault)


def _spoil(shop: Support, rng: random.Random, fault: str, prompt: Derivation, answer: str) -> str:
    """Give an answer to a prompt a fault; "" if this one cannot have it."""
    if fault == "rude":
        return _be_rude(rng, answer)
    if fault == "wrong number":
        return _miscount(shop, rng, prompt.text, answer)
    return _miss_topic(shop, rng, prompt) if fault == "off topic" else answer


def _be_rude(rng: random.Random, answer: str) -> str:
    sentences = re.split(r"(?<=[.!?]) ", answer)
    sentences.insert(int(rng.random() * (len(sentences) + 1)), RUDE[int(rng.random() * len(RUDE))])
    return " ".join(sentences)


def _miscount(shop: Support, rng: random.Random, letter: str, answer: str) -> str:
    """Another number of the same unit, in place of one that the letter does not tell."""
    told, known = set(re.findall(r"\d+", letter)), _numbers(shop.seed)
    for match in COUNTED.finditer(answer):
        others = [number for number in known[match[2]] if number not in (match[1], *told)]
        if match[1] not in told and others:
            wrong = others[int(rng.random() * len(others))]
            return answer[: match.start(1)] + wrong + answer[match.end(1) :]
    return ""


def _miss_topic(shop: Support, rng: random.Random, prompt: Derivation) -> str:
    """An answer to a letter that wants something else, about the item of this one."""
    asked, texts = shop.derive_pair(rng)
    if asked.bound["intent"]["name"] == prompt.bound["intent"]["name"]:
        return ""
    answer = next(texts).text[len(asked.text) + len(shop.joint) :]
    theirs, ours = asked.bound.get("item"), prompt.bound.get("item")
    return re.sub(rf"\b{theirs['name']}\b", ours["name"], answer) if theirs and ours else answer


@functools.cache
def _numbers(world: int) -> dict[str, list[str]]:
    """The numbers that a shop's answers have, by what they count."""
    shop, rng, found = Support(world), random.Random("numbers"), defaultdict(set)
    for _ in range(SAMPLE):
        dialog = shop.sample(rng)
        told = set(re.findall(r"\d+", dialog.prompt))
        for number, unit in COUNTED.findall(dialog.completion):
            if number not in told:
                found[unit].add(number)
    return defaultdict(list, {unit: sorted(numbers, key=int) for unit, numbers in found.items()})
