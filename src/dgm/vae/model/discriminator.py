r"""The discriminator of FactorVAE: it tells samples of q(z) from samples of the product of q(z)'s marginals.

The density-ratio estimate of the total correlation :math:`TC(z)=KL(q(z)\|\bar q(z))`, :math:`\bar q(z)=\prod_j q(z_j)`,
is that of Kim & Mnih 2018 (arXiv 1802.05983), section 3; :mod:`dgm.calculus.closed_forms.density_ratio` has the same
with a discriminator that is solved for, not trained.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm.errors import ModelError

SLOPE = 0.2  # of the leaky rectifiers (Kim & Mnih 2018, appendix A)
ADAM = (0.5, 0.9)  # the discriminator's momenta (there too)


def permute_dims(z: Tensor, generator: torch.Generator | None = None) -> Tensor:  # (B, D) -> (B, D)
    r"""Permute every latent dimension over the batch on its own (Kim & Mnih 2018, Algorithm 1).

    Each column keeps its values, and with them its marginal, while the columns lose what they knew of each other.

    >>> z = torch.tensor([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
    >>> permute_dims(z)[:, 1].sort().values.tolist()
    [10.0, 20.0, 30.0]
    """
    keys = torch.rand(z.shape, device=z.device, generator=generator)
    return z.gather(0, keys.argsort(0))


class Discriminator(nn.Module):
    """``layers`` hidden layers of ``width`` leaky rectifiers, then one logit, log D(z) / (1 - D(z)).

    The paper's has 6 layers of 1000 and two logits; the difference of those two is this one.

    Raises:
        ModelError: no layer, or a layer without units.
    """

    def __init__(self, latent_dim: int, width: int = 1000, layers: int = 6) -> None:
        super().__init__()
        for name, value in (("discriminator_width", width), ("discriminator_layers", layers)):
            if value < 1:
                raise ModelError(f"{name} = {value} is too small; nearest: 1")
        sizes = [latent_dim, *[width] * layers]
        hidden = [part for one, other in pairwise(sizes)
                  for part in (nn.Linear(one, other), nn.LeakyReLU(SLOPE))]
        self.net = nn.Sequential(*hidden, nn.Linear(width, 1))

    def forward(self, z: Tensor) -> Tensor:  # (B, D) -> (B,)
        """The logit of "z is from q(z)", which estimates log q(z) - log q_bar(z)."""
        logit: Tensor = self.net(z).flatten()
        return logit


def total_correlation(discriminator: Discriminator, z: Tensor) -> Tensor:  # (B, D) -> ()
    """The density-ratio estimate in nats, E_q(z)[log D(z) / (1 - D(z))] (Kim & Mnih 2018, equation 3)."""
    logits: Tensor = discriminator(z)
    return logits.mean()


def discriminator_loss(logits: Tensor, permuted_logits: Tensor) -> Tensor:  # 2 x (B,) -> ()
    """The binary cross-entropy in nats that Algorithm 2's last line descends; log 2 for one that knows nothing."""
    return 0.5 * (F.softplus(-logits).mean() + F.softplus(permuted_logits).mean())


def accuracy(logits: Tensor, permuted_logits: Tensor) -> Tensor:  # 2 x (B,) -> ()
    """The share of both batches that is told right."""
    return 0.5 * ((logits > 0).float().mean() + (permuted_logits <= 0).float().mean())


@dataclass(frozen=True)
class EstimateConfig:
    """How a discriminator is trained for an estimate alone; a step takes ``batch_size`` samples of both kinds."""

    width: int = 64
    layers: int = 2
    steps: int = 800
    batch_size: int = 512
    learning_rate: float = 3e-3
    seed: int = 0


class FromGaussian(nn.Module):
    """A discriminator that starts at the log ratio of the Gaussian with z's moments, and learns the rest.

    For z standardised, with correlation matrix C, that log ratio is z'(I - C^-1)z / 2 - log(det C) / 2.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, z: Tensor, width: int, layers: int) -> None:  # z: (N, D), a sample
        super().__init__()
        mean, deviation = z.mean(0), z.std(0).clamp(min=1e-12)
        centred = (z - mean) / deviation
        correlation = centred.T @ centred / (len(z) - 1) + 1e-6 * torch.eye(z.shape[1])
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)
        self.form = nn.Parameter((torch.eye(z.shape[1]) - torch.linalg.inv(correlation)) / 2)
        self.shift = nn.Parameter(-torch.logdet(correlation) / 2)
        self.rest = Discriminator(z.shape[1], width, layers)
        nn.init.zeros_(self.rest.net[-1].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.rest.net[-1].bias)  # type: ignore[arg-type]

    def forward(self, z: Tensor) -> Tensor:  # (B, D) -> (B,)
        """The logit of "z is from q(z)"."""
        z = (z - self.mean) / self.deviation
        logit: Tensor = torch.einsum("bi,ij,bj->b", z, self.form, z) + self.shift + self.rest(z)
        return logit


def estimate_total_correlation(train: Tensor, held_out: Tensor, config: EstimateConfig | None = None) -> float:
    """The density-ratio estimate in nats from samples (N, D) of q(z), by a discriminator trained for it alone.

    It learns on ``train`` and is averaged over ``held_out``, which it has not seen. Scaling or shifting a column of z
    changes nothing; the rate falls to zero along a cosine. A plain network of leaky rectifiers finds
    only four fifths of a Gaussian's total correlation in ten dimensions in as many steps, hence :class:`FromGaussian`.
    """
    chosen = config or EstimateConfig()
    generator = torch.Generator().manual_seed(chosen.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(chosen.seed)
        net = FromGaussian(train, chosen.width, chosen.layers)
    optimizer = torch.optim.Adam(net.parameters(), lr=chosen.learning_rate, betas=ADAM)
    for step in range(chosen.steps):
        optimizer.param_groups[0]["lr"] = chosen.learning_rate * (1 + math.cos(math.pi * step / chosen.steps)) / 2
        batch, other = (train[torch.randint(len(train), (chosen.batch_size,), generator=generator)] for _ in range(2))
        optimizer.zero_grad(set_to_none=True)
        discriminator_loss(net(batch), net(permute_dims(other, generator))).backward()
        optimizer.step()
    with torch.no_grad():
        return float(net(held_out).mean())


def gaussian_total_correlation(z: Tensor) -> float:  # (N, D)
    """The total correlation in nats of the Gaussian with the moments of z: -log(det C) / 2, C the correlations."""
    return float(-torch.logdet(torch.corrcoef(z.double().T)) / 2)
