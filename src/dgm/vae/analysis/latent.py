"""What lies in the latent space: class means and their difference, the aggregate posterior, active units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dgm.vae.model.vae import Posterior

ACTIVE = 0.01  # a unit is active if its mean varies more than this over the data (Burda et al. 2016, section 5.2)


@dataclass(frozen=True)
class SmileDirection:
    """The mean latent vectors of both classes, (D,)."""

    smiling: Tensor
    unsmiling: Tensor

    @property
    def vector(self) -> Tensor:  # (D,)
        """From an unsmiling to a smiling face."""
        return self.smiling - self.unsmiling

    @property
    def largest(self) -> int:
        """The dimension in which the classes differ most."""
        return int(self.vector.abs().argmax())


def smile_direction(means: Tensor, smiling: Tensor) -> SmileDirection:  # (N, D), bool (N,)
    """The mean latent vector of each class."""
    return SmileDirection(means[smiling].mean(0), means[~smiling].mean(0))


def traverse(z: Tensor, direction: Tensor, steps: Sequence[float]) -> Tensor:  # (N, D), (D,) -> (N, len(steps), D)
    """Every latent vector moved along a direction by each of the steps."""
    return z.unsqueeze(1) + torch.tensor(steps).view(1, -1, 1) * direction


@dataclass(frozen=True)
class AggregatePosterior:
    """A Gaussian with the moments of q(z) = mean over the data of q(z|x): mean (D,), covariance (D, D)."""

    mean: Tensor
    covariance: Tensor

    def sample(self, count: int, generator: torch.Generator) -> Tensor:  # (count, D)
        """Draw latent vectors."""
        values, vectors = torch.linalg.eigh(self.covariance)
        noise = torch.randn(count, len(self.mean), generator=generator)
        coloured: Tensor = (noise * values.clamp(min=0).sqrt()) @ vectors.T
        return self.mean + coloured


def aggregate_posterior(posterior: Posterior) -> AggregatePosterior:
    """The moments of q(z): the covariance of the means plus the mean of the variances."""
    covariance = torch.cov(posterior.mean.T) + torch.diag(posterior.log_variance.exp().mean(0))
    return AggregatePosterior(posterior.mean.mean(0), covariance)


def active_units(posterior: Posterior) -> int:
    """How many latent dimensions carry something of the images."""
    return int((posterior.mean.var(0) > ACTIVE).sum())
