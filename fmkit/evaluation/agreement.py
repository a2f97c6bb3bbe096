"""How far two annotators agree, and how far beyond chance."""

from collections import Counter
from collections.abc import Hashable, Sequence

from fmkit.errors import FmkitError


def agreement(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """Compute the share of items to which two annotators gave the same label. Errors as in `cohen_kappa`."""
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
    observed, counts, others = agreement(first, second), Counter(first), Counter(second)
    expected = sum(counts[label] * others[label] for label in counts) / len(first) ** 2
    if expected == 1:
        raise FmkitError("both gave every item the same label: kappa says nothing here")
    return (observed - expected) / (1 - expected)
