"""Shared runs of words are found, wherever they are and however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmkit import FmkitError
from fmkit.evaluation.contamination import contaminated, ngrams

WORDS = st.lists(st.sampled_from("abcd"), min_size=1, max_size=12)


@given(WORDS, st.lists(WORDS, max_size=5), st.integers(1, 5))
def test_shares_by_definition(words, corpus, n):
    """By comparing each run with each place of each text."""
    n_here = min(n, len(words))
    runs = [words[i : i + n_here] for i in range(len(words) - n_here + 1)]
    texts = [text[i : i + n_here] for text in corpus for i in range(len(text) - n_here + 1)]
    share = sum(run in texts for run in runs) / len(runs)
    assert contaminated([" ".join(words)], (" ".join(text) for text in corpus), n) == [pytest.approx(share)]


def test_the_library_agrees_on_ngrams():
    """As nltk's, which the harnesses of the field use, on words of this form."""
    ngrams_of = pytest.importorskip("nltk.util").ngrams
    words = [
        "the",
        "kettle",
        "that",
        "i",
        "bought",
        "at",
        "your",
        "shop",
        "last",
        "week",
        "is",
        "broken",
        "and",
        "it",
        "leaks",
    ]
    assert list(ngrams(" ".join(words), 4)) == list(ngrams_of(words, 4))


def test_case_and_signs_do_not_hide_a_run():
    text = "Once upon a time, there was a boy. He had a kite, two cats and a dog."
    assert contaminated([text], [text.upper().replace(",", " -")]) == [1.0]


def test_a_run_does_not_span_two_texts():
    assert contaminated(["one two three four"], ["zero one two", "three four five"], 3) == [0.0]


@pytest.mark.parametrize(
    ("texts", "n", "said"),
    [([], 13, "0 texts"), (["a"], 0, "runs of 0 words"), (["…"], 2, "text 0 .* no word")],
)
def test_nothing_to_look_for_is_one_line(texts, n, said):
    with pytest.raises(FmkitError, match=said):
        contaminated(texts, ["a b c"], n)


def test_a_run_without_spaces_is_found():
    text = "昨天下午在城市东部的一家工厂发生了火灾，没有人受伤。"
    assert contaminated([text, "明天天气"], [f"据通讯社报道{text}警方正在调查。"]) == [1.0, 0.0]
