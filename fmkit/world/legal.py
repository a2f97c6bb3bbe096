"""Clauses of small contracts in which terms, dates and cross-references agree, with exact log-probabilities.

A defined term is used as it was defined; a period that starts on a day ends on that day, so many years later;
installments add up to the price; a clause that refers to a section refers to the one that was named. In one
world a kind of contract has its notice period, rate of interest and grace period, and a state its court.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from fmkit.world.domain import Domain
from fmkit.world.grammar import Grammar, Rng
from fmkit.world.grammar_file import plots, read, rules
from fmkit.world.people import people
from fmkit.world.rules import Entity
from fmkit.world.seeds import deal, pick, world_rng
from fmkit.world.words import DATES, NUMERALS, split

INSTALLMENTS = (3, 4, 5, 6, 8, 10)
TERMS = {1: "one year", 2: "two years", 3: "three years", 5: "five years", 10: "ten years"}
YEARS = range(2024, 2036)


def _amounts() -> list[Entity]:
    """Sums of money with their half and double, equal installments, and a year's interest at each rate."""
    amounts, rates = read("legal")["facts"]["amounts"], read("legal")["facts"]["rates"]
    return [
        Entity(
            _dollars(value),
            half=_dollars(value // 2),
            twice=_dollars(value * 2),
            plans=[Entity(NUMERALS[n], each=_dollars(value // n)) for n in INSTALLMENTS if value % n == 0],
            raised=Entity("", **{str(rate): _dollars(value * (100 + rate) // 100) for rate in rates}),
            **{str(rate): _dollars(value * rate // 100) for rate in rates},
        )
        for value in amounts
    ]


def _dollars(value: int) -> str:
    return f"${value:,}"


def _years() -> list[Entity]:
    """Years, which know what year it is after a term."""
    return [
        Entity(str(year), terms=[Entity(name, year=str(year + n)) for n, name in TERMS.items()])
        for year in YEARS
    ]


def _months() -> list[Entity]:
    """Months, which know the month of the last of so many installments (early ones: in the same year)."""
    months = split(read("legal")["facts"]["months"])
    return [
        Entity(name, **{NUMERALS[n]: months[(k + n - 1) % 12] for n in INSTALLMENTS})
        for k, name in enumerate(months)
    ]


def _contracts(rng: random.Random) -> list[Entity]:
    """The kinds of contract with their terms, and the periods and rates of a world."""
    file = read("legal")
    graces, notices = (deal(rng, split(file["facts"][key])) for key in ("grace", "notice"))
    rates = deal(rng, [Entity(str(rate)) for rate in file["facts"]["rates"]])
    contracts = []
    for name, facts in file["contracts"].items():
        chosen = pick(rng, split(facts["things"]), 4)
        dealt = {"grace": next(graces), "notice": next(notices), "rate": next(rates)}
        contracts.append(Entity(name, **{**facts, "things": chosen, **dealt}))
    return pick(rng, contracts, len(contracts))


def _parties(rng: random.Random, parties: list[Entity]) -> list[Entity]:
    cities = deal(rng, split(read("legal")["facts"]["cities"]))
    for party in parties:
        party["party"] = f"{party.get('full', party['name'])} of {next(cities)}"
    return parties


@dataclass(frozen=True)
class Clause:
    """A clause, its exact log-probability in nats, its kind, and the kind of contract."""

    text: str
    log_prob: float
    plot: str
    contract: str


class Legal(Grammar):
    """The grammar of clauses. Another seed has other periods, rates, courts and homes of the parties."""

    def __init__(self, seed: int = 0) -> None:
        rng, file = world_rng("legal", seed), read("legal")
        facts = file["facts"]
        courts, months = deal(rng, split(facts["courts"])), _months()
        super().__init__(
            {
                **rules("legal"),
                "plots": plots(file["plots"]),
                "contract": _contracts(rng),
                "person": _parties(rng, people(rng)),
                "firm": _parties(rng, [Entity(name) for name in split(facts["firms"])]),
                "state": [Entity(name, court=next(courts)) for name in pick(rng, split(facts["states"]), 8)],
                "amounts": _amounts(),
                "years": _years(),
                "months": months,
                "early": months[:3],
                "dates": DATES,
                "section": [str(number) for number in range(1, 21)],
            }
        )

    def sample(self, rng: Rng) -> Clause:
        """Write a clause. The grammar is unambiguous (tested), so one derivation has all its probability."""
        clause = self.derive(rng)
        bound = clause.bound
        return Clause(clause.text, clause.log_prob, bound["plot"]["name"], bound["k"]["name"])


LEGAL = Domain("legal", make=Legal)
