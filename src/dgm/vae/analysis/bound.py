"""Bounds on the log-likelihood of unseen images: the ELBO and the importance-weighted bound, for any Gaussian prior."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from dgm.vae.images.faces import Faces, Split
from dgm.vae.model.inference import decode, encode
from dgm.vae.model.prior import GaussianPrior
from dgm.vae.model.vae import VAE, Posterior

IMAGES, SAMPLES = 32, 64  # unseen images, and latent vectors for each


@dataclass(frozen=True)
class Bounds:
    """Means over images in nats: the bound from one latent vector, and that from ``samples`` of them."""

    elbo: float
    weighted: float
    images: int
    samples: int


def bounds(model: VAE, faces: Faces, split: Split, prior: GaussianPrior) -> Bounds:
    """Bounds for the first :data:`IMAGES` validation images.

    The weighted one, log mean_k p(x, z_k) / q(z_k|x), is never below the ELBO in expectation and rises to log p(x) with
    the number of samples (Burda et al. 2016, theorem 1).
    """
    images = faces.images[split.valid[:IMAGES]]
    weights = log_weights(model, images, prior, SAMPLES)
    weighted = weights.logsumexp(1) - math.log(SAMPLES)
    return Bounds(float(weights.mean()), float(weighted.mean()), len(images), SAMPLES)


def log_weights(model: VAE, images: Tensor, prior: GaussianPrior, samples: int) -> Tensor:  # (N, samples)
    """log p(x, z) - log q(z|x) in nats of images uint8 (N, 3, S, S), for z drawn from q(z|x)."""
    posterior, generator = encode(model, images), torch.Generator().manual_seed(0)
    x, variance = images.float().flatten(1) / 255, float(model.variance)
    columns = []
    for _ in range(samples):
        noise = torch.randn(posterior.mean.shape, generator=generator)
        z = posterior.mean + (0.5 * posterior.log_variance).exp() * noise
        error = (decode(model, z).flatten(1) - x).square().sum(1)
        likelihood = -0.5 * (x.shape[1] * math.log(2 * math.pi * variance) + error / variance)
        columns.append(likelihood.double() + prior.log_density(z) - _log_density(posterior, noise))
    return torch.stack(columns, 1)


def _log_density(posterior: Posterior, noise: Tensor) -> Tensor:  # (N,)
    """log q(z|x) of the z that this noise gives."""
    per_dimension = posterior.log_variance + noise.square() + math.log(2 * math.pi)
    density: Tensor = -0.5 * per_dimension.double().sum(1)
    return density
