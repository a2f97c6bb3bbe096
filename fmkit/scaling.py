"""Scaling laws: how the loss falls with the size of the model and of its data, fitted with intervals.

The law is that of Hoffmann et al. 2022 (arXiv:2203.15556, section 3.3): L(N, D) = E + A / N^α + B / D^β, in
nats per token, for N parameters and D training tokens. E is the entropy of the text: no model can do better.
Without a law, the best size for a budget is found from models that cost the same (section 3.2).
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fmkit.errors import FmkitError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ScalingLaw:
    """L(N, D) = E + A / N^alpha + B / D^beta, in nats per token."""

    E: float
    A: float
    alpha: float
    B: float
    beta: float

    def loss(self, parameters: ArrayLike, tokens: ArrayLike) -> Array:
        """Predict the loss of models with so many parameters after so many tokens."""
        N, D = np.asarray(parameters, dtype=float), np.asarray(tokens, dtype=float)
        return self.E + self.A / N**self.alpha + self.B / D**self.beta

    def compute_optimal(self, flops: float) -> tuple[float, float]:
        """Find the parameters and tokens of the lowest loss for 6 N D FLOPs (the paper's equation 4)."""
        ratio = (self.alpha * self.A / (self.beta * self.B)) ** (1 / (self.alpha + self.beta))
        parameters = ratio * (flops / 6) ** (self.beta / (self.alpha + self.beta))
        return parameters, flops / 6 / parameters

    def tokens_for(self, loss: float, parameters: ArrayLike) -> Array:
        """Predict the tokens after which models with so many parameters have this loss: what a smaller model
        has to read to be as good as a larger one. Infinite where they are too small for it."""
        left = loss - self.E - self.A / np.asarray(parameters, dtype=float) ** self.alpha
        with np.errstate(divide="ignore"):
            return np.asarray((self.B / np.maximum(left, 0.0)) ** (1 / self.beta))


HOFFMANN = ScalingLaw(E=1.69, A=406.4, alpha=0.34, B=410.7, beta=0.28)
"""The law as it is printed in Hoffmann et al. 2022 (equation 10). It calls for more tokens per parameter than
their other two methods: its exponents are rounded, and its fit had stopped too early (see `EPOCH`)."""

EPOCH = ScalingLaw(E=1.8172, A=482.01, alpha=0.3478, B=2085.43, beta=0.3658)
"""The same runs, read off the paper's figure and fitted again by Besiroglu et al. 2024 (arXiv:2404.10102)."""


def fit_scaling_law(
    parameters: Sequence[float],
    tokens: Sequence[float],
    loss: Sequence[float],
    delta: float = 1e-3,
    E: float | None = None,
) -> ScalingLaw:
    """Fit the law to measured losses: least Huber loss (`delta`) of log L, from several starts, as in the
    paper's section 3.3. `E` is fitted too, or given: the entropy where it is known, 0 for a law without.
    Raises `FmkitError` for fewer than six runs, or where all are of one size."""
    N, D, L = (np.asarray(values, dtype=float) for values in (parameters, tokens, loss))
    if not len(N) == len(D) == len(L) >= 6:
        raise FmkitError(f"a law with five constants needs six runs or more, and here are {len(L)}")
    if min(len(set(N)), len(set(D))) < 3 or not (L > 0).all():
        raise FmkitError("a law needs at least three model sizes, three amounts of tokens and losses above 0")
    fits = (_fit(N, D, L, delta, start, E) for start in _starts(N, D, L))
    return min(fits, key=lambda fit: fit[0])[1]


def bootstrap(
    parameters: Sequence[float], tokens: Sequence[float], loss: Sequence[float], n: int = 200, seed: int = 0
) -> list[ScalingLaw]:
    """Fit `n` resamples of the runs, with replacement: how much the constants depend on single runs."""
    whole = fit_scaling_law(parameters, tokens, loss)
    runs = np.column_stack([parameters, tokens, loss]).astype(float)
    rng = np.random.default_rng(seed)
    laws: list[ScalingLaw] = []
    while len(laws) < n:
        N, D, L = runs[rng.integers(len(runs), size=len(runs))].T
        if min(len(set(N)), len(set(D))) >= 3:
            laws.append(_fit(N, D, L, 1e-3, _to_vector(whole))[1])
    return laws


def interval(values: Sequence[float], share: float = 0.95) -> tuple[float, float]:
    """Return the ends of the middle `share` of the values."""
    low, high = np.quantile(values, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)


@dataclass(frozen=True)
class Forecast:
    """The losses of the largest models, as `measured` and as predicted from all smaller ones: by the `law`,
    by a law `without_E`, and as if size made `no_change` (the next smaller model's loss)."""

    measured: Array
    law: Array
    without_E: Array
    no_change: Array

    def error(self, predicted: Array) -> float:
        """Compute the mean distance from what was measured, in nats."""
        return float(np.abs(predicted - self.measured).mean())


def forecast_largest(parameters: Sequence[float], tokens: Sequence[float], loss: Sequence[float]) -> Forecast:
    """Fit the runs of all sizes but the largest, and predict those of the largest.

    Raises `FmkitError` if too few runs remain to fit.
    """
    N, D, L = (np.asarray(values, dtype=float) for values in (parameters, tokens, loss))
    last = N.max(initial=0) == N
    seen, ahead = (N[~last], D[~last], L[~last]), (N[last], D[last])
    laws = [fit_scaling_law(*seen, E=E) for E in (None, 0.0)]
    before = np.flatnonzero(seen[0].max() == N)
    nearest = [before[np.abs(np.log(D[before] / d)).argmin()] for d in ahead[1]]
    return Forecast(L[last], laws[0].loss(*ahead), laws[1].loss(*ahead), L[nearest])


# --- the best size for a budget ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Valley:
    """The loss of N parameters at one cost: lowest_loss + curvature * ln(N / best)^2."""

    best: float
    lowest_loss: float
    curvature: float

    def loss(self, parameters: ArrayLike) -> Array:
        """Predict the loss of models with so many parameters, at the same cost."""
        distance = np.log(np.asarray(parameters, dtype=float) / self.best)
        return np.asarray(self.lowest_loss + self.curvature * distance**2)


def fit_valley(parameters: Sequence[float], loss: Sequence[float]) -> Valley:
    """Fit a parabola in log N to the losses of one compute budget (the paper's section 3.2, approach 2).

    Raises `FmkitError` for fewer than four sizes, or where the lowest loss is not between them.
    """
    N, L = (np.asarray(values, dtype=float) for values in (parameters, loss))
    if len(N) != len(L) or len(set(N)) < 4 or not (N > 0).all():
        raise FmkitError(f"a parabola needs four model sizes or more, and here are {len(set(N))}")
    middle = np.log(N).mean()
    curvature, slope, level = (float(c) for c in np.polyfit(np.log(N) - middle, L, 2))
    best = float(np.exp(middle - slope / (2 * curvature))) if curvature > 0 else 0.0
    # A parabola also fits losses that only fall, so the lowest of them has to be inside, too.
    if not all(N.min() < size < N.max() for size in (best, N[L.argmin()])):
        raise FmkitError(f"the best size is not between {N.min():,.0f} and {N.max():,.0f}: try other sizes")
    return Valley(best, level - slope**2 / (4 * curvature), curvature)


def fit_power_law(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """Find k and a of y = k x^a, by least squares of the logarithms. Raises `FmkitError` for fewer than two
    different x, or where not all numbers are above 0."""
    X, Y = (np.asarray(values, dtype=float) for values in (x, y))
    if len(X) != len(Y) or len(set(X)) < 2 or not ((X > 0).all() and (Y > 0).all()):
        raise FmkitError("a power law needs two different x or more, a y for each, and all of them above 0")
    a, log_k = np.polyfit(np.log(X), np.log(Y), 1)
    return float(np.exp(log_k)), float(a)


# --- fitting ----------------------------------------------------------------------------------------------


def _starts(N: Array, D: Array, L: Array) -> list[Array]:
    """Each exponent small or large, the floor low or high; A and B then share what is above the floor."""
    starts = []
    for alpha, beta, share in product((0.3, 0.8), (0.3, 0.8), (0.5, 0.95)):
        E = share * L.min()
        above = (np.median(L) - E) / 2
        starts.append(
            np.array(
                [
                    np.log(E),
                    np.log(above) + alpha * np.log(np.median(N)),
                    np.log(alpha),
                    np.log(above) + beta * np.log(np.median(D)),
                    np.log(beta),
                ]
            )
        )
    return starts


def _fit(
    N: Array, D: Array, L: Array, delta: float, start: Array, E: float | None = None
) -> tuple[float, ScalingLaw]:
    try:
        from scipy.optimize import least_squares
    except ImportError:
        raise FmkitError("fitting needs scipy: pip install 'fmkit[notebook]'") from None

    log_n, log_d, log_l = np.log(N), np.log(D), np.log(L)
    with np.errstate(divide="ignore"):  # the logarithm of E = 0 is -inf, which adds nothing below
        given = np.log([] if E is None else [E])

    def residuals(free: Array) -> Array:
        # In logarithms all constants are positive, and the terms are added without overflow.
        x = np.concatenate([given, free])
        terms = [np.full_like(log_n, x[0]), x[1] - np.exp(x[2]) * log_n, x[3] - np.exp(x[4]) * log_d]
        return np.asarray(np.logaddexp.reduce(terms, axis=0) - log_l)

    found = least_squares(residuals, start[len(given) :], loss="huber", f_scale=delta, max_nfev=500)
    constants = np.exp(np.concatenate([given, found.x])).tolist()
    return float(found.cost), ScalingLaw(*constants)


def _to_vector(law: ScalingLaw) -> Array:
    return np.log(np.array(astuple(law)))
