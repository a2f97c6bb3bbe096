"""How far annotators agree, and how far beyond chance."""

from collections import Counter
from collections.abc import Hashable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from fmkit.errors import FmkitError
from fmkit.settings import as_several


def agreement(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """Compute the share of items to which two annotators gave the same label. Errors as in `cohen_kappa`."""
    first, second = as_several(first), as_several(second)
    if not first or len(first) != len(second):
        raise FmkitError(f"{len(first)} and {len(second)} labels: give two for each item")
    return sum(a == b for a, b in zip(first, second, strict=True)) / len(first)


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """Compute the agreement beyond chance: 1 is full agreement, 0 that of two who label without looking.

    κ = (p_o - p_e) / (1 - p_e), with p_o the observed agreement and p_e the one expected by chance, if both
    kept their shares of each label (Cohen 1960, "A coefficient of agreement for nominal scales"). Raises
    `FmkitError` for no labels, for lengths that differ, and where both gave every item the same one label:
    then nothing was told apart.
    """
    first, second = as_several(first), as_several(second)
    observed, counts, others = agreement(first, second), Counter(first), Counter(second)
    expected = sum(counts[label] * others[label] for label in counts) / len(first) ** 2
    if expected == 1:
        raise FmkitError("both gave every item the same label: kappa says nothing here")
    return (observed - expected) / (1 - expected)


def krippendorff_alpha(ratings: Sequence[Sequence[Hashable | None]], level: str = "nominal") -> float:
    """Compute the agreement beyond chance of any number of annotators, who need not have rated every item.

    `ratings` has a row for each annotator, with None where an item was not rated. α = 1 - D_o / D_e, with D_o
    the observed disagreement within items and D_e the one between any two ratings (Krippendorff 2019,
    "Content Analysis", chapter 12), by the library `krippendorff`. On the `level` "ordinal" or "interval",
    where ratings are numbers, a near miss counts less. Raises `FmkitError` for rows of different lengths, if
    no item has two ratings, if all ratings are the same, and if the library is missing.
    """
    if len({len(row) for row in ratings}) != 1:
        raise FmkitError(
            "the annotators rated lists of different lengths: give None where a rating is missing"
        )
    columns = [[value for value in column if value is not None] for column in zip(*ratings, strict=True)]
    compared = [value for column in columns if len(column) > 1 for value in column]
    if not compared:
        raise FmkitError("no item has two ratings: agreement needs items that two annotators rated")
    values = list(dict.fromkeys(compared))
    if len(values) == 1:
        raise FmkitError("all ratings are the same: alpha says nothing here")
    if level == "nominal":
        numbers: dict[Any, float] = {value: float(number) for number, value in enumerate(values)}
    else:
        numbers = {value: float(value) for value in values}
    table = np.array([[numbers.get(value, np.nan) for value in row] for row in ratings])
    return float(_krippendorff().alpha(reliability_data=table, level_of_measurement=level))


def _krippendorff() -> Any:
    try:
        return import_module("krippendorff")
    except ImportError:
        raise FmkitError("agreement of many needs krippendorff: pip install 'fmkit[evaluation]'") from None
