"""Kullback-Leibler divergences between Gaussians, in nats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dgm.errors import CalculusError

Array = NDArray[np.float64]


def kl_normal(mean: ArrayLike, sd: ArrayLike, prior_mean: ArrayLike = 0.0,
              prior_sd: ArrayLike = 1.0) -> Array:
    r"""Elementwise :math:`KL(N(m,s^2)\|N(m_0,s_0^2)) = \log(s_0/s) + (s^2+(m-m_0)^2)/(2s_0^2) - 1/2`.

    Arguments broadcast; sum over the last axis for a diagonal Gaussian (Kingma & Welling 2014, appendix B).

    >>> float(kl_normal(0.0, 1.0))
    0.0
    >>> float(kl_normal([1.0, 2.0], 1.0).sum())
    2.5
    """
    m, s, m0, s0 = (np.asarray(a, float) for a in (mean, sd, prior_mean, prior_sd))
    if np.any(s <= 0) or np.any(s0 <= 0):
        raise CalculusError(f"a standard deviation must be positive: {float(min(s.min(), s0.min())):g}")
    return np.asarray(np.log(s0 / s) + (s**2 + (m - m0) ** 2) / (2 * s0**2) - 0.5)


def total_correlation(covariance: ArrayLike) -> float:
    r"""Total correlation of a Gaussian: :math:`KL(q\|\prod_j q_j) = -\tfrac12\log\det R`, ``R`` its
    correlation.

    >>> round(total_correlation([[4.0, 1.2], [1.2, 1.0]]), 6)  # rho = 0.6
    0.223144
    """
    S = np.asarray(covariance, float)  # (d, d)
    sign, logdet = np.linalg.slogdet(S)
    if sign <= 0 or np.any(np.diag(S) <= 0):
        raise CalculusError("a covariance must be positive definite")
    return float(0.5 * (np.log(np.diag(S)).sum() - logdet))


@dataclass(frozen=True)
class KLParts:
    r"""The averaged divergence :math:`E_{p(x)}KL(q(z|x)\|N(0,I))` of an encoder, and its three parts
    (nats)."""

    averaged: float
    information: float
    correlation: float
    marginals: float


def kl_parts(A: ArrayLike, noise: float) -> KLParts:
    r"""Parts for the linear encoder :math:`q(z|x)=N(Ax, noise^2 I)` with :math:`x\sim N(0,I)`, in closed
    form.

    Each part is computed on its own, so that their sum is a test and no definition (Hoffman & Johnson 2016;
    Chen et al. 2018, equation 2).

    >>> p = kl_parts([[1.0, 0.0], [0.5, 1.0]], noise=0.5)
    >>> abs(p.averaged - p.information - p.correlation - p.marginals) < 1e-12
    True
    """
    A = np.atleast_2d(np.asarray(A, float))  # (d, k)
    d = A.shape[0]
    S = A @ A.T + noise**2 * np.eye(d)  # covariance of q(z)
    return KLParts(
        averaged=float(0.5 * np.trace(A @ A.T)) + d * float(kl_normal(0.0, noise)),
        information=0.5 * float(np.linalg.slogdet(S)[1]) - d * float(np.log(noise)),
        correlation=total_correlation(S),
        marginals=float(kl_normal(np.zeros(d), np.sqrt(np.diag(S))).sum()),
    )
