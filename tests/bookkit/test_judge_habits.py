"""The record of the judges is of the pairs that the experiment and the chapter draw."""

import functools

import pytest

from bookkit.experiments.judge_habits import EQUAL, HABITS, TESTED, judged_pairs, judges, lessons
from fmkit.evaluation.judge import verdict
from fmkit.records import read_record
from fmkit.world import make_rivals

pairs = functools.cache(judged_pairs)


def test_scores_are_of_these_pairs() -> None:
    for run in read_record("judges")["runs"]:
        assert len(run["there"]) == len(run["back"]) == TESTED + EQUAL
        right = [verdict(p) == pair.better for p, pair in zip(run["there"], pairs(), strict=True)]
        assert abs(sum(right) / TESTED - run["scores"]["agreement"]) < 0.005  # rounded near one half


def test_every_arm_is_recorded() -> None:
    record, plan = read_record("judges"), judges()
    assert [run["settings"] for run in record["runs"]] == plan.arms
    assert {name: record[name] for name in plan.about} == plan.about


@pytest.mark.slow
def test_a_habit_is_in_what_is_taught() -> None:
    taught = {habit: make_rivals(600, "train 0", **shares) for habit, shares in HABITS.items()}
    first = {habit: sum(pair.better == "A" for pair in pairs) / 600 for habit, pairs in taught.items()}
    longer = {
        habit: sum(pair.better == pair.longer for pair in pairs) / 600 for habit, pairs in taught.items()
    }
    assert first["first"] > 0.65 > 0.55 > max(first["balanced"], first["longer"])
    assert longer["longer"] > 0.65 > 0.55 > max(longer["balanced"], longer["first"])


def test_every_lesson_has_the_right_verdict() -> None:
    for pair, row in zip(pairs()[:20], lessons(pairs()[:20]), strict=True):
        asked, answer = row["messages"]
        assert answer["content"] == pair.better
        assert f"A: {pair.first}\nB: {pair.second}" in asked["content"]
