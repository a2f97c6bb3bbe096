"""Pages as a crawl finds them: good prose among menus, spam, broken encodings, personal data and duplicates.

What to keep is known of every page: its kind, the dialect of its prose, where each piece of personal data
stands, and which page it repeats. So filters, scrubbers and searches for duplicates can be measured.

A page by itself is drawn and scored by `Web`. Repetition is a matter of the whole crawl: `WEB.load` adds it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from fmkit.errors import FmkitError
from fmkit.world import web_words
from fmkit.world.base import Domain
from fmkit.world.dice import dice
from fmkit.world.finance import Finance
from fmkit.world.legal import Legal
from fmkit.world.medical import Medical
from fmkit.world.reviews import Reviews
from fmkit.world.stories import Derivation, Grammar, Rng, Source, World, sample_splits

if TYPE_CHECKING:
    from datasets import DatasetDict

__all__ = ["KINDS", "WEB", "Crawl", "Page", "Web"]

KINDS = {"prose": 0.45, "boilerplate": 0.16, "spam": 0.13, "mojibake": 0.11, "personal": 0.15}
"""The kinds of pages by themselves, with their shares; a crawl adds duplicates and near-duplicates."""

DUPLICATES, NEAR_DUPLICATES = 0.10, 0.08  # the shares of a crawl's pages that repeat an earlier one
SOURCES = {"stories": 0.40, "reviews": 0.12, "medical": 0.16, "legal": 0.16, "finance": 0.16}
SHORTEST = 30  # words of a page that may have near-duplicates
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
    """A wrong turn in the encoding of a text: what it replaces by what, one by one and reversibly."""

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
        rng = dice("web", seed)
        self.prose: dict[str, Source] = {
            "stories": World(seed),
            "reviews": Reviews(seed),
            "medical": Medical(seed),
            "legal": Legal(seed),
            "finance": Finance(seed),
        }
        self.header = web_words.header()
        self.junk: dict[str, Grammar] = {
            "boilerplate": web_words.boilerplate(),
            "spam": web_words.spam(rng),
            "personal": web_words.personal(rng),
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
        """The exact log-probability in nats of a page by itself; -inf for what no page can be."""
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
    """Where the personal data of a page stands: each thing with a `type`, wherever its words occur."""
    spans = []
    for thing in {id(thing): thing for thing in page.bound.values() if "type" in thing}.values():
        words = re.escape(thing.get("full", thing["name"]))
        for found in re.finditer(rf"(?<!\w){words}(?!\w)", page.text):
            spans.append({"start": found.start(), "end": found.end(), "type": thing["type"]})
    return sorted(spans, key=lambda span: span["start"])


class Crawl:
    """Pages in the order of a crawl: some repeat an earlier page, exactly or with a few words changed."""

    def __init__(self, web: Web) -> None:
        self.web = web
        self.pages: list[Page] = []
        self.originals: list[int] = []
        self.prose: list[int] = []  # the originals that are long enough to have near-duplicates
        self.texts: set[str] = set()

    def sample(self, rng: Rng) -> Page:
        """The next page. Only a page that is marked as a duplicate has the text of another."""
        at = rng.random()
        if at < DUPLICATES and self.originals:
            index = self.originals[int(rng.random() * len(self.originals))]
            page = replace(self.pages[index], kind="duplicate", duplicate_of=index)
        elif DUPLICATES <= at < DUPLICATES + NEAR_DUPLICATES and self.prose:
            page = self._near_duplicate(self.prose[int(rng.random() * len(self.prose))], rng)
        else:
            page = self._new(lambda: self.web.sample(rng))
            self.originals.append(len(self.pages))
            if page.kind == "prose" and len(page.text.split()) >= SHORTEST:
                self.prose.append(len(self.pages))
        self.texts.add(page.text)
        self.pages.append(page)
        return page

    def _near_duplicate(self, index: int, rng: Rng) -> Page:
        page = self.pages[index]
        return self._new(
            lambda: replace(
                page,
                text=_change(page.text, rng),
                log_prob=None,
                kind="near-duplicate",
                duplicate_of=index,
            )
        )

    def _new(self, draw: Callable[[], Page]) -> Page:
        """Draw until the text is one that the crawl does not have."""
        page = draw()
        while page.text in self.texts:
            page = draw()
        return page


def _change(text: str, rng: Rng) -> str:
    """A text with one to three of its words left out, or replaced by another of its words."""
    words = text.split(" ")
    for _ in range(1 + int(rng.random() * 3)):
        at, other = int(rng.random() * len(words)), int(rng.random() * len(words))
        words[at : at + 1] = [words[other]] if rng.random() < 0.5 else []
    return " ".join(words)


class _WebDomain(Domain):
    """The web as a crawl: each split is one, so that pages can repeat each other."""

    def load(
        self, n_train: int = 5_000, n_validation: int = 500, seed: int = 0, world: int = 0
    ) -> DatasetDict:
        from datasets import DatasetDict, Features, Value

        span = {"start": Value("int64"), "end": Value("int64"), "type": Value("string")}
        features = Features(
            text=Value("string"),
            log_prob=Value("float64"),
            kind=Value("string"),
            source=Value("string"),
            personal=[span],
            duplicate_of=Value("int64"),
        )
        web, splits = Web(world), DatasetDict()
        for split, size in {"train": n_train, "validation": n_validation}.items():
            splits |= sample_splits({split: size}, seed, Crawl(web).sample, features)
        return splits


WEB = _WebDomain(
    name="web",
    about=(
        "Pages as a crawl finds them: prose of the stories, reviews, notes, clauses and market reports "
        "(some below a line of navigation), boilerplate, keyword spam, broken encodings, pages with "
        "personal data, and duplicates. Made for measuring filters, deduplication, the removal of personal "
        "data, and selection: the truth about each page is in its columns. log_prob is the exact "
        "log-probability of a page drawn by itself, over all kinds; a duplicate has that of its original, a "
        "near-duplicate has none. A page drawn twice is drawn again, so equal texts are always marked, "
        "while short pages may be alike by chance. Only pages of the kind personal are searched for "
        "personal data: names in prose and addresses of offices are not marked. All personal data is "
        "invented, from ranges reserved for examples. A real crawl has far more kinds of dirt, in many "
        "languages, and no ground truth."
    ),
    columns={
        "text": "the page",
        "log_prob": "exact log-probability of the page by itself, in nats; null for a near-duplicate",
        "kind": f"{', '.join(KINDS)}, duplicate or near-duplicate",
        "source": f"the dialect of the prose ({', '.join(SOURCES)}); empty for pages without prose",
        "personal": (
            "personal data, a list of start and end (characters from 0) and type: name, email, phone, "
            "address, card, ip"
        ),
        "duplicate_of": "index in the same split of the page that this one repeats, or -1",
    },
    make=Web,
)
