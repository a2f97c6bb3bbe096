"""Gaps: exact probabilities, from one side and from both."""

import math
import random

import pytest

from fmkit.errors import FmkitError
from fmkit.world import Grammar, World, fill_gap
from fmkit.world.gaps import PIECE

TINY = Grammar({"start": "{a=fruit} and {b=fruit}[.|, {a}!]", "fruit": ["fig", "pear", "fig tree"]})


def test_pieces_multiply_to_the_story() -> None:
    """What follows, piece by piece, has together the probability of the whole."""
    world = World()
    for seed in range(3):
        story = world.sample(random.Random(seed))
        at, log_prob, piece = 0, 0.0, "."
        while piece:
            found = PIECE.match(story.text, at)
            assert found
            piece = found[0]
            log_prob += math.log(fill_gap(world, story.text[:at])[piece])
            at = found.end()
        assert log_prob == pytest.approx(story.log_prob)


def test_both_sides_are_bayes() -> None:
    """Each word has its share of the texts that agree outside of the gap."""
    world = World()
    text = world.sample(random.Random(5)).text
    start, end = text.index(" cards"), text.index(" until")
    found = fill_gap(world, text[:start], text[end:])
    whole = {piece: math.exp(world.log_prob(text[:start] + piece + text[end:])) for piece in found}
    assert len(found) > 5
    assert found == pytest.approx({piece: p / sum(whole.values()) for piece, p in whole.items()})


def test_what_comes_later_decides() -> None:
    weight = {"fig": 1 / 9, "pear": 1 / 10, "fig tree": 1 / 11}
    fig = (weight["fig"] + weight["fig tree"]) / sum(weight.values())
    assert fill_gap(TINY, "") == pytest.approx({"fig": fig, "pear": 1 - fig})
    assert fill_gap(TINY, "", " and fig, pear!") == {"pear": 1.0}


def test_the_end_is_a_piece() -> None:
    assert fill_gap(TINY, "fig and pear.") == {"": 1.0}
    assert fill_gap(TINY, "fig and pear") == pytest.approx({".": 0.6, ",": 0.4})


def test_a_word_is_not_cut() -> None:
    """After "a", an "an" does not go on with "n"."""
    assert set(fill_gap(Grammar({"start": "[a cat|an ox]"}), "a")) == {" cat"}


def test_nothing_that_fits_is_one_line() -> None:
    with pytest.raises(FmkitError, match=r"^nothing fits after 'plum': give all the text .*$"):
        fill_gap(TINY, "plum")
