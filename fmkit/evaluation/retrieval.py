"""Find the documents that answer a query by their words, and measure how often the right one is found."""

from collections.abc import Collection, Hashable, Sequence
from importlib import import_module
from typing import Any

from fmkit.data.scripts import CHARACTER, space_out
from fmkit.errors import FmkitError
from fmkit.settings import as_several

WORD = rf"(?u)\b\w\w+\b|{CHARACTER}"  # as bm25s has it, or a character


class KeywordRetriever:
    """Rank documents by the words that they share with a query: BM25, by `bm25s`.

    A document's score is the sum, over the words of the query, of idf * tf / (tf + k1 (1 - b + b length /
    mean length)), where idf = ln(1 + (N - n + 0.5) / (n + 0.5)) for a word in n of N documents (Robertson &
    Zaragoza 2009, "The probabilistic relevance framework", section 3; this form is Lucene's). Words are
    compared in lower case; common English ones such as *the* are left out, and a single letter is no word,
    but where words have no spaces between them, as in Chinese, each character is one.
    Raises `FmkitError` for documents without any word, and if bm25s is not installed.
    """

    def __init__(self, documents: Sequence[str], k1: float = 1.5, b: float = 0.75) -> None:
        self._library = _bm25s()
        words = self._words(documents)
        if not any(words):
            raise FmkitError("no document has a word to find it by: give texts")
        self.count = len(words)
        self._index = self._library.BM25(method="lucene", k1=k1, b=b)
        self._index.index(words, show_progress=False)

    def search(self, queries: Sequence[str], k: int = 1) -> list[list[int]]:
        """Return for each query the numbers of the k best documents, best first.

        Of equal scores, the earlier document is first. Raises `FmkitError` for k outside 1 to the number of
        documents.
        """
        if not 1 <= k <= self.count:
            raise FmkitError(f"k={k}: choose from 1 to {self.count}, the number of documents")
        numbers, queries = range(self.count), as_several(queries)
        return [sorted(numbers, key=self.scores(q).__getitem__, reverse=True)[:k] for q in queries]

    def scores(self, query: str) -> list[float]:
        """Return the score of every document; 0 where no word of the query is in it."""
        (words,) = self._words([query])
        known = [word for word in words if word in self._index.vocab_dict]
        return [float(s) for s in self._index.get_scores(known)] if known else [0.0] * self.count

    def _words(self, texts: Sequence[str]) -> list[list[str]]:
        found: list[list[str]] = self._library.tokenize(
            [space_out(text) for text in as_several(texts)],
            stopwords="en",
            token_pattern=WORD,
            return_ids=False,
            show_progress=False,
        )
        return found


def recall_at_k(
    ranked: Sequence[Sequence[Hashable]], relevant: Sequence[Collection[Hashable]], k: int
) -> float:
    """Compute the share of the relevant documents that are among the first k, averaged over the queries.

    `ranked` has for each query the documents found, best first, and `relevant` those that answer it. Raises
    `FmkitError` for no query, for a query without a relevant document, and for k below 1.
    """
    _check(ranked, relevant)
    if k < 1:
        raise FmkitError(f"k={k}: look at one document or more")
    shares = [
        len({*found[:k]} & {*right}) / len({*right}) for found, right in zip(ranked, relevant, strict=True)
    ]
    return sum(shares) / len(shares)


def mean_reciprocal_rank(
    ranked: Sequence[Sequence[Hashable]], relevant: Sequence[Collection[Hashable]]
) -> float:
    """Compute the mean over the queries of 1 / rank of the first relevant document, 0 where none was found.

    From the TREC-8 question answering track (Voorhees 1999). Raises `FmkitError` as `recall_at_k` does.
    """
    _check(ranked, relevant)
    total = 0.0
    for found, right in zip(ranked, relevant, strict=True):
        total += next((1 / rank for rank, document in enumerate(found, 1) if document in right), 0.0)
    return total / len(ranked)


def _check(ranked: Sequence[Any], relevant: Sequence[Collection[Any]]) -> None:
    if not ranked or len(ranked) != len(relevant):
        raise FmkitError(
            f"{len(ranked)} rankings and {len(relevant)} sets of right ones: give both for each query"
        )
    for number, right in enumerate(relevant, 1):
        if not right:
            raise FmkitError(
                f"query {number} has no relevant document: leave it out, no ranking can find one"
            )


def _bm25s() -> Any:
    try:
        return import_module("bm25s")
    except ImportError:
        raise FmkitError("the keyword retriever needs bm25s: pip install 'fmkit[evaluation]'") from None
