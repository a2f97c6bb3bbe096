"""Data selection with importance resampling (DSIR; Xie et al. 2023, arXiv:2302.03169).

A document is a bag of words and pairs of neighboring words, hashed into buckets. One distribution over the
buckets is counted on the raw texts and one on the target's; a document's importance weight is the ratio of
its probabilities under the two. Adding Gumbel noise to the log-weights and taking the k highest samples k
documents without replacement, in proportion to their weights (sections 2 and 3).

Features and weights are those of the authors' package `data-selection` 1.0.3, with words as `re` cuts them:
so did its tokenizer, nltk's, when the paper was written (by now, nltk counts combining marks as letters).
Unlike there, nothing is dropped in silence: a log-weight is a sum over the document, so very short and very
long texts get extreme weights by their length alone; sort them out beforehand with `filters.length`.
"""

import hashlib
import heapq
import re
from collections.abc import Iterable
from itertools import chain, pairwise
from typing import TypeVar

import numpy as np
from datasets import Dataset, IterableDataset
from numpy.typing import NDArray

from fmkit.data.selection.columns import get_text, iterate_texts
from fmkit.errors import FmkitError

BUCKETS = 10_000
SMOOTHING = 1e-8  # added to both probabilities, so that no bucket is impossible
REMEMBERED = 2**20  # n-grams whose bucket is kept at hand: about 150 MB

T = TypeVar("T")

find_words = re.compile(r"\w+|[^\w\s]+").findall


class _Buckets(dict[str, int]):
    """The bucket of an n-gram: its SHA-256 modulo `BUCKETS`, remembered, for most n-grams come back."""

    def __missing__(self, ngram: str) -> int:
        if len(self) >= REMEMBERED:
            self.clear()
        digest = hashlib.sha256(ngram.encode("utf-8", "surrogatepass")).digest()
        bucket = self[ngram] = int.from_bytes(digest, "big") % BUCKETS
        return bucket

    def of(self, text: str) -> NDArray[np.int32]:
        """One bucket for each word and each pair of neighbors, with repetition: (2 words - 1,)."""
        words = find_words(text.lower())
        ngrams = chain(words, map(" ".join, pairwise(words)))
        return np.fromiter(map(self.__getitem__, ngrams), dtype=np.int32)


def dsir_weights(raw_texts: Iterable[str], target_texts: Iterable[str]) -> NDArray[np.float64]:
    """The log importance weight of each raw text, in nats: (raw texts,).

    Both are read once; eight bytes a word of the raw texts are held in memory. Raises `FmkitError` where
    either has no words.
    """
    memory = _Buckets()
    features = [memory.of(text) for text in raw_texts]
    log_ratio = _log_ratio(features, (memory.of(text) for text in target_texts))
    return np.array([log_ratio[buckets].sum() for buckets in features])


def dsir_select(
    dataset: Dataset | IterableDataset, target: Dataset | IterableDataset, k: int, seed: int = 0
) -> Dataset:
    """k rows of `dataset` that resemble `target`, drawn by their importance weights; their order stays.

    A stream is read twice, and only the k best rows so far are held; it must give the same rows both times.
    The choice is the same as in memory, and the same for the same seed. Raises `FmkitError` unless
    1 ≤ k ≤ rows.
    """
    if k < 1:
        raise FmkitError(f"k = {k}: at least one document must be selected")
    draw = np.random.default_rng(seed).gumbel
    if isinstance(dataset, IterableDataset):
        memory = _Buckets()
        raw = (memory.of(text) for text in iterate_texts(dataset))
        log_ratio = _log_ratio(raw, map(memory.of, iterate_texts(target)))
        perturbed = ((log_ratio[memory.of(get_text(row))].sum() + draw(), row) for row in dataset)
        chosen = _highest(k, perturbed)
        return Dataset.from_list([row for _, row in chosen], features=dataset.features)
    log_weights = dsir_weights(iterate_texts(dataset), iterate_texts(target))
    chosen = _highest(k, ((weight + draw(), None) for weight in log_weights))
    return dataset.select([i for i, _ in chosen])


def _highest(k: int, scored: Iterable[tuple[float, T]]) -> list[tuple[int, T]]:
    """The k things of highest score with their positions, in the order of these; k at a time are held."""
    entries = ((score, -i, thing) for i, (score, thing) in enumerate(scored))
    highest = heapq.nlargest(k, entries)  # of equal scores the first is higher; things are never compared
    if len(highest) < k:
        raise FmkitError(f"k = {k}: only {len(highest)} documents to select from")
    return sorted(((-position, thing) for _, position, thing in highest), key=lambda entry: entry[0])


def _log_ratio(raw: Iterable[NDArray[np.int32]], target: Iterable[NDArray[np.int32]]) -> NDArray[np.float64]:
    """log p(bucket | target) - log p(bucket | raw), for every bucket: (BUCKETS,)."""
    return np.log(_probabilities(target, "target") + SMOOTHING) - np.log(
        _probabilities(raw, "raw") + SMOOTHING
    )


def _probabilities(features: Iterable[NDArray[np.int32]], name: str) -> NDArray[np.float64]:
    counts = np.zeros(BUCKETS, dtype=np.int64)
    for buckets in features:
        np.add.at(counts, buckets, 1)
    if not counts.any():
        raise FmkitError(f"the {name} texts hold no words; DSIR needs some to compare")
    return counts / counts.sum()
