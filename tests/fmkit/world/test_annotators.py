"""Annotators make the errors that they are said to make."""

from __future__ import annotations

import pytest

from fmkit import FmkitError
from fmkit.world import annotate

LABELS = ("cat", "dog", "fox")
TRUTH = ["cat", "dog", "fox", "dog"] * 500


def test_without_errors_the_truth() -> None:
    assert annotate(TRUTH, LABELS) == TRUTH


@pytest.mark.parametrize("slips", [0.1, 0.5, 1.0])
def test_slips_are_as_many_as_said(slips: float) -> None:
    written = annotate(TRUTH, LABELS, slips)
    wrong = [(true, label) for true, label in zip(TRUTH, written, strict=True) if true != label]
    assert len(wrong) / len(TRUTH) == pytest.approx(slips, abs=0.03)
    assert {label for true, label in wrong if true == "dog"} == {"cat", "fox"}


def test_a_misreading_is_always_the_same() -> None:
    written = annotate(TRUTH, LABELS, misread={"fox": "dog"})
    assert written == ["dog" if label == "fox" else label for label in TRUTH]
    assert written == annotate(TRUTH, LABELS, misread={"fox": "dog"}, seed=1)


def test_another_seed_slips_elsewhere() -> None:
    assert annotate(TRUTH, LABELS, 0.2) == annotate(TRUTH, LABELS, 0.2)
    assert annotate(TRUTH, LABELS, 0.2) != annotate(TRUTH, LABELS, 0.2, seed=1)


@pytest.mark.parametrize(("labels", "slips"), [(LABELS, -0.1), (LABELS, 1.1), (("cat",), 0.1)])
def test_what_cannot_be_is_one_line(labels: tuple[str, ...], slips: float) -> None:
    with pytest.raises(FmkitError, match="give a share from 0 to 1, and two labels"):
        annotate(TRUTH, labels, slips)
