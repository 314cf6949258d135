"""Linear VAE held against probabilistic PCA, whose greatest log-likelihood is known exactly.

Lucas et al. 2019 (Don't Blame the ELBO!, section 4): a VAE with a linear encoder and decoder has no other local maximum
of its bound, and there the bound is the log-likelihood of probabilistic PCA (Tipping & Bishop 1999, equation 8).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm.vae.images.faces import Faces, Split

IMAGES = 800
STEPS = 250  # of L-BFGS, at most


@dataclass(frozen=True)
class LinearFit:
    """Nats a data point: the trained bound, and the greatest log-likelihood of probabilistic PCA."""

    bound: float
    exact: float
    images: int
    dimensions: int
    latent_dim: int


class LinearVAE(nn.Module):
    """p(x|z) = N(W z + mean, s² I), q(z|x) = N(V (x - mean), diag(d)); its bound needs no samples."""

    def __init__(self, dimensions: int, latent_dim: int, generator: torch.Generator) -> None:
        super().__init__()
        start = torch.randn(dimensions, latent_dim, generator=generator, dtype=torch.float64) * 0.1
        self.decoder, self.encoder = nn.Parameter(start.clone()), nn.Parameter(start.T.contiguous())
        self.log_variance = nn.Parameter(torch.zeros(latent_dim, dtype=torch.float64))
        self.log_noise = nn.Parameter(torch.zeros((), dtype=torch.float64))

    def bound(self, covariance: Tensor) -> Tensor:  # (D, D) of the data -> ()
        """Evidence lower bound in nats a data point, exact over q and the data."""
        dimensions, variance, noise = len(covariance), self.log_variance.exp(), self.log_noise.exp()
        rest = torch.eye(dimensions, dtype=torch.float64) - self.decoder @ self.encoder
        error = torch.trace(rest @ covariance @ rest.T) + (self.decoder.square() * variance).sum()
        likelihood = -0.5 * (dimensions * torch.log(2 * math.pi * noise) + error / noise)
        means = torch.trace(self.encoder @ covariance @ self.encoder.T)
        return likelihood - 0.5 * (means + (variance - 1 - self.log_variance).sum())


def linear_anchor(faces: Faces, split: Split, latent_dim: int) -> LinearFit:
    """:func:`linear_fit` of training images in grey, 8 pixels a side."""
    chosen = faces.images[split.train[:IMAGES]].float().mean(1, keepdim=True) / 255
    return linear_fit(F.interpolate(chosen, size=(8, 8), mode="area").flatten(1), latent_dim)


def linear_fit(data: Tensor, latent_dim: int, seed: int = 0) -> LinearFit:  # float (N, D)
    """Train a linear VAE on the data, and give its bound beside the exact optimum."""
    centred = data.double() - data.double().mean(0)
    covariance = centred.T @ centred / len(centred)
    scale = covariance.diagonal().mean()
    model = LinearVAE(len(covariance), latent_dim, torch.Generator().manual_seed(seed))
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=STEPS, tolerance_grad=1e-9, tolerance_change=1e-14,
                                  history_size=50, line_search_fn="strong_wolfe")

    def descend() -> Tensor:
        optimizer.zero_grad()
        cost = -model.bound(covariance / scale)
        cost.backward()
        return cost

    optimizer.step(descend)
    shift = 0.5 * len(covariance) * math.log(float(scale))  # the data were divided by the root of their mean variance
    return LinearFit(model.bound(covariance / scale).item() - shift, ppca_log_likelihood(covariance, latent_dim),
                     len(data), len(covariance), latent_dim)


def ppca_log_likelihood(covariance: Tensor, latent_dim: int) -> float:  # (D, D)
    """Greatest log-likelihood a data point of probabilistic PCA, in nats (Tipping & Bishop 1999).

    >>> round(ppca_log_likelihood(torch.eye(3, dtype=torch.float64), 1), 4)
    -4.2568
    """
    values = torch.linalg.eigvalsh(covariance.double()).flip(0)
    noise = values[latent_dim:].mean()
    volume = values[:latent_dim].log().sum() + (len(values) - latent_dim) * noise.log()
    return float(-0.5 * (len(values) * math.log(2 * math.pi) + volume + len(values)))
