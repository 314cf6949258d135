r"""Two unbiased estimators of :math:`\nabla E_{q}[f(z)]`: by the score function and by the path
(reparameterisation).

Test function :math:`f(z)=\|z-c\|^2` under :math:`q=N(\mu,\sigma^2I)` in ``dims`` dimensions, every
coordinate of :math:`\mu-c` equal to ``delta``: the gradient and both variances are then known in closed form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """``delta = mu - c`` in every coordinate, the scale of q, and the dimension."""

    delta: float
    sigma: float
    dims: int

    @property
    def gradient(self) -> tuple[float, float]:
        """Exact derivatives of ``E[f]`` by the first mean and by the first scale."""
        return 2 * self.delta, 2 * self.sigma

    @property
    def mean_f(self) -> float:
        """``E[f]``."""
        return self.dims * (self.delta**2 + self.sigma**2)


@dataclass(frozen=True)
class Estimate:
    """Single-sample derivative draws by the first mean and the first scale, ``(samples, 2)``."""

    draws: Array

    @property
    def mean(self) -> Array:
        """Average of the draws, ``(2,)``."""
        return np.asarray(self.draws.mean(axis=0))

    @property
    def variance(self) -> Array:
        """Variance of a single draw, ``(2,)``."""
        return np.asarray(self.draws.var(axis=0, ddof=1))

    @property
    def standard_error(self) -> Array:
        """Standard error of ``mean``, ``(2,)``."""
        return np.asarray(np.sqrt(self.variance / len(self.draws)))


def pathwise(problem: Problem, noise: Array) -> Estimate:
    r"""Differentiate through :math:`z=\mu+\sigma\epsilon`: :math:`f'(z)` and :math:`f'(z)\,\epsilon`
    (``noise``: (n, d)).

    >>> eps = np.random.default_rng(0).standard_normal((1000, 2))
    >>> bool(abs(pathwise(Problem(1.0, 1.0, 2), eps).mean[0] - 2) < 0.2)
    True
    """
    slope = 2 * (problem.delta + problem.sigma * noise[:, 0])  # df/dz_1
    return Estimate(np.stack([slope, slope * noise[:, 0]], axis=1))


def score_function(problem: Problem, noise: Array, baseline: float = 0.0) -> Estimate:
    r"""Weigh the score: :math:`(f(z)-k)\nabla\log q(z)`; a constant ``baseline`` k leaves the mean as it is.

    Kingma & Welling 2014, section 2.2, call this the naive Monte Carlo gradient estimator.
    """
    f = ((problem.delta + problem.sigma * noise) ** 2).sum(axis=1) - baseline  # (n,)
    e = noise[:, 0]
    return Estimate(np.stack([f * e, f * (e**2 - 1)], axis=1) / problem.sigma)


def pathwise_variance(problem: Problem) -> float:
    """Exact variance of one pathwise draw by the first mean: free of the dimension."""
    return 4 * problem.sigma**2


def score_variance(problem: Problem, baseline: float = 0.0) -> float:
    """Exact variance of one score-function draw by the first mean: quadratic in the dimension without a
    baseline.

    >>> score_variance(Problem(0.0, 1.0, 3))  # (d + 2)(d + 4)
    35.0
    """
    D, S, rest = problem.delta**2, problem.sigma**2, problem.dims - 1
    mean_rest = rest * (D + S)  # of the other coordinates' part of f
    square_rest = rest * (4 * D * S + 2 * S**2) + mean_rest**2
    f_e2 = D + 3 * S + mean_rest  # E[f eps^2]
    f2_e2 = D**2 + 18 * D * S + 15 * S**2 + 2 * (D + 3 * S) * mean_rest + square_rest
    return (f2_e2 - 2 * baseline * f_e2 + baseline**2) / S - 4 * D
