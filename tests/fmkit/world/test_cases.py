"""Cases for an agent: the right path reaches the right end, and nothing in a case can be known by heart."""

import random
import re
from dataclasses import replace

import pytest

from fmkit.errors import FmkitError
from fmkit.world.cases import (
    COLLEAGUE,
    HELD_OUT,
    LETTERS,
    PAID,
    REFUNDED,
    SHARES,
    STATUSES,
    Case,
    Desk,
    draw_case,
    draw_wide_case,
    load_cases,
    right_path,
    right_turn,
)

CASE = Case("Refund 417.", "refund", 417, {417: "lost", 583: "shipped"})


def drawn(count: int = 300, **settings: object) -> list[Case]:
    rng = random.Random(0)
    return [draw_case(rng, **settings) for _ in range(count)]  # type: ignore[arg-type]


def said(case: Case) -> list[str]:
    return [message["content"] for message in right_path(case)[0][1:]]


@pytest.mark.parametrize(
    ("case", "path"),
    [
        (CASE, ["lookup(417)", "result: lost", "refund(417)", "result: done", PAID.format(order=417)]),
        (
            replace(CASE, order=583),
            ["lookup(583)", "result: shipped", "We cannot refund order 583. It was shipped."],
        ),
        (replace(CASE, kind="status"), ["lookup(417)", "result: lost", "Order 417 was lost."]),
        (replace(CASE, order=999), ["lookup(999)", "result: no such order", "We have no order 999."]),
        (replace(CASE, kind="person"), ["escalate()", "result: done", COLLEAGUE]),
        (replace(CASE, kind="thanks"), ["You are welcome."]),
        (replace(CASE, kind="rule", rule="Yes."), ["Yes."]),
    ],
)
def test_the_right_path(case: Case, path: list[str]) -> None:
    assert said(case) == path


@pytest.mark.parametrize("tool", ["lookup", "refund"])
@pytest.mark.parametrize("failure", ["error", "timeout", ""])
def test_what_fails_goes_to_a_colleague(tool: str, failure: str) -> None:
    messages, desk = right_path(replace(CASE, failing={tool: failure}))
    assert [message["content"] for message in messages[-4:]] == [
        f"result: {failure}",
        "escalate()",
        "result: done",
        COLLEAGUE,
    ]
    assert (desk.refunds, desk.escalations) == ([], 1)


def test_money_goes_back_only_where_due() -> None:
    for case in drawn():
        _, desk = right_path(case)
        due = case.kind == "refund" and not case.failing and case.table.get(case.order or 0) in REFUNDED
        assert desk.refunds == ([case.order] if due else [])


def test_a_refund_is_done_whatever_was_asked() -> None:
    """The tool has no judgment; whoever calls it needs some."""
    desk = Desk(CASE)
    assert [desk.refund(583), desk.refund(583), desk.refund(999)] == ["done", "done", "no such order"]
    assert desk.refunds == [583, 583]


def test_the_letter_has_the_number() -> None:
    for case in drawn(digits=4):
        numbers = re.findall(r"\d+", case.letter)
        assert numbers == ([str(case.order)] if case.order else [])
        assert all(len(str(number)) == 4 for number in case.table)
        assert len(case.table) == 4


def test_another_order_is_in_the_table() -> None:
    for where, place in (("first", 0), ("last", 1)):
        for case in drawn(kind="refund", other=where, absent=0.0):
            found = [int(number) for number in re.findall(r"\d+", case.letter)]
            assert found[1 - place] == case.order
            assert set(found) <= set(case.table)


def test_no_case_is_like_another() -> None:
    cases = drawn(500)
    assert len({tuple(case.table.items()) for case in cases}) == 500
    assert len({case.order for case in cases}) > 250
    assert {status for case in cases for status in case.table.values()} == set(STATUSES)
    assert {case.kind for case in cases} == set(SHARES)


def test_new_wordings_are_new() -> None:
    def shapes(**settings: object) -> set[str]:
        cases = drawn(400, kind="status", **settings)
        return {way for case in cases for way in LETTERS["status"] if fits(way, case.letter)}

    def fits(way: str, letter: str) -> bool:
        return bool(
            re.search(re.escape(way).replace(r"\{order\}", r"\d+").replace(r"\{item\}", ".+"), letter)
        )

    assert shapes() == set(LETTERS["status"][:-HELD_OUT])
    assert shapes(new_wording=True) == set(LETTERS["status"][-HELD_OUT:])


def test_wide_cases_have_more() -> None:
    rng = random.Random(0)
    cases = [draw_wide_case(rng) for _ in range(300)]
    assert {len(str(number)) for case in cases for number in case.table} == {3, 4}
    assert any(len(re.findall(r"\d+", case.letter)) == 2 for case in cases)
    assert any(case.kind == "rule" and re.search(r"\d", case.letter) for case in cases)
    assert "timeout" not in {result for case in cases for result in case.failing.values()}
    assert {tool for case in cases for tool in case.failing} == {"lookup", "refund"}


@pytest.mark.parametrize("wide", [False, True])
def test_conversations_are_reproducible(wide: bool) -> None:
    first, again = (load_cases(20, 5, wide=wide) for _ in range(2))
    assert first["train"][:] == again["train"][:]
    assert first["train"][:5] != first["validation"][:5]
    assert load_cases(20, 5, wide=wide, seed=1)["train"][:] != first["train"][:]
    for messages in first["train"]["messages"]:
        assert [message["role"] for message in messages] == ["user", "assistant"] * (len(messages) // 2)


def test_wrong_kinds_and_sizes_are_refused() -> None:
    with pytest.raises(FmkitError, match="unknown kind 'poem'"):
        draw_case(random.Random(0), "poem")
    with pytest.raises(FmkitError, match="n_train"):
        load_cases(0)


def test_the_next_turn_follows_the_results() -> None:
    assert right_turn(CASE) == "lookup(417)"
    assert right_turn(CASE, ["shipped"]).startswith("We cannot")
    assert right_turn(CASE, ["lost", "timeout"]) == "escalate()"
