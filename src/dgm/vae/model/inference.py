"""Encode and decode images in batches, without gradients."""

from __future__ import annotations

import torch
from torch import Tensor

from dgm.vae.images.loader import to_unit
from dgm.vae.model.vae import VAE, Posterior


@torch.no_grad()
def encode(model: VAE, images: Tensor) -> Posterior:  # uint8 (N, 3, S, S) -> 2 x (N, D)
    """q(z|x) of every image."""
    device = next(model.parameters()).device
    parts = [model.eval().encoder(to_unit(batch.to(device))) for batch in images.split(256)]
    return Posterior(torch.cat([part.mean for part in parts]).cpu(),
                     torch.cat([part.log_variance for part in parts]).cpu())


@torch.no_grad()
def decode(model: VAE, z: Tensor) -> Tensor:  # (N, D) -> float (N, 3, S, S) in [0, 1]
    """The mean of p(x|z) of every latent vector."""
    device = next(model.parameters()).device
    return torch.cat([model.eval().decoder(part.to(device)).float().cpu() for part in z.split(256)])
