"""Data selection with importance resampling (DSIR; Xie et al. 2023, arXiv:2302.03169).

A document is a bag of words and pairs of neighboring words, hashed into buckets. One distribution over the
buckets is counted on the raw texts and one on the target's; a document's importance weight is the ratio of
its probabilities under the two. Adding Gumbel noise to the log-weights and taking the k highest samples k
documents without replacement, in proportion to their weights (sections 2 and 3).

Features and weights are those of the authors' package `data-selection` 1.0.3 with nltk 3.10. Unlike there,
nothing is dropped silently: a log-weight is a sum over the document, so very short and very long texts get
extreme weights by their length alone; remove them first with `filters.length`.
"""

import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from itertools import chain, count, islice
from typing import BinaryIO
from unicodedata import category

import numpy as np
from datasets import Dataset, IterableDataset
from numpy.typing import NDArray

from fmkit.data.tables import Data, as_table
from fmkit.errors import FmkitError
from fmkit.selection.text_column import iterate_texts
from fmkit.settings import as_several, require_numbers

BUCKETS = 10_000
NO_BUCKET = BUCKETS  # of the pair that would begin with the last word of a text
SMOOTHING = 1e-8  # added to both probabilities, so that no bucket is impossible
REMEMBERED = 2**20  # words, and pairs, whose bucket is cached: about 200 MB
SPREAD = 2_654_435_761  # a pair is its first word's number times this, plus its second's (Knuth)
BATCH_TEXTS, BATCH_CHARACTERS = 1_000, 2**20

Floats = NDArray[np.float64]
Buckets = NDArray[np.uint16]


def dsir_weights(raw_texts: Iterable[str], target_texts: Iterable[str]) -> Floats:
    """Compute the log importance weight of each raw text, in nats: (raw texts,).

    Both are read once. The buckets of the raw texts, four bytes a word, are kept in a temporary file. Raises
    `FmkitError` if either has no words, and if the disk is full.
    """
    hasher = _Hasher()
    with _spill() as spilled:
        raw = _log_probabilities(map(spilled.keep, hasher.batches(raw_texts)), "raw")
        target = _log_probabilities(hasher.batches(target_texts), "target")
        log_ratio = np.append(target - raw, 0.0)  # 0 for `NO_BUCKET`
        return np.concatenate([features.weigh(log_ratio) for features in spilled])


def dsir_select(dataset: Data, target: Data, k: int, seed: int = 0) -> Dataset:
    """Draw k rows of `dataset` that resemble `target`, by their importance weights; their order stays.

    A stream is read twice, to weigh and to pick, and must give the same rows both times; the choice is the
    same as for a dataset in memory. Memory holds a number for each row, the chosen rows and a batch; for the
    disk, see `dsir_weights`. The same seed gives the same choice. Raises `FmkitError` unless 1 ≤ k ≤ rows,
    and if a stream gives another number of rows the second time.
    """
    rows = dataset if isinstance(dataset, IterableDataset) else as_table(dataset)
    require_numbers(int, k=k, seed=seed)
    if k < 1:
        raise FmkitError(f"k = {k}: at least one document must be selected")
    scores = dsir_weights(iterate_texts(rows), iterate_texts(target))
    if len(scores) < k:
        raise FmkitError(f"k = {k}: only {len(scores)} documents to select from")
    scores += np.random.default_rng(seed).gumbel(size=len(scores))
    chosen = np.sort(np.argsort(-scores, kind="stable")[:k])
    if isinstance(rows, Dataset):
        return rows.select(chosen)
    wanted = set(chosen.tolist())
    picked, again = [], 0
    for again, row in enumerate(rows, start=1):
        if again - 1 in wanted:
            picked.append(row)
    if again != len(scores):
        raise FmkitError(
            f"the stream gave {len(scores)} rows, and {again} when it was read again; gather it first"
        )
    return Dataset.from_list(picked, features=rows.features)


