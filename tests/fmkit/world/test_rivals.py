"""Pairs of answers: the better one is right, the other is not, and nothing else tells them apart."""

import functools
import math
from collections import Counter

import pytest

from fmkit import FmkitError
from fmkit.world import RIVAL_FAULTS, Support, make_rivals

SHOP = Support()
pairs = functools.cache(functools.partial(make_rivals, 400))


def possible(letter: str, answer: str) -> bool:
    return SHOP.completion_log_prob(letter, answer) > -math.inf


@pytest.mark.slow
def test_only_the_better_one_is_possible():
    for pair in pairs():
        assert possible(pair.letter, pair.first) == (pair.better == "A")
        assert possible(pair.letter, pair.second) == (pair.better == "B")


def test_both_are_right_without_a_fault():
    for pair in make_rivals(40, faults=("none",)):
        assert pair.better == "tie"
        assert possible(pair.letter, pair.first)
        assert possible(pair.letter, pair.second)


def test_longer_is_by_words():
    for pair in pairs():
        lengths = {"A": len(pair.first.split()), "B": len(pair.second.split())}
        assert pair.longer == max(lengths, key=lengths.__getitem__)
        assert lengths["A"] != lengths["B"]


def test_shares_are_as_asked():
    some = make_rivals(600, first=0.7, longer=0.3)
    assert sum(pair.better == "A" for pair in some) / 600 == pytest.approx(0.7, abs=0.06)
    assert sum(pair.better == pair.longer for pair in some) / 600 == pytest.approx(0.3, abs=0.06)
    assert min(Counter(pair.fault for pair in some).values()) > 150
    assert {pair.fault for pair in some} == {*RIVAL_FAULTS}


def test_the_same_each_time_and_by_seed():
    assert make_rivals(20) == pairs()[:20]
    assert make_rivals(20, seed=1) != pairs()[:20]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"n": 0}, "at least 1"),
        ({"n": 1, "first": 2}, "shares from 0 to 1"),
        ({"n": 1, "faults": ["odd"]}, "no fault 'odd'"),
    ],
)
def test_bad_settings_are_one_line(options, said):
    with pytest.raises(FmkitError, match=said):
        make_rivals(**options)
