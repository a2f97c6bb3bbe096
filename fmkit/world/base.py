"""What every dialect of the world is: texts of one kind, from a source that knows their probability.

A dialect is a module of this package that exports one `Domain`. Its `make(N)` builds *world* N of the
dialect: for another number, other names, facts and answers, and the same grammar of the language. The world's
`sample(rng)` returns a frozen dataclass whose fields are the columns of the data set; among them are `text`
and `log_prob`, the exact log-probability of `text` in nats (where it is of something else, `about` says so).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fmkit.world.stories import Source, sample_splits

if TYPE_CHECKING:
    from datasets import DatasetDict


@dataclass(frozen=True)
class Domain:
    """A dialect: `about` says in a few sentences what it holds, what it is for and where it is unlike the
    real thing; `columns` says what each column holds; `repeats` what it means that texts of train come again
    in validation, where many do. Together they become the data card."""

    name: str
    about: str
    columns: Mapping[str, str]
    make: Callable[[int], Source]
    repeats: str = ""

    def load(
        self, n_train: int = 5_000, n_validation: int = 500, seed: int = 0, world: int = 0
    ) -> DatasetDict:
        """Samples as a `DatasetDict` of `train` and `validation`, the same on every machine.

        `world` is the number of the world: another one has other names and facts. `seed` draws other texts
        of the same world. Raises `FmkitError` for fewer than one text in a split, and for a world that is no
        whole number.
        """
        sizes = {"train": n_train, "validation": n_validation}
        return sample_splits(sizes, seed, self.make(world).sample)
