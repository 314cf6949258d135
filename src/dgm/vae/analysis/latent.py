"""Latent space: class means and their difference, moves along a direction, active units."""

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


def active_units(posterior: Posterior) -> int:
    """Number of latent dimensions that carry something of the images."""
    return int((posterior.mean.var(0) > ACTIVE).sum())
