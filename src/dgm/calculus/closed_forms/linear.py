r"""The scalar linear-Gaussian latent-variable model: the smallest VAE whose evidence is known.

Model: :math:`z\sim N(0,1)`, :math:`x|z\sim N(wz, \tau^2)`; approximate posterior :math:`q=N(a, s^2)`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dgm.calculus.closed_forms.gaussian import kl_normal

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LinearModel:
    """Slope and noise standard deviation of the decoder."""

    w: float
    tau: float

    def log_evidence(self, x: ArrayLike) -> Array:
        """``log p(x)``: x is Gaussian with variance ``w**2 + tau**2``.  Same shape as ``x``."""
        v = self.w**2 + self.tau**2
        return np.asarray(-0.5 * (np.log(2 * np.pi * v) + np.asarray(x, float) ** 2 / v))

    def posterior(self, x: ArrayLike) -> tuple[Array, float]:
        """Mean (shape of ``x``) and standard deviation of ``p(z | x)``."""
        v = self.w**2 + self.tau**2
        return self.w * np.asarray(x, float) / v, self.tau / v**0.5

    def reconstruction(self, x: ArrayLike, a: ArrayLike, s: ArrayLike) -> Array:
        """``E_q[log p(x | z)]`` for ``q = N(a, s**2)``; arguments broadcast."""
        x, a, s = (np.asarray(t, float) for t in (x, a, s))
        error = (x - self.w * a) ** 2 + (self.w * s) ** 2
        return np.asarray(-0.5 * (np.log(2 * np.pi * self.tau**2) + error / self.tau**2))

    def elbo(self, x: ArrayLike, a: ArrayLike, s: ArrayLike) -> Array:
        """Evidence lower bound of ``q = N(a, s**2)``: reconstruction minus the divergence from the prior."""
        return np.asarray(self.reconstruction(x, a, s) - kl_normal(a, s))

    def gap(self, x: ArrayLike, a: ArrayLike, s: ArrayLike) -> Array:
        """``KL(q || p(z | x))``, computed from the two Gaussians and not from the bound.

        >>> m = LinearModel(w=2.0, tau=1.0)
        >>> bool(np.isclose(m.log_evidence(1.5), m.elbo(1.5, 0.1, 0.7) + m.gap(1.5, 0.1, 0.7)))
        True
        """
        return kl_normal(a, s, *self.posterior(x))


@dataclass(frozen=True)
class EmStep:
    """One coordinate step: the model, the mean gap before q was moved, and the mean evidence (nats per
    datum)."""

    w: float
    gap_before: float
    evidence: float


def coordinate_ascent(x: ArrayLike, w: float, tau: float, steps: int) -> tuple[EmStep, ...]:
    """Alternate: q becomes the posterior (closes the gap), then w maximises the bound (raises the evidence).

    This is EM for the slope; by ``log p = ELBO + KL`` the evidence never falls.

    >>> run = coordinate_ascent([1.0, -2.0, 3.0], w=0.2, tau=1.0, steps=5)
    >>> all(b.evidence >= a.evidence for a, b in zip(run, run[1:]))
    True
    """
    data = np.asarray(x, float)  # (N,)
    a, s = np.zeros_like(data), 1.0  # q starts at the prior
    run = []
    for _ in range(steps):
        model = LinearModel(w, tau)
        run.append(EmStep(w, float(model.gap(data, a, s).mean()), float(model.log_evidence(data).mean())))
        a, s = model.posterior(data)
        w = float((data * a).mean() / (a**2 + s**2).mean())
    return tuple(run)
