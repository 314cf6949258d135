"""Steps from the encoder's q(z|x) find the best diagonal Gaussian, and touch nothing else."""

from __future__ import annotations

from dataclasses import astuple

import pytest
import torch
from torch import Tensor, nn

from dgm.vae.analysis.refine import refine
from dgm.vae.model.vae import VAE, Posterior

SIZE, LATENT = 4, 3


class LinearGaussian(nn.Module):
    """p(x|z) = N(W z + b, variance I), whose best q(z|x) is known in closed form; its encoder knows nothing."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.W = nn.Parameter(torch.randn(3 * SIZE**2, LATENT, generator=generator) / 10)
        self.b = nn.Parameter(torch.full((3 * SIZE**2,), 0.5))
        self.register_buffer("variance", torch.tensor(0.04))

    def encoder(self, x: Tensor) -> Posterior:
        return Posterior(torch.zeros(len(x), LATENT), torch.zeros(len(x), LATENT))

    def decoder(self, z: Tensor) -> Tensor:
        return (z @ self.W.T + self.b).view(len(z), 3, SIZE, SIZE)

    def best(self, x: Tensor, beta: float) -> Posterior:
        """Mean and log-variance that minimise E[|x - Wz - b|²] / (2 variance) + beta KL(q || N(0, I))."""
        gram = self.W.T @ self.W / self.variance
        pull = (x.flatten(1) - self.b) @ self.W / self.variance
        mean = torch.linalg.solve(gram + beta * torch.eye(LATENT), pull.T).T
        return Posterior(mean, torch.log(beta / (gram.diagonal() + beta)).expand_as(mean))


@pytest.mark.parametrize("beta", [1.0, 4.0])
def test_on_a_linear_model_it_finds_the_best_diagonal_gaussian(beta: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dgm.vae.analysis.refine.RATE", 0.05)  # small steps tremble less
    model = LinearGaussian()
    with torch.no_grad():
        drawn = model.decoder(torch.randn(8, LATENT, generator=torch.Generator().manual_seed(2)))
        images = (drawn.clamp(0, 1) * 255).byte()
        best, less, more = (model.best(images / 255, factor * beta) for factor in (1, 0.7, 1.4))
    found = refine(model, images, beta, steps=2000).posterior
    torch.testing.assert_close(found.mean, best.mean, atol=0.06, rtol=0)
    for other in (less, more):
        assert shrunk(found, best) < shrunk(other, best) / 2, "the mean is not that of another beta"
        missed, apart = (one.log_variance - best.log_variance for one in (found, other))
        assert missed.norm() < apart.norm() / 2, "nor is the variance"


def shrunk(one: Posterior, best: Posterior) -> Tensor:
    """By which share of the best means the others are nearer to 0 or farther from it."""
    return abs(1 - (one.mean * best.mean).sum() / best.mean.square().sum())


def test_it_gains_on_the_encoder_and_leaves_the_model_alone() -> None:
    torch.manual_seed(0)
    model = VAE(16, 8).train()
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    images = torch.randint(0, 256, (6, 3, 16, 16), dtype=torch.uint8)
    chance = torch.get_rng_state()
    found = refine(model, images)
    assert found.gap() > 0
    assert found.gap(2.0) == pytest.approx(found.encoded.loss(2.0) - found.refined.loss(2.0))
    assert torch.equal(torch.get_rng_state(), chance)
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, weights[name]), name
    again = refine(model, images)
    assert astuple(again.refined) == astuple(found.refined)


def test_an_images_posterior_is_its_own() -> None:
    torch.manual_seed(0)
    model, images = VAE(16, 8), torch.randint(0, 256, (2, 3, 16, 16), dtype=torch.uint8)
    twice = refine(model, images[[0, 0, 1]], steps=5).posterior
    other = refine(model, images[[0, 0, 0]], steps=5).posterior
    torch.testing.assert_close(twice.mean[:2], other.mean[:2])


def test_no_steps_change_nothing() -> None:
    torch.manual_seed(0)
    found = refine(VAE(16, 8), torch.randint(0, 256, (3, 3, 16, 16), dtype=torch.uint8), steps=0)
    assert found.gap() == 0
