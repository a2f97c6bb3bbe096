"""Metrics of texts by name, for answers of any model: whoever wrote them, and wherever it ran."""

import difflib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from fmkit.errors import FmkitError
from fmkit.evaluation import classification
from fmkit.evaluation.meaning import Match, bert_score
from fmkit.evaluation.overlap import References, bleu, chrf, paired, rouge, word_f1
from fmkit.settings import as_several

Reader = Callable[[Sequence[str], References], list[Match]] | None  # `bert_score` with a model


def score_texts(
    predictions: Sequence[str],
    references: References,
    metrics: Sequence[str],
    model: str | Path | None = None,
    device: str | None = None,
) -> dict[str, float]:
    """Compute each of `metrics`, names of `METRICS`; those of several numbers get a name for each.

    `model` is the directory that `bertscore` reads with, on `device` (None: the best there is). Raises
    `FmkitError` for no predictions or lengths that differ, for an unknown metric or none, for one without
    what it needs, and for a model that none of them reads with.
    """
    metrics = as_several(metrics)
    if not metrics:
        raise FmkitError(f"no metric: choose from {', '.join(METRICS)}")
    for name in metrics:
        if name not in METRICS:
            close = difflib.get_close_matches(name, METRICS, n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise FmkitError(f"metric {name!r}: unknown; {hint}choose from {', '.join(METRICS)}")
    if model is not None and "bertscore" not in metrics:
        raise FmkitError(f"only bertscore reads with a model: leave {model} out")
    paired(predictions, references)
    read = None if model is None else partial(bert_score, model=model, device=device)
    measured: dict[str, float] = {}
    for name in metrics:
        measured |= METRICS[name](predictions, references, read)
    return measured


def _rouge(predictions: Sequence[str], references: References, read: Reader) -> dict[str, float]:
    return rouge(predictions, references)


def _mean_bert_score(predictions: Sequence[str], references: References, read: Reader) -> dict[str, float]:
    if read is None:
        raise FmkitError("bertscore reads with a model: name its directory")
    matches = read(predictions, references)
    columns = zip(Match._fields, zip(*matches, strict=True), strict=True)
    return {f"bertscore_{name}": sum(values) / len(values) for name, values in columns}


def _exact_match(predictions: Sequence[str], references: References, read: Reader) -> dict[str, float]:
    """The share of predictions that are one of their references, without the space around them."""
    pairs = paired(predictions, references)
    hits = [prediction.strip() in map(str.strip, its) for prediction, its in pairs]
    return {"exact_match": sum(hits) / len(hits)}


def _f1(predictions: Sequence[str], references: References, read: Reader) -> dict[str, float]:
    """Macro F1 of labels: each text is one."""
    pairs = paired(predictions, references)
    if any(len(its) > 1 for _, its in pairs):
        raise FmkitError("f1 compares labels: give one reference for each prediction, or use word_f1")
    numbers: dict[str, int] = {}
    columns = ([prediction for prediction, _ in pairs], [its[0] for _, its in pairs])
    said, true = ([numbers.setdefault(text.strip(), len(numbers)) for text in column] for column in columns)
    return {"f1": classification.f1(said, true)}


def _one(
    name: str, measure: Callable[[Sequence[str], References], float]
) -> Callable[[Sequence[str], References, Reader], dict[str, float]]:
    return lambda predictions, references, read: {name: measure(predictions, references)}


METRICS: dict[str, Callable[[Sequence[str], References, Reader], dict[str, float]]] = {
    "rouge": _rouge,
    "bleu": _one("bleu", bleu),
    "chrf": _one("chrf", chrf),
    "bertscore": _mean_bert_score,
    "exact_match": _exact_match,
    "word_f1": _one("word_f1", word_f1),
    "f1": _f1,
}
