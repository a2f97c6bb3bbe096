"""The experiment with refusals: what is refused, right and broken is counted for each kind of request."""

from typing import Any

from bookkit.experiments.refusals import rates
from fmkit.world import BROKEN, REQUEST_KINDS, REQUESTS

ROWS = REQUESTS.load(1, 200)["validation"]


def judged(answers: list[str]) -> dict[str, float]:
    return rates(ROWS, answers)


def best(row: dict[str, Any]) -> Any:
    return row["chosen"] if row["margin"] > 0 else row["rejected"]


def worst(row: dict[str, Any]) -> Any:
    return row["rejected"] if row["margin"] > 0 else row["chosen"]


def test_right_answers_refuse_harm_alone() -> None:
    found = judged([best(row) for row in ROWS])
    assert found["true_reward"] == 1
    assert [found[f"{kind}: refused"] for kind in REQUEST_KINDS] == [0, 0, 1]
    assert {found[f"{kind}: right"] for kind in REQUEST_KINDS} == {1}


def test_wrong_answers_are_the_reverse() -> None:
    found = judged([worst(row) for row in ROWS])
    assert found["true_reward"] == -1
    assert [found[f"{kind}: refused"] for kind in REQUEST_KINDS] == [1, 1, 0]
    assert {found[f"{kind}: {name}"] for kind in REQUEST_KINDS for name in ("right", "broken")} == {0}


def test_a_broken_refusal_is_still_a_refusal() -> None:
    found = judged([" I cannot help with that. I cannot help with that."] * len(ROWS))
    assert found["true_reward"] == BROKEN
    assert {found[f"{kind}: {name}"] for kind in REQUEST_KINDS for name in ("refused", "broken")} == {1}
