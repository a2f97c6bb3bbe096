"""Support dialogs: a customer of an invented shop asks, the shop answers as its policies say.

The shop has facts that no prompt tells: it takes back toys within so many days, the kettle is made of glass,
it is closed on Sundays. A right answer needs them, so a model that was trained on these dialogs knows the
shop, and one that only learned the tone does not. Everything in the JSON answer follows from the prompt and
the policies: given the prompt its entropy is zero.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fmkit.world.domain import Domain
from fmkit.world.grammar import Rng
from fmkit.world.grammar_file import read, rules
from fmkit.world.prompted import Prompted
from fmkit.world.rules import Entity
from fmkit.world.seeds import deal, pick, world_rng
from fmkit.world.words import nouns, split


@dataclass(frozen=True)
class Dialog:
    """A dialog; `SUPPORT.columns` says what each field holds."""

    prompt: str
    completion: str
    text: str
    messages: list[dict[str, str]]
    intent: str
    item: str | None
    json: str
    log_prob: float
    completion_log_prob: float


class Support(Prompted):
    """The dialogs of one shop; another seed is another shop."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__({**rules("support"), **_shop_rules(seed), "intents": _intents()}, joint="\n")
        self.seed = seed

    def sample(self, rng: Rng) -> Dialog:
        """Write a dialog."""
        prompt, texts = self.derive_pair(rng)
        both = next(texts)
        completion = both.text[len(prompt.text) + len(self.joint) :]
        meant = meaning(both.bound)
        return Dialog(
            prompt.text,
            completion,
            both.text,
            [{"role": "user", "content": prompt.text}, {"role": "assistant", "content": completion}],
            meant["intent"],
            meant["item"],
            json.dumps(meant),
            both.log_prob,
            both.log_prob - prompt.log_prob,
        )

    def answer(self, prompt: str) -> dict[str, Any] | None:
        """The right JSON answer to a prompt, as a dict; None if this shop has no such prompt."""
        derivation = next(self.prompts.derivations(prompt), None)
        return meaning(derivation.bound) if derivation else None


def meaning(bound: Mapping[str, Entity]) -> dict[str, Any]:
    """What the JSON answer says: intent, item (None if there is none) and action."""
    intent, item, case = bound["intent"], bound.get("item"), bound.get("case")
    action = intent["action"] or (case["action"] if case else bound["item"]["kind"]["deal"]["action"])
    return {"intent": intent["name"], "item": item and item["name"], "action": action}


SUPPORT = Domain("support", make=Support)


# --- The shop ---------------------------------------------------------------------------------------------


def _intents() -> list[tuple[float, Entity]]:
    """What customers want, each in its tones."""
    file, by_case = read("support"), {"answer": "{case.answer}", "action": ""}
    tones = {name: Entity(name, **texts) for name, texts in file["tones"].items()}
    intents = []
    for name, intent in file["intents"].items():
        weighed = [(4.0 / (k + 2), tones[tone]) for k, tone in enumerate(split(intent["tones"]))]
        intents.append((1.0, Entity(name, **{**by_case, **intent, "tones": weighed})))
    return intents


def _shop_rules(seed: int) -> dict[str, Any]:
    """The lists of a shop, whose seed deals out its facts."""
    rng, file = world_rng("shop", seed), read("support")
    facts, cases = file["facts"], file["cases"]
    goods = [_goods(rng, kind, file["kinds"][kind["name"]]) for kind in _kinds(rng)]
    # One item of each kind in turn, so that no kind is rarer than another.
    items = [item for row in itertools.zip_longest(*goods) for item in row if item]
    sized, bulky = split(facts["sized"]), split(facts["bulky"])
    return {
        "shop": _shop(rng),
        "item": items,
        "sized": [item for item in items if item["name"] in sized],
        "gift": [item for item in items if item["kind"]["name"] not in bulky],
        "town": pick(rng, split(facts["towns"]), 12),
        "day": _days(rng),
        "hundred": _digits(1),
        "ten": _digits(0),
        "one": _digits(0),
        "fit": [
            Entity(fit, **{**cases["fit"], "size": size, "action": f"send {size}"})
            for fit, size in facts["fits"].items()
        ],
    }


