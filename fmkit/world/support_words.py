"""The shop behind the support dialogs: its goods, its policies, and the facts the seed deals out to them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Mapping
from typing import Any

from fmkit.world.dice import deal, dice, pick, split
from fmkit.world.template import Entity
from fmkit.world.words import nouns

__all__ = ["words"]

SHOPS = (
    "Fern & Finch, Maple & Moss, The Blue Door, Harbor Lane, Plum & Pine, The Red Kettle, Willow House, "
    "North Star, Clover & Co, The Old Mill, Juniper Street, Bell & Barrow"
)
TOWNS = (
    "Elmford, Millbury, Oakdale, Stonebridge, Fairview, Riverton, Ashby, Northgate, Lakeside, Hillcrest, "
    "Greenfield, Seaholm"
)
CODES = "SUNNY, MAPLE, BREEZE, LUCKY, ACORN, HARBOR, PEBBLE, ROBIN, CLOUD, BERRY, MEADOW, SPARK"
COLORS = "red, blue, green, black, white, brown, gray, yellow, pink, purple"

KINDS = {
    "clothing": {
        "goods": "clothes",
        "come": "come",
        "fails": "[fell apart|came apart]",
        "materials": "cotton, wool, linen, silk, fleece",
        "items": "jacket, sweater, coat, shirt, dress, scarf, skirt, hat",
    },
    "kitchen": {
        "goods": "kitchen goods",
        "come": "come",
        "fails": "[broke|stopped working]",
        "materials": "steel, glass, plastic, copper, aluminum",
        "items": "kettle, toaster, blender, mixer, coffee maker, juicer, waffle iron",
    },
    "toy": {
        "goods": "toys",
        "come": "come",
        "fails": "[broke|fell apart]",
        "materials": "wood, plastic, tin, cardboard",
        "items": "puzzle, robot, train, drum, castle, car, boat",
    },
    "electronics": {
        "goods": "electronics",
        "come": "come",
        "fails": "[broke|stopped working]",
        "materials": "plastic, steel, wood, aluminum, brass",
        "items": "radio, lamp, clock, camera, speaker, fan, watch",
    },
    "furniture": {
        "goods": "furniture",
        "come": "comes",
        "fails": "[broke|fell apart]",
        "materials": "oak, pine, maple, beech, bamboo",
        "items": "chair, table, desk, bench, stool, bookshelf/bookshelves, wardrobe",
    },
    "garden": {
        "goods": "garden tools",
        "come": "come",
        "fails": "[broke|fell apart]",
        "materials": "steel, tin, aluminum, plastic, copper",
        "items": "shovel, rake, bucket, ladder, watering can, wheelbarrow, lantern",
    },
}
FITS = {
    "too small": "larger",
    "too big": "smaller",
    "too tight": "larger",
    "too loose": "smaller",
    "much too big": "smaller",
}
SIZED = ("jacket", "sweater", "coat", "shirt", "dress", "skirt", "hat")
TOO_BULKY_TO_WRAP = ("furniture", "garden")

AGES = {
    "two weeks": 0.04,
    "one month": 0.08,
    "four months": 0.33,
    "eight months": 0.67,
    "a year and a half": 1.5,
    "two and a half years": 2.5,
    "almost four years": 3.9,
    "almost six years": 5.9,
    "more than seven years": 7.1,
}
WARRANTIES = {"one year": 1, "two years": 2, "three years": 3, "five years": 5}

TALKS = {
    "What a rainy day it is!": "I hope the sun comes out soon.",
    "I love your shop.": "That is lovely to hear.",
    "This is my first time here.": "Welcome to {shop}!",
    "My daughter loves your shop.": "Please say hello to your daughter.",
    "I hope you are having a good week.": "I am having a good week, thank you.",
    "My dog barks whenever your parcels come.": "Please give your dog a treat from us.",
    "It is so hot today!": "I hope you find some shade.",
    "A friend told me about {shop}.": "Please thank your friend from us.",
}


WEEK = "Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday"
HOURS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven")

Cases = Mapping[str, dict[str, str]]
"""The outcomes of the questions of policy by name, each with its answer and its action."""


def words(seed: int, cases: Cases) -> dict[str, Any]:
    """Every list of the shop by name."""
    rng = dice("shop", seed)
    goods = [_goods(rng, kind, KINDS[kind["name"]], cases) for kind in _kinds(rng, cases)]
    # One item of each kind in turn, so that no kind is rarer than another.
    items = [item for row in itertools.zip_longest(*goods) for item in row if item]
    fits = {fit: {**cases["fit"], "size": size, "action": f"send {size}"} for fit, size in FITS.items()}
    return {
        "shop": _shop(rng, cases),
        "item": items,
        "sized": [item for item in items if item["name"] in SIZED],
        "gift": [item for item in items if item["kind"]["name"] not in TOO_BULKY_TO_WRAP],
        "town": pick(rng, split(TOWNS), 12),
        "day": _days(rng, cases),
        "hundred": _digits(1),
        "ten": _digits(0),
        "one": _digits(0),
        "doc": nouns("invoice, receipt"),
        "fit": [Entity(fit, **facts) for fit, facts in fits.items()],
        "talk": [Entity(said, reply=reply) for said, reply in TALKS.items()],
    }


def _shop(rng: random.Random, cases: Cases) -> Entity:
    """The shop with the policies that hold for all it sells."""
    texts = {
        "name": SHOPS,
        "link": "10, 15, 20, 30",
        "call": "two, three, four, six",
        "wrap": "two, three, four, five",
        "refund": "5, 8, 10, 12",
        "cancel": "6, 12, 24, 36",
    }
    shop = Entity(**{fact: next(deal(rng, split(text))) for fact, text in texts.items()})
    shop["refunds"] = _around(shop["refund"], range(2, 20), cases["refund_soon"], cases["refund_late"])
    shop["cancels"] = _around(shop["cancel"], range(2, 60, 3), cases["in_time"], cases["too_late"])
    return shop


def _kinds(rng: random.Random, cases: Cases) -> list[Entity]:
    """The kinds of goods, each with policies of its own."""
    dealt = {
        "window": deal(rng, split("7, 14, 21, 30, 45, 60")),
        "shipping": deal(rng, split("4, 6, 8, 10, 12, 14")),
        "warranty": deal(rng, WARRANTIES),
        "code": deal(rng, split(CODES)),
        "percent": deal(rng, split("5, 10, 15, 20, 25")),
    }
    deals = deal(rng, ("discount", "no_discount"))
    kinds = []
    for name, facts in KINDS.items():
        kind = Entity(name, **{key: facts[key] for key in ("goods", "come", "fails")})
        kind.update({fact: next(values) for fact, values in dealt.items()})
        kind["deal"] = Entity("deal", **cases[next(deals)])
        kind["returns"] = _around(kind["window"], range(2, 90, 3), cases["return"], cases["no_return"])
        kind["waits"] = _around(kind["shipping"], range(2, 20), cases["on_its_way"], cases["late"])
        covered = {age: years < WARRANTIES[kind["warranty"]] for age, years in AGES.items()}
        kind["ages"] = [
            (1.0, Entity(age, **cases["covered" if c else "expired"])) for age, c in covered.items()
        ]
        kinds.append(kind)
    return kinds


def _goods(rng: random.Random, kind: Entity, facts: Mapping[str, str], cases: Cases) -> list[Entity]:
    """The goods of a kind, each with its price, material and colors."""
    materials, goods = deal(rng, split(facts["materials"])), nouns(facts["items"])
    for item in goods:
        price = str(10 + 5 * int(rng.random() * 18))
        item.update(kind=kind, material=next(materials), price=price)
        colors = pick(rng, split(COLORS), 6)  # three that there are, three that there are not
        item["colors"] = f"{colors[0]}, {colors[1]}, and {colors[2]}"
        outcomes = [cases["in_color"]] * 3 + [cases["not_in_color"]] * 3
        item["hues"] = [(1.0, Entity(color, **o)) for color, o in zip(colors, outcomes, strict=True)]
    return goods


def _around(limit: str, numbers: Iterable[int], below: dict[str, str], above: dict[str, str]) -> Any:
    """The four numbers on either side of a limit, all equally likely, each with what follows from it."""
    low = [(1.0, Entity(str(n), **below)) for n in numbers if n < int(limit)]
    high = [(1.0, Entity(str(n), **above)) for n in numbers if n > int(limit)]
    return low[-4:] + high[:4]


def _digits(first: int) -> list[tuple[float, Entity]]:
    return [(1.0, Entity(str(digit))) for digit in range(first, 10)]


def _days(rng: random.Random, cases: Cases) -> list[Any]:
    """The days of the week with their hours; Sunday and one more are days off, Saturday is shorter."""
    opens, closes, off = (int(rng.random() * 3) for _ in range(3))
    days = []
    for k, day in enumerate(split(WEEK)):
        late = int(day == "Saturday")
        outcome = cases["closed" if k == off or day == "Sunday" else "open"]
        days.append(
            (1.0, Entity(day, open=HOURS[7 + opens + late], close=HOURS[4 + closes - late], **outcome))
        )
    return days
