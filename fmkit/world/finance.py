"""Short notes on companies and markets in which the numbers agree, with an exact log-probability.

What rises ends higher, by the percentage that is named; revenue less costs is profit; a dividend times the
shares is what it costs. A company keeps its sector, products, city, chief and rival, and a sector its reasons
for a good and a bad quarter. Amounts draw on lists that hold each other: a start knows the moves from it, and
each move its percentage, its difference and its end.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fmkit.world.base import Domain
from fmkit.world.dice import deal, dice, pick, split
from fmkit.world.people import people, plots
from fmkit.world.stories import Grammar, Rng
from fmkit.world.template import Entity

__all__ = ["FINANCE", "Finance", "MarketNote"]

COMPANIES = (
    "Oakfield, Blue Lantern, Northgate, Silver Otter, Pebble & Sons, Harbor Line, Red Kite, Morrow, "
    "Millstone, Green Acorn, Bright Bell, Old Bridge, Fox & Swan, Snowdrop, Copper Key, Westwind, Tall "
    "Pine, Golden Plum, Little River, Stonewall, Sunny Hill, Feather & Co, Black Swan, White Horse, Seven "
    "Stars, Lily & Rose, Ironwood, Big Wagon, Quiet Lake, Paper Boat, High Tower, Fern Valley"
)
CITIES = (
    "Marlow Bay, Eastbrook, Fernham, Port Alder, Hillcross, Lakeside, Redford, Stonebridge, Wickton, "
    "Ashbury, Millhaven, Clearwater, Thornton, Greyport"
)
# Each sector: its name, what it sells, what it buys, and its reasons for good and for bad quarters.
SECTORS = (
    (
        "toy maker",
        "kites, dolls, puzzles, toy trains, building blocks, balls",
        "wood, paint, plastic",
        "a busy holiday season, a new film about dragons, more birthdays than usual",
        "a long rainy spring, a strike at the harbor, the recall of a puppet",
    ),
    (
        "bakery chain",
        "bread, cakes, cookies, muffins, sandwiches, pies",
        "flour, butter, sugar",
        "cheaper flour, forty new shops, a cold and hungry winter",
        "the high price of butter, a poor harvest, empty streets in the city",
    ),
    (
        "shipbuilder",
        "boats, ferries, sails, tug boats, life jackets",
        "steel, timber, rope",
        "large orders from the navy, calm seas, a new dock",
        "late deliveries of steel, a storm at the yard, a ferry that was sent back",
    ),
    (
        "shoe company",
        "boots, sandals, running shoes, slippers, skates",
        "leather, rubber, cotton",
        "an early winter, the success of its red boots, new shops abroad",
        "a warm winter, the high price of leather, too many sandals in stock",
    ),
    (
        "farm supplier",
        "seeds, tractors, fences, wagons, pumps",
        "steel, grain, rubber",
        "a record harvest, rain at the right time, strong demand from small farms",
        "a dry summer, low prices for corn, a late spring",
    ),
    (
        "drug maker",
        "cough syrup, tablets, eye drops, vaccines, bandages",
        "sugar, glass, cotton",
        "a hard flu season, a new drug for fever, the approval of a vaccine",
        "a mild flu season, a failed test of a new drug, cheaper drugs from abroad",
    ),
    (
        "bank",
        "home loans, savings accounts, car loans, insurance, credit cards",
        "paper, software, electricity",
        "higher interest rates, fewer bad loans, many new customers",
        "lower interest rates, a wave of bad loans, a fine from the regulator",
    ),
    (
        "power company",
        "electricity, gas, solar panels, batteries, heaters",
        "coal, copper, steel",
        "a cold January, three new wind farms, cheaper coal",
        "a warm January, a broken turbine, the high price of copper",
    ),
)
BANKS = "Fox & Partners, the Harbor Bank, Old Mill Capital, the Lake Bank, Swan Brothers, the Farmers Bank"
STAFFERS = "people, engineers, drivers, clerks, students, designers"
NEXT = (("first", "second"), ("second", "third"), ("third", "fourth"), ("fourth", "first"))
AMOUNTS = (200, 100, 400, 50, 300, 80, 120, 150, 250, 500, 600, 40, 60, 160, 800, 240, 350, 450, 20, 900)
PRICES = (50, 40, 20, 100, 25, 30, 60, 80, 75, 120, 150, 200, 90)
INDEX = (4000, 5000, 3000, 6000, 2500, 8000, 3500, 4500)
STAFF = (400, 200, 500, 800, 300, 600, 700, 900)
PERCENT = (5, 10, 4, 8, 20, 2, 12, 6, 15, 25, 3, 30, 16, 40, 50)
RATES = (5, 4, 6, 3, 8, 2, 7)

# A rule or plot with ~ is written twice, for up and for down: ~rose stands for up_rose, then for down_rose.
RULES: dict[str, Any] = {
    "start": "[={plot=up_plots:text}|{plot=down_plots:text}|{plot=even_plots:text}]",
    "maker": (
        "[{co=company}, the {co.sector} from {co.city},|{co=company}|{co=company}, {co.sector_a} in "
        "{co.city},]"
    ),
    "result": "[Revenue|Sales|Quarterly revenue|Quarterly sales]",
    "said": "[said|told reporters|told shareholders|wrote to shareholders]",
    "day": "[on {day=days}|{day=days} morning|on {day=days} afternoon]",
    "site": "[warehouse|workshop|hall|building]",
    "comment": (
        '[{co.boss.full} did not want to comment.|"It was [an easy|a hard] decision," {co.boss.full} '
        '{said}.|"We have thought about this for {n=count} [months|weeks]," {co.boss.full} '
        "{said}.|{co.boss.full}, who leads the company, was [happy|calm|in good spirits|careful with "
        "words].]"
    ),
    "calm": (
        '[{co.boss.full} did not want to comment.|"We are on the right path," {co.boss.full} {said}.|"There '
        'is still much to do," {co.boss.full} {said}.|{co.boss.full}, who leads the company, was '
        "[happy|calm|in good spirits|careful with words].]"
    ),
    "up_rose": "[rose|climbed|went up|jumped]",
    "down_rose": "[fell|dropped|went down|slipped]",
    "up_mood": "[pleased|happy|proud|glad|delighted]",
    "down_mood": "[disappointed|not happy|worried|sorry|concerned]",
    "up_because": "[thanks to|helped by|because of|after]",
    "down_because": "[because of|hurt by|held back by|after]",
    "up_outlook": (
        "[expects an even better {q.next} quarter|will hire {n=count} more {people=staff}|plans to open an "
        "office in {town=cities}|will build a second {site} in {town=cities}|hopes to sell more "
        "{next=co.sells} next year]"
    ),
    "down_outlook": (
        "[expects a better {q.next} quarter|will not hire any {people=staff} this year|plans to close its "
        "office in {town=cities}|will sell its {site} in {town=cities}|hopes to sell more {next=co.sells} "
        "next year]"
    ),
    "up_a_word": "[a good|a strong|an excellent|a solid|a very good]",
    "down_a_word": "[a bad|a weak|a poor|a slow|a difficult]",
    "up_shares": (
        "[The shares closed higher|Investors were happy|The stock had its best day in {n=count} weeks|The "
        "shares {up_rose} {day}]"
    ),
    "down_shares": (
        "[The shares closed lower|Investors were not happy|The stock had its worst day in {n=count} "
        "weeks|The shares {down_rose} {day}]"
    ),
    "up_change": "[a rise|a gain|an increase]",
    "down_change": "[a fall|a drop|a decrease]",
    "up_than": "[higher|better]",
    "down_than": "[lower|worse]",
    "up_forecast": "[raised|lifted|increased]",
    "down_forecast": "[cut|lowered|reduced]",
    "up_broker": "[buy|keep|hold on to]",
    "down_broker": "[sell|avoid|get rid of]",
    "up_hint": "[We are doing better than we hoped|It is a very good year|People love what we make]",
    "down_hint": "[It has been a hard year|We are doing worse than we hoped|We must be patient]",
    "up_winner": "winner",
    "down_winner": "loser",
    "up_gain": "[gained|won]",
    "down_gain": "[lost|given up]",
    "up_less": "more",
    "down_less": "less",
    "up_jobs": "add",
    "down_jobs": "cut",
    "up_dear": "[dearer|more expensive]",
    "down_dear": "[cheaper|less expensive]",
    "up_pass": "[will ask for higher prices|has to charge more for {it=co.sells}|will buy less of it]",
    "down_pass": "[will ask for lower prices|can charge less for {it=co.sells}|will buy more of it]",
}

BOTH = {
    "earnings": (
        "{maker} had {~a_word} {q=quarters} quarter. {result} {~rose} from {b=amounts} to {m=b.~moves}, "
        "{~change} of {m.percent} percent, {~because} {why=co.~whys}. Sales of {it=co.sells} {~rose} the "
        'most. "We are {~mood}," said {co.boss.full}, who leads the company. It {~outlook}.'
    ),
    "headline": (
        "{co=company} sales {~rose} {p=percents} percent. In the {q=quarters} quarter, the {co.sector} from "
        "{co.city} [had sales of|took in|reported sales of] {m=p.~moves}, [after|compared with|against] "
        '{m.before} a year ago. [The company named|Experts named|Analysts pointed to] {why=co.~whys}. "It '
        'was {~a_word} quarter for {it=co.sells}," {co.boss.full} {said}. {~shares}.'
    ),
    "share price": (
        "Shares of {maker} {~rose} {day}. They opened at {b=prices} and closed at {m=b.~moves}, {~change} "
        "of {m.difference}, or {m.percent} percent. [Traders pointed to|Traders spoke of|Analysts named] "
        "{why=co.~whys}. [Its rival {co.rival}|{co.rival}, its rival,] [hardly moved|closed unchanged|was "
        "not traded]. An analyst at {bank=banks} told clients to {~broker} the stock."
    ),
    "expectations": (
        "Analysts had expected sales of {b=amounts} from {maker} in the {q=quarters} quarter. [Now the "
        "company has reported|In fact, it reported|The real figure was] {m=b.~moves}, which is {m.percent} "
        "percent {~than} than expected. {co.boss.full} [spoke of|named|explained it with] {why=co.~whys}. "
        "{~shares}. The company {~outlook}."
    ),
    "product line": (
        "{maker} sold {it=co.sells} worth {b=amounts} in the {q=quarters} quarter of last year. This year, "
        "it was {m=b.~moves}, {m.percent} percent {~less}. Sales of {other=co.sells} [stayed the same|did "
        "not change|were flat]. {co.boss.full}, who leads the company, was {~mood}. [Experts named|Analysts "
        "pointed to] {why=co.~whys}. The company {~outlook}."
    ),
    "forecast": (
        "[Until now|So far|Until {past=days}], {maker} had expected sales of {b=amounts} for the year. "
        "{now=days:On}, it {~forecast} this figure by {m=b.~moves:percent} percent to {m}, {~because} "
        '{why=co.~whys}. "{~hint}," {co.boss.full} {said}. [Analysts had expected this.|The news came as a '
        "surprise.|{~shares}.]"
    ),
    "market report": (
        "[Stocks|Share prices] {~rose} {day}. The index, which began at {x=index}, ended at {m=x.~moves} "
        "points, {~change} of {m.percent} percent. [The biggest {~winner}|One of the {~winner}s] was "
        "{co=company}, the {co.sector} from {co.city}: its shares {~rose} to {e=prices}, {~because} "
        "{why=co.~whys}. Shares of its rival {co.rival} [were unchanged|hardly moved]. Gold [did not "
        "change|was quiet|was steady]."
    ),
    "market share": (
        "{maker} has {~gain} ground. Its share of the market for {it=co.sells} was {x=shares} percent a "
        "year ago and is {m=x.~moves} percent in the {q=quarters} quarter, {~change} of {m.points} points. "
        "[The company names|Experts name|{co.boss.full} named] {why=co.~whys}. Its rival {co.rival} [did "
        'not want to comment|is close behind|watches this with care]. "{~hint}," {co.boss.full} {said}. The '
        "company {~outlook}."
    ),
    "jobs": (
        "{maker} will {~jobs} jobs. It has {b=workers} workers now and will have {m=b.~moves} by the end of "
        "the {q=quarters} quarter, {~change} of {m.percent} percent. [The company named|Experts "
        'name|Analysts point to] {why=co.~whys}. "{~hint}," {co.boss.full} {said}. Most of the '
        "{m.difference} jobs are in [its office in {co.city}|sales and design|its new office in "
        "{town=cities}]. {~shares}."
    ),
    "raw material": (
        "{raw=goods:Name} is getting {~dear}. A ton cost {b=prices} in the {q=quarters} quarter and now "
        "costs {m=b.~moves}, {m.percent} percent {~less}. This matters to {co=raw.buyers}, the {co.sector} "
        "from {co.city}, which uses {raw} for its {it=co.sells}. The company {~pass}, {co.boss.full} "
        "{said}. [Its rival {co.rival} did not comment.|Other prices were steady.|The stock did not move.]"
    ),
}
EVEN = {
    "profit": (
        "In the {q=quarters} quarter, {maker} had sales of {r=amounts} and costs of {c=r.costs}. That "
        "leaves a profit of {c.profit}, or {c.margin} percent of sales. [The largest cost was|Much of the "
        "money went into|A good part of the costs was for] {co.raw}. The best month was {month=months}, "
        "when {it=co.sells} [sold well|were on sale|found many buyers]. {calm}"
    ),
    "dividend": (
        "{maker} will pay a dividend of {d=dividends} a share on {month=months} {n=dates}. [There are|The "
        "company has] {t=d.totals} shares, so this will cost {t.cost} in all. [Last year, there was no "
        "dividend.|Shareholders had asked for it.|Its rival {co.rival} pays no dividend.] {comment} [The "
        "stock closed at {e=prices}.|The stock did not move.]"
    ),
    "loan": (
        "{maker} has borrowed {b=amounts} from {bank=banks} to [build|buy|repair] a {site} in "
        "{town=cities}. The interest is {i=b.rates} percent, or {i.yearly} a year. The loan must be paid "
        "back in {n=count} years. {comment} The company sells {it=co.sells} and {other=co.sells}."
    ),
    "takeover": (
        "{co=company}, the {co.sector} from {co.city}, [will buy|wants to buy|has agreed to buy] its rival "
        "{co.rival} for {b=amounts}. It will pay {c=b.parts} in cash and {c.rest} in shares. [Together, the "
        "two will sell|Both companies sell|The two sell] {it=co.sells} and {other=co.sells}. {comment} The "
        "deal should close in {month=months}. [The regulator must agree.|Investors were surprised.]"
    ),
    "half-year": (
        "{maker} had sales of {b=amounts} in the first half of the year: {c=b.parts} in the first quarter "
        "and {c.rest} in the second. [Sales of {it=co.sells} were strong in both|The best month was "
        "{month=spring}|Costs were the same in both]. {calm} The figures for the third quarter will come "
        "out on {later=autumn} {n=dates}."
    ),
    "profile": (
        "{co=company} is {co.sector_a} in {co.city}. It was founded in {co.founded} and is led by "
        "{co.boss.full}. It sells {it=co.sells}, {other=co.sells}, and {third=co.sells}, and has "
        "{b=workers} workers. Its main rival is {co.rival}. In a good year, it grows {up_because} "
        "{why=co.up_whys}; in a bad one, it suffers from {bad=co.down_whys}. [Last year, it had sales of "
        "{r=amounts}.|A share costs about {e=prices}.]"
    ),
    "new product": (
        "{maker} will [bring out|sell|show] [new|better|smaller] {it=co.sells} in {month=months}. This has "
        "cost {b=amounts} so far: {c=b.parts} for design and {c.rest} for machines. [The first test|A test "
        "with customers] was held in {town=cities} {day}. {comment} [The rival {co.rival} plans the same.|A "
        "rival, {co.rival}, was faster.|The price is not known yet.]"
    ),
}


def _moves(
    values: tuple[int, ...], show: Callable[[int], str], by: tuple[int, ...] = PERCENT
) -> dict[str, list[Entity]]:
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


def _amounts() -> list[Entity]:
    """Amounts in millions, with the ways to split them into costs and profit or into parts, and interest."""
    amounts = _moves(AMOUNTS, _million)["starts"]
    for amount, value in zip(amounts, AMOUNTS, strict=True):
        profits = [(margin, value * margin // 100) for margin in PERCENT if value * margin % 100 == 0]
        amount["costs"] = [
            Entity(_million(value - profit), profit=_million(profit), margin=str(margin))
            for margin, profit in profits
        ]
        parts = [
            value * tenths // 20 for tenths in (10, 8, 12, 5, 15, 9, 11, 7, 13) if value * tenths % 20 == 0
        ]
        amount["parts"] = [Entity(_million(part), rest=_million(value - part)) for part in parts]
        amount["rates"] = [
            Entity(str(rate), yearly=_million(value * rate // 100))
            for rate in RATES
            if value * rate % 100 == 0
        ]
    return amounts


def _million(value: int) -> str:
    return f"${value:,} million"


def _dollars(value: int) -> str:
    return f"${value}"


def _count(value: int) -> str:
    return f"{value:,}"


def _shares() -> list[Entity]:
    """Shares of a market in percent, which rise and fall by points."""
    ways = {"up_moves": 1, "down_moves": -1}
    return [
        Entity(
            str(before),
            **{
                way: [Entity(str(before + sign * points), points=str(points)) for points in (2, 3, 4, 5, 6)]
                for way, sign in ways.items()
            },
        )
        for before in (20, 15, 30, 25, 12, 18, 35, 40, 10)
    ]


def _dividends() -> list[Entity]:
    """Dividends a share, with numbers of shares and what these cost together."""
    return [
        Entity(
            f"{cents} cents",
            totals=[
                Entity(f"{shares} million", cost=_million(cents * shares // 100))
                for shares in (20, 50, 100, 40, 60, 80, 200)
                if cents * shares % 100 == 0
            ],
        )
        for cents in (50, 20, 10, 25, 40, 30, 60, 75)
    ]


def _companies(rng: random.Random) -> tuple[list[Entity], list[Entity]]:
    """Three companies in each sector, with facts; and the goods they buy."""
    names, cities, bosses = deal(rng, split(COMPANIES)), deal(rng, split(CITIES)), deal(rng, people(rng))
    companies: list[Entity] = []
    goods: dict[str, list[Entity]] = {}
    for sector, sells, buys, up, down in SECTORS:
        here = [next(names) for _ in range(3)]
        raws = deal(rng, split(buys))
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
                sells=pick(rng, split(sells), 4),
                up_whys=pick(rng, split(up), 2),
                down_whys=pick(rng, split(down), 2),
            )
            companies.append(company)
            goods.setdefault(company["raw"], []).append(company)
    materials = [Entity(raw, buyers=buyers) for raw, buyers in goods.items()]
    return pick(rng, companies, len(companies)), pick(rng, materials, len(materials))


def _twice(templates: dict[str, str], way: str) -> dict[str, str]:
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
        companies, goods = _companies(dice("finance", seed))
        prices, index = _moves(PRICES, _dollars)["starts"], _moves(INDEX, _count, (1, 2, 3))["starts"]
        super().__init__(
            {
                **RULES,
                "up_plots": plots(_twice(BOTH, "up_"), direction="up"),
                "down_plots": plots(_twice(BOTH, "down_"), direction="down"),
                "even_plots": plots(EVEN, direction="none"),
                "company": companies,
                "goods": goods,
                "amounts": _amounts(),
                "percents": _moves(AMOUNTS, _million)["percents"],
                "prices": prices,
                "index": index,
                "workers": _moves(STAFF, _count)["starts"],
                "shares": _shares(),
                "dividends": _dividends(),
                "quarters": [Entity(name, next=after) for name, after in NEXT],
                "days": [
                    Entity(f"{day}day", On=f"On {day}day")
                    for day in ("Mon", "Tues", "Wednes", "Thurs", "Fri")
                ],
                "months": split("March, May, June, September, October, November, April, January"),
                "spring": split("March, May, June, February"),
                "autumn": split("October, November"),
                "dates": [Entity(str(day)) for day in range(1, 29)],
                "count": split("three, two, four, ten, six, five, twenty, eight, twelve"),
                "cities": split(CITIES),
                "banks": split(BANKS),
                "staff": split(STAFFERS),
            }
        )

    def sample(self, rng: Rng) -> MarketNote:
        """Write a note. The grammar is unambiguous (tested), so one derivation has all its probability."""
        note = self.derive(rng)
        plot = note.bound["plot"]
        return MarketNote(note.text, note.log_prob, plot["name"], note.bound["co"]["name"], plot["direction"])


FINANCE = Domain(
    name="finance",
    about=(
        "Short notes on companies and markets in which the numbers agree: what rises ends higher by the "
        "percentage that is named, revenue less costs is profit, a dividend times the shares is its cost. "
        "In one world a company keeps its sector, products, city, chief and rival. Made for continued "
        "pre-training on a new domain, for arithmetic that can be checked, and for a direction to classify. "
        "All companies are invented, amounts are round, and reasons are few: real reports are long and "
        "rarely agree this well."
    ),
    columns={
        "text": "the note",
        "log_prob": "exact log-probability of the text in nats, over everything this world can write",
        "plot": f"the kind of note: one of {len(BOTH)} with a direction or of {len(EVEN)} without",
        "company": "the company that the note is about",
        "direction": "where things went: up, down or none, in equal shares",
    },
    make=Finance,
)
