"""Market notes: exact, with numbers that agree with one another and with the words."""

from __future__ import annotations

import functools
import math
import re
from collections import Counter, defaultdict

import pytest
from ambiguity import Unambiguous
from domain_checks import check_english, check_exact, check_hash, check_overlap, check_worlds, samples, world

from fmkit.world.grammar_file import read

notes = functools.partial(samples, "finance")
FINANCE = world("finance")


@pytest.mark.slow
def test_log_prob_is_the_samplers_own() -> None:
    check_exact(FINANCE, notes())


@pytest.mark.soak
def test_log_prob_of_ten_thousand() -> None:
    check_exact(FINANCE, samples("finance", 10_000, 1))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_no_note_has_two_derivations(seed: int) -> None:
    assert Unambiguous(world("finance", seed)).faults() == []


def test_percentages_agree() -> None:
    seen = 0
    for note in notes():
        if note.plot == "earnings":
            before, after, percent = re.findall(
                r"from \$([\d,]+) million to \$([\d,]+) million, .* of (\d+) percent", note.text
            )[0]
            change = int(after.replace(",", "")) - int(before.replace(",", ""))
            assert abs(change) * 100 == int(percent) * int(before.replace(",", ""))
            assert note.direction == ("up" if change > 0 else "down")
            assert re.search("rose|climbed|went up|jumped", note.text) if change > 0 else True
            seen += 1
    assert seen > 50


def test_profit_is_revenue_less_costs() -> None:
    profits = [note.text for note in notes() if note.plot == "profit"]
    assert len(profits) > 50
    for text in profits:
        revenue, costs, profit = (
            int(n.replace(",", "")) for n in re.findall(r"\$([\d,]+) million", text)[:3]
        )
        assert revenue - costs == profit


def test_what_does_not_agree_is_noticed() -> None:
    note = next(n for n in notes() if n.plot == "earnings" and n.direction == "up" and " rise of " in n.text)
    percent = re.search(r"(\d+) percent", note.text)
    assert percent is not None
    for right, wrong in (
        (f"of {percent[1]} percent", f"of {int(percent[1]) + 1} percent"),
        ("a rise of", "a fall of"),
        (note.company, next(n.company for n in notes() if n.company != note.company)),
    ):
        assert right in note.text
        changed = note.text.replace(right, wrong)
        assert FINANCE.log_prob(changed) == -math.inf
        verdict = FINANCE.check(changed)
        assert not verdict.valid


def test_company_keeps_its_facts() -> None:
    facts = defaultdict(set)
    for note in notes():
        for sector, city in re.findall(
            rf"{note.company}, (?:the|a) ([a-z ]+) (?:from|in) ([\w ]+?)[,.:]", note.text
        ):
            facts[note.company].add((sector, city))
    assert len(facts) == 24
    assert all(len(each) == 1 for each in facts.values())


def test_directions_have_their_shares() -> None:
    shares = Counter(note.direction for note in notes())
    assert all(0.28 < shares[way] / len(notes()) < 0.39 for way in ("up", "down", "none"))
    assert {note.plot for note in notes()} == {
        plot for kind in read("finance")["plots"].values() for plot in kind
    }


def test_english_is_clean() -> None:
    check_english(notes())
    assert len({note.text for note in notes()}) > 0.99 * len(notes())
    assert max(len(note.text.split()) for note in notes()) <= 100


def test_words_overlap_with_the_stories() -> None:
    check_overlap("finance")


def test_another_seed_has_other_facts() -> None:
    check_worlds("finance")


def test_same_on_every_machine() -> None:
    check_hash("finance", "41e3ef3ba65f768cfcdcf9181d8dfc132179909912883c34df01276146f92b2b")
