"""Scaling laws: how the loss falls with the size of the model and of its data, fitted with intervals.

The law is that of Hoffmann et al. 2022 (arXiv:2203.15556, section 3.3): L(N, D) = E + A / N^α + B / D^β, in
nats per token, for N parameters and D training tokens. E is the entropy of the text: no model can do better.
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
        """The loss of models with so many parameters after so many tokens."""
        N, D = np.asarray(parameters, dtype=float), np.asarray(tokens, dtype=float)
        return self.E + self.A / N**self.alpha + self.B / D**self.beta

    def compute_optimal(self, flops: float) -> tuple[float, float]:
        """Parameters and tokens with the lowest loss for a budget of 6 N D FLOPs (the paper's equation 4)."""
        ratio = (self.alpha * self.A / (self.beta * self.B)) ** (1 / (self.alpha + self.beta))
        parameters = ratio * (flops / 6) ** (self.beta / (self.alpha + self.beta))
        return parameters, flops / 6 / parameters


def fit_scaling_law(
    parameters: Sequence[float], tokens: Sequence[float], loss: Sequence[float], delta: float = 1e-3
) -> ScalingLaw:
    """The law that fits measured losses best: least Huber loss (`delta`) of log L, from several starts, as in
    the paper's section 3.3. Raises `FmkitError` for fewer than six runs, or where all are of one size."""
    N, D, L = (np.asarray(values, dtype=float) for values in (parameters, tokens, loss))
    if not len(N) == len(D) == len(L) >= 6:
        raise FmkitError(f"a law with five constants needs six runs or more, and here are {len(L)}")
    if min(len(set(N)), len(set(D))) < 3 or not (L > 0).all():
        raise FmkitError("a law needs at least three model sizes, three amounts of tokens and losses above 0")
    fits = (_fit(N, D, L, delta, start) for start in _starts(N, D, L))
    return min(fits, key=lambda fit: fit[0])[1]


def bootstrap(
    parameters: Sequence[float], tokens: Sequence[float], loss: Sequence[float], n: int = 200, seed: int = 0
) -> list[ScalingLaw]:
    """Fits of `n` resamples of the runs, with replacement: how much the constants hang on single runs."""
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
    """The middle `share` of the values."""
    low, high = np.quantile(values, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)


def _starts(N: Array, D: Array, L: Array) -> list[Array]:
    """Each exponent small or large, the floor far or near; A and B then share what is above the floor."""
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


def _fit(N: Array, D: Array, L: Array, delta: float, start: Array) -> tuple[float, ScalingLaw]:
    try:
        from scipy.optimize import least_squares
    except ImportError:
        raise FmkitError("fitting needs scipy: pip install 'fmkit[notebook]'") from None

    log_n, log_d, log_l = np.log(N), np.log(D), np.log(L)

    def residuals(x: Array) -> Array:
        # In logarithms all constants are positive, and the terms are added without overflow.
        terms = [np.full_like(log_n, x[0]), x[1] - np.exp(x[2]) * log_n, x[3] - np.exp(x[4]) * log_d]
        return np.asarray(np.logaddexp.reduce(terms, axis=0) - log_l)

    found = least_squares(residuals, start, loss="huber", f_scale=delta, max_nfev=500)
    E, A, alpha, B, beta = np.exp(found.x)
    return float(found.cost), ScalingLaw(float(E), float(A), float(alpha), float(B), float(beta))


def _to_vector(law: ScalingLaw) -> Array:
    return np.log(np.array(astuple(law)))
