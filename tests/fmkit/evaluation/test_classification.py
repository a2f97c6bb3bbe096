"""Accuracy and F1 are what their definitions say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmkit import FmkitError
from fmkit.evaluation.classification import accuracy, f1


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_accuracy_and_f1_by_definition(pairs):
    predicted, truth = [p for p, _ in pairs], [t for _, t in pairs]
    assert accuracy(predicted, truth) == sum(p == t for p, t in pairs) / len(pairs)
    scores = []
    for label in {*predicted, *truth}:
        true_positive = pairs.count((label, label))
        precision = true_positive / max(1, predicted.count(label))
        recall = true_positive / max(1, truth.count(label))
        scores.append(2 * precision * recall / (precision + recall) if true_positive else 0.0)
    assert f1(predicted, truth) == pytest.approx(sum(scores) / len(scores))


@pytest.mark.parametrize("measure", [accuracy, f1])
def test_no_predictions_is_one_line(measure):
    with pytest.raises(FmkitError, match="0 predictions for 0 texts"):
        measure([], [])
