"""The VAE's loss: both of its terms in nats, summed over pixels or latent dimensions, averaged over the batch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from dgm.vae.model.vae import Posterior

MIN_VARIANCE = (1 / 255) ** 2  # a likelihood narrower than one grey level would only count rounding


@dataclass(frozen=True)
class Terms:
    """The loss and its parts for one batch, each a scalar tensor; ``squared_error`` is the mean over pixels."""

    reconstruction: Tensor
    kl: Tensor
    squared_error: Tensor
    beta: float

    @property
    def loss(self) -> Tensor:
        """The negative of the (β-weighted) evidence lower bound, in nats."""
        return self.reconstruction + self.beta * self.kl


def kl_standard_normal(posterior: Posterior) -> Tensor:  # 2 x (B, D) -> (B, D)
    """KL(N(m, s²) || N(0, 1)) = (m² + s² - 1 - log s²) / 2 in nats, a term for each dimension."""
    mean, log_variance = posterior.mean, posterior.log_variance
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


def optimal_variance(squared_error: Tensor) -> Tensor:
    """The likelihood's variance that fits a batch best: its mean squared error (Rybkin et al. 2021, section 3.2)."""
    return squared_error.detach().clamp(min=MIN_VARIANCE)


def negative_log_likelihood(
    squared_error: Tensor, variance: Tensor, pixels: int
) -> Tensor:
    """-log N(x; mean, variance I) in nats an image, from the mean squared error over ``pixels`` numbers."""
    per_pixel = torch.log(2 * math.pi * variance) + squared_error / variance
    return 0.5 * pixels * per_pixel


def elbo_terms(
    x: Tensor, mean: Tensor, posterior: Posterior,
    variance: Tensor | None, beta: float,
) -> Terms:
    """The terms for a batch x (B, 3, S, S) and the decoder's mean; ``variance`` None means the batch's optimal one."""
    squared_error = F.mse_loss(mean.float(), x.float())
    chosen = optimal_variance(squared_error) if variance is None else variance
    pixels = x[0].numel()
    reconstruction = negative_log_likelihood(squared_error, chosen, pixels)
    kl = kl_standard_normal(posterior).sum(1).mean()
    return Terms(reconstruction, kl, squared_error, beta)


def psnr(squared_error: float) -> float:
    """Peak signal-to-noise ratio in dB of images in [0, 1].

    >>> round(psnr(0.01), 1)
    20.0
    """
    return -10 * math.log10(max(squared_error, 1e-12))
