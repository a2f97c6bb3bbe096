"""The benchmark of stories: one word of four is possible, no model has read it, and the record is of it."""

import pytest

from bookkit.experiments.benchmark import CHOICES, QUESTIONS, contamination, read_questions, remembered
from bookkit.experiments.story_judge import StoryJudge
from fmkit.records import read_record
from fmkit.world import World, load_stories

ASKED = read_questions()


def test_one_word_alone_goes_on() -> None:
    world = World()
    for question in ASKED[::10]:
        allowed = [world.check(f"{question['beginning']} {word}").unfinished for word in question["choices"]]
        assert allowed == [i == question["key"] for i in range(CHOICES)]


def test_keys_are_spread() -> None:
    keys = [question["key"] for question in ASKED]
    assert len(keys) == QUESTIONS
    assert min(keys.count(i) for i in range(CHOICES)) > 35


def test_a_story_goes_on_with_its_key() -> None:
    for question in ASKED:
        word = question["choices"][question["key"]]
        assert question["story"].startswith(f"{question['beginning']} {word}")


@pytest.mark.slow
def test_no_question_was_in_training() -> None:
    assert not {question["story"] for question in ASKED} & {*load_stories()["train"]["text"]}


@pytest.mark.slow
def test_a_thing_is_remembered() -> None:
    judge = StoryJudge(load_stories()["train"]["text"])
    question = ASKED[0]
    assert remembered(judge, question["story"]) == (
        question["beginning"],
        question["choices"][question["key"]],
    )


def test_the_record_is_of_these_questions() -> None:
    record, plan = read_record("contamination"), contamination()
    assert [run["settings"] for run in record["runs"]] == plan.arms
    for run in record["runs"]:
        assert len(run["right"]) == len(run["overlap"]) == QUESTIONS
        assert run["scores"]["leaked"] == sum(run["right"][::2]) / (QUESTIONS / 2)
        found = set(run["overlap"][::2])
        assert (found == {1.0}) == (run["settings"]["copies"] > 0)
