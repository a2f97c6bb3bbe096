"""Whether a model is right as often as it says: calibration (Guo et al. 2017, arXiv:1706.04599)."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from fmkit.errors import FmkitError
from fmkit.settings import as_several

BINS = 15  # as many as in Guo et al.
WIDEST = 1e4  # temperatures are looked for from 1 / WIDEST to WIDEST


class Bin(NamedTuple):
    """Predictions of similar confidence: the mean of it, the share that is right, and how many they are."""

    confidence: float
    accuracy: float
    size: int


def reliability(confidences: Sequence[float], correct: Sequence[bool], bins: int = BINS) -> list[Bin]:
    """Group predictions by confidence, in `bins` intervals of equal width, from low to high (section 2).

    An interval contains its upper end; empty ones are left out. Raises `FmkitError` for no predictions, for
    lengths that differ, for confidences outside 0 to 1, and for no bins.
    """
    confidences, correct = as_several(confidences), as_several(correct)
    if not confidences or len(confidences) != len(correct):
        raise FmkitError(f"{len(confidences)} confidences for {len(correct)} predictions: give one for each")
    if bins < 1 or not all(0 <= confidence <= 1 for confidence in confidences):
        raise FmkitError("confidences must be numbers from 0 to 1, and bins one or more")
    sure = torch.tensor(confidences, dtype=torch.float64)
    right = torch.tensor(correct, dtype=torch.float64)
    edges = torch.linspace(0, 1, bins + 1, dtype=torch.float64)[1:-1]
    places = torch.bucketize(sure, edges)
    groups = [places == place for place in places.unique()]
    return [Bin(sure[g].mean().item(), right[g].mean().item(), int(g.sum())) for g in groups]


def expected_calibration_error(
    confidences: Sequence[float], correct: Sequence[bool], bins: int = BINS
) -> float:
    """Compute the mean gap between confidence and accuracy of the bins, weighted by count (equation 3).

    It depends on the bins, and is above 0 by chance where predictions are few. Errors as in `reliability`.
    """
    groups = reliability(confidences, correct, bins)
    return sum(abs(b.confidence - b.accuracy) * b.size for b in groups) / len(confidences)


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """Find the temperature T that makes the labels (N,) most likely by softmax(logits / T), logits (N, C).

    Dividing all scores by one number changes how sure the model is, and never what it says (section 4.2). Fit
    it to predictions that training has not seen, and measure on others. Raises `FmkitError` for no
    predictions, and where no temperature is best: every label has the highest score of its row, or the
    scores say nothing about the labels.
    """
    if not len(labels) or len(labels) != len(logits):
        raise FmkitError(f"{len(logits)} rows of scores for {len(labels)} labels: give one for each")
    scores = logits.detach().cpu().double()  # Apple's GPUs have no float64
    true = scores.gather(1, labels.cpu()[:, None]).squeeze(1)

    def slope(inverse: float) -> float:
        """How fast the loss rises with 1 / T, in which it is convex."""
        expected = ((scores * inverse).softmax(1) * scores).sum(1)
        return (expected - true).mean().item()

    low, high = 1 / WIDEST, WIDEST
    if slope(low) >= 0 or slope(high) <= 0:
        raise FmkitError("no temperature is best: the predictions are all right, or no better than chance")
    for _ in range(100):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return 1 / low