def ngram_divergence(texts: Iterable[str], target_texts: Iterable[str]) -> float:
    """Compute KL(target ‖ texts) in nats, over the buckets of DSIR; each bucket has at least `SMOOTHING`.

    The decrease by a selection is the paper's *KL reduction* (section 4). Raises `FmkitError` if either has
    no words.
    """
    hasher = _Hasher()
    given = _log_probabilities(hasher.batches(texts), "given")
    target = _log_probabilities(hasher.batches(target_texts), "target")
    return float(np.exp(target) @ (target - given))


def _log_probabilities(batches: Iterable["_Features"], name: str) -> Floats:
    """Count the smoothed log-probability of each bucket: (BUCKETS,)."""
    counts = np.zeros(BUCKETS, dtype=np.int64)
    for features in batches:
        counts += np.bincount(features.buckets.ravel(), minlength=BUCKETS + 1)[:BUCKETS]
    if not counts.any():
        raise FmkitError(f"the {name} texts hold no words; DSIR needs some to compare")
    return np.log(counts / counts.sum() + SMOOTHING)


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    characters = 0
    for text in texts:
        batch.append(text)
        characters += len(text)
        if len(batch) == BATCH_TEXTS or characters > BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


# --- features, and where they are kept


@dataclass(frozen=True)
class _Features:
    """Of a batch of texts: the buckets of each word and of its pair with the next, (2, words), and the number
    of words of each text, (texts,)."""

    buckets: Buckets
    lengths: NDArray[np.int64]

    def weigh(self, log_ratio: Floats) -> Floats:
        """The sum over the words and pairs of each text: (texts,)."""
        by_word = log_ratio[self.buckets].sum(axis=0)
        starts, full = np.cumsum(self.lengths) - self.lengths, self.lengths > 0
        weights = np.zeros(len(self.lengths))
        if full.any():  # texts without words are no segments
            weights[full] = np.add.reduceat(by_word, starts[full])
        return weights


class _Spilled:
    """Batches of features in a file, to be read again in order: four bytes a word."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.sizes: list[tuple[int, int]] = []  # texts and words of each batch

    def keep(self, features: _Features) -> _Features:
        with _room_on_disk():
            self.file.write(features.lengths.tobytes() + features.buckets.tobytes())
        self.sizes.append((len(features.lengths), features.buckets.shape[1]))
        return features

    def __iter__(self) -> Iterator[_Features]:
        with _room_on_disk():
            self.file.seek(0)  # writes what is left
        for texts, words in self.sizes:
            lengths = np.frombuffer(self.file.read(8 * texts), dtype=np.int64)
            buckets = np.frombuffer(self.file.read(4 * words), dtype=np.uint16).reshape(2, words)
            yield _Features(buckets, lengths)


@contextmanager
def _spill() -> Iterator[_Spilled]:
    with _room_on_disk():
        file = tempfile.TemporaryFile()  # noqa: SIM115  closed below, in its own way
    try:
        yield _Spilled(file)
    finally:
        with suppress(OSError):  # closing would try once more to write what didn't fit
            file.close()


@contextmanager
def _room_on_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        place = tempfile.tempdir or "temporary files"
        remedy = "make room there, or set TMPDIR to a larger folder"
        raise FmkitError(f"{place}: cannot be written: {error.strerror}; {remedy}") from None


# --- hashing: each different word and pair once, the rest is arrays


class _Hasher:
    """From texts to buckets. Most words and pairs recur, so their buckets are cached."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self.numbers: defaultdict[str, int] = defaultdict(count().__next__)  # words, as they come
        self.names: list[bytes] = []  # of the words, by number; so are their buckets
        self.word_buckets = np.zeros(0, dtype=np.uint16)
        # Pairs share places: each holds the latest.
        self.pairs = np.full(REMEMBERED, -1)
        self.pair_buckets = np.zeros(REMEMBERED, dtype=np.uint16)

    def batches(self, texts: Iterable[str]) -> Iterator[_Features]:
        return map(self.features, _batches(as_several(texts)))

    def features(self, texts: Iterable[str]) -> _Features:
        if len(self.numbers) > REMEMBERED:
            self._forget()
        words = [find_words(text.lower()) for text in texts]
        lengths = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
        numbers = np.fromiter(map(self.numbers.__getitem__, chain.from_iterable(words)), dtype=np.int64)
        self._learn_words()
        begins_pair = np.ones(len(numbers), dtype=bool)
        begins_pair[np.cumsum(lengths)[lengths > 0] - 1] = False
        pairs = numbers[:-1] * SPREAD + numbers[1:]
        buckets = np.full((2, len(numbers)), NO_BUCKET, dtype=np.uint16)
        buckets[0] = self.word_buckets[numbers]
        buckets[1, begins_pair] = self._find_pairs(pairs[begins_pair[:-1]])
        return _Features(buckets, lengths)

    def _learn_words(self) -> None:
        new = islice(self.numbers, len(self.names), None)
        names = [word.encode("utf-8", "surrogatepass") for word in new]
        self.names += names
        self.word_buckets = np.concatenate([self.word_buckets, _hash(names)])

    def _find_pairs(self, pairs: NDArray[np.int64]) -> Buckets:
        places = pairs % REMEMBERED
        buckets = self.pair_buckets[places]
        missing = self.pairs[places] != pairs
        new, which = np.unique(pairs[missing], return_inverse=True)
        names, (first, second) = self.names, np.divmod(new, SPREAD)
        words = zip(first.tolist(), second.tolist(), strict=True)
        found = _hash([names[a] + b" " + names[b] for a, b in words])
        buckets[missing] = found[which]
        self.pairs[new % REMEMBERED], self.pair_buckets[new % REMEMBERED] = new, found
        return buckets


