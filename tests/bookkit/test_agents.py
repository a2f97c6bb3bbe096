"""How an agent is judged: by what it did and said, and by the first step that was wrong."""

import random
from typing import Any

import pytest

from bookkit.experiments.agents import (
    CONDITIONS,
    MAX_STEPS,
    Trial,
    after_failure,
    by_needed,
    kind_of_error,
    share,
    step_rate,
    with_approval,
)
from fmkit.data.chat import Message
from fmkit.evaluation.episodes import REFUSED, run_episodes
from fmkit.world import Case, Desk, right_path

CASE = Case("Refund 417. My order 583 is fine.", "refund", 417, {417: "lost", 583: "shipped"})
TIMEOUT = Case("Where is 417?", "status", 417, {417: "lost"}, failing={"lookup": "timeout"})
RIGHT = [message["content"] for message in right_path(CASE)[0][1::2]]


def trial(case: Case, *turns: str) -> Trial:
    """What comes of these turns, whatever the results are."""
    desk = Desk(case)

    def speak(talks: list[list[Message]]) -> list[str]:
        return [turns[sum(message["role"] == "assistant" for message in talks[0])]]

    start: list[Message] = [{"role": "user", "content": case.letter}]
    (episode,) = run_episodes(speak, [start], [desk.tools], MAX_STEPS)
    return Trial(case, episode, desk)


def test_the_right_path_is_completed() -> None:
    done = trial(CASE, *RIGHT)
    assert (done.completed, done.wrong_refund, done.error, done.right_steps, done.needed) == (
        *(True, False, None),
        *(3, 3),
    )


def test_a_good_answer_hides_no_deed() -> None:
    """The right words at the end of a wrong refund complete nothing."""
    done = trial(CASE, "lookup(583)", "refund(583)", RIGHT[-1])
    assert (done.completed, done.wrong_refund) == (False, True)
    assert (done.error, done.right_steps) == ("wrong argument", 0)
    twice = trial(CASE, *RIGHT[:2], RIGHT[1], RIGHT[-1])
    assert (twice.completed, twice.wrong_refund) == (False, True)


def test_a_detour_may_end_well() -> None:
    """Completion looks at the end, the steps at the way."""
    done = trial(CASE, "lookup(583)", *RIGHT)
    assert (done.completed, done.right_steps) == (True, 0)


@pytest.mark.parametrize(
    ("said", "right", "results", "kind"),
    [
        ("lookup(583)", "lookup(417)", [], "wrong argument"),
        ("refund(417)", "lookup(417)", [], "wrong tool"),
        ("Order 417 was lost.", "lookup(417)", [], "wrong tool"),
        ("lookup(417)", "You are welcome.", [], "needless call"),
        ("We wrap gifts.", "You are welcome.", [], "wrong answer"),
        ("Order 417 was lost.", "refund(417)", ["lost"], "result misread"),
        ("refund(583)", "refund(417)", ["lost"], "wrong argument"),
        ("Order 583 was lost.", "Order 417 was lost.", ["lost"], "wrong answer"),
        ("Order 417 is packed.", "Order 417 was lost.", ["lost"], "result misread"),
        ("Order 417 was lost.", "escalate()", ["timeout"], "failed tool"),
    ],
)
def test_the_kind_of_an_error(said: str, right: str, results: list[str], kind: str) -> None:
    assert kind_of_error(said, right, results) == kind


@pytest.mark.parametrize(
    ("turns", "done"),
    [
        (["lookup(417)", "Order 417 was lost."], "answered all the same"),
        (["lookup(417)", "A colleague will write to you."], "promised a colleague"),
        (["lookup(417)", "escalate()", "A colleague will write to you."], "escalated"),
        (["lookup(417)"] * MAX_STEPS, "repeated"),
        (["lookup(417)", "refund(417)", "Done."], "called something else"),
        (["escalate()", "A colleague will write to you."], None),
    ],
)
def test_what_was_done_after_a_failure(turns: list[str], done: str | None) -> None:
    assert after_failure(trial(TIMEOUT, *turns)) == done


def test_steps_count_up_to_the_first_error() -> None:
    trials = [trial(CASE, *RIGHT), trial(CASE, RIGHT[0], "refund(583)", RIGHT[2])]
    assert step_rate(trials) == 4 / 5
    assert share(each.completed for each in trials) == 0.5


@pytest.mark.parametrize("name", CONDITIONS)
def test_conditions_are_what_they_say(name: str) -> None:
    rng = random.Random(0)
    cases = [CONDITIONS[name](rng) for _ in range(60)]
    tests: dict[str, Any] = {
        "four digits": lambda case: case.order >= 1000,
        "five digits": lambda case: case.order >= 10_000,
        "two orders": lambda case: sum(str(number) in case.letter for number in case.table) == 2,
        "lookup: timeout": lambda case: right_path(case)[1].escalations == 1,
        "refund: error": lambda case: [m["content"] for m in right_path(case)[0]].count("result: error") == 1,
        "no call needed": lambda case: len(right_path(case)[0]) == 2,
        "no call, but a number": lambda case: len(right_path(case)[0]) == 2 and "order" in case.letter,
    }
    assert all(tests.get(name, lambda case: case.letter)(case) for case in cases)
    assert len({case.letter for case in cases}) > 45


def test_a_person_allows_right_refunds_alone() -> None:
    desk = Desk(CASE)
    tools = with_approval(desk, [417])
    assert [tools["refund"](583), tools["refund"](417), tools["lookup"](583)] == [REFUSED, "done", "shipped"]
    assert desk.refunds == [417]


def test_cases_are_counted_by_length() -> None:
    trials = [trial(CASE, *RIGHT), trial(CASE, "lookup(583)", "No."), trial(TIMEOUT, "Lost.")]
    assert by_needed(trials) == {"3": [1, 3]}
