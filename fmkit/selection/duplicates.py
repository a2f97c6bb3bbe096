"""Find and drop exact and near-duplicates; the first copy stays.

Near-duplicates are found as in Broder (1997, "On the resemblance and containment of documents") and Lee et
al. (2021, arXiv:2107.06499, section 4.2): documents are sets of shingles, their resemblance is the Jaccard
similarity of the sets, MinHash signatures estimate it, and locality-sensitive hashing over bands of the
signature (Leskovec, Rajaraman, Ullman, *Mining of Massive Datasets*, section 3.4) finds the candidate pairs.
These are compared exactly, so whatever is dropped is above the threshold; only a miss is a matter of chance.

Pages of one site share boilerplate, and so many bands that nearly every pair is a candidate. So before the
sets, sketches are compared (Sandes, Teodoro, Melo 2017, arXiv:1711.07295), those of all candidates at once. A
sketch has a bit for each residue of a hash: whether an odd number of shingles have it. Two sets differ in at
least as many shingles as their sketches in bits, which bounds the similarity from above: no near-duplicate is
lost. There are as many pairs, but a sketch costs about a thirtieth of a comparison of sets. The sketches of
much longer pages are too full to exclude anything, and their sets are compared.
"""

import hashlib
import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from fmkit.data.scripts import space_out
from fmkit.data.tables import Data
from fmkit.errors import FmkitError
from fmkit.selection.text_column import iterate_texts, with_places
from fmkit.settings import require_numbers

PERMUTATIONS = 128
RECALL = 0.99  # of the pairs that are just at the threshold
CHUNK = 4096  # shingles permuted at once: 4 MiB
SKETCH_BITS = 2048  # of a document: enough to tell apart pages of up to a thousand words
REMEMBERED = 2**20  # words whose hash is cached: about 150 MB

Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class DuplicateReport:
    """`clusters` holds positions in the data set of documents found equal; the first of each was kept."""

    total: int
    clusters: tuple[tuple[int, ...], ...]

    @property
    def dropped(self) -> int:
        return sum(len(cluster) - 1 for cluster in self.clusters)

    def __str__(self) -> str:
        return f"{self.dropped} of {self.total} documents dropped, copies of {len(self.clusters)} others"


def drop_duplicates(dataset: Data) -> tuple[Dataset, DuplicateReport]:
    """Keep the first of each group of equal texts, ignoring case, white space and Unicode form (NFKC).

    Needs about 300 bytes of memory a document. Raises `FmkitError` for a stream.
    """
    table = with_places(dataset)
    first: dict[bytes, int] = {}
    original = []
    for i, text in enumerate(iterate_texts(table)):
        original.append(
            first.setdefault(hashlib.blake2b(_encode(normalize(text)), digest_size=16).digest(), i)
        )
    return _keep_originals(table, original)


def drop_near_duplicates(
    dataset: Data, threshold: float = 0.8, *, shingle_words: int = 5, seed: int = 0
) -> tuple[Dataset, DuplicateReport]:
    """Drop each document whose Jaccard similarity to one kept before it is `threshold` or more.

    A document is its set of `shingle_words` successive words, normalized as for exact duplicates; a shorter
    one is a single shingle. Where words have no spaces between them, as in Chinese, each character is one.
    Bands are chosen so that a pair exactly at the threshold is found with a probability of at least `RECALL`,
    and a closer pair with a higher one; every pair found is compared exactly. The result is the same on every
    machine for the same seed. Needs 8 bytes of memory a word and about 5 KB a document. Raises `FmkitError`
    unless 0.1 ≤ threshold ≤ 1, and for a stream.
    """
    require_numbers(float, threshold=threshold)
    require_numbers(int, shingle_words=shingle_words, seed=seed)
    if not 0.1 <= threshold <= 1:
        raise FmkitError(f"threshold {threshold}: give a similarity between 0.1 and 1")
    if shingle_words < 1:
        raise FmkitError(f"shingle_words = {shingle_words}: a shingle has at least one word")
    table = with_places(dataset)
    bands, rows = choose_bands(threshold)
    permutations = draw_permutations(seed)
    word_hashes = _WordHashes()
    kept = _Kept(len(table), threshold)
    original: list[int] = []
    for i, text in enumerate(iterate_texts(table)):
        shingles = hash_shingles(text, shingle_words, word_hashes)
        signature = min_hash(shingles, permutations)[: bands * rows].reshape(bands, rows)
        keys = [band.to_bytes(2, "big") + values.tobytes() for band, values in enumerate(signature)]
        found = kept.find(shingles, keys)
        if found is None:
            kept.add(i, shingles, keys)
        original.append(i if found is None else found)
    return _keep_originals(table, original)


