"""Reviews: exact, labelled, and not to be told by their words alone."""

from __future__ import annotations

import math
import random
import re
from collections import Counter

import pytest

from fmkit.world import LABELS, Reviews, load_reviews

REVIEWS = Reviews()
SAMPLES = [REVIEWS.sample(rng) for rng in [random.Random(0)] for _ in range(3_000)]


@pytest.mark.slow
def test_one_derivation_with_its_label() -> None:
    for review in SAMPLES:
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
    for review in SAMPLES[:2_000]:
        counts[review.label].update(words(review.text))
    right = 0
    for review in SAMPLES[2_000:]:
        score = sum(math.log((counts[1][w] + 1) / (counts[0][w] + 1)) for w in words(review.text))
        right += (score > 0) == (review.label == 1)
    assert 0.55 < right / 1_000 < 0.8


def test_english_is_clean() -> None:
    for review in SAMPLES:
        assert not re.search(r"  |\b[Aa] [aeio]|\b[Aa]n [^aeiou]", review.text), review.text
        assert review.text.endswith(".")


def test_labels_are_a_class_label() -> None:
    reviews = load_reviews(200, 50)
    assert reviews["train"].column_names == ["text", "label", "log_prob"]
    assert reviews["train"].features["label"].names == ["negative", "positive"]
    assert 0.35 < sum(reviews["train"]["label"]) / 200 < 0.65
    assert reviews["train"][:] == load_reviews(200, 50)["train"][:]
