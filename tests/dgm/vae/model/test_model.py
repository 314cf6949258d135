"""The model, its objective and its training, held against their plain definitions."""

from __future__ import annotations

import doctest
import json
import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Normal, kl_divergence

from dgm.errors import ModelError
from dgm.vae.analysis import latent
from dgm.vae.analysis.smile import SmileWalk
from dgm.vae.images.faces import stratified_split
from dgm.vae.images.loader import FaceLoader, to_unit
from dgm.vae.model import objective
from dgm.vae.model.layers import ReluDropout, UpConv2d
from dgm.vae.model.prior import fit_prior
from dgm.vae.model.summary import summary
from dgm.vae.model.vae import VAE, Posterior, parameter_count, reparameterize
from dgm.vae.training import record as checkpoint
from dgm.vae.training.loop import TrainingConfig, evaluate, train
from dgm.vae.worlds.faces import synthetic_faces


@pytest.fixture(scope="module")
def faces():
    return synthetic_faces(160, 32, seed=3)


@pytest.fixture(scope="module")
def trained(faces):
    split = stratified_split(faces.smiling, 0.8, 0)
    return train(faces, split, TrainingConfig(epochs=4, batch_size=32, latent_dim=8, learning_rate=2e-3))


@pytest.mark.parametrize("size", [1, 5, 8])
def test_up_conv_is_upsampling_and_convolution_exactly(size: int) -> None:
    torch.manual_seed(size)
    fast = UpConv2d(3, 4).double()
    x = torch.randn(2, 3, size, size + 1, dtype=torch.float64, requires_grad=True)
    plain = F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), fast.conv.weight, fast.conv.bias, padding=1)
    weights = torch.randn_like(plain)
    got = torch.autograd.grad((fast(x) * weights).sum(), [x, fast.conv.weight, fast.conv.bias])
    want = torch.autograd.grad((plain * weights).sum(), [x, fast.conv.weight, fast.conv.bias])
    torch.testing.assert_close(fast(x), plain)
    for one, other in zip(got, want, strict=True):
        torch.testing.assert_close(one, other)


def test_dropout_keeps_the_mean_and_is_silent_in_evaluation() -> None:
    layer, x = ReluDropout(0.25), torch.ones(64, 8, 16, 16).to(memory_format=torch.channels_last)
    out = layer(x.clone())
    torch.testing.assert_close(out.unique(), torch.tensor([0.0, 256 / 192]))
    assert out.mean() == pytest.approx(1, abs=0.02)
    assert torch.equal(layer.eval()(out), out)


@pytest.mark.parametrize("form", [torch.contiguous_format, torch.channels_last])
def test_relu_dropout_is_relu_and_dropout_exactly(form: torch.memory_format) -> None:
    layer = ReluDropout(0.3).train()
    layer.generator = torch.Generator().manual_seed(1)
    x = torch.randn(3, 5, 4, 4, dtype=torch.float64).to(memory_format=form).requires_grad_()
    weights = torch.randn(3, 5, 4, 4, dtype=torch.float64)
    got = layer(x.clone())
    layer.generator.manual_seed(1)
    keep = layer(torch.ones_like(x)) > 0  # the same generator's state gives the same mask
    plain = F.relu(x) * keep * (256 / (256 - layer.threshold))
    torch.testing.assert_close(got, plain)
    torch.testing.assert_close(*(torch.autograd.grad((y * weights).sum(), x)[0] for y in (got, plain)))
    assert 0 < keep.double().mean() < 1


def test_shapes_are_those_of_table_1() -> None:
    model = VAE(128, 200, 0.1)
    features = model.encoder.features(torch.zeros(2, 3, 128, 128))
    assert features.shape == (2, 4096)
    mean, posterior = model(torch.zeros(2, 3, 128, 128), torch.zeros(2, 200))
    assert mean.shape == (2, 3, 128, 128)
    assert posterior.mean.shape == posterior.log_variance.shape == (2, 200)
    convolutions = [m for m in model.encoder.modules() if isinstance(m, nn.Conv2d)]
    assert [(c.in_channels, c.out_channels) for c in convolutions] == [(3, 32), (32, 64), (64, 64), (64, 64)]
    decoder = [m.conv for m in model.decoder.modules() if isinstance(m, UpConv2d)]
    assert [(c.in_channels, c.out_channels) for c in decoder] == [(64, 64), (64, 64), (64, 32), (32, 3)]


