"""The variational autoencoder of the sheet's Table 1."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dgm.errors import ModelError
from dgm.vae.model.layers import ReluDropout, UpConv2d

SIDE = 8  # of the innermost feature maps: Table 1's 4096 is 64 * 8 * 8
IMAGE_SIZES = {SIDE * 2**halvings: halvings for halvings in range(1, 5)}  # 16, 32, 64, 128


@dataclass(frozen=True)
class Posterior:
    """q(z|x) = N(mean, diag exp(log_variance)), both (B, D)."""

    mean: Tensor
    log_variance: Tensor


class Encoder(nn.Module):
    """Four convolutions, then two linear layers for the mean and the log-variance.

    A convolution before a batch normalisation has no bias: subtracting the mean would take it away again.

    At 128x128 every convolution has stride 2. A smaller image needs fewer halvings to reach 8x8, so that the
    innermost layers have stride 1 and Table 1's 4096 stays.
    """

    def __init__(self, image_size: int, latent_dim: int, dropout: float) -> None:
        super().__init__()
        halvings = IMAGE_SIZES[image_size]
        self.features = nn.Sequential(
            *_down(3, 32, halvings >= 1, dropout),
            *_down(32, 64, halvings >= 2, dropout),
            *_down(64, 64, halvings >= 3, dropout),
            *_down(64, 64, halvings >= 4, dropout),
            nn.Flatten(),
        )
        self.mean = nn.Linear(4096, latent_dim)
        self.log_variance = nn.Linear(4096, latent_dim)

    def forward(self, x: Tensor) -> Posterior:  # (B, 3, S, S) -> 2 x (B, D)
        """Give the parameters of q(z|x)."""
        h = self.features(x)  # (B, 4096)
        log_variance = self.log_variance(h).float().clamp(-12, 8)
        return Posterior(self.mean(h).float(), log_variance)


class Decoder(nn.Module):
    """A linear layer, then four convolutions, each after a doubling of the resolution as the encoder halved it."""

    def __init__(self, image_size: int, latent_dim: int, dropout: float) -> None:
        super().__init__()
        halvings = IMAGE_SIZES[image_size]
        self.net = nn.Sequential(
            nn.Linear(latent_dim, 4096), nn.ReLU(),
            nn.Unflatten(1, (64, SIDE, SIDE)),
            *_up(64, 64, halvings >= 4, dropout),
            *_up(64, 64, halvings >= 3, dropout),
            *_up(64, 32, halvings >= 2, dropout),
            UpConv2d(32, 3), nn.Sigmoid(),
        )

    def forward(self, z: Tensor) -> Tensor:  # (B, D) -> (B, 3, S, S) in (0, 1)
        """Give the mean of p(x|z)."""
        image: Tensor = self.net(z)
        return image


def _down(
    channels_in: int, channels_out: int, halve: bool, dropout: float
) -> list[nn.Module]:
    step = 2 if halve else 1
    plain = nn.Conv2d(
        channels_in, channels_out, kernel_size=3, stride=step, padding=1, bias=False)
    return [plain, nn.BatchNorm2d(channels_out), ReluDropout(dropout)]


def _up(
    channels_in: int, channels_out: int, double: bool, dropout: float
) -> list[nn.Module]:
    plain = nn.Conv2d(
        channels_in, channels_out, kernel_size=3, padding=1, bias=False)
    return [UpConv2d(channels_in, channels_out, bias=False) if double else plain,
            nn.BatchNorm2d(channels_out), ReluDropout(dropout)]


def reparameterize(posterior: Posterior, noise: Tensor) -> Tensor:  # (B, D) -> (B, D)
    """z = mean + exp(log_variance / 2) * noise (Kingma & Welling 2014, section 2.4)."""
    return posterior.mean + torch.exp(0.5 * posterior.log_variance) * noise


class VAE(nn.Module):
    """Encoder, decoder and the likelihood's variance: p(x|z) = N(decoder(z), variance I).

    Raises:
        ModelError: an image size other than 16, 32, 64 and 128, a latent size or dropout out of range.
    """

    variance: Tensor

    def __init__(
        self, image_size: int = 128, latent_dim: int = 200, dropout: float = 0.02
    ) -> None:
        super().__init__()
        _check(image_size, latent_dim, dropout)
        self.image_size, self.latent_dim = image_size, latent_dim
        self.encoder = Encoder(image_size, latent_dim, dropout)
        self.decoder = Decoder(image_size, latent_dim, dropout)
        self.register_buffer("variance", torch.tensor(1.0))

    def forward(self, x: Tensor, noise: Tensor) -> tuple[Tensor, Posterior]:
        """The mean of p(x|z) for one z from q(z|x), and q(z|x) itself."""
        posterior = self.encoder(x)
        return self.decoder(reparameterize(posterior, noise)), posterior


@torch.no_grad()
def start_at(model: VAE, mean_colour: Tensor) -> None:  # (3,)
    """Let an untrained decoder draw the data's mean colour, which saves the first epochs."""
    last = model.decoder.net[-2]
    assert isinstance(last, UpConv2d)
    assert last.conv.bias is not None
    last.conv.bias.copy_(torch.logit(mean_colour.clamp(0.01, 0.99)))


def draw_dropout_from(model: VAE, generator: torch.Generator) -> None:
    """Let one generator draw all masks, so that its state is all the chance there is in a forward pass."""
    for layer in model.modules():
        if isinstance(layer, ReluDropout):
            layer.generator = generator


def _check(image_size: int, latent_dim: int, dropout: float) -> None:
    if image_size not in IMAGE_SIZES:
        good = min(IMAGE_SIZES, key=lambda size: abs(size - image_size))
        raise ModelError(f"image_size = {image_size} is none of {sorted(IMAGE_SIZES)}; nearest: {good}")
    if latent_dim < 1:
        raise ModelError(f"latent_dim = {latent_dim} is not positive; nearest: 1")
    if not 0 <= dropout < 1 or math.isnan(dropout):
        raise ModelError(f"dropout = {dropout} is not in [0, 1); nearest: {min(max(dropout, 0), 0.9)}")


def parameter_count(module: nn.Module) -> int:
    """How many numbers the training changes."""
    return sum(parameter.numel() for parameter in module.parameters())


