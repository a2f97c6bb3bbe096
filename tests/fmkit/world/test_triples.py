"""Triples are what they promise: two true sentences and a false one, as the domain that made them says."""

import math

import pytest

from fmkit import FmkitError
from fmkit.world import TRIPLE_KINDS, WORDINGS, Almanac, Reviews, Support, make_triples

SHOP, ALMANAC, REVIEWS = Support(), Almanac(), Reviews()


def opinions(context: str, text: str) -> set[str]:
    """The labels of the reviews that say this."""
    return {told.bound["label"]["name"] for told in REVIEWS.derivations(f"{context} {text}")}


def is_true(triple, text: str) -> bool:
    if triple.kind == "negation":
        return opinions(triple.context, text) == opinions(triple.context, triple.references[0])
    if triple.kind == "paraphrase":
        return ALMANAC.log_prob(text) > -math.inf
    return SHOP.completion_log_prob(triple.context, text) > -math.inf


@pytest.mark.slow
@pytest.mark.parametrize("kind", TRIPLE_KINDS)
@pytest.mark.parametrize("wording", WORDINGS)
def test_right_is_true_and_wrong_false(kind, wording):
    for triple in make_triples(kind, 40, wording, references=2, seed=5):
        assert all(is_true(triple, text) for text in (*triple.references, triple.right))
        assert not is_true(triple, triple.wrong)
        assert triple.right not in triple.references
        assert len(set(triple.references)) == 2


@pytest.mark.parametrize("kind", TRIPLE_KINDS)
def test_the_wording_changes_the_wrong(kind):
    same, own = (make_triples(kind, 8, wording, seed=1) for wording in ("reference", "own"))
    assert [(t.references, t.right) for t in same] == [(t.references, t.right) for t in own]
    assert [t.wrong for t in same] != [t.wrong for t in own]


def test_order_swaps_and_adds_nothing():
    for triple in make_triples("order", 20, "reference"):
        assert triple.wrong not in triple.references
        words = [sorted(text.replace(".", "").split()) for text in (triple.wrong, *triple.references)]
        assert words[0] == words[1]


def test_the_right_one_is_brief_in_length():
    for triple in make_triples("length", 20, "reference"):
        assert len(triple.right) < len(triple.wrong)


def test_a_denial_keeps_its_adjective():
    for triple in make_triples("negation", 20, "reference"):
        shared = {*triple.wrong.strip(".").split()} & {*triple.references[0].strip(".").split()}
        assert len(shared) >= 3  # the part, what is said of it, and some small words


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tone", 1), "kind 'tone': choose one of negation"),
        (("order", 1, "mine"), "wording 'mine'"),
        (("order", 0), "0 triples"),
        (("order", 1, "own", 4), "with 1 to 3"),
    ],
)
def test_other_triples_are_one_line(arguments, message):
    with pytest.raises(FmkitError, match=message):
        make_triples(*arguments)
