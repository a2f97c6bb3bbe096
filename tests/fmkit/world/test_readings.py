"""Readings: what is asked about a passage is told by it, or is not known; and no later year is learned."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from fmkit.errors import FmkitError
from fmkit.world import YEARS, Almanac
from fmkit.world.readings import UNKNOWN, answer_to, ask, load_readings, pages, put, values

ALMANAC = Almanac(3)
TOPICS = ("mayor", "cup", "ticket", "hall", "fair", "tree")
SHOWN = re.compile(r"^(.*)\n([^\n]+\?)$", re.DOTALL)


@pytest.fixture(scope="module")
def conversations() -> list[list[dict[str, str]]]:
    return list(load_readings(400, 40)["train"]["messages"])


def turns(conversation: list[dict[str, str]]) -> list[tuple[str, str, str]]:
    """The passages of a conversation, and each of its questions with the answer."""
    first = SHOWN.match(conversation[0]["content"])
    shown, asked = (first[1], first[2]) if first else ("", conversation[0]["content"])
    questions = [asked, *(turn["content"] for turn in conversation[2::2])]
    return [(shown, q, turn["content"]) for q, turn in zip(questions, conversation[1::2], strict=True)]


def test_pages_tell_each_fact_once() -> None:
    book = pages(ALMANAC)
    for year in YEARS:
        for town in ALMANAC.towns:
            for topic in TOPICS:
                (page,) = [page for page in book if page.tells(year, town, topic)]
                value = ALMANAC.facts[year][town][topic]
                assert re.search(rf"\b{value}\b", page.text, re.IGNORECASE)
                assert {town, str(year)} <= {*re.findall(r"\w+", page.text)}


def test_pages_are_entries_of_the_almanac() -> None:
    assert all(ALMANAC.log_prob(page.text) > float("-inf") for page in pages(ALMANAC))


def test_another_seed_uses_other_words() -> None:
    assert pages(ALMANAC) == pages(ALMANAC)
    assert pages(ALMANAC) != pages(ALMANAC, seed=1)


def test_answers_are_sentences_of_pages() -> None:
    for topic in TOPICS:
        for value in values(topic):
            assert re.fullmatch(rf"[A-Z][^.]* {value}( coins)?\.", answer_to(topic, value))


def test_passages_tell_what_is_answered(conversations: list[list[dict[str, str]]]) -> None:
    told = [turn for conversation in conversations for turn in turns(conversation) if turn[0]]
    for shown, question, answer in told:
        town = re.search(r"Elmford|\b(?!Who|What|Which)[A-Z]\w+", question)
        year = re.search(r"\d{4}", question)
        assert town
        assert year
        if answer != UNKNOWN:
            lines = [line for line in shown.splitlines() if town[0] in line and year[0] in line]
            value = answer.removesuffix(".").removesuffix(" coins").split()[-1]
            assert any(re.search(rf"\b{value}\b", line, re.IGNORECASE) for line in lines)


def test_three_in_ten_are_not_known(conversations: list[list[dict[str, str]]]) -> None:
    told = [answer for c in conversations for shown, _, answer in turns(c) if shown]
    assert 0.25 < told.count(UNKNOWN) / len(told) < 0.35


def test_kinds_of_conversations(conversations: list[list[dict[str, str]]]) -> None:
    kinds = Counter(
        turns(conversation)[0][0].count("\n") + bool(turns(conversation)[0][0])
        for conversation in conversations
    )
    assert set(kinds) == {0, 1, 3}
    assert kinds[1] > kinds[3] > kinds[0]


def test_old_years_alone_are_by_heart(conversations: list[list[dict[str, str]]]) -> None:
    world, right = Almanac(0), {}
    for year in YEARS[:2]:
        right |= {ask(q.topic, q.town, year): answer_to(q.topic, q.answer) for q in world.questions(year)}
    alone = [turn for conversation in conversations for turn in turns(conversation) if not turn[0]]
    assert alone
    assert all(right[question] == answer for _, question, answer in alone)


def test_readings_are_the_same_everywhere() -> None:
    assert load_readings(20, 5)["train"][:] == load_readings(20, 5)["train"][:]
    assert load_readings(20, 5)["train"][:] != load_readings(20, 5, seed=1)["train"][:]


def test_a_message_ends_with_its_question() -> None:
    assert put(["One.", "Two."], "What?") == {"role": "user", "content": "One.\nTwo.\nWhat?"}
    assert put([], "What?")["content"] == "What?"


@pytest.mark.parametrize("sizes", [(0, 5), (5, 0)])
def test_empty_splits_are_refused(sizes: tuple[int, int]) -> None:
    with pytest.raises(FmkitError, match=r"^n_\w+ must be [^\n]+$"):
        load_readings(*sizes)
