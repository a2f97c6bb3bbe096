"""The retriever's score is BM25's formula, and its measures are what their definitions say."""

import math
import random
import re

import pytest

from fmkit import FmkitError
from fmkit.evaluation.retrieval import KeywordRetriever, mean_reciprocal_rank, recall_at_k

COLORS = ["red", "blue", "green", "yellow", "pink", "purple", "black", "white"]
NOTES = ["The kettle is red.", "The chair is blue, and the cushion of the chair is red.", "A green robot."]


def bm25(query: str, document: str, documents: list[str], k1: float, b: float) -> float:
    """The formula, word by word, on texts without common words."""
    lists = [re.findall(r"\w\w+", text.lower()) for text in documents]
    here, mean = re.findall(r"\w\w+", document.lower()), sum(map(len, lists)) / len(lists)
    total = 0.0
    for word in re.findall(r"\w\w+", query.lower()):
        n, tf = sum(word in words for words in lists), here.count(word)
        idf = math.log(1 + (len(lists) - n + 0.5) / (n + 0.5))
        total += idf * tf / (tf + k1 * (1 - b + b * len(here) / mean))
    return total


def test_scores_are_the_formula() -> None:
    rng = random.Random(0)
    for _ in range(100):
        texts = [" ".join(rng.choices(COLORS, k=rng.randint(1, 12))) for _ in range(rng.randint(2, 9))]
        k1, b = rng.uniform(0.5, 2), rng.uniform(0, 1)
        query = " ".join(rng.sample(COLORS, 3))
        plain = [bm25(query, text, texts, k1, b) for text in texts]
        assert KeywordRetriever(texts, k1, b).scores(query) == pytest.approx(plain, abs=1e-5)


def test_best_document_comes_first() -> None:
    retriever = KeywordRetriever(NOTES)
    assert retriever.search(["Is the robot green?", "Which chair is it?"], k=2) == [[2, 0], [1, 0]]


def test_unknown_words_score_zero() -> None:
    assert KeywordRetriever(NOTES).scores("zebra") == [0, 0, 0]


def test_common_words_are_left_out() -> None:
    assert KeywordRetriever(NOTES).scores("the") == [0, 0, 0]


def test_ranks_by_hand() -> None:
    ranked, right = [[4, 2, 7], [1, 3, 5], [9, 8, 6]], [{2}, {1}, {0}]
    assert recall_at_k(ranked, right, 1) == pytest.approx(1 / 3)
    assert recall_at_k(ranked, right, 2) == pytest.approx(2 / 3)
    assert mean_reciprocal_rank(ranked, right) == pytest.approx((1 / 2 + 1 + 0) / 3)


def test_recall_counts_all_relevant() -> None:
    assert recall_at_k([["a", "b", "c"]], [{"a", "c", "d", "e"}], 2) == 0.25


def test_more_documents_never_lower_recall() -> None:
    rng = random.Random(1)
    ranked = [rng.sample(range(20), 20) for _ in range(30)]
    right = [set(rng.sample(range(20), rng.randint(1, 3))) for _ in ranked]
    recalls = [recall_at_k(ranked, right, k) for k in range(1, 21)]
    assert recalls == sorted(recalls)
    assert recalls[-1] == 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: KeywordRetriever([]),
        lambda: KeywordRetriever(["", "?"]),
        lambda: KeywordRetriever(NOTES).search(["red"], k=0),
        lambda: KeywordRetriever(NOTES).search(["red"], k=4),
        lambda: recall_at_k([], [], 1),
        lambda: recall_at_k([[1]], [{1}, {2}], 1),
        lambda: recall_at_k([[1]], [set()], 1),
        lambda: recall_at_k([[1]], [{1}], 0),
        lambda: mean_reciprocal_rank([[1]], [set()]),
    ],
)
def test_bad_arguments_are_refused(wrong) -> None:
    with pytest.raises(FmkitError, match=r"^[^\n]+$"):
        wrong()


def test_missing_library_names_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "bm25s", None)
    with pytest.raises(FmkitError, match=r"pip install 'fmkit\[evaluation\]'"):
        KeywordRetriever(NOTES)


def test_documents_without_spaces_are_found():
    documents = ["昨天在工厂发生了火灾", "明天天气很好", "a plain text", "猫坐在椅子上"]
    retriever = KeywordRetriever(documents)
    assert retriever.search(["工厂的火灾", "天气", "plain", "椅子"]) == [[0], [1], [2], [3]]
