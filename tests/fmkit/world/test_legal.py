"""Clauses: exact, with dates, sums and terms that hold."""

from __future__ import annotations

import functools
import math
import re
from collections import defaultdict

import pytest
from ambiguity import Unambiguous
from domain_checks import check_english, check_exact, check_hash, check_overlap, check_worlds, samples, world

from fmkit.world.grammar_file import read
from fmkit.world.words import split

clauses = functools.partial(samples, "legal")
LEGAL = world("legal")


def of(plot: str) -> list[str]:
    return [clause.text for clause in clauses() if clause.plot == plot]


def test_log_prob_is_the_samplers_own() -> None:
    check_exact(LEGAL, clauses())


@pytest.mark.soak
def test_log_prob_of_ten_thousand() -> None:
    check_exact(LEGAL, samples("legal", 10_000, 1))


@pytest.mark.parametrize("seed", [0, 1])
def test_no_clause_has_two_derivations(seed: int) -> None:
    assert Unambiguous(world("legal", seed)).faults() == []


def test_what_does_not_hold_is_noticed() -> None:
    text = next(text for text in of("term") if "two years" in text)
    end = re.search(r"ends on .* (\d{4}), unless", text)
    assert end is not None
    assert LEGAL.log_prob(text.replace(end[1], str(int(end[1]) + 1))) == -math.inf
    text = next(text for text in of("liability") if "Keeper" in text)
    assert LEGAL.log_prob(text.replace("Keeper", "Seller")) == -math.inf
    assert LEGAL.log_prob(text.replace("Depositor", "Buyer")) == -math.inf
    section = re.search(r"The duties of Section (\d+)", of("term")[0])
    assert section is not None
    assert LEGAL.log_prob(of("term")[0].replace(section[0], "The duties of Section 99")) == -math.inf


def test_installments_add_up() -> None:
    numbers = {"three": 3, "four": 4, "five": 5, "six": 6, "eight": 8, "ten": 10}
    months = split(read("legal")["facts"]["months"])
    assert len(of("payment")) > 50
    for text in of("payment"):
        total, count, each = re.findall(
            r"of \$([\d,]+) to .* in (\w+) equal installments of \$([\d,]+)", text
        )[0]
        assert int(total.replace(",", "")) == numbers[count] * int(each.replace(",", ""))
        first, last = re.findall(r"due on \d+ (\w+) \d{4}", text)
        assert months.index(last) - months.index(first) == numbers[count] - 1


def test_interest_is_what_the_rate_says() -> None:
    rates = defaultdict(set)
    for clause in clauses():
        if clause.plot == "late payment":
            rate, debt, interest = re.findall(
                r"at (\d+) percent .* \$([\d,]+), this is \$([\d,]+)", clause.text
            )[0]
            assert int(rate) * int(debt.replace(",", "")) == 100 * int(interest.replace(",", ""))
            rates[clause.contract].add(rate)
    assert len(rates) == 8
    assert all(len(each) == 1 for each in rates.values())


def test_english_is_clean() -> None:
    check_english(clauses())
    assert {clause.plot for clause in clauses()} == set(read("legal")["plots"])
    assert len({clause.text for clause in clauses()}) > 0.99 * len(clauses())
    assert max(len(clause.text.split()) for clause in clauses()) <= 100


def test_words_overlap_with_the_stories() -> None:
    check_overlap("legal")


def test_another_seed_has_other_facts() -> None:
    check_worlds("legal")


def test_same_on_every_machine() -> None:
    check_hash("legal", "4bc5ef9cdbecdad2ef4672175ebc261c3bbe53f9eb5343df271a890635a66970")
