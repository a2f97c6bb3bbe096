"""The experiment with online reinforcement learning: the reward that is optimized, and the one meant."""

import pytest

from bookkit.experiments.grpo import BETAS, LOOKS, SHOWN
from fmkit.records import Run, by_setting, read_runs
from fmkit.world import BROKEN, Preferences

RUNS = read_runs("grpo")
SMALLEST, LARGEST = min(BETAS), max(BETAS)


def runs(beta: float) -> list[Run]:
    return [run for run in RUNS if run["settings"]["beta"] == beta]


def test_every_run_begins_at_its_reference() -> None:
    for run in RUNS:
        assert run["steps"] == [0, *LOOKS]
        assert run["kl"][0] == pytest.approx(0, abs=1e-3)


def test_runs_of_one_seed_share_their_start() -> None:
    starts = {(run["settings"]["seed"], run["true_reward"][0], run["reward_accuracy"]) for run in RUNS}
    assert len(starts) == len({run["settings"]["seed"] for run in RUNS}) > 1


def test_proxy_goes_on_where_truth_falls() -> None:
    for run in runs(SMALLEST):
        best = max(run["true_reward"])
        at = run["true_reward"].index(best)
        assert best > run["true_reward"][0] + 2
        assert run["true_reward"][-1] < best - 0.9  # how far it has fallen by then depends on the seed
        assert run["proxy_reward"][-1] > run["proxy_reward"][at]
    ends = by_setting(RUNS, "beta", lambda run: float(run["broken"][-1]))
    assert ends[SMALLEST].mean > 0.5 > ends[LARGEST].high


def test_no_beta_gets_much_higher() -> None:
    peaks = by_setting(RUNS, "beta", lambda run: float(max(run["true_reward"])))
    means = [peaks[beta].mean for beta in BETAS]
    assert max(means) - min(means) < 0.4
    for run in RUNS:
        assert 1 < run["kl"][run["true_reward"].index(max(run["true_reward"]))] < 4


def test_a_large_beta_keeps_stories_whole() -> None:
    for run in runs(LARGEST):
        assert run["true_reward"][-1] > run["true_reward"][0] + 1.5
        assert run["broken"][-1] < 0.3


def test_higher_beta_keeps_the_model_near() -> None:
    far = by_setting(RUNS, "beta", lambda run: float(run["kl"][-1]))
    assert far[SMALLEST].mean > 2 * far[LARGEST].mean


def test_stories_that_fool_it_are_kept() -> None:
    world = Preferences()
    for run in runs(SMALLEST):
        assert [int(step) for step in run["written"]] == run["steps"]
        assert all(len(stories) == SHOWN for stories in run["written"].values())
    last = [story for run in runs(SMALLEST) for story in run["written"][str(LOOKS[-1])]]
    assert any(world.truth(story) == BROKEN for story in last)
