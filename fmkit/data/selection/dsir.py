"""Data selection with importance resampling (DSIR; Xie et al. 2023, arXiv:2302.03169).

A document is a bag of words and pairs of neighboring words, hashed into buckets. One distribution over the
buckets is counted on the raw texts and one on the target's; a document's importance weight is the ratio of
its probabilities under the two. Adding Gumbel noise to the log-weights and taking the k highest samples k
documents without replacement, in proportion to their weights (sections 2 and 3).

Features and weights are those of the authors' package `data-selection` 1.0.3 with nltk 3.10. Unlike there,
nothing is dropped in silence: a log-weight is a sum over the document, so very short and very long texts get
extreme weights by their length alone; sort them out beforehand with `filters.length`.
"""

import hashlib
import heapq
import re
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any, TypeVar
from unicodedata import category

import numpy as np
from datasets import Dataset, IterableDataset
from numpy.typing import NDArray

from fmkit.data.selection.columns import get_text, iterate_texts
from fmkit.errors import FmkitError

BUCKETS = 10_000
NO_BUCKET = BUCKETS  # of the pair that would begin with the last word of a text
SMOOTHING = 1e-8  # added to both probabilities, so that no bucket is impossible
REMEMBERED = 2**20  # n-grams whose bucket is kept at hand: about 150 MB
BATCH_TEXTS, BATCH_CHARACTERS = 1_000, 2**20

T = TypeVar("T")
Floats = NDArray[np.float64]


def dsir_weights(raw_texts: Iterable[str], target_texts: Iterable[str]) -> Floats:
    """The log importance weight of each raw text, in nats: (raw texts,).

    Both are read once; eight bytes a word of the raw texts are held in memory. Raises `FmkitError` where
    either has no words.
    """
    hasher = _Hasher()
    raw = [hasher.features(batch) for batch in _batches(raw_texts, len)]
    log_ratio = _log_ratio(raw, map(hasher.features, _batches(target_texts, len)))
    return np.concatenate([features.weigh(log_ratio) for features in raw])


def dsir_select(
    dataset: Dataset | IterableDataset, target: Dataset | IterableDataset, k: int, seed: int = 0
) -> Dataset:
    """k rows of `dataset` that resemble `target`, drawn by their importance weights; their order stays.

    A stream is read twice, and only the k best rows so far and a batch are held; it must give the same rows
    both times. The choice is the same as in memory, and the same for the same seed. Raises `FmkitError`
    unless 1 ≤ k ≤ rows.
    """
    if k < 1:
        raise FmkitError(f"k = {k}: at least one document must be selected")
    draw = np.random.default_rng(seed).gumbel
    if isinstance(dataset, IterableDataset):
        weighted = _weigh_stream(dataset, iterate_texts(target))
        rows = [row for _, row in _highest(k, ((weight + draw(), row) for weight, row in weighted))]
        return Dataset.from_list(rows, features=dataset.features)
    log_weights = dsir_weights(iterate_texts(dataset), iterate_texts(target))
    chosen = _highest(k, ((weight + draw(), None) for weight in log_weights))
    return dataset.select([i for i, _ in chosen])


def _weigh_stream(
    dataset: IterableDataset, target_texts: Iterable[str]
) -> Iterator[tuple[float, dict[str, Any]]]:
    hasher = _Hasher()
    raw = map(hasher.features, _batches(iterate_texts(dataset), len))
    log_ratio = _log_ratio(raw, map(hasher.features, _batches(target_texts, len)))
    for rows in _batches(dataset, lambda row: len(get_text(row))):
        yield from zip(hasher.features(map(get_text, rows)).weigh(log_ratio), rows, strict=True)


def _highest(k: int, scored: Iterable[tuple[float, T]]) -> list[tuple[int, T]]:
    """The k things of highest score with their positions, in the order of these; k at a time are held."""
    entries = ((score, -i, thing) for i, (score, thing) in enumerate(scored))
    highest = heapq.nlargest(k, entries)  # of equal scores the first is higher; things are never compared
    if len(highest) < k:
        raise FmkitError(f"k = {k}: only {len(highest)} documents to select from")
    return sorted(((-position, thing) for _, position, thing in highest), key=lambda entry: entry[0])


def _log_ratio(raw: Iterable["_Features"], target: Iterable["_Features"]) -> Floats:
    """log p(bucket | target) - log p(bucket | raw): (BUCKETS + 1,), 0 for `NO_BUCKET`."""
    raw_probabilities, target_probabilities = _probabilities(raw, "raw"), _probabilities(target, "target")
    ratio = np.log(target_probabilities + SMOOTHING) - np.log(raw_probabilities + SMOOTHING)
    return np.append(ratio, 0.0)


