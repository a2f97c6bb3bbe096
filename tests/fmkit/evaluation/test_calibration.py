"""Calibration equals scikit-learn's, and finds the temperature that was planted."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.frozen import FrozenEstimator

from fmkit import FmkitError
from fmkit.evaluation.calibration import expected_calibration_error, fit_temperature, reliability

PREDICTIONS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


@given(PREDICTIONS, st.integers(1, 20))
def test_bins_equal_scikit_learns(predictions, bins):
    confidences, correct = zip(*predictions, strict=True)
    found = reliability(confidences, correct, bins)
    shares, means = calibration_curve(correct, confidences, n_bins=bins, pos_label=True)
    assert [b.accuracy for b in found] == pytest.approx(list(shares))
    assert [b.confidence for b in found] == pytest.approx(list(means))
    assert sum(b.size for b in found) == len(predictions)


def test_ece_by_hand():
    """Of four at 0.9, three are right; of one at 0.6, none: (4 × 0.15 + 1 × 0.6) / 5."""
    confidences, correct = [0.9, 0.9, 0.9, 0.9, 0.6], [True, True, True, False, False]
    assert expected_calibration_error(confidences, correct, 10) == pytest.approx(0.24)


def test_one_bin_is_the_mean_gap():
    assert expected_calibration_error([0.5, 0.9], [True, True], 1) == pytest.approx(0.3)


class Scores(ClassifierMixin, BaseEstimator):
    """A classifier whose scores are its input."""

    def __init__(self, labels):
        self.labels = labels
        self.classes_ = np.arange(labels)

    def fit(self, X, y):
        return self

    def decision_function(self, X):
        return X

    def predict(self, X):
        return X.argmax(1)


def drawn(temperature: float, labels: int, n: int = 400) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores, and labels drawn with the probabilities that these have at a temperature."""
    generator = torch.Generator().manual_seed(labels)
    logits = 4 * torch.randn(n, labels, generator=generator, dtype=torch.float64)
    return logits, torch.multinomial((logits / temperature).softmax(1), 1, generator=generator).squeeze(1)


@pytest.mark.parametrize("labels", [3, 4, 10])
@pytest.mark.parametrize("planted", [0.5, 1.0, 3.0])
def test_temperature_is_scikit_learns(planted, labels):
    logits, truth = drawn(planted, labels)
    peer = CalibratedClassifierCV(FrozenEstimator(Scores(labels)), method="temperature", ensemble=False)
    theirs = peer.fit(logits.numpy(), truth.numpy()).predict_proba(logits.numpy())
    ours = (logits / fit_temperature(logits, truth)).softmax(1)
    assert ours.numpy() == pytest.approx(theirs, abs=1e-3)


def test_planted_temperature_is_found():
    assert fit_temperature(*drawn(2.5, 4, 40_000)) == pytest.approx(2.5, rel=0.03)


@pytest.mark.parametrize("labels", [[0, 1], [1, 0]], ids=["all right", "all wrong"])
def test_no_best_temperature_is_one_line(labels):
    with pytest.raises(FmkitError, match="no temperature is best"):
        fit_temperature(torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor(labels))


@pytest.mark.parametrize(
    ("confidences", "correct", "bins"), [([], [], 5), ([0.5], [], 5), ([1.5], [True], 5), ([0.5], [True], 0)]
)
def test_bad_predictions_are_one_line(confidences, correct, bins):
    with pytest.raises(FmkitError, match=r"confidences"):
        expected_calibration_error(confidences, correct, bins)
