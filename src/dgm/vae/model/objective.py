"""Loss of the VAE: the negative evidence lower bound, in nats, and the parts that it is made of.

The two terms are summed over pixels or latent dimensions and averaged over the batch. :func:`loss` is the one place
where they are put together.
"""

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
    """Parts of one batch's loss, each a scalar tensor.

    ``squared_error`` is the mean over pixel values, ``kl`` the mean over images in nats, ``variance`` the likelihood's,
    and ``pixels`` the number of pixel values of an image.
    """

    squared_error: Tensor
    kl: Tensor
    variance: Tensor
    pixels: int

    @property
    def reconstruction(self) -> Tensor:
        """Negative log-likelihood in nats an image."""
        return negative_log_likelihood(self.squared_error, self.variance, self.pixels)

    def loss(self, beta: float | Tensor) -> Tensor:
        """Negative (β-weighted) evidence lower bound in nats an image."""
        return loss(self.squared_error, self.kl, self.variance, beta, self.pixels)


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


def loss(
    squared_error: Tensor, kl: Tensor, variance: Tensor, beta: float | Tensor, pixels: int
) -> Tensor:
    """Negative (β-weighted) evidence lower bound in nats an image."""
    return negative_log_likelihood(squared_error, variance, pixels) + beta * kl


def loss_slopes(terms: Terms, beta: float) -> tuple[Tensor, Tensor]:
    """Partial derivatives of :func:`loss` by the squared error and by the KL, the variance held fixed.

    Gradients that are summed over parts of a batch, or over processes, are weighted with these.
    """
    with torch.enable_grad():
        squared_error, kl = (part.detach().requires_grad_() for part in (terms.squared_error, terms.kl))
        whole = loss(squared_error, kl, terms.variance.detach(), beta, terms.pixels)
        by_error, by_kl = torch.autograd.grad(whole, (squared_error, kl))
    return by_error, by_kl


def batch_terms(squared_error: Tensor, kl: Tensor, variance: Tensor | None, pixels: int) -> Terms:
    """Terms of a batch; ``variance`` None means the batch's optimal one."""
    return Terms(squared_error, kl, optimal_variance(squared_error) if variance is None else variance, pixels)


def elbo_terms(
    x: Tensor, mean: Tensor, posterior: Posterior, variance: Tensor | None
) -> Terms:
    """Terms of a batch x (B, 3, S, S) from the decoder's mean; ``variance`` None means the batch's optimal one."""
    squared_error = F.mse_loss(mean.float(), x.float())
    kl = kl_standard_normal(posterior).sum(1).mean()
    return batch_terms(squared_error, kl, variance, x[0].numel())


def psnr(squared_error: float) -> float:
    """Peak signal-to-noise ratio in dB of images in [0, 1].

    >>> round(psnr(0.01), 1)
    20.0
    """
    return -10 * math.log10(max(squared_error, 1e-12))
