"""The Markov corpus: a closed-form entropy that samples agree with, and a spectrum that is a power law."""

from __future__ import annotations

import functools
import math
import random
import statistics
from itertools import pairwise

import numpy as np
import pytest
from domain_checks import check_exact
from hypothesis import given, settings
from hypothesis import strategies as st

from fmkit.data.tokenizer import EOS, SPECIAL_TOKENS, load_tokenizer, save_tokenizer, word_level_tokenizer
from fmkit.errors import FmkitError
from fmkit.world import MARKOV, Chain
from fmkit.world.markov import STATES, STOP, Walk

CHAIN = Chain()


@functools.cache
def walks(n: int = 2_000, seed: int = 0) -> tuple[Walk, ...]:
    rng = random.Random(seed)
    return tuple(CHAIN.sample(rng) for _ in range(n))


def test_log_prob_is_the_samplers_own() -> None:
    check_exact(CHAIN, walks())


@pytest.mark.soak
def test_log_prob_of_ten_thousand() -> None:
    check_exact(CHAIN, walks(10_000, seed=1))


def test_log_prob_is_the_matrixs() -> None:
    p, q = CHAIN.stationary, CHAIN.transitions
    a, b, c = CHAIN.words[3], CHAIN.words[200], CHAIN.words[3]
    by_hand = p[3] * q[3, 200] * q[200, 3] * (1 - STOP) ** 2 * STOP
    assert math.isclose(CHAIN.log_prob(f"{a} {b} {c}"), math.log(by_hand), abs_tol=1e-9)
    assert math.isclose(CHAIN.log_prob(a), math.log(p[3] * STOP), abs_tol=1e-9)


def test_texts_sum_to_one() -> None:
    of_one = math.fsum(math.exp(CHAIN.log_prob(word)) for word in CHAIN.words)
    of_two = math.fsum(math.exp(CHAIN.log_prob(f"{a} {b}")) for a in CHAIN.words for b in CHAIN.words)
    assert math.isclose(of_one, STOP, rel_tol=1e-9)
    assert math.isclose(of_two, STOP * (1 - STOP), rel_tol=1e-9)


def test_distribution_is_stationary() -> None:
    assert np.allclose(CHAIN.transitions.sum(1), 1, atol=1e-12)
    assert np.allclose(CHAIN.stationary @ CHAIN.transitions, CHAIN.stationary, atol=1e-12)
    assert math.isclose(CHAIN.stationary.sum(), 1, abs_tol=1e-9)
    last = [walk.text.split(" ")[-1] for walk in walks()]
    first = [walk.text.split(" ")[0] for walk in walks()]
    common = CHAIN.words[int(CHAIN.stationary.argmax())]
    expected = CHAIN.stationary.max()
    error = math.sqrt(expected / len(walks()))
    assert abs(first.count(common) / len(first) - expected) < 4 * error
    assert abs(last.count(common) / len(last) - expected) < 4 * error


# --- Entropy ----------------------------------------------------------------------------------------------


def test_samples_have_the_entropy_rate() -> None:
    index = {word: k for k, word in enumerate(CHAIN.words)}
    logs = np.log(CHAIN.transitions)
    sums, counts = [], []
    for walk in walks():
        steps = [(index[a], index[b]) for a, b in pairwise(walk.text.split(" "))]
        sums.append(-sum(logs[step] for step in steps))
        counts.append(len(steps))
    rate = sum(sums) / sum(counts)
    spread = statistics.stdev(s - rate * n for s, n in zip(sums, counts, strict=True))
    error = spread / math.sqrt(len(sums)) / statistics.fmean(counts)
    assert error < 0.005  # 2,000 texts: some 250,000 words
    assert abs(rate - CHAIN.entropy_rate) < 4 * error


def test_counted_pairs_have_the_entropy() -> None:
    # Without looking at the matrix: the entropy of the next word given the last, from counts alone. Counting
    # underestimates it (Miller 1955) by about (cells seen - rows) / 2n.
    index = {word: k for k, word in enumerate(CHAIN.words)}
    counts = np.zeros((STATES, STATES))
    for walk in walks():
        for a, b in pairwise(walk.text.split(" ")):
            counts[index[a], index[b]] += 1
    rows = counts.sum(1, keepdims=True)
    plain = -(counts * np.log(np.where(counts > 0, counts, 1) / np.maximum(rows, 1))).sum() / counts.sum()
    corrected = plain + ((counts > 0).sum() - (rows > 0).sum()) / (2 * counts.sum())
    assert plain < CHAIN.entropy_rate
    assert abs(corrected - CHAIN.entropy_rate) < 0.1


