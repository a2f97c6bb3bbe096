"""The experiments with a shop's tickets: which ones there are, what counts as right, and what is replayed."""

import json

from bookkit.experiments import support_case
from bookkit.experiments.support_case import GARDEN, SHARE, WEEK, held_out, replayed, tickets, week
from fmkit.world import SUPPORT


def about_tools(rows: list[support_case.Ticket]) -> int:
    return sum(any(tool in row["messages"][0]["content"] for tool in GARDEN) for row in rows)


def test_garden_tools_are_kept_apart() -> None:
    assert about_tools(held_out()) == 0
    assert about_tools(tickets(50, seed=3, garden=True)) == 50
    assert 0 < about_tools(tickets(200, seed=3, garden=None)) < 200


def test_a_drift_begins_in_its_week() -> None:
    assert about_tools(week(support_case.BEFORE - 1, "garden")) == 0
    assert about_tools(week(support_case.BEFORE, "garden")) == round(SHARE * WEEK)


def test_replay_can_correct_answers() -> None:
    old, corrected = replayed("old", 300), replayed("corrected", 300)
    assert replayed("none", 300) == []
    shop = SUPPORT.make(support_case.NEW_SHOP)
    assert all(row["right"] == shop.answer(row["messages"][0]["content"]) for row in corrected)
    known = {row["messages"][0]["content"]: row["right"] for row in old}
    assert any(known[row["messages"][0]["content"]] != row["right"] for row in corrected)
    assert all(json.loads(row["messages"][1]["content"]) == row["right"] for row in corrected)
