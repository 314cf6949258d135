"""FactorVAE: its parts are those of the paper, its estimates those of theory, its training one that can be stopped."""

from __future__ import annotations

import doctest
import math
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from dgm.calculus.closed_forms import density_ratio
from dgm.errors import ModelError
from dgm.vae.images.faces import stratified_split
from dgm.vae.model import dense
from dgm.vae.model.discriminator import (
    Discriminator,
    EstimateConfig,
    accuracy,
    discriminator_loss,
    estimate_total_correlation,
    gaussian_total_correlation,
    permute_dims,
    total_correlation,
)
from dgm.vae.training.factor import FactorConfig, FactorTrainer
from dgm.vae.training.identity import identify_factor
from dgm.vae.training.loop import train, train_factor
from dgm.vae.training.trainer import Trainer, TrainingConfig
from dgm.vae.worlds.faces import synthetic_faces

CPU = torch.device("cpu")
PLAIN = TrainingConfig(epochs=3, batch_size=16, latent_dim=4, dropout=0.1, flip=True, sigma=0.1)
CONFIG = FactorConfig(PLAIN, gamma=5.0, discriminator_width=16, discriminator_layers=2,
                      discriminator_learning_rate=1e-3)
DENSE = replace(CONFIG, network="dense")


@pytest.fixture(scope="module")
def faces():
    return synthetic_faces(100, 16, seed=1)


@pytest.fixture(scope="module")
def uninterrupted(faces, split):
    return train_factor(faces, split, CONFIG)


def gaussian(dimensions: int, rho: float, count: int, seed: int = 0) -> torch.Tensor:
    """Samples (N, D) of a Gaussian all of whose correlations are ``rho``."""
    covariance = rho * torch.ones(dimensions, dimensions) + (1 - rho) * torch.eye(dimensions)
    noise = torch.randn(count, dimensions, generator=torch.Generator().manual_seed(seed))
    return noise @ torch.linalg.cholesky(covariance).T


def exact(dimensions: int, rho: float) -> float:
    return -0.5 * (math.log(1 + (dimensions - 1) * rho) + (dimensions - 1) * math.log(1 - rho))


def test_permuting_keeps_every_column_and_breaks_the_rows() -> None:
    z = gaussian(3, 0.9, 4000)
    permuted = permute_dims(z, torch.Generator().manual_seed(7))  # other numbers than those of z
    assert torch.equal(permuted.sort(0).values, z.sort(0).values)
    assert torch.corrcoef(permuted.T).fill_diagonal_(0).abs().max() < 0.05


def test_the_default_discriminator_is_the_papers() -> None:
    layers = list(Discriminator(10).net)
    shapes = [tuple(layer.weight.shape) for layer in layers[::2]]
    assert shapes == [(1000, 10), *[(1000, 1000)] * 5, (1, 1000)]
    assert {layer.negative_slope for layer in layers[1::2]} == {0.2}
    optimizer = FactorTrainer(*_small(), FactorConfig(PLAIN), CPU).discriminator_optimizer
    assert optimizer.defaults["betas"] == (0.5, 0.9)
    assert optimizer.defaults["lr"] == 1e-4


def _small():
    faces = synthetic_faces(40, 16, seed=1)
    return faces, stratified_split(faces.smiling, 0.8, 0)


def test_a_discriminator_that_knows_nothing_pays_log_two() -> None:
    nothing = torch.zeros(8)
    assert float(discriminator_loss(nothing, nothing)) == pytest.approx(math.log(2))
    assert float(accuracy(torch.ones(8), -torch.ones(8))) == 1
    assert float(accuracy(-torch.ones(8), torch.ones(8))) == 0


