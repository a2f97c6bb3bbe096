"""Reviews: exact, labelled, and not to be told by their words alone."""

from __future__ import annotations

import functools
import math
import re
from collections import Counter

import pytest
from domain_checks import samples

from fmkit.world import LABELS, Reviews, load_reviews

REVIEWS = Reviews()
reviews = functools.partial(samples, "reviews", 3_000)


@pytest.mark.slow
def test_one_derivation_with_its_label() -> None:
    for review in reviews():
        (derivation,) = REVIEWS.derivations(review.text)
        assert math.isclose(derivation.log_prob, review.log_prob, abs_tol=1e-9)
        assert derivation.bound["label"]["name"] == LABELS[review.label]


def test_not_bad_at_all_is_praise() -> None:
    text = "I saw this movie yesterday. The story was not bad at all."
    (derivation,) = REVIEWS.derivations(text)
    assert derivation.bound["label"]["name"] == "positive"
    assert REVIEWS.log_prob(text.replace("bad", "good")) > -math.inf
    assert REVIEWS.log_prob(text.replace("movie", "story")) == -math.inf


def test_counting_words_fails_on_part() -> None:
    def words(text: str) -> set[str]:
        return set(re.findall(r"[a-z]+", text.lower()))

    counts = (Counter[str](), Counter[str]())
    for review in reviews()[:2_000]:
        counts[review.label].update(words(review.text))
    right = 0
    for review in reviews()[2_000:]:
        score = sum(math.log((counts[1][w] + 1) / (counts[0][w] + 1)) for w in words(review.text))
        right += (score > 0) == (review.label == 1)
    assert 0.55 < right / 1_000 < 0.8


def test_english_is_clean() -> None:
    for review in reviews():
        assert not re.search(r"  |\b[Aa] [aeio]|\b[Aa]n [^aeiou]", review.text), review.text
        assert review.text.endswith(".")


def test_labels_are_a_class_label() -> None:
    splits = load_reviews(200, 50)
    assert splits["train"].column_names == ["text", "label", "log_prob"]
    assert splits["train"].features["label"].names == ["negative", "positive"]
    assert 0.35 < sum(splits["train"]["label"]) / 200 < 0.65
    assert splits["train"][:] == load_reviews(200, 50)["train"][:]
