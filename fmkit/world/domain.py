"""What the domains of the story world have in common: each is a source of texts that knows their probability.

A domain has a file in grammars/, with its words and templates, and a module that deals out its facts and
exports one `Domain`. Its `make(N)` builds *world* N of the domain: another number means other names, facts
and answers, with the same grammar of the language. The world's `sample(rng)` returns a frozen dataclass whose
fields are the columns of the data set; among them are `text` and `log_prob`, the exact log-probability of
`text` in nats (unless `about` says otherwise).
"""

from __future__ import annotations

import operator
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from fmkit.errors import FmkitError
from fmkit.world.grammar import Rng
from fmkit.world.grammar_file import read

if TYPE_CHECKING:
    from datasets import DatasetDict, Features

Sampler = Callable[[Rng], Any]


class Source(Protocol):
    """What draws texts and knows their probability: samples have `text` and its `log_prob` in nats."""

    def sample(self, rng: Rng) -> Any: ...
    def log_prob(self, text: str) -> float: ...


@dataclass(frozen=True)
class Domain:
    """A domain: its name and what makes a world of it.

    `n_train` and `n_validation` are the default sizes of its splits. `features` gives the types of the
    columns that cannot be told from the values. `sampler` returns what draws the rows of one split, by
    default the world's own `sample`.
    """

    name: str
    make: Callable[[int], Source]
    n_train: int = 5_000
    n_validation: int = 500
    features: Callable[[], Features] | None = None
    sampler: Callable[[Any], Sampler] = operator.attrgetter("sample")

    @property
    def about(self) -> str:
        """What the domain holds, what it is for and how it differs from the real thing."""
        return str(read(self.name)["about"])

    @property
    def columns(self) -> Mapping[str, str]:
        """What each column holds."""
        columns: Mapping[str, str] = read(self.name)["columns"]
        return columns

    @property
    def language(self) -> str:
        """The language of the texts."""
        return str(read(self.name).get("language", "English"))

    @property
    def repeats(self) -> str:
        """What it means that texts of train come again in validation, if many do."""
        return str(read(self.name).get("repeats", ""))

    def load(
        self,
        n_train: int | None = None,
        n_validation: int | None = None,
        seed: int = 0,
        world: int = 0,
    ) -> DatasetDict:
        """Samples as a `DatasetDict` of `train` and `validation`, the same on every machine.

        `world` is the number of the world: another one has other names and facts. `seed` draws other texts
        of the same world. Raises `FmkitError` for fewer than one text in a split, and for a world that is no
        whole number.
        """
        from datasets import Dataset, DatasetDict

        sizes = {
            "train": self.n_train if n_train is None else n_train,
            "validation": self.n_validation if n_validation is None else n_validation,
        }
        source, features = self.make(world), self.features and self.features()
        splits = {}
        for split, size in sizes.items():
            at_least(f"n_{split}", size, 1)
            sample, rng = self.sampler(source), random.Random(f"{split} {seed}")
            splits[split] = Dataset.from_list([vars(sample(rng)) for _ in range(size)], features=features)
        return DatasetDict(splits)


def at_least(name: str, value: object, least: int) -> None:
    """Raise `FmkitError` unless the argument called `name` is a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise FmkitError(f"{name} must be a whole number of at least {least}, not {value!r}")