def test_kl_is_the_closed_form_of_torch() -> None:
    torch.manual_seed(0)
    posterior = Posterior(torch.randn(7, 5), torch.randn(7, 5))
    want = kl_divergence(Normal(posterior.mean, (0.5 * posterior.log_variance).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(objective.kl_standard_normal(posterior), want)


def test_likelihood_is_the_density_of_torch() -> None:
    torch.manual_seed(0)
    x, mean, variance = torch.rand(3, 3, 4, 4), torch.rand(3, 3, 4, 4), torch.tensor(0.3)
    want = -Normal(mean, variance.sqrt()).log_prob(x).sum((1, 2, 3)).mean()
    got = objective.negative_log_likelihood((x - mean).square().mean(), variance, 48)
    torch.testing.assert_close(got, want)


def test_the_optimal_variance_is_optimal() -> None:
    error = torch.tensor(0.02)
    best = objective.negative_log_likelihood(error, objective.optimal_variance(error), 48)
    for factor in (0.5, 0.9, 1.1, 2.0):
        assert best < objective.negative_log_likelihood(error, error * factor, 48)


def test_reparameterized_samples_have_the_posteriors_moments() -> None:
    torch.manual_seed(0)
    posterior = Posterior(torch.full((200_000, 1), 1.5), torch.full((200_000, 1), math.log(0.25)))
    z = reparameterize(posterior, torch.randn(200_000, 1))
    assert z.mean() == pytest.approx(1.5, abs=0.01)
    assert z.std() == pytest.approx(0.5, abs=0.01)


def test_gradients_pass_through_the_sample() -> None:
    mean = torch.zeros(1, 2, requires_grad=True)
    log_variance = torch.zeros(1, 2, requires_grad=True)
    noise = torch.tensor([[1.0, -2.0]])
    reparameterize(Posterior(mean, log_variance), noise).sum().backward()
    assert torch.equal(mean.grad, torch.ones(1, 2))
    assert torch.equal(log_variance.grad, noise / 2)


def test_training_lowers_the_loss_on_both_parts(trained) -> None:
    for part in (trained.history.train, trained.history.valid):
        assert len(part) == 4
        assert part[-1].reconstruction + part[-1].kl < part[0].reconstruction + part[0].kl
        assert part[-1].kl > 0


def test_the_loader_gives_every_image_once_and_whole_batches_when_shuffled(faces) -> None:
    indices = torch.arange(10, 80)
    plain = torch.cat(list(FaceLoader(faces.images, indices, 32)))
    assert torch.equal(plain, to_unit(faces.images[indices]))
    shuffle = torch.Generator().manual_seed(0)
    loader = FaceLoader(faces.images, indices, 32, shuffle)
    first, second = (torch.cat(loader.batches()) for _ in range(2))
    assert not torch.equal(first, second)
    assert len(first.unique()) == 64
    assert [len(batch) for batch in loader] == [32, 32]
    assert len(loader) == 2
    assert [len(batch) for batch in FaceLoader(faces.images, indices[:5], 32, shuffle)] == [5]


def test_training_is_repeatable(faces) -> None:
    split = stratified_split(faces.smiling, 0.8, 0)
    config = TrainingConfig(epochs=1, batch_size=32, latent_dim=4)
    assert train(faces, split, config).history == train(faces, split, config).history


def test_evaluation_uses_running_statistics(trained, faces) -> None:
    """An image's reconstruction does not depend on the batch that it is evaluated in."""
    x = to_unit(faces.images[:6])
    trained.model.eval()
    alone = torch.cat([trained.model.encoder(x[k : k + 1]).mean for k in range(6)])
    torch.testing.assert_close(trained.model.encoder(x).mean, alone, rtol=1e-3, atol=1e-3)
    six = torch.arange(6)
    assert evaluate(trained.model, faces.images, six) == evaluate(trained.model, faces.images, six)


def test_a_checkpoint_comes_back_as_it_was(trained, faces, tmp_path: Path) -> None:
    checkpoint.save(trained, faces.report, tmp_path)
    back = checkpoint.load(tmp_path)
    assert back.config == trained.config
    assert back.history == trained.history
    assert back.origin is None
    for name, tensor in trained.model.state_dict().items():
        assert torch.equal(tensor, back.model.state_dict()[name])
    record = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert record["data"]["fingerprint"] == faces.report.fingerprint
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.json", "weights.safetensors"]


def test_a_pickle_is_no_checkpoint(trained, faces, tmp_path: Path) -> None:
    checkpoint.save(trained, faces.report, tmp_path)
    torch.save({"a": torch.zeros(1)}, tmp_path / "weights.safetensors")
    with pytest.raises(ModelError, match=r"not a stored training: weights\.safetensors is not the file"):
        checkpoint.load(tmp_path)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: VAE(100), "image_size = 100 is none of .*; nearest: 128"),
    (lambda: VAE(128, 0), "latent_dim = 0"),
    (lambda: VAE(128, 2, 1.0), r"dropout = 1.0 is not in \[0, 1\)"),
    (lambda: TrainingConfig(epochs=0), "epochs = 0 is too small; nearest: 1"),
    (lambda: TrainingConfig(learning_rate=-1.0), "learning_rate = -1.0"),
])
def test_an_impossible_setting_is_one_line(make, message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_diverging_training_says_so(faces) -> None:
    split = stratified_split(faces.smiling, 0.8, 0)
    with pytest.raises(ModelError, match=r"epoch 1, step \d+: the loss is no longer a number"):
        train(faces, split, TrainingConfig(epochs=1, batch_size=32, latent_dim=4, learning_rate=1e30))


def test_the_smile_vector_is_the_difference_of_the_means() -> None:
    torch.manual_seed(0)
    means, smiling = torch.randn(40, 6), torch.arange(40) % 2 == 0
    means[smiling, 3] += 50
    direction = latent.smile_direction(means, smiling)
    assert direction.largest == 3
    torch.testing.assert_close(direction.unsmiling + direction.vector, means[::2].mean(0))


def test_steps_move_along_the_vector() -> None:
    z, vector = torch.randn(5, 4), torch.randn(4)
    moved = latent.traverse(z, vector, [0.0, 2.0])
    torch.testing.assert_close(moved[:, 0], z)
    torch.testing.assert_close(moved[:, 1], z + 2 * vector)


def test_the_aggregate_posterior_has_the_moments_of_q() -> None:
    torch.manual_seed(0)
    posterior = Posterior(torch.randn(3000, 3) * torch.tensor([2.0, 1.0, 0.1]), torch.full((3000, 3), math.log(0.5)))
    samples = fit_prior(posterior).sample(100_000, torch.Generator().manual_seed(1))
    assert samples.var(0).tolist() == pytest.approx([4.5, 1.5, 0.51], rel=0.1)
    assert latent.active_units(Posterior(posterior.mean * torch.tensor([1.0, 1.0, 0.5]), posterior.log_variance)) == 2


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(objective).failed == 0


def test_a_bias_before_batch_normalisation_would_change_nothing() -> None:
    torch.manual_seed(0)
    x, bias = torch.randn(4, 5, 6, 6, dtype=torch.float64), torch.randn(1, 5, 1, 1, dtype=torch.float64)
    norm = nn.BatchNorm2d(5).double()
    torch.testing.assert_close(norm(x + bias), norm(x))


@pytest.mark.parametrize("size", [16, 64, 128])
def test_the_summary_lists_every_parameter_once_in_the_order_of_the_pass(size: int) -> None:
    model = VAE(size, 20)
    rows = summary(model)
    assert sum(row.parameters for row in rows) == parameter_count(model)
    assert [row.part for row in rows] == sorted((row.part for row in rows), reverse=True)
    assert rows[-1].shape == (3, size, size)
    assert [row.shape for row in rows if row.layer == "Linear(4096, 20)"] == [(20,), (20,)]
    assert model.training


def test_the_bootstrap_interval_covers_the_true_mean_about_as_often_as_it_says() -> None:
    generator = torch.Generator().manual_seed(0)
    draws = torch.rand(200, 40, 2, generator=generator).square()  # skewed, of mean 1/3
    bounds = [SmileWalk(draw, (0.0, 1.0)).interval(0.9, 400) for draw in draws]
    covered = torch.stack([((low < 1 / 3) & (high > 1 / 3)).float() for low, high in bounds]).mean()
    assert 0.83 < covered < 0.95
    assert SmileWalk(torch.full((5, 2), 0.5), (0.0, 1.0)).interval().tolist() == [[0.5, 0.5], [0.5, 0.5]]
    with pytest.raises(ModelError, match="level = 2"):
        SmileWalk(draws[0], (0.0, 1.0)).interval(2)
