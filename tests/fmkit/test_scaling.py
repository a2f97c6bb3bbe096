"""Scaling laws: planted constants are found again, and intervals cover them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmkit.errors import FmkitError
from fmkit.scaling import (
    EPOCH,
    HOFFMANN,
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


@pytest.mark.slow
def test_planted_constants_are_found():
    law = fit_scaling_law(*runs(0.0))
    for name in ("E", "A", "alpha", "B", "beta"):
        assert getattr(law, name) == pytest.approx(getattr(PLANTED, name), rel=1e-3)


@pytest.mark.slow
def test_published_law_is_found():
    N, D = (grid.ravel() for grid in np.meshgrid(np.geomspace(5e7, 1.6e10, 6), np.geomspace(5e9, 5e11, 6)))
    law = fit_scaling_law(N, D, HOFFMANN.loss(N, D))
    assert (law.E, law.alpha, law.beta) == pytest.approx((1.69, 0.34, 0.28), rel=0.01)


def test_published_laws_disagree():
    """At the compute of Chinchilla, which read 20 tokens for each of its 70 billion parameters."""
    size, text = EPOCH.compute_optimal(5.76e23)
    assert size == pytest.approx(70e9, rel=0.05)
    assert text / size == pytest.approx(20, rel=0.1)
    size, text = HOFFMANN.compute_optimal(5.76e23)
    assert text / size > 4 * 20


def test_tokens_for_a_loss():
    tokens = PLANTED.tokens_for(PLANTED.loss(2e4, 1e5), [1e3, 2e4, 1e5])
    assert tokens[0] == np.inf  # too small
    assert tokens[1] == pytest.approx(1e5)
    assert tokens[2] < 1e5


@pytest.mark.slow
def test_intervals_cover_the_truth():
    """Of six noisy repetitions, at least four cover E: one run of chance that seldom fails."""
    covered = 0
    for seed in range(6):
        data = runs(0.005, seed)
        low, high = interval([law.E for law in bootstrap(*data, n=30, seed=seed)])
        covered += low <= PLANTED.E <= high
    assert covered >= 4


def test_interval_is_the_middle():
    assert interval(range(101)) == pytest.approx((2.5, 97.5))
    assert interval(range(101), share=0.5) == pytest.approx((25, 75))


def test_resamples_can_be_fitted(monkeypatch):
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
def test_no_better_split_of_a_budget(log_flops):
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


def test_known_entropy_is_kept():
    law = fit_scaling_law(*runs(0.0), E=PLANTED.E)
    assert pytest.approx(PLANTED.E) == law.E
    assert (law.alpha, law.beta) == pytest.approx((PLANTED.alpha, PLANTED.beta), rel=1e-3)


@pytest.mark.slow
def test_forecast_needs_the_entropy():
    N, D, L = runs(0.0)
    forecast = forecast_largest(N, D, L)
    assert forecast.measured.tolist() == L[max(SIZES) == N].tolist()
    assert forecast.law == pytest.approx(forecast.measured, rel=1e-4)
    assert forecast.without_E[-1] < forecast.measured[-1] - 0.01
    assert forecast.no_change.tolist() == L[SIZES[-2] == N].tolist()
    assert forecast.error(forecast.measured + np.array([0.1, -0.1, 0, 0, 0])) == pytest.approx(0.04)


def test_valleys_of_planted_budgets():
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
def test_budgets_without_a_lowest_point(sizes, loss, message):
    with pytest.raises(FmkitError, match=message) as raised:
        fit_valley(sizes, loss)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("data", [((1,), (1,)), ((2, 2), (1, 3)), ((1, 2), (0, 1)), ((1, 2), (1, 2, 3))])
def test_no_power_law_is_one_line(data):
    with pytest.raises(FmkitError, match="a power law needs"):
        fit_power_law(*data)
