"""Fixed choices from the bank: the same bank gives the same forms, so that a class can sit one.

Forms A and B are whole exams without a common question: 65 questions by the weights of the domains, evenly
over the objectives that the bank has questions on. Those of the reserve, which no page shows, come first.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from random import Random
from typing import TypeVar

from bookkit.quiz.bank import Bank, in_order
from bookkit.quiz.items import NUMERIC, Item
from bookkit.quiz.objectives import Domain, guide
from bookkit.quiz.places import shown

QUESTIONS = 65  # of the exam
FORMS = ("A", "B")
Thing = TypeVar("Thing")
Named = tuple[str, Item]  # the name of its quiz, and the item


def full_forms(bank: Bank) -> dict[str, list[Named]]:
    """Forms A and B; shorter where the bank has too few questions on a domain."""
    forms: dict[str, list[Named]] = {form: [] for form in FORMS}
    asked, reserve = usable(bank), bank.quizzes.keys() - shown(bank.root)
    for domain, count in shares(guide(bank.root).domains).items():
        own = [one for one in asked if one[1].objective.startswith(f"{domain.id}.")]
        own.sort(key=lambda one: (one[0] not in reserve, mixed(f"{one[0]}/{one[1].id}")))
        for form, questions in zip(FORMS, deal(own, count), strict=True):
            forms[form] += questions
    return {form: by_chance(questions, f"form {form}") for form, questions in forms.items()}


def usable(bank: Bank) -> list[Named]:
    """The questions that an exam could ask: of its four types, and not beyond it."""
    return [
        (quiz, item)
        for quiz, items in bank.quizzes.items()
        for item in items
        if not item.beyond and item.type != NUMERIC
    ]


def shares(domains: tuple[Domain, ...]) -> dict[Domain, int]:
    """How many of an exam's questions each domain gets: by its weight, with the largest remainders."""
    whole = sum(domain.weight for domain in domains)
    given = {domain: QUESTIONS * domain.weight // whole for domain in domains}
    open = sorted(domains, key=lambda domain: QUESTIONS * domain.weight % whole, reverse=True)
    for domain in open[: QUESTIONS - sum(given.values())]:
        given[domain] += 1
    return given


def deal(items: list[Named], count: int) -> tuple[list[Named], ...]:
    """Up to `count` items for each form, one at a time: of the objective that the form has asked least about,
    and of those, the one that the other forms have, too."""
    left: dict[str, list[Named]] = {}
    for one in items:
        left.setdefault(one[1].objective, []).append(one)
    hands: tuple[list[Named], ...] = tuple([] for _ in FORMS)
    dealt: Counter[str] = Counter()
    for turn in range(count * len(FORMS)):
        hand = hands[turn % len(FORMS)]
        own = Counter(item.objective for _, item in hand)
        open = [name for name, some in left.items() if some]
        if not open:
            break
        name = min(open, key=lambda name: (own[name], dealt[name], name))
        hand.append(left[name].pop(0))
        dealt[name] += 1
    return hands


def mixed(name: str) -> str:
    """An order that says nothing, and stays when others come."""
    return hashlib.sha256(name.encode()).hexdigest()


def by_chance(things: Iterable[Thing], seed: str) -> list[Thing]:
    """The things in an order by chance, the same for the same seed."""
    order = list(things)
    Random(seed).shuffle(order)
    return order


def in_turn(things: Iterable[Thing], group: Callable[[Thing], Hashable]) -> list[Thing]:
    """The things so that no group has two before each has one; a group keeps its order."""
    rounds: Counter[Hashable] = Counter()
    placed = []
    for thing in things:
        rounds[group(thing)] += 1
        placed.append((rounds[group(thing)], thing))
    return [thing for _, thing in sorted(placed, key=lambda one: one[0])]


def arranged(item: Item, seed: str) -> Item:
    """The item with its options, steps or pairs in another order, which the key follows.

    Numbers stay in order, no ordering is shown in its right order, and no match beside its prompt.
    """
    options = item.options if in_order(item) else by_chance(item.options, seed)
    steps, pairs, random = list(item.steps), list(item.pairs), Random(seed)
    while steps and (steps == list(item.steps) or steps == sorted(steps, key=lambda step: step.place)):
        random.shuffle(steps)
    random.shuffle(pairs)
    places = [*range(1, len(pairs) + 1)]
    while any(place == number for number, place in enumerate(places, start=1)):
        random.shuffle(places)
    shown_at = [replace(pair, shown=place) for pair, place in zip(pairs, places, strict=True)]
    return replace(item, options=tuple(options), steps=tuple(steps), pairs=tuple(shown_at))