def _probabilities(batches: Iterable["_Features"], name: str) -> Floats:
    counts = np.zeros(BUCKETS, dtype=np.int64)
    for features in batches:
        counts += np.bincount(features.buckets.ravel(), minlength=BUCKETS + 1)[:BUCKETS]
    if not counts.any():
        raise FmkitError(f"the {name} texts hold no words; DSIR needs some to compare")
    return counts / counts.sum()


def _batches(things: Iterable[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    batch: list[T] = []
    characters = 0
    for thing in things:
        batch.append(thing)
        characters += size(thing)
        if len(batch) == BATCH_TEXTS or characters > BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


# --- hashing: each different word and pair once, the rest is arrays


@dataclass(frozen=True)
class _Features:
    """Of a batch of texts: the buckets of each word and of its pair with the next, (2, words), and the number
    of words of each text, (texts,)."""

    buckets: NDArray[np.int32]
    lengths: NDArray[np.int64]

    def weigh(self, log_ratio: Floats) -> Floats:
        """The sum over the words and pairs of each text: (texts,)."""
        by_word = log_ratio[self.buckets].sum(axis=0)
        starts, full = np.cumsum(self.lengths) - self.lengths, self.lengths > 0
        weights = np.zeros(len(self.lengths))
        if full.any():  # texts without words are no segments
            weights[full] = np.add.reduceat(by_word, starts[full])
        return weights


class _Hasher:
    """From texts to buckets. Most words and pairs come back, so their buckets are remembered."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self.words = _Words()
        self.pairs = _Pairs(self.words.names)

    def features(self, texts: Iterable[str]) -> _Features:
        if len(self.words) + len(self.pairs) > REMEMBERED:
            self._forget()
        words = [find_words(text.lower()) for text in texts]
        lengths = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
        ids = np.fromiter(map(self.words.__getitem__, chain.from_iterable(words)), dtype=np.int64)
        pairs = ids << 32
        pairs[:-1] |= ids[1:]
        pairs[np.cumsum(lengths)[lengths > 0] - 1] = -1
        different, place = np.unique(pairs, return_inverse=True)
        pair_buckets = np.fromiter(map(self.pairs.__getitem__, different.tolist()), dtype=np.int32)[place]
        word_buckets = np.frombuffer(self.words.buckets, dtype=np.int32)[ids]
        return _Features(np.stack([word_buckets, pair_buckets]), lengths)


class _Words(dict[str, int]):
    """Words, numbered as they come; `names` and `buckets` by number."""

    def __init__(self) -> None:
        self.names: list[bytes] = []
        self.buckets = array("i")

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        self.names.append(word.encode("utf-8", "surrogatepass"))
        self.buckets.append(_bucket(self.names[-1]))
        return number


class _Pairs(dict[int, int]):
    """The bucket of a pair of words, whose numbers are the high and the low 32 bits; -1 is no pair."""

    def __init__(self, names: list[bytes]) -> None:
        super().__init__({-1: NO_BUCKET})
        self.names = names

    def __missing__(self, pair: int) -> int:
        bucket = self[pair] = _bucket(self.names[pair >> 32] + b" " + self.names[pair & 0xFFFFFFFF])
        return bucket


def find_words(text: str) -> list[str]:
    """Runs of word characters and runs of other marks, as nltk's WordPunctTokenizer finds them."""
    return (_find_ascii_words if text.isascii() else _unicode_words().findall)(text)


_find_ascii_words = re.compile(r"\w+|[^\w \t-\r]+").findall


@cache
def _unicode_words() -> re.Pattern[str]:
    """With the word characters of Unicode (Technical Standard 18, annex C). To `re`, the vowel signs of Hindi
    and other combining marks are none, while ½ and ² are."""
    characters = list(map(chr, chain(range(0x80, 0x20000), range(0xE0100, 0xE01F0))))
    numbers = "".join(c for c in characters if category(c) == "No")
    marks = "".join(c for c in characters if category(c) in {"Mn", "Mc", "Me", "Pc"})
    marks += "\u200c-\u200dⒶ-ⓩ\U0001f130-\U0001f149\U0001f150-\U0001f169\U0001f170-\U0001f189"
    spaces = " \t-\r\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
    return re.compile(f"(?:[^\\W{numbers}]+|[{marks}]+)+|(?:[^\\w{spaces}{marks}]+|[{numbers}]+)+")


def _bucket(ngram: bytes) -> int:
    return int.from_bytes(hashlib.sha256(ngram).digest(), "big") % BUCKETS
