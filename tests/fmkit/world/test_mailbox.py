"""The exported mailbox: what is planted in it is there, and what it says of itself is true."""

from __future__ import annotations

import math
from collections import Counter
from functools import cache
from typing import Any

import pytest

from fmkit import FmkitError
from fmkit.selection import scrub
from fmkit.world import Support, load_mailbox
from fmkit.world.mailbox import AGAIN


@cache
def box() -> list[dict[str, Any]]:
    return list(load_mailbox())


@pytest.mark.slow
def test_a_fifth_are_later_copies() -> None:
    copies = [(number, mail) for number, mail in enumerate(box(), 1) if mail["copy_of"]]
    assert len(box()) == 400
    assert len(copies) == 80
    for number, mail in copies:
        assert mail["copy_of"] < number
        original = box()[mail["copy_of"] - 1]
        assert not original["copy_of"]
        sent = [original["message"], *(changed.format(original["message"]) for changed in AGAIN)]
        assert mail["message"] in sent
        assert {**original, "message": "", "copy_of": 0} == {**mail, "message": "", "copy_of": 0}
    changed = [mail for _, mail in copies if mail["message"] != box()[mail["copy_of"] - 1]["message"]]
    assert 30 <= len(changed) <= 50


@pytest.mark.slow
def test_right_is_what_the_shop_says() -> None:
    """Of messages that are as the grammar writes them: not signed, and no changed copies."""
    shop = Support()
    plain = [mail for mail in box() if not mail["personal"] and not mail["copy_of"]]
    for mail in plain:
        assert mail["right"] == (shop.completion_log_prob(mail["message"], mail["answer"]) > -math.inf)
        assert shop.answer(mail["message"])["intent"] == mail["intent"]
    assert 0.15 < sum(not mail["right"] for mail in plain) / len(plain) < 0.3


def test_the_two_judge_by_different_rules() -> None:
    ada = sum(mail["ada"] == mail["right"] for mail in box()) / len(box())
    ben = sum(mail["ben"] == mail["right"] for mail in box()) / len(box())
    assert ada > 0.9
    assert ben < 0.7


def test_personal_data_are_in_the_message() -> None:
    signed = [mail for mail in box() if mail["personal"]]
    assert 60 < len(signed) < 110
    kinds = Counter(one["kind"] for mail in signed for one in mail["personal"])
    assert set(kinds) == {"name", "phone", "phone in words", "email", "address", "birthday"}
    for mail in signed:
        assert all(one["text"] in mail["message"] for one in mail["personal"])


def test_scrub_finds_forms_and_nothing_else() -> None:
    for mail in box():
        scrubbed = scrub(mail["message"])
        for one in mail["personal"]:
            assert (one["text"] not in scrubbed) == (one["kind"] in ("phone", "email", "address"))
        if not mail["personal"]:
            assert scrubbed == mail["message"]


@pytest.mark.slow
def test_the_same_mailbox_for_the_same_seed() -> None:
    assert list(load_mailbox(50)) == list(load_mailbox(50))
    assert list(load_mailbox(50)) != list(load_mailbox(50, seed=1))
    assert list(load_mailbox(50)) != list(load_mailbox(50, world=1))


@pytest.mark.parametrize("size", [0, 4, 2.5, True])
def test_too_few_messages_are_one_line(size: object) -> None:
    with pytest.raises(FmkitError, match="size must be a whole number of at least 5"):
        load_mailbox(size)  # type: ignore[arg-type]
