"""The domains of the world by name, and the data card of each, written from the data."""

from __future__ import annotations

import difflib
import math
import statistics
from collections import Counter
from typing import TYPE_CHECKING, Any

from fmkit.errors import FmkitError
from fmkit.world.crawl import WEB
from fmkit.world.domain import Domain
from fmkit.world.facts import FACTS
from fmkit.world.finance import FINANCE
from fmkit.world.legal import LEGAL
from fmkit.world.markov import MARKOV
from fmkit.world.medical import MEDICAL
from fmkit.world.preferences import PREFERENCES
from fmkit.world.requests import REQUESTS
from fmkit.world.reviews import REVIEWS
from fmkit.world.spanish import SPANISH
from fmkit.world.stories import STORIES
from fmkit.world.support import SUPPORT

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

_PROSE = (STORIES, REVIEWS, WEB, MEDICAL, LEGAL, FINANCE, SPANISH)
_ALL = (*_PROSE, SUPPORT, PREFERENCES, REQUESTS, FACTS, MARKOV)
DOMAINS: dict[str, Domain] = {domain.name: domain for domain in _ALL}
"""The domains by name; `load_corpus` knows these names, too."""

MOST_VALUES = 30  # of a column whose values the card counts


def data_card(name: str, n_train: int = 5_000, n_validation: int = 500, seed: int = 0, world: int = 0) -> str:
    """The data card of a domain in Markdown: what it is, its columns, sizes, floor, shares, an example.

    Every figure is computed from the splits that `DOMAINS[name].load` makes with the same arguments.

    Raises `FmkitError` for an unknown name, and for fewer than two texts in a split.
    """
    if name not in DOMAINS:
        close = difflib.get_close_matches(name, DOMAINS, n=1) if isinstance(name, str) else []
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise FmkitError(f"unknown domain {name!r}: not one of {', '.join(DOMAINS)}{hint}")
    if min(n_train, n_validation) < 2:
        raise FmkitError("a data card needs at least two texts in each split")
    domain = DOMAINS[name]
    splits = domain.load(n_train, n_validation, seed, world)
    arguments = f"n_train={n_train}, n_validation={n_validation}, seed={seed}, world={world}"
    parts = [
        f"# Data card: {name}",
        domain.about,
        f"Made by `fmkit.world.DOMAINS[{name!r}].load({arguments})`. The same on every machine; "
        "`seed` draws other texts of the same world, `world` has other names and facts "
        f'(`load_corpus("{name}:{world + 1}")` is world {world + 1}).',
        "## Columns",
        _table(("column", "what it holds"), [(f"`{key}`", text) for key, text in domain.columns.items()]),
        "## Sizes and floor",
        _table(
            ("split", "texts", "different", "words a text", "longest", "characters", "nats a text"),
            [_sizes(split, splits[split]) for split in splits],
        ),
        "*Nats a text* is the mean of −log p, give or take one standard error: an estimate of the entropy, "
        "the floor under the loss of any model on a whole text. Texts without a log-probability are left "
        "out." + _known_entropy(domain, world),
        _repeats(domain, splits),
        *_counts(splits["train"]),
        "## An example",
        "\n".join(f"> {line}" for line in splits["validation"][0]["text"].split("\n")),
        "## Origin, license, limits",
        "Written by a grammar of this package: no text, person or company in it is real, and none was "
        "collected. MIT license, as the code. It has the few sentence patterns and the small vocabulary of "
        f"its grammar, in {domain.language} only; what a model learns from it says nothing about the world "
        "outside.",
    ]
    return "\n\n".join(parts) + "\n"


def _sizes(split: str, rows: Dataset) -> tuple[str, ...]:
    texts = rows["text"][:]
    words = [len(text.split()) for text in texts]
    nats = [-log_prob for log_prob in rows["log_prob"][:] if log_prob is not None]
    error = statistics.stdev(nats) / math.sqrt(len(nats))
    return (
        split,
        f"{len(texts):,}",
        f"{len(set(texts)):,}",
        f"{statistics.fmean(words):.1f}",
        str(max(words)),
        f"{sum(map(len, texts)):,}",
        f"{statistics.fmean(nats):.2f} ± {error:.2f}",
    )


def _known_entropy(domain: Domain, world: int) -> str:
    """The entropy of a text, where the world computes it (as `fmkit.world.Chain` does)."""
    nats = getattr(domain.make(world), "nats_per_text", None)
    return "" if nats is None else f" Here the entropy is known without an estimate: {nats:.2f} nats a text."


def _repeats(domain: Domain, splits: DatasetDict) -> str:
    """How much of validation is in train, too."""
    told = []
    for column, plural in (("text", "texts"), ("prompt", "prompts")):
        if column in splits["train"].column_names:
            known = set(splits["train"][column])
            held_out = splits["validation"][column][:]
            told.append(f"{sum(value in known for value in held_out) / len(held_out):.1%} of its {plural}")
    return f"Part of validation is in train, too: {' and '.join(told)}. {domain.repeats}".rstrip()


def _counts(rows: Dataset) -> list[str]:
    """How often each value occurs, for labels and the columns of words that have only a few."""
    lines = []
    for column, feature in rows.features.items():
        if getattr(feature, "dtype", "") == "string" or hasattr(feature, "names"):
            name = getattr(feature, "int2str", str)  # of a label
            counts: Counter[Any] = Counter(
                name(value) for value in rows[column][:] if value not in ("", None)
            )
            if 1 < len(counts) <= MOST_VALUES:
                shares = (f"{value} {count / len(rows):.1%}" for value, count in counts.most_common())
                lines.append(f"- `{column}`: {', '.join(shares)}")
    return ["## Shares in train", "\n".join(lines)] if lines else []


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    cells = ([cell.replace("|", "\\|") for cell in row] for row in (head, ("---",) * len(head), *rows))
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)