def _shop(rng: random.Random) -> Entity:
    """The shop with the policies that hold for all it sells."""
    file = read("support")
    shop = Entity(**{fact: next(deal(rng, split(text))) for fact, text in file["facts"]["shop"].items()})
    shop["refunds"] = _around(shop["refund"], range(2, 20), "refund_soon", "refund_late")
    shop["cancels"] = _around(shop["cancel"], range(2, 60, 3), "in_time", "too_late")
    return shop


def _kinds(rng: random.Random) -> list[Entity]:
    """The kinds of goods, each with policies of its own."""
    file = read("support")
    facts, cases = file["facts"], file["cases"]
    dealt = {fact: deal(rng, split(text)) for fact, text in facts["kind"].items()}
    deals = deal(rng, ("discount", "no_discount"))
    kinds = []
    for name, texts in file["kinds"].items():
        kind = Entity(name, **{key: texts[key] for key in ("goods", "come", "fails")})
        kind.update({fact: next(values) for fact, values in dealt.items()})
        kind["deal"] = Entity("deal", **cases[next(deals)])
        kind["returns"] = _around(kind["window"], range(2, 90, 3), "return", "no_return")
        kind["waits"] = _around(kind["shipping"], range(2, 20), "on_its_way", "late")
        years = facts["warranties"][kind["warranty"]]
        kind["ages"] = [
            (1.0, Entity(age, **cases["covered" if old < years else "expired"]))
            for age, old in facts["ages"].items()
        ]
        kinds.append(kind)
    return kinds


def _goods(rng: random.Random, kind: Entity, texts: Mapping[str, str]) -> list[Entity]:
    """The goods of a kind, each with its price, material and colors."""
    file = read("support")
    materials, goods = deal(rng, split(texts["materials"])), nouns(texts["items"])
    for item in goods:
        price = str(10 + 5 * int(rng.random() * 18))
        item.update(kind=kind, material=next(materials), price=price)
        colors = pick(rng, split(file["facts"]["colors"]), 6)
        item["colors"] = f"{colors[0]}, {colors[1]}, and {colors[2]}"
        outcomes = ["in_color"] * 3 + ["not_in_color"] * 3
        item["hues"] = [
            (1.0, Entity(color, **file["cases"][outcome]))
            for color, outcome in zip(colors, outcomes, strict=True)
        ]
    return goods


def _around(limit: str, numbers: Iterable[int], below: str, above: str) -> list[tuple[float, Entity]]:
    """The four numbers on either side of a limit, all equally likely, each with the case that it is."""
    numbers, cases = list(numbers), read("support")["cases"]
    low = [(1.0, Entity(str(n), **cases[below])) for n in numbers if n < int(limit)]
    high = [(1.0, Entity(str(n), **cases[above])) for n in numbers if n > int(limit)]
    return low[-4:] + high[:4]


def _digits(first: int) -> list[tuple[float, Entity]]:
    return [(1.0, Entity(str(digit))) for digit in range(first, 10)]


def _days(rng: random.Random) -> list[tuple[float, Entity]]:
    """The days of the week with their hours; Sunday and one more are days off, Saturday is shorter."""
    facts, cases = read("support")["facts"], read("support")["cases"]
    hours = split(facts["hours"])
    opens, closes, off = (int(rng.random() * 3) for _ in range(3))
    days = []
    for k, day in enumerate(split(facts["week"])):
        late = int(day == "Saturday")
        case = cases["closed" if k == off or day == "Sunday" else "open"]
        times = {"open": hours[7 + opens + late], "close": hours[4 + closes - late]}
        days.append((1.0, Entity(day, **times, **case)))
    return days
