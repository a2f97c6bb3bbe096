"""The experiment with copying: one order number in each question, and the same one in its answer."""

import json
import re
from typing import Any

import pytest

from bookkit.experiments.copying import mistakes, orders, score, wrong_digits
from fmkit.world import SUPPORT

DIALOGS = SUPPORT.load(1, 300)["validation"]
ANSWER: dict[str, Any] = {"intent": "return", "item": "lamp", "action": "wait", "order": 482}


@pytest.mark.parametrize("digits", [2, 3, 4])
def test_the_answer_repeats_the_number(digits: int) -> None:
    numbers, places = [], set()
    for (question, answer), own in zip(
        orders(DIALOGS, "x", digits)["messages"], DIALOGS["json"], strict=True
    ):
        (found,) = re.findall(r"[Oo]rder (?:number is )?(\d+)\b", question["content"])
        told = json.loads(answer["content"])
        assert len(found) == digits
        assert told.pop("order") == int(found)
        assert told == json.loads(own)
        numbers.append(found)
        places.add(re.sub(r"\d+", "", question["content"]).split(" ")[0] == "Order")
    assert len(set(numbers)) > min(60, 10**digits // 2)
    assert places == {True, False}


def test_numbers_differ_by_split_not_by_run() -> None:
    assert orders(DIALOGS, "a")["messages"][:] == orders(DIALOGS, "a")["messages"][:]
    assert orders(DIALOGS, "a")["messages"][:] != orders(DIALOGS, "b")["messages"][:]


def test_shares_count_each_field() -> None:
    said: list[dict[str, Any] | None] = [ANSWER, {**ANSWER, "order": 481}, {"intent": "return"}, None]
    assert score(said, [ANSWER] * 4) == {
        "intent": 0.75,
        "item": 0.5,
        "order": 0.25,
        "json": 0.75,
        "exact": 0.25,
    }


def test_wrong_digits_are_counted() -> None:
    said = [ANSWER, {**ANSWER, "order": 481}, {**ANSWER, "order": 248}, {**ANSWER, "order": 48}, None]
    assert wrong_digits(said, [ANSWER] * 5) == {"0": 1, "1": 1, "2": 0, "3": 1, "no number": 2}


def test_mistakes_show_both_answers() -> None:
    asked = orders(DIALOGS.take(2), "x")
    (mistake,) = mistakes(asked, [None, ANSWER], [ANSWER, ANSWER])
    assert mistake == {"question": asked[0]["messages"][0]["content"], "said": None, "right": ANSWER}