def test_the_loss_is_least_at_the_exact_log_ratio() -> None:
    rho, z = 0.7, gaussian(2, 0.7, 50_000)
    permuted = permute_dims(z, torch.Generator().manual_seed(1))

    def ratio(z):
        quadratic = (z[:, 0].square() - 2 * rho * z[:, 0] * z[:, 1] + z[:, 1].square()) / (2 * (1 - rho**2))
        return -math.log(1 - rho**2) / 2 - quadratic + z.square().sum(1) / 2

    best = discriminator_loss(ratio(z), ratio(permuted))
    for scale, shift in ((0.9, 0.0), (1.1, 0.0), (1.0, 0.1), (1.0, -0.1)):
        assert discriminator_loss(scale * ratio(z) + shift, scale * ratio(permuted) + shift) > best


@pytest.mark.parametrize(("dimensions", "rho"), [(2, 0.8), (10, 0.3), (10, 0.6)])
def test_a_gaussians_total_correlation_is_estimated_within_five_per_cent(dimensions: int, rho: float) -> None:
    z = gaussian(dimensions, rho, 24_000)
    found = estimate_total_correlation(z[:12_000], z[12_000:], EstimateConfig(steps=300))
    assert found == pytest.approx(exact(dimensions, rho), rel=0.05)
    assert gaussian_total_correlation(z) == pytest.approx(exact(dimensions, rho), rel=0.02)


def test_what_no_gaussian_has_is_found_too() -> None:
    """z1 and z2 have a common sign and no more: TC = log 2, which no correlation tells."""
    generator = torch.Generator().manual_seed(0)
    sign = torch.randint(2, (24_000, 1), generator=generator) * 2.0 - 1
    z = sign * (1 + 0.1 * torch.randn(24_000, 2, generator=generator).abs()) * torch.tensor([1.0, 3.0])
    z = torch.cat([z, torch.randn(24_000, 1, generator=generator)], 1)
    found = estimate_total_correlation(z[:12_000], z[12_000:])
    assert found == pytest.approx(math.log(2), rel=0.05)
    assert gaussian_total_correlation(z) > 1.5  # so a Gaussian fit is far off


def test_the_papers_discriminator_finds_it_as_the_one_of_the_theory_chapter_does() -> None:
    """Algorithm 2's discriminator step alone, on fresh batches, in two dimensions: within 5 % of the exact value."""
    torch.manual_seed(0)
    net = Discriminator(2, 128, 3)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, betas=(0.5, 0.9))
    for step in range(500):
        z, other = gaussian(2, 0.8, 512, 2 * step), gaussian(2, 0.8, 512, 2 * step + 1)
        optimizer.zero_grad()
        discriminator_loss(net(z), net(permute_dims(other))).backward()
        optimizer.step()
    z = gaussian(2, 0.8, 40_000, 10_000)
    solved = density_ratio.total_correlation(z.double().numpy()[::2], z.double().numpy()[1::2],
                                             np.random.default_rng(0)).value
    with torch.no_grad():
        assert float(total_correlation(net, z)) == pytest.approx(exact(2, 0.8), rel=0.05)
    assert solved == pytest.approx(exact(2, 0.8), rel=0.05)


def test_scaling_and_shifting_latents_changes_no_estimate() -> None:
    z = gaussian(3, 0.5, 4000)
    short = EstimateConfig(steps=50)
    one = estimate_total_correlation(z[:2000], z[2000:], short)
    moved = z * torch.tensor([0.01, 1.0, 100.0]) + torch.tensor([5.0, 0.0, -3.0])
    assert estimate_total_correlation(moved[:2000], moved[2000:], short) == pytest.approx(one, abs=0.02)


def test_without_weight_the_discriminator_only_looks_on(faces, split) -> None:
    plain, observed = Trainer(faces, split, PLAIN, CPU), FactorTrainer(faces, split, replace(CONFIG, gamma=0), CPU)
    while not plain.finished:
        plain.step()
        observed.step()
    assert observed.history.valid == plain.history.valid
    for name, tensor in plain.model.state_dict().items():
        assert torch.equal(tensor, observed.model.state_dict()[name]), name


def test_the_history_has_both_parts(uninterrupted) -> None:
    history = uninterrupted.history
    assert len(history.train) == len(history.valid) == len(history.factor) == PLAIN.epochs
    assert all(0 <= measure.accuracy <= 1 and math.isfinite(measure.total_correlation) for measure in history.factor)