def _hash(ngrams: list[bytes]) -> Buckets:
    """SHA-256 modulo `BUCKETS`: (n-grams,). The digest is a number of 16 digits to the base 2^16."""
    digests = b"".join([sha256(ngram).digest() for ngram in ngrams])
    digits = np.frombuffer(digests, dtype=">u2").reshape(-1, 16).astype(np.int64)
    powers = np.array([pow(2**16, place, BUCKETS) for place in reversed(range(16))])
    return (digits @ powers % BUCKETS).astype(np.uint16)


def find_words(text: str) -> list[str]:
    """Find runs of word characters and runs of other marks, as nltk's WordPunctTokenizer does."""
    return (_find_ascii_words if text.isascii() else _unicode_words().findall)(text)


_find_ascii_words = re.compile(r"\w++|[^\w \t-\r]++", re.ASCII).findall


@cache
def _unicode_words() -> re.Pattern[str]:
    """Words as Unicode defines them (Technical Standard 18, annex C): to `re`, the vowel signs of Hindi and
    other combining marks are no part of a word, while ½ and ² are.

    `re` has a quick table for characters below 2^16 and walks through the ranges above, so these are looked
    at apart, and only where there are any.
    """
    categories = {"Ll", "Lm", "Lo", "Lt", "Lu", "Mc", "Me", "Mn", "Nd", "Nl", "Pc"}
    letters = {c for c in chain(range(0x34000), range(0xE0100, 0xE01F0)) if category(chr(c)) in categories}
    letters |= {0x200C, 0x200D, *range(0x24B6, 0x24EA)}  # joiners, circled letters, and more of these
    letters |= {*range(0x1F130, 0x1F14A), *range(0x1F150, 0x1F16A), *range(0x1F170, 0x1F18A)}
    low, high = _ranges(c for c in letters if c < 2**16), _ranges(c for c in letters if c >= 2**16)
    space = r" \t-\r\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
    above = r"\U00010000-\U0010ffff"
    word = f"(?:[{low}]++|(?=[{above}])[{high}]++)++"
    marks = f"(?:[^{low}{space}{above}]++|(?=[{above}])[^\\x00-\\uffff{high}]++)++"
    return re.compile(f"{word}|{marks}")


def _ranges(characters: Iterable[int]) -> str:
    """The characters as ranges of a regular expression's set."""
    known = set(characters)
    first = (f"\\U{c:08x}" for c in sorted(known) if c - 1 not in known)
    last = (f"\\U{c:08x}" for c in sorted(known) if c + 1 not in known)
    return "".join(f"{a}-{b}" for a, b in zip(first, last, strict=True))
