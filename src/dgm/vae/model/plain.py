"""Plain form of the model: the layers of Table 1 as PyTorch names them, and one epoch of training in a dozen lines.

The model's own layers (:mod:`dgm.vae.model.layers`) compute the same, several times faster on a CPU.
"""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn

from dgm.vae.images.loader import FaceLoader
from dgm.vae.model.layers import ReluDropout, UpConv2d
from dgm.vae.model.objective import elbo_terms
from dgm.vae.model.vae import VAE


def plain(model: VAE) -> VAE:
    """A copy with ``Upsample`` and ``Conv2d``, ``ReLU`` and ``Dropout`` in place of the fast layers."""
    copy = deepcopy(model)
    for parent in list(copy.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, UpConv2d):
                setattr(parent, name, nn.Sequential(nn.Upsample(scale_factor=2), layer.conv))
            elif isinstance(layer, ReluDropout):
                setattr(parent, name, nn.Sequential(nn.ReLU(), nn.Dropout(layer.threshold / 256)))
    return copy.train(model.training)


def train_epoch(
    model: VAE, loader: FaceLoader, optimizer: torch.optim.Optimizer,
    generator: torch.Generator, beta: float = 1.0,
) -> list[float]:
    """Train on every batch once; the losses of the batches in nats an image.

    The likelihood's variance is each batch's optimal one; the model's own is left to the caller.
    """
    model.train()
    losses = []
    for x in loader:  # (B, 3, S, S)
        noise = torch.randn(len(x), model.latent_dim, generator=generator)
        mean, posterior = model(x, noise)
        loss: Tensor = elbo_terms(x, mean, posterior, variance=None).loss(beta)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