class _Kept:
    """The documents kept so far: found by the keys of their bands, excluded by their sketches."""

    def __init__(self, documents: int, threshold: float) -> None:
        self.threshold = threshold
        self.buckets: defaultdict[bytes, array[int]] = defaultdict(lambda: array("q"))
        self.shingles: dict[int, Hashes] = {}
        self.sizes, self.last = np.zeros((2, documents), dtype=np.int64)
        self.sketches = np.zeros((documents, SKETCH_BITS // 64), dtype=np.uint64)

    def add(self, i: int, shingles: Hashes, keys: Iterable[bytes]) -> None:
        self.shingles[i] = shingles
        self.sizes[i], self.sketches[i] = len(shingles), sketch(shingles)
        for key in keys:
            self.buckets[key].append(i)

    def find(self, shingles: Hashes, keys: Iterable[bytes]) -> int | None:
        """Find the first document that shares a key and whose similarity is the threshold or more."""
        named = [np.array(self.buckets[key]) for key in keys if key in self.buckets]
        if not named:
            return None
        documents = np.concatenate(named)
        places = np.arange(len(documents))
        self.last[documents] = places
        candidates = documents[self.last[documents] == places]  # each once
        likely = candidates[self._bound(candidates, shingles) >= self.threshold].tolist()
        return next(
            (j for j in sorted(likely) if jaccard(shingles, self.shingles[j]) >= self.threshold), None
        )

    def _bound(self, candidates: NDArray[np.int64], shingles: Hashes) -> NDArray[np.float64]:
        """Compute the greatest similarity that the sketches allow: (candidates,)."""
        total = self.sizes[candidates] + len(shingles)
        differing = np.bitwise_count(self.sketches[candidates] ^ sketch(shingles)).sum(axis=1, dtype=np.int64)
        common = (total - differing) // 2
        return np.divide(common, total - common, out=np.ones(len(total)), where=total > 0)


def sketch(shingles: Hashes) -> Hashes:
    """Set a bit for each residue modulo `SKETCH_BITS` that an odd number of shingles have: (words of 64,)."""
    counts = np.bincount((shingles % np.uint64(SKETCH_BITS)).astype(np.int64), minlength=SKETCH_BITS)
    return np.packbits((counts & 1).astype(np.uint8)).view(np.uint64)


def choose_bands(threshold: float) -> tuple[int, int]:
    """Choose (bands, rows a band): the most rows, so the fewest needless comparisons, with which a pair of
    similarity `threshold` agrees in a band with probability 1 - (1 - threshold^rows)^bands ≥ `RECALL`."""

    def recall(rows: int) -> float:
        return 1 - (1 - threshold**rows) ** (PERMUTATIONS // rows)

    rows = max(rows for rows in range(1, PERMUTATIONS + 1) if rows == 1 or recall(rows) >= RECALL)
    return PERMUTATIONS // rows, rows


def normalize(text: str) -> str:
    """Normalize a text for comparison: NFKC, case folded, runs of white space as one space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def hash_shingles(text: str, shingle_words: int, word_hashes: "_WordHashes") -> Hashes:
    """Hash the shingles to 64 bits, sorted: (distinct shingles,); empty if there are no words."""
    words = space_out(normalize(text)).split()
    hashes = np.array([word_hashes[word] for word in words], dtype=np.uint64)
    shingles = hashes[: len(words) - min(shingle_words, len(words)) + 1].copy() if words else hashes
    for offset in range(1, min(shingle_words, len(words))):
        shingles = _mix(shingles) + hashes[offset : offset + len(shingles)]
    return np.unique(_mix(shingles))


def draw_permutations(seed: int) -> tuple[Hashes, Hashes]:
    """Draw factors and summands of `factor · x + summand` modulo 2^64, a bijection: (PERMUTATIONS,) each."""
    factors, summands = np.random.default_rng(seed).integers(2**64, size=(2, PERMUTATIONS), dtype=np.uint64)
    return factors | np.uint64(1), summands


def min_hash(shingles: Hashes, permutations: tuple[Hashes, Hashes]) -> NDArray[np.uint32]:
    """Compute the MinHash signature, (PERMUTATIONS,).

    Two sets agree in a place with a probability that is their Jaccard similarity.
    """
    factors, summands = permutations
    lowest = np.full(PERMUTATIONS, 2**64 - 1, dtype=np.uint64)
    for start in range(0, len(shingles), CHUNK):
        permuted = shingles[start : start + CHUNK, None] * factors + summands
        np.minimum(lowest, permuted.min(axis=0), out=lowest)
    return (lowest >> np.uint64(32)).astype(np.uint32)


def jaccard(a: Hashes, b: Hashes) -> float:
    """Compute |a ∩ b| / |a ∪ b| of two sets as sorted arrays; two empty ones are equal."""
    if len(a) == len(b) == 0:
        return 1.0
    common = np.intersect1d(a, b, assume_unique=True).size
    return float(common / (len(a) + len(b) - common))


class _WordHashes(dict[str, int]):
    """A cache of word hashes, which are the same on every machine."""

    def __missing__(self, word: str) -> int:
        if len(self) >= REMEMBERED:
            self.clear()
        value = self[word] = int.from_bytes(hashlib.blake2b(_encode(word), digest_size=8).digest(), "little")
        return value


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _mix(values: Hashes) -> Hashes:
    """SplitMix64's finalizer (Steele, Lea, Flood 2014): each bit of the result depends on all bits."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _keep_originals(dataset: Dataset, original: Iterable[int]) -> tuple[Dataset, DuplicateReport]:
    """`original[i]` is the first document like document i, or i itself."""
    clusters: defaultdict[int, list[int]] = defaultdict(list)
    for i, first in enumerate(original):
        clusters[first].append(i)
    found = tuple(tuple(cluster) for cluster in clusters.values() if len(cluster) > 1)
    return dataset.select(list(clusters)), DuplicateReport(len(dataset), found)
