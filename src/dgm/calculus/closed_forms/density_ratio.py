r"""Estimating :math:`TC(z)=KL(q(z)\|\bar q(z))`, :math:`\bar q(z)=\prod_j q(z_j)`, from samples of q(z)
alone.

Kim & Mnih 2018, section 3; the density-ratio trick is that of Sugiyama et al. 2012.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dgm.errors import CalculusError

Array = NDArray[np.float64]


def permute_dims(z: Array, rng: np.random.Generator) -> Array:
    r"""Permute every latent dimension over the batch on its own (Kim & Mnih 2018, Algorithm 1).

    ``z`` (B, d) is a batch of q(z); the result (B, d) stands for a batch of :math:`\bar q(z)`: each column
    keeps its values, and with them its marginal, while the columns lose what they knew of each other.

    >>> z = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
    >>> sorted(permute_dims(z, np.random.default_rng(0))[:, 1].tolist())
    [10.0, 20.0, 30.0]
    """
    if z.ndim != 2:
        raise CalculusError(f"a batch of latents has shape (B, d), not {z.shape}")
    return np.stack([rng.permutation(column) for column in z.T], axis=1)


def quadratic_features(z: Array) -> Array:
    """``1``, the coordinates, and their products: (B, 1 + d + d(d+1)/2).

    The log ratio of two Gaussians is a quadratic, so a logistic regression on these contains the optimum.
    """
    i, j = np.triu_indices(z.shape[1])
    return np.concatenate([np.ones((len(z), 1)), z, z[:, i] * z[:, j]], axis=1)


@dataclass(frozen=True)
class Discriminator:
    """``D(z) = sigmoid(weights . features(z))``, the probability that z came from q(z)."""

    weights: Array

    def logit(self, z: Array) -> Array:
        """``log D / (1 - D)``, the estimate of ``log q(z) / q_bar(z)``; (B,)."""
        return np.asarray(quadratic_features(z) @ self.weights)


def fit(real: Array, permuted: Array, steps: int = 25, ridge: float = 1e-6) -> Discriminator:
    """Maximise the discriminator's log-likelihood by Newton's method (a concave problem).

    Both batches must have the same size, otherwise the logit is shifted by the log of their ratio.
    """
    if real.shape != permuted.shape:
        raise CalculusError(f"the two batches must have one shape: {real.shape}, {permuted.shape}")
    X = quadratic_features(np.concatenate([real, permuted]))  # (2B, k)
    y = np.repeat([1.0, 0.0], len(real))
    w = np.zeros(X.shape[1])
    for _ in range(steps):
        D = 1 / (1 + np.exp(-np.clip(X @ w, -40, 40)))
        hessian = (X * (D * (1 - D))[:, None]).T @ X + ridge * np.eye(len(w))
        step = np.linalg.solve(hessian, X.T @ (y - D) - ridge * w)
        w = w + step
        if np.abs(step).max() < 1e-9:
            break
    return Discriminator(w)


@dataclass(frozen=True)
class Estimate:
    """An estimate of the total correlation in nats with its standard error."""

    value: float
    standard_error: float


def total_correlation(
    train: Array, held_out: Array, rng: np.random.Generator
) -> Estimate:
    r"""Density-ratio estimate :math:`E_{q(z)}[\log D(z)/(1-D(z))]` (Kim & Mnih 2018, equation 3).

    The discriminator learns on ``train`` against its permutation and is averaged on ``held_out``, both (B,
    d) from q(z): averaging on its own training batch would count what it learnt by heart.

    >>> rng = np.random.default_rng(0)
    >>> z = rng.standard_normal((4000, 2))
    >>> bool(abs(total_correlation(z[:2000], z[2000:], rng).value) < 0.02)
    True
    """
    logits = fit(train, permute_dims(train, rng)).logit(held_out)
    standard_error = float(logits.std(ddof=1) / len(logits) ** 0.5)
    return Estimate(float(logits.mean()), standard_error)


def minibatch_total_correlation(centres: Array, sd: float, rng: np.random.Generator) -> float:
    r"""Plug-in estimate: q(z) and each q(z_j) replaced by the mixture over the batch's own encoders.

    ``centres`` (B, d) are the encoder's means of the batch.  Biased: each z lies near its own component,
    which the batch weighs with 1/B and the data set with 1/N.
    """
    z = centres + sd * rng.standard_normal(centres.shape)  # (B, d), one draw a component
    e = -0.5 * ((z.T[:, :, None] - centres.T[:, None, :]) / sd) ** 2  # (d, B, B)
    # the normalising constants are the same on both sides and cancel
    return float((_log_mean_exp(e.sum(axis=0)) - _log_mean_exp(e).sum(axis=0)).mean())


def _log_mean_exp(e: Array) -> Array:
    """Stable ``log mean exp`` over the last axis."""
    top = e.max(axis=-1, keepdims=True)
    return np.asarray(top[..., 0] + np.log(np.exp(e - top).mean(axis=-1)))
