"""Four tasks in one model: what is told, what is right, and what training does not see."""

from __future__ import annotations

import functools
import json
from collections import Counter

import pytest

from fmkit import FmkitError
from fmkit.world import Support, instruct, is_right, load_instructions
from fmkit.world.instructions import SUMMARIES, TASKS

data = functools.cache(functools.partial(load_instructions, n_train=400, n_validation=40))


def test_tasks_come_in_turn() -> None:
    for split in data().values():
        counts = Counter(split["task"][:])
        assert set(counts) == set(TASKS)
        assert len(set(counts.values())) == 1


def test_reworded_asks_the_same_in_new_words() -> None:
    told = {name: set(split["instruction"][:]) for name, split in data().items()}
    assert told["validation"] <= told["train"]
    assert not told["reworded"] & told["train"]
    assert data()["reworded"]["prompt"][:] == data()["validation"]["prompt"][:]
    assert data()["reworded"]["completion"][:] == data()["validation"]["completion"][:]


def test_ways_are_as_many_as_asked_for() -> None:
    one = load_instructions(n_train=40, n_validation=4, ways=1)["train"]
    assert set(one["instruction"][:]) == {ways[0] for ways in TASKS.values()}
    with pytest.raises(FmkitError, match="ways"):
        load_instructions(ways=5)


def test_every_completion_is_right() -> None:
    shop = Support()
    for row in data()["train"]:
        assert is_right(shop, row, row["completion"])
        assert not is_right(shop, row, "Once upon a time.")
        assert row["messages"][:2] == instruct(row["instruction"], row["prompt"])
        meant = shop.answer(row["prompt"])
        said = row["completion"]
        if row["task"] == "json":
            assert json.loads(said) == meant
        if row["task"] == "topic":
            assert said == meant["intent"]
        if row["task"] == "summary":
            assert (str(meant["item"]) in said) == ("{item}" in SUMMARIES[meant["intent"]])
