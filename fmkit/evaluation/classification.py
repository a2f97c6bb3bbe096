"""How good a classifier is: accuracy and F1, from its predictions."""

from collections.abc import Sequence

import torch

from fmkit.data.batches import Batch, to_device
from fmkit.errors import FmkitError
from fmkit.model import Classifier
from fmkit.settings import as_several


@torch.no_grad()
def predict_labels(model: Classifier, batches: list[Batch]) -> list[int]:
    """Return the likeliest label of each text of `batches`."""
    model.eval()
    batches = [to_device(batch, model.device) for batch in batches]
    return [label for b in batches for label in model(b["input_ids"], b["last"]).argmax(-1).tolist()]


def accuracy(predicted: Sequence[int], truth: Sequence[int]) -> float:
    """Compute the share of right predictions. Raises `FmkitError` for none, or lengths that differ."""
    predicted, truth = _paired(predicted, truth)
    return sum(p == t for p, t in zip(predicted, truth, strict=True)) / len(truth)


def f1(predicted: Sequence[int], truth: Sequence[int]) -> float:
    """Compute macro F1: the harmonic mean of precision and recall of each label, averaged over the labels.

    F1 of a label is 2 TP / (2 TP + FP + FN), 0 where that label is neither predicted nor true (van
    Rijsbergen 1979, chapter 7). Raises `FmkitError` for no predictions, or lengths that differ.
    """
    predicted, truth = _paired(predicted, truth)
    scores = []
    for label in sorted({*predicted, *truth}):
        hits = sum(p == t == label for p, t in zip(predicted, truth, strict=True))
        claims_and_cases = sum(p == label for p in predicted) + sum(t == label for t in truth)
        scores.append(2 * hits / claims_and_cases)
    return sum(scores) / len(scores)


def _paired(predicted: Sequence[int], truth: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
    """Both as lists, of arrays and tensors, too."""
    predicted, truth = as_several(predicted), as_several(truth)
    if not truth or len(predicted) != len(truth):
        raise FmkitError(f"{len(predicted)} predictions for {len(truth)} texts: give one for each")
    return predicted, truth