def test_mean_surprise_is_the_entropy() -> None:
    nats = [-walk.log_prob for walk in walks(4_000, seed=5)]
    error = statistics.stdev(nats) / math.sqrt(len(nats))
    assert abs(statistics.fmean(nats) - CHAIN.nats_per_text) < 4 * error
    assert math.isclose(CHAIN.nats_per_token, CHAIN.nats_per_text / (1 / STOP + 1), rel_tol=1e-12)
    assert abs(CHAIN.nats_per_token - CHAIN.entropy_rate) < 0.05
    assert 3.4 < CHAIN.entropy_rate < 3.6
    assert CHAIN.entropy_rate < math.log(STATES) - 1.5


def test_misses_fall_as_a_power_of_width() -> None:
    logs = np.log(CHAIN.transitions)
    centered = logs - logs.mean(1, keepdims=True)
    common = centered.mean(0)
    u, s, v = np.linalg.svd(centered - common)
    widths, missed = np.array([2, 4, 8, 16, 32]), []
    for d in widths:
        q = common + (u[:, :d] * s[:d]) @ v[:d]
        log_q = q - np.log(np.exp(q).sum(1, keepdims=True))
        missed.append(float(CHAIN.stationary @ (CHAIN.transitions * (logs - log_q)).sum(1)))
    fit = np.polyfit(np.log(widths), np.log(missed), 1)
    residuals = np.log(missed) - np.polyval(fit, np.log(widths))
    assert -1.2 < fit[0] < -0.5
    assert np.abs(residuals).max() < 0.15


# --- Tokenizer, the data set, bad input -------------------------------------------------------------------


def test_each_word_is_one_token(tmp_path: object) -> None:
    tokenizer = word_level_tokenizer(CHAIN.words)
    assert tokenizer.get_vocab_size() == 260 == STATES + len(SPECIAL_TOKENS)
    assert [tokenizer.token_to_id(token) for token in SPECIAL_TOKENS] == [0, 1, 2, 3]
    for walk in walks()[:200]:
        ids = tokenizer.encode(walk.text).ids
        assert ids[0] == 0
        assert [CHAIN.words[k - 4] for k in ids[1:]] == walk.text.split(" ")
        assert tokenizer.decode(ids) == walk.text
    save_tokenizer(tokenizer, str(tmp_path))
    again = load_tokenizer(str(tmp_path))
    assert again.encode(walks()[0].text).ids == tokenizer.encode(walks()[0].text).ids
    assert again.token_to_id(EOS) == 1


def test_words_are_short_and_different() -> None:
    assert len(set(CHAIN.words)) == STATES
    assert all(2 <= len(word) <= 3 for word in CHAIN.words)


def test_another_world_is_another_chain() -> None:
    other = Chain(seed=1)
    assert other.words != CHAIN.words
    assert abs(other.entropy_rate - CHAIN.entropy_rate) < 0.5
    mean = statistics.fmean(other.log_prob(walk.text) - walk.log_prob for walk in walks()[:200])
    assert mean < -100  # another chain finds these texts very unlikely
    assert np.array_equal(Chain().transitions, CHAIN.transitions)


def test_dataset_is_the_same_everywhere() -> None:
    splits = MARKOV.load(60, 20)
    assert set(splits["train"].column_names) == set(MARKOV.columns)
    assert splits["train"][:] == MARKOV.load(60, 20)["train"][:]
    assert splits["train"]["text"] != MARKOV.load(60, 20, seed=1)["train"]["text"]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40))
def test_unknown_words_are_impossible(text: str) -> None:
    known = all(word in CHAIN.words for word in text.split(" "))
    assert (CHAIN.log_prob(text) > -math.inf) == known


def test_what_is_not_text_is_refused() -> None:
    with pytest.raises(FmkitError, match=r"^[^\n]+$"):
        CHAIN.log_prob(3)  # type: ignore[arg-type]
