"""Annotators with known errors: labels that differ from the truth by slips, by misreadings, or by both."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from fmkit.errors import FmkitError


def annotate(
    truth: Sequence[str],
    labels: Sequence[str],
    slips: float = 0.0,
    misread: Mapping[str, str] | None = None,
    seed: int = 0,
) -> list[str]:
    """Label texts whose true labels are known, as an annotator would.

    `misread` has the labels that this annotator takes for others, always in the same way. With probability
    `slips` the label becomes any other of `labels`, each equally likely. Raises `FmkitError` unless
    0 ≤ slips ≤ 1 and there are two labels or more.
    """
    if not 0 <= slips <= 1 or len(labels) < 2:
        raise FmkitError(f"slips={slips} of {len(labels)} labels: give a share from 0 to 1, and two labels")
    rng, written = random.Random(f"annotator {seed}"), []
    for label in truth:
        label = (misread or {}).get(label, label)
        others = [other for other in labels if other != label]
        written.append(others[int(rng.random() * len(others))] if rng.random() < slips else label)
    return written
