"""The learned prior is the best Gaussian for the bound, as one linear layer of noise."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from dgm.vae.model.prior import GaussianPrior, fit_prior, standard_prior
from dgm.vae.model.vae import Posterior


@pytest.fixture
def posterior() -> Posterior:
    generator = torch.Generator().manual_seed(0)
    mean = torch.randn(200, 5, generator=generator) @ torch.randn(5, 5, generator=generator) + 2
    return Posterior(mean, torch.randn(200, 5, generator=generator) - 1)


def test_its_divergence_is_torch_s_own(posterior: Posterior) -> None:
    prior = fit_prior(posterior)
    for known in (prior, standard_prior(5)):
        exact = [kl_divergence(MultivariateNormal(mean.double(), torch.diag(variance.exp().double())),
                               MultivariateNormal(known.mean.double(), known.covariance.double()))
                 for mean, variance in zip(posterior.mean, posterior.log_variance, strict=True)]
        torch.testing.assert_close(known.kl(posterior).double(), torch.stack(exact), rtol=1e-4, atol=1e-3)
        z = posterior.mean[:7]
        exact_density = MultivariateNormal(known.mean.double(), known.covariance.double()).log_prob(z.double())
        torch.testing.assert_close(known.log_density(z).double(), exact_density, rtol=1e-5, atol=1e-4)
    plain = kl_divergence(Normal(posterior.mean, (0.5 * posterior.log_variance).exp()), Normal(0, 1)).sum(1)
    torch.testing.assert_close(standard_prior(5).kl(posterior), plain, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("seed", range(20))
def test_no_other_gaussian_has_a_smaller_mean_divergence(posterior: Posterior, seed: int) -> None:
    best, generator = fit_prior(posterior), torch.Generator().manual_seed(seed)
    shift, mix = torch.randn(5, generator=generator), torch.randn(5, 5, generator=generator)
    size = 10.0 ** -(seed % 4)
    change = torch.eye(5) + size * mix
    other = GaussianPrior(best.mean + size * shift, change @ best.covariance @ change.T)
    assert float(best.kl(posterior).mean()) < float(other.kl(posterior).mean()) + 1e-5


def test_the_layer_turns_noise_into_it(posterior: Posterior) -> None:
    prior = fit_prior(posterior)
    layer = prior.layer()
    torch.testing.assert_close(layer.weight @ layer.weight.T, prior.covariance, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(layer(torch.zeros(5)), prior.mean)
    noise = torch.randn(4, 5, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(prior.sample(4, torch.Generator().manual_seed(3)), layer(noise))
