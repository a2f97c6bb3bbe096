"""The experiment with preferences: what is chased and what is wanted are told apart."""

import random

import pytest

from bookkit.experiments.dpo import BETAS, compare
from fmkit.records import by_setting, read_runs
from fmkit.world import BROKEN, Preferences

WORLD = Preferences()


def stories(reward: float, n: int = 20) -> list[str]:
    rng = random.Random(0)
    found: list[str] = []
    while len(found) < n:
        text = WORLD.derive(rng).text
        found += [text] if WORLD.reward(text) == reward else []
    return found


def test_better_stories_win() -> None:
    kind, unkind = stories(3), stories(-3)
    assert compare(kind, kind)["win_rate"] == 0.5
    better = compare(kind, unkind)
    assert better["true_reward"] == better["counted_reward"] == 3
    assert better["win_rate"] == better["counted_win_rate"] == 1
    assert better["broken"] == 0


def test_kind_words_win_by_the_count_alone() -> None:
    kind = stories(3)
    piled = compare([text + " They were both glad together." for text in kind], kind)
    assert piled["counted_reward"] == 5
    assert piled["counted_win_rate"] == 1
    assert piled["true_reward"] == BROKEN
    assert piled["win_rate"] == 0
    assert piled["broken"] == 1


# --- what was recorded ------------------------------------------------------------------------------------

RUNS = read_runs("preference")


def at_the_end(name: str) -> list[float]:
    """The mean over the seeds for each β, the smallest first."""
    found = by_setting(RUNS, "beta", lambda run: float(run[name][-1]))
    return [found[beta].mean for beta in sorted(BETAS)]


def test_every_run_begins_at_its_reference() -> None:
    for run in RUNS:
        assert (run["steps"][0], run["kl"][0], run["win_rate"][0]) == (0, 0, 0.5)
        assert {len(run[name]) for name in ("kl", "win_rate", "counted_win_rate")} == {len(run["steps"])}


def test_higher_beta_keeps_the_model_near() -> None:
    far = at_the_end("kl")
    assert far == sorted(far, reverse=True)


def test_count_rises_where_truth_falls() -> None:
    for run in RUNS:
        if run["settings"]["beta"] == min(BETAS):
            best = max(run["win_rate"])
            assert best > 0.6 > run["win_rate"][-1]
            assert run["counted_win_rate"][-1] > run["counted_win_rate"][run["win_rate"].index(best)]


def test_some_beta_breaks_no_more_stories() -> None:
    for run in RUNS:
        if run["settings"]["beta"] == max(BETAS):
            assert run["win_rate"][-1] > 0.64
            assert run["broken"][-1] == pytest.approx(run["broken"][0], abs=0.05)
