"""Short notes on companies and markets in which the numbers agree, with an exact log-probability.

What rises ends higher, by the percentage that is named; revenue less costs is profit; a dividend times the
shares is what it costs. A company keeps its sector, products, city, chief and rival, and a sector its reasons
for a good and a bad quarter. Amounts draw on lists that hold each other: a start knows the moves from it, and
each move its percentage, its difference and its end.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fmkit.world.domain import Domain
from fmkit.world.grammar import Grammar, Rng
from fmkit.world.grammar_file import plots, read, rules
from fmkit.world.people import people
from fmkit.world.rules import Entity
from fmkit.world.seeds import deal, pick, world_rng
from fmkit.world.words import DATES, split


def _moves(values: Sequence[int], show: Callable[[int], str], by: Sequence[int]) -> dict[str, list[Entity]]:
    """Rules for values that rise and fall by whole percentages: drawn by where they start, or by how much."""
    starts = [Entity(show(before), up_moves=[], down_moves=[]) for before in values]
    percents = [Entity(str(percent), up_moves=[], down_moves=[]) for percent in by]
    for start, before in zip(starts, values, strict=True):
        for share, percent in zip(percents, by, strict=True):
            change, rest = divmod(before * percent, 100)
            if rest == 0:
                for way, after in (("up_moves", before + change), ("down_moves", before - change)):
                    facts = {"before": show(before), "percent": str(percent), "difference": show(change)}
                    start[way].append(Entity(show(after), **facts))
                    share[way].append(Entity(show(after), **facts))
    return {"starts": starts, "percents": [share for share in percents if share["up_moves"]]}


def _split(amounts: list[Entity], facts: dict[str, Any]) -> list[Entity]:
    """Amounts in millions, with the ways to split them into costs and profit or into parts, and interest."""
    for amount, value in zip(amounts, facts["amounts"], strict=True):
        profits = [
            (margin, value * margin // 100) for margin in facts["percent"] if value * margin % 100 == 0
        ]
        amount["costs"] = [
            Entity(_million(value - profit), profit=_million(profit), margin=str(margin))
            for margin, profit in profits
        ]
        parts = [value * part // 20 for part in facts["twentieths"] if value * part % 20 == 0]
        amount["parts"] = [Entity(_million(part), rest=_million(value - part)) for part in parts]
        amount["rates"] = [
            Entity(str(rate), yearly=_million(value * rate // 100))
            for rate in facts["rates"]
            if value * rate % 100 == 0
        ]
    return amounts


def _million(value: int) -> str:
    return f"${value:,} million"


def _dollars(value: int) -> str:
    return f"${value}"


def _count(value: int) -> str:
    return f"{value:,}"


def _shares(facts: dict[str, Any]) -> list[Entity]:
    """Shares of a market in percent, which rise and fall by points."""
    ways = {"up_moves": 1, "down_moves": -1}
    return [
        Entity(
            str(before),
            **{
                way: [Entity(str(before + sign * points), points=str(points)) for points in facts["points"]]
                for way, sign in ways.items()
            },
        )
        for before in facts["market_shares"]
    ]


def _dividends(facts: dict[str, Any]) -> list[Entity]:
    """Dividends a share, with numbers of shares and what these cost together."""
    return [
        Entity(
            f"{cents} cents",
            totals=[
                Entity(f"{shares} million", cost=_million(cents * shares // 100))
                for shares in facts["million_shares"]
                if cents * shares % 100 == 0
            ],
        )
        for cents in facts["dividends"]
    ]


def _companies(rng: random.Random) -> tuple[list[Entity], list[Entity]]:
    """Three companies in each sector, with facts; and the goods they buy."""
    file = read("finance")
    names = deal(rng, split(file["facts"]["companies"]))
    cities, bosses = deal(rng, split(file["words"]["cities"])), deal(rng, people(rng))
    companies: list[Entity] = []
    goods: dict[str, list[Entity]] = {}
    for sector, facts in file["sectors"].items():
        here = [next(names) for _ in range(3)]
        raws = deal(rng, split(facts["buys"]))
        for k, name in enumerate(here):
            company = Entity(
                name,
                sector=sector,
                sector_a=f"a {sector}",
                city=next(cities),
                boss=next(bosses),
                founded=str(1880 + int(rng.random() * 130)),
                rival=here[(k + 1) % 3],
                raw=next(raws),
                sells=pick(rng, split(facts["sells"]), 4),
                up_whys=pick(rng, split(facts["up"]), 2),
                down_whys=pick(rng, split(facts["down"]), 2),
            )
            companies.append(company)
            goods.setdefault(company["raw"], []).append(company)
    materials = [Entity(raw, buyers=buyers) for raw, buyers in goods.items()]
    return pick(rng, companies, len(companies)), pick(rng, materials, len(materials))


def _twice(templates: dict[str, str], way: str) -> dict[str, str]:
    """Templates with the direction in place of ~."""
    return {name: text.replace("~", way) for name, text in templates.items()}


@dataclass(frozen=True)
class MarketNote:
    """A note, its exact log-probability in nats, its kind, its company, and where things went."""

    text: str
    log_prob: float
    plot: str
    company: str
    direction: str


class Finance(Grammar):
    """The grammar of market notes. Another seed has other companies, and other facts about each."""

    def __init__(self, seed: int = 0) -> None:
        companies, goods = _companies(world_rng("finance", seed))
        texts, facts = read("finance")["plots"], read("finance")["facts"]
        percent = facts["percent"]
        amounts = _moves(facts["amounts"], _million, percent)
        super().__init__(
            {
                **rules("finance"),
                "up_plots": plots(_twice(texts["both"], "up_"), direction="up"),
                "down_plots": plots(_twice(texts["both"], "down_"), direction="down"),
                "even_plots": plots(texts["even"], direction="none"),
                "company": companies,
                "goods": goods,
                "amounts": _split(amounts["starts"], facts),
                "percents": amounts["percents"],
                "prices": _moves(facts["prices"], _dollars, percent)["starts"],
                "index": _moves(facts["index"], _count, facts["index_percent"])["starts"],
                "workers": _moves(facts["workers"], _count, percent)["starts"],
                "shares": _shares(facts),
                "dividends": _dividends(facts),
                "dates": DATES,
            }
        )

    def sample(self, rng: Rng) -> MarketNote:
        """Write a note. The grammar is unambiguous (tested), so one derivation has all its probability."""
        note = self.derive(rng)
        plot = note.bound["plot"]
        return MarketNote(note.text, note.log_prob, plot["name"], note.bound["co"]["name"], plot["direction"])


FINANCE = Domain("finance", make=Finance)
