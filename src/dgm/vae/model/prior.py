r"""Learned Gaussian prior p(z) = N(m, S) with the moments of the aggregate posterior.

For a fixed encoder :math:`E\,KL(q(z|x)\|p(z)) = I(x;z) + KL(q(z)\|p(z))` (Hoffman & Johnson 2016), so that the best
prior is q(z) itself (Tomczak & Welling 2018, equation 6), and the best Gaussian has its mean and covariance: the
cross-entropy to a Gaussian depends on q(z) through these two alone, and is least at them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dgm.vae.model.vae import Posterior


@dataclass(frozen=True)
class GaussianPrior:
    """N(mean, covariance), of shapes (D,) and (D, D).

    >>> prior = GaussianPrior(torch.zeros(2), torch.eye(2))
    >>> prior.kl(Posterior(torch.zeros(1, 2), torch.zeros(1, 2))).tolist()
    [0.0]
    """

    mean: Tensor
    covariance: Tensor

    def layer(self) -> nn.Linear:
        """The linear layer that turns N(0, I) into this: z = A noise + mean, A A' = covariance."""
        values, vectors = torch.linalg.eigh(self.covariance)
        layer: nn.Linear = nn.utils.skip_init(nn.Linear, len(self.mean), len(self.mean))
        with torch.no_grad():
            layer.weight.copy_(vectors * values.clamp(min=0).sqrt())
            layer.bias.copy_(self.mean)
        return layer

    @torch.no_grad()
    def sample(self, count: int, generator: torch.Generator) -> Tensor:  # (count, D)
        """Latent vectors: :meth:`layer` of noise from N(0, I)."""
        z: Tensor = self.layer()(torch.randn(count, len(self.mean), generator=generator))
        return z

    def kl(self, posterior: Posterior) -> Tensor:  # 2 x (N, D) -> (N,)
        """KL(q(z|x) || p(z)) in nats of each image, in closed form."""
        covariance = self.covariance.double()
        inverse, (_, volume) = torch.linalg.inv(covariance), torch.linalg.slogdet(covariance)
        away, log_variance = (posterior.mean - self.mean).double(), posterior.log_variance.double()
        spread = log_variance.exp() @ inverse.diagonal()
        distance = torch.einsum("nd,de,ne->n", away, inverse, away)
        nats: Tensor = 0.5 * (spread + distance - away.shape[1] + volume - log_variance.sum(1))
        return nats.float()

    def log_density(self, z: Tensor) -> Tensor:  # (N, D) -> (N,)
        """log p(z) in nats."""
        factor = torch.linalg.cholesky(self.covariance.double())
        away = torch.linalg.solve_triangular(factor, (z - self.mean).double().T, upper=False)
        volume = factor.diagonal().log().sum() + 0.5 * len(self.mean) * math.log(2 * math.pi)
        density: Tensor = -0.5 * away.square().sum(0) - volume
        return density.float()


def standard_prior(latent_dim: int) -> GaussianPrior:
    """N(0, I)."""
    return GaussianPrior(torch.zeros(latent_dim), torch.eye(latent_dim))


def fit_prior(posterior: Posterior) -> GaussianPrior:  # 2 x (N, D)
    """The Gaussian with the moments of q(z) = mean over the images of q(z|x).

    Its covariance is that of the means plus the mean of the variances.
    """
    covariance = torch.cov(posterior.mean.T, correction=0) + torch.diag(posterior.log_variance.exp().mean(0))
    return GaussianPrior(posterior.mean.mean(0), covariance)
