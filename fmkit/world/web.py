"""Pages of the web by themselves: good prose among menus, spam, broken encodings and personal data.

What to keep is known of every page: its kind, the domain of its prose, and where each piece of personal data
is. So filters and scrubbers can be measured. All personal data is invented.

A page by itself is drawn and scored by `Web`; `fmkit.world.crawl` adds repetition.
"""

from __future__ import annotations

import math
import random
import re
from dataclasses import dataclass, field
from typing import Any

from fmkit.errors import FmkitError
from fmkit.world.domain import Source
from fmkit.world.finance import Finance
from fmkit.world.grammar import Derivation, Grammar, Rng
from fmkit.world.grammar_file import plots, read, rules
from fmkit.world.legal import Legal
from fmkit.world.medical import Medical
from fmkit.world.people import people
from fmkit.world.reviews import Reviews
from fmkit.world.rules import Entity
from fmkit.world.seeds import deal, pick, world_rng
from fmkit.world.stories import World
from fmkit.world.words import DATES, split

KINDS = {"prose": 0.45, "boilerplate": 0.16, "spam": 0.13, "mojibake": 0.11, "personal": 0.15}
"""The kinds of pages by themselves, with their shares; a crawl adds duplicates and near-duplicates."""

SOURCES = {"stories": 0.40, "reviews": 0.12, "medical": 0.16, "legal": 0.16, "finance": 0.16}
WITH_HEADER = 0.35  # the share of prose with a line of navigation above it


@dataclass(frozen=True)
class Page:
    """A page of the web; `WEB.columns` says what each field holds."""

    text: str
    log_prob: float | None
    kind: str
    source: str = ""
    personal: list[dict[str, Any]] = field(default_factory=list)
    duplicate_of: int = -1


@dataclass(frozen=True)
class Damage:
    """Damage to the encoding of a text: what it replaces by what, one after the other and reversibly."""

    pairs: tuple[tuple[str, str], ...]

    def do(self, text: str) -> str:
        for whole, broken in self.pairs:
            text = text.replace(whole, broken)
        return text

    def undo(self, text: str) -> str:
        for whole, broken in reversed(self.pairs):
            text = text.replace(broken, whole)
        return text


DAMAGES = (
    # UTF-8 read as Latin-1 or Windows-1252: the no-break space after a sentence, the typographic marks.
    Damage(((". ", ".Â\xa0"),)),
    Damage(((' "', " â€œ"), ('"', "â€\x9d"), ("'", "â€™"))),
    # HTML that was escaped once too often.
    Damage((("&", "&amp;"), ('"', "&amp;quot;"), ("'", "&amp;#39;"))),
    # What could not be decoded at all.
    Damage((('"', "\ufffd"),)),
)


class Web:
    """Pages by themselves: `sample` draws one, `log_prob` is its exact log-probability, over all kinds."""

    def __init__(self, seed: int = 0) -> None:
        rng = world_rng("web", seed)
        self.prose: dict[str, Source] = {
            "stories": World(seed),
            "reviews": Reviews(seed),
            "medical": Medical(seed),
            "legal": Legal(seed),
            "finance": Finance(seed),
        }
        self.header = Grammar({**_lists(), "start": "{header}"})
        self.junk = {
            "boilerplate": _grammar("boilerplate"),
            "spam": _grammar("spam", big=pick(rng, _numbers(rng, 1_000, 60), 60)),
            "personal": _grammar("personal", **_personal(rng)),
        }

    def sample(self, rng: Rng) -> Page:
        """Draw a page by itself."""
        kind, log_prob = _choose(KINDS, rng)
        if kind in self.junk:
            found = self.junk[kind].derive(rng)
            return Page(found.text, log_prob + found.log_prob, kind, personal=_spans(found))
        source, log_source = _choose(SOURCES, rng)
        prose = self.prose[source].sample(rng)
        text, log_prob = prose.text, log_prob + log_source + prose.log_prob
        if kind == "mojibake":
            damages = _damages(text)
            text = damages[int(rng.random() * len(damages))].do(text)
            return Page(text, log_prob - math.log(len(damages)), kind, source)
        if rng.random() < WITH_HEADER:
            header = self.header.derive(rng)
            return Page(
                f"{header.text}\n{text}", log_prob + header.log_prob + math.log(WITH_HEADER), kind, source
            )
        return Page(text, log_prob + math.log(1 - WITH_HEADER), kind, source)

    def log_prob(self, text: str) -> float:
        """The exact log-probability in nats of a page by itself; -inf if no page has this text."""
        if not isinstance(text, str):
            raise FmkitError(f"a page is text (str), not {type(text).__name__}")
        logs = [math.log(KINDS[kind]) + grammar.log_prob(text) for kind, grammar in self.junk.items()]
        header, line_break, prose = text.rpartition("\n")
        with_header = WITH_HEADER if line_break else 1 - WITH_HEADER
        above = self.header.log_prob(header) if line_break else 0.0
        logs.append(math.log(KINDS["prose"] * with_header) + above + self._prose(prose))
        for damage in DAMAGES:
            whole = damage.undo(text)
            if damage in _damages(whole) and damage.do(whole) == text:
                logs.append(math.log(KINDS["mojibake"] / len(_damages(whole))) + self._prose(whole))
        return _log_sum(logs)

    def _prose(self, text: str) -> float:
        return _log_sum([math.log(SOURCES[name]) + self.prose[name].log_prob(text) for name in SOURCES])


