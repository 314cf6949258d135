r"""The variational posterior of the Laplace family for one Gaussian latent and two noisy readings of it.

Model: :math:`z\sim N(0,1)`, :math:`x_1|z\sim N(z,\sigma_1^2)`, :math:`x_2|z\sim N(z,\sigma_2^2)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, pi, sqrt

import mpmath

from dgm.calculus.closed_forms.quadrature import integral
from dgm.errors import CalculusError


@dataclass(frozen=True)
class Model:
    """Noise standard deviations of the two readings; the prior is standard normal."""

    sigma1: float
    sigma2: float

    def __post_init__(self) -> None:
        if min(self.sigma1, self.sigma2) <= 0:
            raise CalculusError(f"a standard deviation must be positive: {min(self.sigma1, self.sigma2):g}")


@dataclass(frozen=True)
class Normal:
    """A Gaussian by its mean and its precision (1 / variance)."""

    mean: float
    precision: float

    def pdf(self, z: float) -> float:
        """Density at ``z``."""
        return sqrt(self.precision / (2 * pi)) * exp(-0.5 * self.precision * (z - self.mean) ** 2)


@dataclass(frozen=True)
class Laplace:
    """A Laplace density ``exp(-|z - mu| / b) / (2 b)``; its variance is ``2 b**2``."""

    mu: float
    b: float

    def __post_init__(self) -> None:
        if not self.b > 0:
            raise CalculusError(f"a Laplace scale must be positive: {self.b:g}")

    def pdf(self, z: float) -> float:
        """Density at ``z``."""
        return exp(-abs(z - self.mu) / self.b) / (2 * self.b)

    def second_moment(self, a: float) -> float:
        """``E[(z - a)**2]``."""
        return (self.mu - a) ** 2 + 2 * self.b**2

    def entropy(self) -> float:
        """Differential entropy in nats."""
        return 1 + log(2 * self.b)


def posterior(x1: float, x2: float, model: Model) -> Normal:
    """Exact posterior of z: precisions add, and the mean weighs each reading by its precision.

    >>> posterior(1.0, 3.0, Model(1.0, 1.0))
    Normal(mean=1.3333333333333333, precision=3.0)
    """
    w1, w2 = model.sigma1**-2, model.sigma2**-2
    precision = 1 + w1 + w2
    return Normal((w1 * x1 + w2 * x2) / precision, precision)


def kl(q: Laplace, p: Normal) -> float:
    r"""Closed form :math:`KL(q\|p) = -1-\log 2b + \tfrac12\log(2\pi/\lambda) +
    \tfrac\lambda2((\mu-m)^2+2b^2)`."""
    expected_square = p.precision * q.second_moment(p.mean)
    return 0.5 * (log(2 * pi / p.precision) + expected_square) - q.entropy()


def optimum(p: Normal) -> Laplace:
    r"""The one Laplace density nearest to ``p`` in :math:`KL(q\|p)`: same mean, same variance.

    >>> q = optimum(Normal(0.3, 2.0))
    >>> q, round(kl(q, Normal(0.3, 2.0)), 6)
    (Laplace(mu=0.3, b=0.5), 0.072365)
    """
    return Laplace(mu=p.mean, b=1 / sqrt(2 * p.precision))


def log_normal(x: float, mean: float, variance: float) -> float:
    """Log density of a scalar Gaussian."""
    return -0.5 * (log(2 * pi * variance) + (x - mean) ** 2 / variance)


def log_evidence(x1: float, x2: float, model: Model) -> float:
    """``log p(x1, x2) = log p(x1) + log p(x2 | x1)``, the second factor from the posterior after one
    reading."""
    v1, v2 = model.sigma1**2, model.sigma2**2
    mean, variance = x1 / (1 + v1), v1 / (1 + v1)  # of z given x1 alone
    return log_normal(x1, 0.0, 1 + v1) + log_normal(x2, mean, variance + v2)


def elbo(q: Laplace, x1: float, x2: float, model: Model) -> float:
    r"""Evidence lower bound :math:`E_q[\log p(z)+\log p(x_1|z)+\log p(x_2|z)] + H(q)`, in closed form."""
    terms = ((0.0, 1.0), (x1, model.sigma1**2), (x2, model.sigma2**2))
    return q.entropy() - 0.5 * sum(log(2 * pi * v) + q.second_moment(a) / v for a, v in terms)


def kl_by_quadrature(q: Laplace, p: Normal) -> float:
    """The same divergence from its definition, by numerical integration and no closed form."""

    def integrand(z: mpmath.mpf) -> mpmath.mpf:
        log_q = -abs(z - q.mu) / q.b - mpmath.log(2 * q.b)
        log_p = mpmath.log(p.precision / (2 * mpmath.pi)) / 2 - p.precision * (z - p.mean) ** 2 / 2
        return mpmath.exp(log_q) * (log_q - log_p)

    return integral(integrand, breaks=(q.mu,), scale=q.b)


def evidence_by_quadrature(x1: float, x2: float, model: Model) -> float:
    """``log`` of the integral of the joint density over z."""
    centre = posterior(x1, x2, model)

    def joint(z: mpmath.mpf) -> mpmath.mpf:
        exponent = z**2 + ((x1 - z) / model.sigma1) ** 2 + ((x2 - z) / model.sigma2) ** 2
        return mpmath.exp(-exponent / 2)

    mass = integral(joint, breaks=(centre.mean,), scale=centre.precision**-0.5, reach=16)
    return log(mass) - 1.5 * log(2 * pi) - log(model.sigma1 * model.sigma2)