def test_the_weight_presses_the_estimate_down(faces, split, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gradient of Algorithm 2's first line is that of the VAE plus gamma times the estimate's."""
    monkeypatch.setattr("dgm.vae.common.device._processor_pays", lambda: False)  # bfloat16 would round it away
    trainer = FactorTrainer(faces, split, replace(CONFIG, training=replace(PLAIN, dropout=0.0)), CPU)
    x, noise = trainer.loader.load(trainer.batches[0]), torch.randn(16, 4)
    gradients = []
    for gamma in (0.0, 1.0, 3.0):
        trainer.factor = replace(CONFIG, gamma=gamma)
        trainer._set_gradients(x, noise, 1.0)
        gradients.append(trainer.model.encoder.mean.weight.grad.clone())
        assert all(parameter.grad is None for parameter in trainer.discriminator.parameters())
    without, one, three = gradients
    assert not torch.equal(one, without)
    torch.testing.assert_close(three - without, 3 * (one - without), rtol=1e-3, atol=1e-4 * float(without.abs().max()))


@pytest.mark.parametrize(("config", "seconds"), [(CONFIG, 0.03), (DENSE, 0.003)], ids=["table1", "dense"])
def test_in_many_short_pieces_it_is_the_same(faces, split, config, seconds, tmp_path) -> None:
    uninterrupted = train_factor(faces, split, config)
    pieces = [train_factor(faces, split, config, tmp_path, budget=seconds)]
    while not pieces[-1].finished:
        pieces.append(train_factor(faces, split, config, tmp_path, budget=seconds))
        assert len(pieces) < 100
    assert len(pieces) > 2
    assert pieces[-1].history == uninterrupted.history
    for part in ("model", "discriminator"):
        for name, tensor in getattr(uninterrupted, part).state_dict().items():
            assert torch.equal(tensor, getattr(pieces[-1], part).state_dict()[name]), name


def test_a_checkpoint_is_of_one_gamma_and_of_no_plain_vae(faces, split, tmp_path) -> None:
    train(faces, split, PLAIN, tmp_path)
    train_factor(faces, split, CONFIG, tmp_path, budget=0.01)
    train_factor(faces, split, replace(CONFIG, gamma=6.0), tmp_path, budget=0.01)
    assert len(list(tmp_path.glob("checkpoint-*"))) == 3
    assert identify_factor(faces, split, CONFIG, CPU) != identify_factor(faces, split, DENSE, CPU)
    assert (identify_factor(faces, split, CONFIG, CPU).digest
            == identify_factor(faces, split, replace(CONFIG, gamma=5), CPU).digest)  # 5 is 5.0


@pytest.mark.parametrize(("wrong", "message"), [
    ({"gamma": -1.0}, "gamma = -1.0 is not in"), ({"gamma": math.nan}, "gamma = nan is not in"),
    ({"network": "dens"}, "network = 'dens' is not known; nearest: dense"),
    ({"discriminator_learning_rate": 0.0}, "discriminator_learning_rate = 0.0 is not positive; nearest: 0.0001")])
def test_values_out_of_range_are_named(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        FactorConfig(**wrong)


def test_a_discriminator_without_units_is_named() -> None:
    with pytest.raises(ModelError, match="discriminator_width = 0 is too small; nearest: 1"):
        Discriminator(4, 0, 2)


def test_divergence_of_the_discriminator_is_named(faces, split) -> None:
    trainer = FactorTrainer(faces, split, CONFIG, CPU)
    trainer.step()
    with torch.no_grad():
        next(trainer.discriminator.parameters()).fill_(math.nan)
    with pytest.raises(ModelError, match="epoch 1: the discriminator is no longer made of numbers"):
        trainer.require_finite()


def test_the_papers_settings_are_the_defaults() -> None:
    found = asdict(FactorConfig())
    assert (found["discriminator_width"], found["discriminator_layers"]) == (1000, 6)


def test_the_small_networks_example_holds() -> None:
    assert doctest.testmod(dense).failed == 0
