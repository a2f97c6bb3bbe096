"""Pages as a crawl finds them: those of `fmkit.world.web`, and pages that repeat an earlier one.

Which page each one repeats is known, so searches for duplicates can be measured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from fmkit.world.domain import Domain
from fmkit.world.grammar import Rng
from fmkit.world.web import Page, Web

if TYPE_CHECKING:
    from datasets import Features

DUPLICATES, NEAR_DUPLICATES = 0.10, 0.08  # the shares of a crawl's pages that repeat an earlier one
SHORTEST = 30  # words of a page that may have near-duplicates


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


def _features() -> Features:
    from datasets import Features, Value

    span = {"start": Value("int64"), "end": Value("int64"), "type": Value("string")}
    return Features(
        text=Value("string"),
        log_prob=Value("float64"),
        kind=Value("string"),
        source=Value("string"),
        personal=[span],
        duplicate_of=Value("int64"),
    )


# Each split is a crawl of its own, so that its pages can repeat each other.
WEB = Domain("web", make=Web, features=_features, sampler=lambda web: Crawl(web).sample)
