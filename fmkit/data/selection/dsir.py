"""Data selection with importance resampling (DSIR; Xie et al. 2023, arXiv:2302.03169).

A document is a bag of words and pairs of neighboring words, hashed into buckets. One distribution over the
buckets is counted on the raw texts and one on the target's; a document's importance weight is the ratio of
its probabilities under the two. Adding Gumbel noise to the log-weights and taking the k highest samples k
documents without replacement, in proportion to their weights (sections 2 and 3).

Features and weights are those of the authors' package `data-selection` 1.0.3 with nltk 3.10. Unlike there,
nothing is dropped in silence: a log-weight is a sum over the document, so very short and very long texts get
extreme weights by their length alone; sort them out beforehand with `filters.length`.
"""

import heapq
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from itertools import chain, count, islice
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
        self.numbers: defaultdict[str, int] = defaultdict(count().__next__)  # words, as they come
        self.names: list[bytes] = []  # of the words, by number; so are their buckets
        self.word_buckets = np.zeros(0, dtype=np.int32)
        self.pair_buckets = {-1: NO_BUCKET}  # a pair is its words' numbers as high and low 32 bits

    def features(self, texts: Iterable[str]) -> _Features:
        if len(self.numbers) + len(self.pair_buckets) > REMEMBERED:
            self._forget()
        words = [find_words(text.lower()) for text in texts]
        lengths = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
        numbers = np.fromiter(map(self.numbers.__getitem__, chain.from_iterable(words)), dtype=np.int64)
        self._learn_words()
        pairs = numbers << 32
        pairs[:-1] |= numbers[1:]
        pairs[np.cumsum(lengths)[lengths > 0] - 1] = -1
        different, place = np.unique(pairs, return_inverse=True)
        pair_buckets = self._find_pairs(different.tolist())[place]
        return _Features(np.stack([self.word_buckets[numbers], pair_buckets]), lengths)

    def _learn_words(self) -> None:
        new = islice(self.numbers, len(self.names), None)
        names = [word.encode("utf-8", "surrogatepass") for word in new]
        self.names += names
        self.word_buckets = np.concatenate([self.word_buckets, _hash(names)])

    def _find_pairs(self, pairs: list[int]) -> NDArray[np.int32]:
        new = [pair for pair in pairs if pair not in self.pair_buckets]
        names = self.names
        buckets = _hash([names[pair >> 32] + b" " + names[pair & 0xFFFFFFFF] for pair in new])
        self.pair_buckets.update(zip(new, buckets.tolist(), strict=True))
        return np.fromiter(map(self.pair_buckets.__getitem__, pairs), dtype=np.int32, count=len(pairs))


def _hash(ngrams: list[bytes]) -> NDArray[np.int32]:
    """SHA-256 modulo `BUCKETS`: (n-grams,). The digest is a number of 16 digits to the base 2^16."""
    digests = b"".join([sha256(ngram).digest() for ngram in ngrams])
    digits = np.frombuffer(digests, dtype=">u2").reshape(-1, 16).astype(np.int64)
    powers = np.array([pow(2**16, place, BUCKETS) for place in reversed(range(16))])
    return (digits @ powers % BUCKETS).astype(np.int32)


def find_words(text: str) -> list[str]:
    """Runs of word characters and runs of other marks, as nltk's WordPunctTokenizer finds them."""
    return (_find_ascii_words if text.isascii() else _unicode_words().findall)(text)


_find_ascii_words = re.compile(r"\w+|[^\w \t-\r]+").findall


@cache
def _unicode_words() -> re.Pattern[str]:
    """Words as Unicode defines them (Technical Standard 18, annex C): to `re`, the vowel signs of Hindi and
    other combining marks are no part of a word, while ½ and ² are."""
    categories = {"Ll", "Lm", "Lo", "Lt", "Lu", "Mc", "Me", "Mn", "Nd", "Nl", "Pc"}
    letters = {c for c in chain(range(0x34000), range(0xE0100, 0xE01F0)) if category(chr(c)) in categories}
    letters |= {0x200C, 0x200D, *range(0x24B6, 0x24EA)}  # joiners, circled letters, and more of these
    letters |= {*range(0x1F130, 0x1F14A), *range(0x1F150, 0x1F16A), *range(0x1F170, 0x1F18A)}
    first = [f"\\U{c:08x}" for c in sorted(letters) if c - 1 not in letters]
    last = [f"\\U{c:08x}" for c in sorted(letters) if c + 1 not in letters]
    word = "".join(f"{a}-{b}" for a, b in zip(first, last, strict=True))
    space = r" \t-\r\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
    return re.compile(f"[{word}]+|[^{word}{space}]+")
