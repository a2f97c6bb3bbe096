"""Clauses of small contracts in which terms, dates and cross-references hold, with an exact log-probability.

A defined term is used as it was defined; a period that starts on a day ends on that day, so many years later;
installments add up to the price; a clause that points to a section points to the one that was named. In one
world a kind of contract has its notice period, rate of interest and grace period, and a state its court.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from fmkit.world.base import Domain
from fmkit.world.dice import deal, dice, pick, split
from fmkit.world.people import people, plots
from fmkit.world.stories import Grammar, Rng
from fmkit.world.template import Entity

__all__ = ["LEGAL", "Clause", "Legal"]

# Kind of contract | who gives | who takes | what it is about, a defined term and the things that it can be |
# what the giver does, and to or for whom | what the money is called | a duty of the taker.
CONTRACTS = (
    "Lease|Landlord|Tenant|Premises: a small house, a shop, a barn, a mill, a bakery, a garden|lets "
    "to|rent|keep the Premises clean",
    "Sale Agreement|Seller|Buyer|Goods: ten boats, forty chairs, a piano, two horses, six tents, a "
    "wagon|sells to|price|collect the Goods",
    "Loan Agreement|Lender|Borrower|Loan: a loan for a boat, a loan for a shop, a loan for a farm, a loan "
    "for a school|gives to|sum|use the Loan for nothing else",
    "Service Agreement|Provider|Client|Services: cleaning, cooking, painting, gardening, teaching|provides "
    "for|fee|give the Provider a key",
    "Building Contract|Builder|Owner|Work: a bridge, a fence, a tower, a school hall, a well, a "
    "stable|builds for|price|keep the road to the Work open",
    "License Agreement|Licensor|Licensee|Rights: the rights to a song, the rights to a film, the rights to "
    "a book, the rights to a game|licenses to|royalty|name the Licensor on every copy",
    "Storage Agreement|Keeper|Depositor|Items: twenty boxes, a boat, old books, two cars, some "
    "furniture|stores for|charge|tell the Keeper what the Items are worth",
    "Supply Agreement|Supplier|Customer|Products: apples, bread, flour, honey, wood, paint|supplies "
    "to|cost|check the Products on arrival",
)
STATES = "Northmark, Eastvale, Lakeland, Marshfield, Hillshire, Seabright, Oldwood, Greenmoor"
COURTS = "Oakfield, Port Alder, Stonebridge, Fernham, Ashbury, Redford, Lakeside, Hillcross"
CITIES = "Marlow Bay, Wickton, Thornton, Greyport, Millhaven, Clearwater, Eastbrook"
FIRMS = (
    "Blue Lantern Ltd., Silver Otter Inc., Pebble & Sons, Harbor Line Inc., Red Kite Ltd., Green Acorn "
    "Inc., Fox & Swan, Snowdrop Ltd., Copper Key Inc., Tall Pine Ltd., Golden Plum Inc., Little River Ltd., "
    "Lily & Rose, Seven Stars Inc."
)
COUNTS = {3: "three", 4: "four", 5: "five", 6: "six", 8: "eight", 10: "ten"}
RATES = (4, 5, 6, 8, 10)
MONTHS = split(
    "January, February, March, April, May, June, July, August, September, October, November, December"
)
AMOUNTS = (1200, 600, 2400, 500, 1000, 3000, 4800, 800, 6000, 1500, 2000, 400, 3600, 9000)
YEARS = range(2024, 2036)

RULES: dict[str, Any] = {
    "start": "{n=section}. {plot=plots:text}",
    "party": "[{a=person:party}|{a=firm:party}]",
    "other": "[{b=person:party}|{b=firm:party}]",
    "date": "{day=dates} {month=months} {y=years}",
    "shall": "[shall|must|will]",
    "shall_not": "[shall not|may not|must not]",
    "written": "[in writing|by letter|by registered letter]",
    "either": "[Either party|Each party]",
    "unless": "[Unless the parties agree otherwise in writing,|Without a written agreement to the contrary,]",
    "stays": "[This clause|This duty|This Section] [remains in force|continues to apply|stays in force]",
    "also": (
        "[| {either} {shall} bear its own costs.| The {k.second} {shall} also {k.duty}.| Section "
        "{r=section} is not affected.| This also applies to the [heirs|successors|agents] of the parties.| "
        "All this is subject to Section {r=section}.]"
    ),
}

PLOTS = {
    "parties": (
        'Parties. This {k=contract} is made on {date} between {party} (the "{k.first}") and {other} (the '
        '"{k.second}"). The {k.first} {k.does} {x=k.things} (the "{k.term}") {k.way} the {k.second}. The '
        "{k.second} {shall} {k.duty} and pay the {k.money} under Section {s=section}. [This {k}|The {k}] is "
        "governed by the laws of {st=state}."
    ),
    "definitions": (
        'Definitions. In this {k=contract}, "Parties" means the {k.first} and the {k.second}; "{k.term}" '
        'means {x=k.things}, as described in Section {s=section}; "Start Date" means {date}; and "End Date" '
        "means {day} {month} {t=y.terms:year}, that is, {t} after the Start Date. [Other words have their "
        "usual meaning.|Words in the singular include the plural.|Headings are for convenience only.]"
    ),
    "term": (
        "Term. This {k=contract} begins on {date} and runs for {t=y.terms}. It ends on {day} {month} "
        "{t.year}, unless it is ended earlier under Section {s=section}. [At the end|On that day], the "
        "{k.second} {shall} [settle all open bills|return all keys and papers|pay what is still owed] "
        "within {k.grace} days. The duties of Section {s} [do not end with the {k}|continue after the "
        "end].{also}"
    ),
    "payment": (
        "Payment. The {k=contract:second} {shall} pay the {k.money} of {p=amounts} to the {k.first} in "
        "{i=p.plans} equal installments of {i.each}. The first is due on {day=dates} {month=early} "
        "{y=years}, and the others on the same day of each following month, so that the last is due on "
        "{day} {month(i)} {y}. If one is more than {k.grace} days late, [the whole sum falls due|Section "
        "{s=section} applies]."
    ),
    "late payment": (
        "Late payment. If the {k=contract:second} does not pay within {k.grace} days, [the {k.first} may "
        "charge interest|interest is due] at {k.rate} percent a year. [For example, on|On] a debt of "
        "{p=amounts}, this is {p(k.rate)} for a full year. The {k.first} {shall} first send a reminder "
        "{written}. [The right to end this {k} under Section {s=section} remains.|Part payments count first "
        "toward interest.]{also}"
    ),
    "termination": (
        "Termination. {either} may end this {k=contract} {written} with {k.notice} days' notice to the end "
        "of a [month|quarter|year]. The {k.first} may end it at once if the {k.second} [is more than "
        "{k.grace} days late with the {k.money}|breaks Section {s=section}|does not {k.duty}]. [Notice by "
        "telephone is not enough.|Reasons must be given.|No reasons need be given.]{also}"
    ),
    "breach": (
        "Breach. If the {k=contract:first} or the {k.second} breaks a duty under Section {s=section}, the "
        "other {shall} give notice {written}. The breach must be put right within {k.grace} days. [If it is "
        "not|Otherwise], the other party may [end this {k}|ask for damages|ask for damages and end this "
        "{k}] under Section {r=section}. [A second notice is not needed.|A small delay is not a breach of "
        "Section {s}.]"
    ),
    "confidentiality": (
        "Confidentiality. The {k=contract:first} and the {k.second} {shall} keep secret what they learn "
        "from each other about [prices|plans|customers|recipes|designs], and {shall_not} pass it on without "
        "[written consent|consent]. [This does not apply|Section {s=section} does not apply] to what is "
        "already public. {stays} for {c=count} years after the end of this {k}.{also}"
    ),
    "liability": (
        "Liability. The {k=contract:first} is liable to the {k.second} for damage [caused by "
        "carelessness|caused on purpose or by carelessness], but not for more than [twice|two times] the "
        "{k.money}: as the {k.money} is {p=amounts}, not for more than {p.twice} in all. [This limit does "
        "not apply|The limit of {p.twice} does not apply] to injuries. Claims must be made {written} within "
        "{c=count} months.{also}"
    ),
    "governing law": (
        "Governing law. This {k=contract} is governed by the laws of {st=state}. Disputes between the "
        "{k.first} and the {k.second} {shall} be [decided|heard] by the courts of {st.court}, [and by no "
        "others|unless Section {s=section} says otherwise]. [Before that|First], the parties {shall} [talk "
        "to each other|try to agree] for at least {k.grace} days.{also}"
    ),
    "force majeure": (
        "Force majeure. The {k=contract:first} is not liable for a delay caused by [=a storm|a flood|a "
        "fire|a war|a strike|an epidemic|an earthquake], if the {k.second} is told {written} within "
        "{k.grace} days. [If the delay lasts|After a delay of] more than {c=count} months, [either party "
        "may end|the {k.second} may end] this {k} under Section {s=section}. [The {k.money} is not due in "
        "the meantime.|Money already paid is kept.]{also}"
    ),
    "assignment": (
        "Assignment. The {k=contract:second} {shall_not} pass this {k} on to another person without the "
        "[written consent|consent] of the {k.first}. [Consent may be refused only for a good reason.|If the "
        "{k.first} does not answer within {k.grace} days, consent is given.] [The {k.first} may pass it on "
        "to {firm=firm:party}.|Section {s=section} also binds the new party.]{also}"
    ),
    "amendment": (
        "Entire agreement. This {k=contract} replaces all earlier agreements between the {k.first} and the "
        "{k.second} about the {k.term}, [in particular that|also that] of {date}. Changes [are valid "
        "only|must be made] {written} and signed by both. If Section {s=section} is not valid, [the rest "
        "remains valid|the other Sections remain in force].{also}"
    ),
    "insurance": (
        "Insurance. The {k=contract:second} {shall} take out insurance against "
        "[=fire|theft|floods|storms|accidents] for at least {p=amounts} and show the policy to the "
        "{k.first} within {k.grace} days. [If this is not done|If the {k.second} does not do so], the "
        "{k.first} may do so and [add its cost to the {k.money}|send the bill to the {k.second}]. Damage "
        "must be reported under Section {s=section}.{also}"
    ),
    "mediation": (
        "Mediation. If the {k=contract:first} and the {k.second} cannot agree, they {shall} ask "
        "{person=person:party} to mediate. [{person.He} may hear both sides|{person.He} {shall} hear both "
        "sides] within {k.grace} days. The cost of {p=amounts} is shared: {p.half} each. [If no agreement "
        "is found|If {person.he} finds no solution], the courts of {st=state:court} decide by the laws of "
        "{st}.{also}"
    ),
    "deposit": (
        "Deposit. The {k=contract:second} {shall} pay a deposit of {p=amounts} by {date}. [It is half of "
        "the {k.money}, which is {p.twice}.|The {k.money} itself is {p.twice}, twice as much.] The "
        "{k.first} {shall} pay it back within {k.grace} days after the end of this {k}, [less the cost of "
        "any damage|unless Section {s=section} applies]. It bears [no interest|interest at {k.rate} percent "
        "a year].{also}"
    ),
    "renewal": (
        "Renewal. This {k=contract} ends on {date}. It is renewed for {t=y.terms}, until {day} {month} "
        "{t.year}, [unless|if not] ended {written} with {k.notice} days' notice. The {k.money} {shall} then "
        "rise by {k.rate} percent, from {p=amounts} to {p.raised(k.rate)}. [The other terms stay the "
        "same.|Section {s=section} stays the same.]{also}"
    ),
    "notices": (
        "Notices. Notices to the {k=contract:first} go to {party}, and notices to the {k.second} to "
        "{other}. They must be made {written} and count as received after {c=count} days. {either} {shall} "
        "tell the other of a new address within {k.grace} days. [Notice under Section {s=section} must be "
        "signed.|E-mail is not enough.|E-mail is enough.]"
    ),
}


def _amounts() -> list[Entity]:
    """Sums of money with their half and double, equal installments, and a year's interest at each rate."""
    return [
        Entity(
            _dollars(value),
            half=_dollars(value // 2),
            twice=_dollars(value * 2),
            plans=[Entity(name, each=_dollars(value // n)) for n, name in COUNTS.items() if value % n == 0],
            raised=Entity("", **{str(rate): _dollars(value * (100 + rate) // 100) for rate in RATES}),
            **{str(rate): _dollars(value * rate // 100) for rate in RATES},
        )
        for value in AMOUNTS
    ]


def _dollars(value: int) -> str:
    return f"${value:,}"


def _years() -> list[Entity]:
    """Years, which know what year it is after a term."""
    terms = {1: "one year", 2: "two years", 3: "three years", 5: "five years", 10: "ten years"}
    return [
        Entity(str(year), terms=[Entity(name, year=str(year + n)) for n, name in terms.items()])
        for year in YEARS
    ]


def _months() -> list[Entity]:
    """Months, which know the month of the last of so many installments (early ones: in the same year)."""
    return [
        Entity(name, **{word: MONTHS[(k + n - 1) % 12] for n, word in COUNTS.items()})
        for k, name in enumerate(MONTHS)
    ]


def _contracts(rng: random.Random) -> list[Entity]:
    """The kinds of contract with their terms, and the periods and rates of a world."""
    graces, notices = (
        deal(rng, split("ten, seven, fourteen, five")),
        deal(rng, split("thirty, sixty, ninety")),
    )
    rates = deal(rng, [Entity(str(rate)) for rate in RATES])
    contracts = []
    for text in CONTRACTS:
        name, first, second, about, does, money, duty = text.split("|")
        term, _, things = about.partition(": ")
        verb, way = does.split()
        contracts.append(
            Entity(
                name,
                first=first,
                second=second,
                term=term,
                things=pick(rng, split(things), 4),
                does=verb,
                way=way,
                money=money,
                duty=duty,
                grace=next(graces),
                notice=next(notices),
                rate=next(rates),
            )
        )
    return pick(rng, contracts, len(contracts))


def _parties(rng: random.Random, parties: list[Entity]) -> list[Entity]:
    cities = deal(rng, split(CITIES))
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
        rng = dice("legal", seed)
        courts, months = deal(rng, split(COURTS)), _months()
        super().__init__(
            {
                **RULES,
                "plots": plots(PLOTS),
                "contract": _contracts(rng),
                "person": _parties(rng, people(rng)),
                "firm": _parties(rng, [Entity(name) for name in split(FIRMS)]),
                "state": [Entity(name, court=next(courts)) for name in pick(rng, split(STATES), 8)],
                "amounts": _amounts(),
                "years": _years(),
                "months": months,
                "early": months[:3],
                "dates": [Entity(str(day)) for day in range(1, 29)],
                "section": [Entity(str(number)) for number in range(1, 21)],
                "count": split("three, two, six, four, five, ten"),
            }
        )

    def sample(self, rng: Rng) -> Clause:
        """Write a clause. The grammar is unambiguous (tested), so one derivation has all its probability."""
        clause = self.derive(rng)
        bound = clause.bound
        return Clause(clause.text, clause.log_prob, bound["plot"]["name"], bound["k"]["name"])


LEGAL = Domain(
    name="legal",
    about=(
        "Clauses of small contracts: parties, definitions, payment, late payment, termination, liability, "
        "courts. A defined term is used as it was defined, terms end on the day they should, installments "
        "add up, and references agree. In one world a kind of contract has its own notice, grace period and "
        "rate of interest, and a state its court. Made for continued pre-training on a new domain. The "
        "places and firms are invented, the law is too: nothing here is legal advice, and real contracts "
        "are far longer and harder."
    ),
    columns={
        "text": "the clause",
        "log_prob": "exact log-probability of the text in nats, over everything this world can write",
        "plot": f"the kind of clause, one of {len(PLOTS)}, all equally likely",
        "contract": "the kind of contract that the clause belongs to",
    },
    make=Legal,
)
