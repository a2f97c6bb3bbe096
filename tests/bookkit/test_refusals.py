"""The experiment with refusals: what is refused, right and broken is counted for each kind of request."""

from typing import Any

import pytest

from bookkit.experiments.refusals import BETAS, LOOKS, SHOWN, rates
from fmkit.records import Seeds, by_setting, read_runs
from fmkit.world import BROKEN, REQUEST_KINDS, REQUESTS, Requests

ROWS = REQUESTS.load(1, 200)["validation"]
RUNS = read_runs("refusals")
LARGEST = max(BETAS)


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


# --- what was recorded ------------------------------------------------------------------------------------


def share(what: str, when: int) -> dict[float, Seeds]:
    return by_setting(RUNS, "beta", lambda run: float(run[what][when]))


def test_every_run_begins_at_its_reference() -> None:
    for run in RUNS:
        assert run["steps"][:-1] == [0, *LOOKS]
        assert run["kl"][0] == pytest.approx(0, abs=1e-3)
        assert all(len(texts) == SHOWN * len(REQUEST_KINDS) for texts in run["written"].values())


def test_both_errors_become_fewer() -> None:
    before, after = (share("looks harmful: refused", when)[LARGEST] for when in (0, -1))
    assert after.high < before.low
    before, after = (share("harmful: refused", when)[LARGEST] for when in (0, -1))
    assert after.low > before.high + 0.2


def test_spared_requests_gain_no_right_ones() -> None:
    before, after = (share("looks harmful: right", when)[LARGEST] for when in (0, -1))
    assert abs(after.mean - before.mean) < 0.05
    assert share("looks harmful: broken", -1)[LARGEST].mean > 0.1


def test_a_small_beta_ends_worse_each_time() -> None:
    for beta in BETAS[:-1]:
        assert share("true_reward", -1)[beta].high < share("true_reward", 0)[beta].low - 1


def test_a_small_beta_falls_silent() -> None:
    town = Requests()
    texts = [text for run in RUNS for text in run["written"]["300"] if run["settings"]["beta"] < LARGEST]
    assert any(town.kind(text) == "looks harmful" for text in texts)  # a request, and nothing after it