def _choose(weights: dict[str, float], rng: Rng) -> tuple[str, float]:
    """One of the keys, and the logarithm of its weight."""
    at, keys = rng.random(), iter(weights)
    key = next(keys)
    while at >= weights[key] and (after := next(keys, None)):
        at, key = at - weights[key], after
    return key, math.log(weights[key])


def _log_sum(logs: list[float]) -> float:
    most = max(logs)
    return most if most == -math.inf else most + math.log(math.fsum(math.exp(x - most) for x in logs))


def _damages(text: str) -> list[Damage]:
    """What can go wrong with a text, visibly and reversibly."""
    return [damage for damage in DAMAGES if damage.do(text) != text and damage.undo(damage.do(text)) == text]


def _spans(page: Derivation) -> list[dict[str, Any]]:
    """Where the personal data of a page is: each thing with a `type`, wherever its words occur."""
    spans = []
    for thing in {id(thing): thing for thing in page.bound.values() if "type" in thing}.values():
        words = re.escape(thing.get("full", thing["name"]))
        for found in re.finditer(rf"(?<!\w){words}(?!\w)", page.text):
            spans.append({"start": found.start(), "end": found.end(), "type": thing["type"]})
    return sorted(spans, key=lambda span: span["start"])


# --- Pages without prose ----------------------------------------------------------------------------------


def _lists() -> dict[str, Any]:
    return {**rules("web"), "dates": DATES}


def _grammar(kind: str, **lists: Any) -> Grammar:
    """The grammar of a kind of page, all plots of which are equally likely."""
    return Grammar(
        {"start": "{plot=plots:text}", "plots": plots(read("web")["plots"][kind]), **_lists(), **lists}
    )


def _numbers(rng: random.Random, least: int, count: int) -> list[str]:
    """Numbers of 900,000 that begin at `least`."""
    return [str(least + int(rng.random() * 900_000)) for _ in range(count)]


def _personal(rng: random.Random) -> dict[str, Any]:
    """The lists of personal data, other data in each world; what is personal has the fact `type`.

    The addresses of offices (info@...), order numbers and version numbers are there to be left alone.
    """
    facts, persons = read("web")["facts"], people(rng)
    for person in persons:
        person.update(type="name", mails=[Entity(name, type="email") for name in _mails(person)])
    phones: set[str] = set()
    for area in split(facts["areas"]):
        for form in split(facts["phones"]):
            phones |= {form.format(area, int(rng.random() * 100)) for _ in range(6)}
    streets = deal(rng, split(facts["streets"]))
    addresses = {f"{1 + int(rng.random() * 98)} {next(streets)}" for _ in range(140)}
    networks = split(facts["networks"])
    ips = {f"{network}.{1 + int(rng.random() * 254)}" for network in networks for _ in range(40)}
    return {
        "person": persons,
        "mail": [mail for person in persons for mail in person["mails"]],
        "phone": _typed("phone", rng, sorted(phones)),
        "address": _typed("address", rng, sorted(addresses)),
        "card": _typed("card", rng, split(facts["cards"])),
        "ip": _typed("ip", rng, sorted(ips)),
        "big": _numbers(rng, 100_000, 80),
    }


def _mails(person: Entity) -> tuple[str, ...]:
    first, last = person["name"].lower(), person["last"].lower()
    return (
        f"{first}.{last}@example.com",
        f"{first}@example.org",
        f"{first[0]}{last}{person['age']}@example.net",
    )


def _typed(kind: str, rng: random.Random, values: list[str]) -> list[Entity]:
    return [Entity(value, type=kind) for value in pick(rng, values, len(values))]
