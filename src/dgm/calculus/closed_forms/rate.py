r"""Best reconstruction under a budget of nats, for scalar data: the curve whose slope is :math:`\beta`.

Data :math:`x\sim N(0,1)`, encoder :math:`N(ax,s^2)`, prior :math:`N(0,1)`, decoder :math:`N(wz,\tau^2)` with
:math:`\tau` fixed.  All of a, s, w are free.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, pi

from dgm.errors import CalculusError


@dataclass(frozen=True)
class Code:
    """A linear encoder ``N(a x, s2)`` and decoder slope ``w``."""

    a: float
    s2: float
    w: float

    @property
    def rate(self) -> float:
        """Averaged divergence of the encoder from the prior, nats per datum."""
        return 0.5 * (self.a**2 + self.s2 - 1 - log(self.s2))

    def reconstruction(self, tau2: float) -> float:
        """Averaged ``E_q[log p(x|z)]``, nats per datum."""
        error = (1 - self.w * self.a) ** 2 + self.w**2 * self.s2
        return -0.5 * (log(2 * pi * tau2) + error / tau2)


def best_reconstruction(rate: float, tau2: float) -> float:
    r"""The value of the constrained problem, :math:`F(\varepsilon)=-\tfrac12\log
    2\pi\tau^2-e^{-2\varepsilon}/2\tau^2`."""
    return -0.5 * log(2 * pi * tau2) - exp(-2 * rate) / (2 * tau2)


def price(rate: float, tau2: float) -> float:
    r"""Slope of that curve, the multiplier :math:`\beta=e^{-2\varepsilon}/\tau^2`."""
    return exp(-2 * rate) / tau2


def rate_at(beta: float, tau2: float) -> float:
    r"""The budget that a given :math:`\beta` buys; zero from :math:`\beta=1/\tau^2` on (posterior collapse).

    >>> rate_at(10.0, 0.1), round(price(rate_at(2.0, 0.1), 0.1), 12)
    (0.0, 2.0)
    """
    if beta <= 0 or tau2 <= 0:
        raise CalculusError(f"beta and tau2 must be positive: {beta:g}, {tau2:g}")
    return max(0.0, -0.5 * log(beta * tau2))


def maximise(beta: float, tau2: float, steps: int = 2000) -> Code:
    r"""Maximise :math:`L_\beta` numerically by coordinate ascent, knowing nothing of the curve.

    Given w the best encoder is the tempered posterior; given the encoder the best w is least squares.

    >>> round(maximise(1.0, 0.1).rate, 6) == round(rate_at(1.0, 0.1), 6)
    True
    """
    rate_at(beta, tau2)  # refuses impossible arguments
    w = 1.0
    for _ in range(steps):
        spread = w**2 + beta * tau2
        a, s2 = w / spread, beta * tau2 / spread
        w = a / (a**2 + s2)
    return Code(a, s2, w)
