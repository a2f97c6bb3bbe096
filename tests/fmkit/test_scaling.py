"""Scaling laws: planted constants are found again, intervals cover them, and records hold what they say."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookkit.experiments.isoflop import WIDTHS
from bookkit.experiments.scaling import shape
from fmkit.errors import FmkitError
from fmkit.flops import num_parameters
from fmkit.records import read_runs
from fmkit.scaling import (
    ScalingLaw,
    bootstrap,
    fit_power_law,
    fit_scaling_law,
    fit_valley,
    forecast_largest,
    interval,
)

PLANTED = ScalingLaw(E=3.5, A=60.0, alpha=0.48, B=9e4, beta=1.0)
SIZES, TOKENS = (2e3, 6e3, 2e4, 6e4, 2e5), (5e4, 1e5, 2e5, 4e5, 8e5)


def runs(noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    N, D = (grid.ravel() for grid in np.meshgrid(SIZES, TOKENS))
    return N, D, PLANTED.loss(N, D) * np.exp(noise * np.random.default_rng(seed).standard_normal(len(N)))


def test_planted_constants_are_found_exactly_without_noise():
    law = fit_scaling_law(*runs(0.0))
    for name in ("E", "A", "alpha", "B", "beta"):
        assert getattr(law, name) == pytest.approx(getattr(PLANTED, name), rel=1e-3)


def test_hoffmanns_published_law_is_found_from_its_own_losses():
    published = ScalingLaw(E=1.69, A=406.4, alpha=0.34, B=410.7, beta=0.28)
    N, D = (grid.ravel() for grid in np.meshgrid(np.geomspace(5e7, 1.6e10, 6), np.geomspace(5e9, 5e11, 6)))
    law = fit_scaling_law(N, D, published.loss(N, D))
    assert (law.E, law.alpha, law.beta) == pytest.approx((1.69, 0.34, 0.28), rel=0.01)


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    """Of six noisy repetitions, at least four cover E: one run of chance that seldom fails."""
    covered = 0
    for seed in range(6):
        data = runs(0.005, seed)
        low, high = interval([law.E for law in bootstrap(*data, n=30, seed=seed)])
        covered += low <= PLANTED.E <= high
    assert covered >= 4


def test_an_interval_is_the_middle_of_the_values():
    assert interval(range(101)) == pytest.approx((2.5, 97.5))
    assert interval(range(101), share=0.5) == pytest.approx((25, 75))


def test_resamples_that_could_not_be_fitted_are_drawn_again(monkeypatch):
    N, D = (1e3, 2e3, 3e3, 1e3, 2e3, 3e3), (1e5, 1e5, 2e5, 2e5, 3e5, 3e5)
    fitted = []

    def fit(N, D, *_):
        fitted.append(min(len(set(N)), len(set(D))))
        return 0.0, PLANTED

    monkeypatch.setattr("fmkit.scaling._fit", fit)
    assert len(bootstrap(N, D, PLANTED.loss(N, D), n=50)) == 50
    assert set(fitted) == {3}


@given(st.floats(8, 24))
@settings(max_examples=30, deadline=None)
def test_no_other_split_of_the_budget_is_better(log_flops):
    flops = 10**log_flops
    N, D = PLANTED.compute_optimal(flops)
    assert pytest.approx(flops) == 6 * N * D
    best = PLANTED.loss(N, D)
    assert best <= PLANTED.loss(N * 1.1, D / 1.1)
    assert best <= PLANTED.loss(N / 1.1, D * 1.1)


@pytest.mark.parametrize(
    "data",
    [((1, 2), (1, 2), (3, 3)), ((5,) * 8, range(1, 9), (3,) * 8), (range(1, 9), range(1, 9), (0,) * 8)],
)
def test_too_little_to_fit_is_one_line(data):
    with pytest.raises(FmkitError, match="a law"):
        fit_scaling_law(*data)


def test_a_known_entropy_is_kept_and_the_rest_fitted():
    law = fit_scaling_law(*runs(0.0), E=PLANTED.E)
    assert pytest.approx(PLANTED.E) == law.E
    assert (law.alpha, law.beta) == pytest.approx((PLANTED.alpha, PLANTED.beta), rel=1e-3)


def test_what_follows_the_law_is_foretold_and_a_law_without_E_goes_below_it():
    N, D, L = runs(0.0)
    forecast = forecast_largest(N, D, L)
    assert forecast.measured.tolist() == L[max(SIZES) == N].tolist()
    assert forecast.law == pytest.approx(forecast.measured, rel=1e-4)
    assert forecast.without_E[-1] < forecast.measured[-1] - 0.01
    assert forecast.no_change.tolist() == L[SIZES[-2] == N].tolist()
    assert forecast.error(forecast.measured + np.array([0.1, -0.1, 0, 0, 0])) == pytest.approx(0.04)


def test_the_lowest_points_of_planted_budgets_are_the_optimum_and_its_exponent():
    budgets, best = (1e9, 1e10, 1e11), []
    for flops in budgets:
        optimum, _ = PLANTED.compute_optimal(flops)
        N = optimum * np.geomspace(0.4, 3, 6)
        valley = fit_valley(N, PLANTED.loss(N, flops / 6 / N))
        assert valley.best == pytest.approx(optimum, rel=0.15)
        assert valley.loss(valley.best) == valley.lowest_loss < valley.loss(2 * valley.best)
        best.append(valley.best)
    _, exponent = fit_power_law(budgets, best)
    assert exponent == pytest.approx(PLANTED.beta / (PLANTED.alpha + PLANTED.beta), abs=0.02)


@pytest.mark.parametrize(
    ("sizes", "loss", "message"),
    [
        ((1, 2, 3), (3, 2, 3), "four model sizes"),
        ((1, 2, 3, 4), (3, 2, 3), "four model sizes"),
        ((0, 2, 3, 4), (3, 2, 2, 3), "four model sizes"),
        ((1, 2, 4, 8), (4, 3, 2.5, 2.3), "not between 1 and 8"),
        ((1, 2, 4, 8), (1, 2, 2, 1), "not between 1 and 8"),
    ],
)
def test_budgets_without_a_lowest_point_are_one_line(sizes, loss, message):
    with pytest.raises(FmkitError, match=message) as raised:
        fit_valley(sizes, loss)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("data", [((1,), (1,)), ((2, 2), (1, 3)), ((1, 2), (0, 1)), ((1, 2), (1, 2, 3))])
def test_no_power_law_is_one_line(data):
    with pytest.raises(FmkitError, match="a power law needs"):
        fit_power_law(*data)


# --- what was recorded ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["scaling", "isoflop"])
def test_no_recorded_loss_is_below_the_entropy(name):
    for run in read_runs(name):
        assert min(run["loss"]) > run["truth"]


def test_recorded_losses_fall_with_the_size_and_with_the_text():
    """But for the smallest model, which has hardly any use for more text: on one chain it ends worse."""
    smallest = []
    for run in read_runs("scaling"):
        losses = np.array(run["loss"]).reshape(5, 4)  # by sizes and amounts of text
        assert (np.diff(losses, axis=0) < 0).all()
        assert (np.diff(losses[1:], axis=1) < 0).all()
        smallest.append(losses[0])
    assert np.mean(smallest, axis=0)[0] > np.mean(smallest, axis=0)[-1]
    assert [float(losses[0]) < losses[-1] for losses in smallest] == [True, False, False, False, False]


def test_recorded_laws_are_those_of_the_recorded_losses():
    run = read_runs("scaling")[0]
    data = run["parameters"], run["tokens"], run["loss"]
    assert pytest.approx(run["law"]["E"], abs=0.01) == fit_scaling_law(*data).E
    assert forecast_largest(*data).law == pytest.approx(run["forecast"]["law"], abs=0.002)


def test_recorded_laws_find_the_entropy_better_than_the_best_model():
    for run in read_runs("scaling"):
        assert abs(run["law"]["E"] - run["truth"]) < min(run["loss"]) - run["truth"]
        low, high = run["interval"]
        assert run["scores"]["covered"] == (low <= run["truth"] <= high)


def test_two_ways_to_the_best_size_agree_within_a_quarter():
    """The lowest of the models of one budget, and the optimum of the law of other models of that world."""
    laws = {run["settings"]["world"]: ScalingLaw(**run["law"]) for run in read_runs("scaling")}
    for run in read_runs("isoflop"):
        optimum, _ = laws[run["settings"]["world"]].compute_optimal(run["settings"]["flops"])
        assert run["scores"]["best"] == pytest.approx(optimum, rel=0.25)


def test_each_recorded_budget_has_its_best_size_inside_and_more_compute_wants_a_larger_one():
    runs = read_runs("isoflop")
    for run in runs:
        assert 0 < int(np.argmin(run["loss"])) < len(run["loss"]) - 1
    worlds = {run["settings"]["world"] for run in runs}
    assert len(worlds) == 3
    for world in worlds:
        mine = [run for run in runs if run["settings"]["world"] == world]
        for less, more in itertools.pairwise(sorted(mine, key=lambda run: run["settings"]["flops"])):
            assert less["scores"]["best"] < more["scores"]["best"]
            assert less["scores"]["lowest_loss"] > more["scores"]["lowest_loss"]


def test_how_the_best_size_grows_hangs_on_whether_embeddings_count():
    """To either side of one half, the exponent of Hoffmann et al.: the runs do not say which grows faster."""
    runs = read_runs("isoflop")
    for world in {run["settings"]["world"] for run in runs}:
        mine = [run for run in runs if run["settings"]["world"] == world]
        powers = []
        for tables in (True, False):
            best = []
            for run in mine:
                shapes = [shape(width) for width in WIDTHS[run["settings"]["flops"]]]
                sizes = [num_parameters(each, embeddings=tables) for each in shapes]
                best.append(fit_valley(sizes, run["loss"]).best)
            powers.append(fit_power_law([run["settings"]["flops"] for run in mine], best)[1])
        assert powers[0] < 0.45 < 0.55 < powers[1]
