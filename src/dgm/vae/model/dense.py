"""A small VAE of fully connected layers, for small images of simple worlds.

After the network of Higgins et al. 2017 (beta-VAE, ICLR, appendix, for 2D shapes): two hidden layers to q(z|x) and
three back. Its layers are narrower here, all rectified, and the likelihood is Gaussian as in :class:`VAE`. On one core
it makes ten times the steps of Table 1's convolutions, which disentangling needs more than it needs sharpness.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from dgm.vae.model.vae import VAE, Posterior

WIDTH = 256


class DenseEncoder(nn.Module):
    """Two hidden layers, then the mean and the log-variance."""

    def __init__(self, image_size: int, latent_dim: int) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Flatten(), *_layers(3 * image_size**2, WIDTH, WIDTH))
        self.mean = nn.Linear(WIDTH, latent_dim)
        self.log_variance = nn.Linear(WIDTH, latent_dim)

    def forward(self, x: Tensor) -> Posterior:  # (B, 3, S, S) -> 2 x (B, D)
        """Give the parameters of q(z|x)."""
        h = self.features(x)  # (B, WIDTH)
        return Posterior(self.mean(h).float(), self.log_variance(h).float().clamp(-12, 8))


class DenseVAE(VAE):
    """:class:`VAE` with other networks; the sizes that it takes are the same.

    >>> import torch
    >>> mean, posterior = DenseVAE(16, latent_dim=4)(torch.rand(2, 3, 16, 16), torch.randn(2, 4))
    >>> mean.shape, posterior.mean.shape
    (torch.Size([2, 3, 16, 16]), torch.Size([2, 4]))
    """

    def __init__(self, image_size: int, latent_dim: int) -> None:
        super().__init__(image_size, latent_dim, dropout=0.0)
        pixels = 3 * image_size**2
        self.encoder = DenseEncoder(image_size, latent_dim)  # type: ignore[assignment]
        self.decoder = nn.Sequential(  # type: ignore[assignment]
            *_layers(latent_dim, WIDTH, WIDTH, WIDTH), nn.Linear(WIDTH, pixels), nn.Sigmoid(),
            nn.Unflatten(1, (3, image_size, image_size)))


def _layers(*sizes: int) -> list[nn.Module]:
    return [part for one, other in pairwise(sizes) for part in (nn.Linear(one, other), nn.ReLU())]
