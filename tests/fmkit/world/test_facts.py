"""Facts by year: exact, half of them new each year, and nothing of a later year in an earlier text."""

from __future__ import annotations

import functools
import math
import random
import re
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import pytest
from ambiguity import Unambiguous
from domain_checks import check_english, check_exact

from fmkit.errors import FmkitError
from fmkit.world import FACTS, YEARS, Almanac, Grammar
from fmkit.world.facts import Entry
from fmkit.world.grammar_file import read, rules
from fmkit.world.words import split

ALMANAC = Almanac()
TOPICS = read("facts")["topics"]


@functools.cache
def entries(n: int = 2_000, seed: int = 0) -> tuple[Entry, ...]:
    rng = random.Random(seed)
    return tuple(ALMANAC.sample(rng) for _ in range(n))


QUESTIONS = {year: ALMANAC.questions(year) for year in YEARS}


@pytest.mark.slow
def test_log_prob_is_the_samplers_own() -> None:
    check_exact(ALMANAC, entries())


@pytest.mark.soak
def test_log_prob_of_ten_thousand() -> None:
    check_exact(ALMANAC, entries(10_000, seed=1))


def test_no_entry_has_two_derivations() -> None:
    # Year and town are drawn in silence, which the proof forgets; but every entry names both of them once.
    silent = "{year=year:}{town=year.towns:}"
    for _, year in ALMANAC.rules["year"]:
        for _, town in year["towns"]:
            rest = {
                "start": rules("facts")["start"].replace(silent, ""),
                "topic": list(ALMANAC.rules["topic"]),
            }
            assert Unambiguous(Grammar({**rest, "year": year, "town": town})).faults() == []
    for entry in entries():
        assert re.findall(r"\d{4}", entry.text) == [str(entry.year)]
        assert [town for town in ALMANAC.towns if town in entry.text] == [entry.town]


# --- Facts ------------------------------------------------------------------------------------------------


def test_half_of_the_facts_are_new() -> None:
    for year, questions in QUESTIONS.items():
        assert len(questions) == 48
        assert sum(question.changed for question in questions) == (24 if year > YEARS[0] else 0)
        changed = Counter(question.topic for question in questions if question.changed)
        assert set(changed.values()) <= {4}  # of each topic as many
    for before, after in pairwise(YEARS):
        for old, new in zip(QUESTIONS[before], QUESTIONS[after], strict=True):
            assert (old.town, old.topic) == (new.town, new.topic)
            assert new.changed == (new.answer != old.answer)


@pytest.mark.slow
def test_question_has_one_right_answer() -> None:
    for questions in QUESTIONS.values():
        for question in questions:
            assert " " not in question.answer
            assert question.answer not in question.distractors
            assert len(question.distractors) >= 10
            verdict = ALMANAC.check(f"{question.prompt} {question.answer}")
            assert verdict.unfinished
            for wrong in question.distractors:
                verdict = ALMANAC.check(f"{question.prompt} {wrong}")
                assert not verdict.unfinished, (question, wrong)
                assert verdict.expected[0].rstrip(".") == question.answer


def test_a_changed_fact_is_noticed() -> None:
    for entry in entries()[:200]:
        for topic, texts in TOPICS.items():
            told = ALMANAC.facts[entry.year][entry.town][topic]
            wrong = next(value for value in split(texts["values"]) if value != told)
            stated = re.sub(rf"\b{told}\b", wrong, entry.text)
            if stated != entry.text:
                assert ALMANAC.log_prob(stated) == -math.inf, stated


def test_new_answers_cannot_be_guessed() -> None:
    # Over many countries a changed value is spread evenly over the others: no rank of a list is likelier.
    ranks, places = Counter[int](), 0
    for seed in range(40):
        for question in Almanac(seed).questions(YEARS[-1]):
            if question.changed and question.topic != "ticket":  # twelve values each
                ranks[split(TOPICS[question.topic]["values"]).index(question.answer)] += 1
                places += 1
    expected = places / 12
    chi2 = sum((ranks[k] - expected) ** 2 / expected for k in range(12))
    assert chi2 < 31.3  # 0.1 % of the chi-squared distribution with 11 degrees of freedom


def test_answers_are_words_of_the_stories() -> None:
    names = {*split(read("people")["girls"]), *split(read("people")["boys"])}
    assert set(split(TOPICS["mayor"]["values"])) <= names


# --- Cutoff -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_no_text_knows_a_later_year() -> None:
    for cutoff in YEARS[:-1]:
        past = Almanac(years=[year for year in YEARS if year <= cutoff])
        future = Almanac(years=[year for year in YEARS if year > cutoff])
        for entry in entries():
            known, unknown = past.log_prob(entry.text), future.log_prob(entry.text)
            assert (known > -math.inf) == (entry.year <= cutoff)
            assert (unknown > -math.inf) == (entry.year > cutoff)
        for question in QUESTIONS[cutoff + 1]:
            assert not past.check(f"{question.prompt} {question.answer}").unfinished


def test_some_years_have_the_same_facts() -> None:
    recent = Almanac(years=(YEARS[-1],))
    assert recent.facts == ALMANAC.facts
    assert recent.questions(YEARS[0]) == QUESTIONS[YEARS[0]]
    rng = random.Random(4)
    assert all(recent.sample(rng).year == YEARS[-1] for _ in range(100))


@pytest.mark.slow
def test_another_world_has_other_facts() -> None:
    other = Almanac(seed=1)
    assert other.towns != ALMANAC.towns
    assert sum(other.log_prob(entry.text) == -math.inf for entry in entries()) > 0.9 * len(entries())


# --- English, the data set, bad input ---------------------------------------------------------------------


def test_english_is_clean() -> None:
    check_english(entries())


def test_facts_are_told_in_several_ways() -> None:
    for topic, texts in TOPICS.items():
        question = next(question for question in QUESTIONS[2023] if question.topic == topic)
        assert texts["asked"].startswith("In {year}")
        rng, told = random.Random(0), set()
        town_and_year = Almanac(years=(2023,))
        for _ in range(2_000):
            entry = town_and_year.sample(rng)
            if entry.town == question.town and entry.text.count(".") <= 2:
                told.add(entry.text)
        assert len([text for text in told if question.answer.lower() in text.lower()]) >= 4


def test_dataset_is_the_same_everywhere() -> None:
    splits = FACTS.load(60, 20)
    assert set(splits["train"].column_names) == set(FACTS.columns)
    assert splits["train"][:] == FACTS.load(60, 20)["train"][:]
    assert splits["train"]["text"] != FACTS.load(60, 20, seed=1)["train"]["text"]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Almanac(years=()),
        lambda: Almanac(years=(1999,)),
        lambda: Almanac(seed="a"),  # type: ignore[arg-type]
        lambda: ALMANAC.questions(1999),
        lambda: ALMANAC.log_prob(3),  # type: ignore[arg-type]
    ],
)
def test_bad_arguments_are_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(FmkitError, match=r"^[^\n]+$"):
        wrong()
