"""The plain form of the model and of the training is the one that the report trains."""

from __future__ import annotations

import doctest

import pytest
import torch

from dgm.vae.analysis import linear
from dgm.vae.images.augment import jitter
from dgm.vae.images.faces import stratified_split
from dgm.vae.model.plain import plain, train_epoch
from dgm.vae.model.vae import VAE, draw_dropout_from
from dgm.vae.training.loop import train
from dgm.vae.training.trainer import Trainer, TrainingConfig
from dgm.vae.worlds.faces import synthetic_faces

CPU = torch.device("cpu")


def test_plain_layers_give_the_same_images() -> None:
    torch.manual_seed(0)
    model = VAE(32, 6, dropout=0.25).eval()
    x, noise = torch.rand(3, 3, 32, 32), torch.randn(3, 6)
    names = {type(layer).__name__ for layer in plain(model).modules()}
    assert {"Upsample", "Conv2d", "ReLU", "Dropout"} < names
    assert not names & {"UpConv2d", "ReluDropout"}
    for one, other in zip(plain(model)(x, noise)[0], model(x, noise)[0], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_the_loop_that_is_shown_comes_to_the_trainer_s_weights() -> None:
    faces = synthetic_faces(40, 16, 1)
    split = stratified_split(faces.smiling, 0.8, 0)
    trainer = Trainer(faces, split, TrainingConfig(epochs=2, batch_size=16, latent_dim=4, dropout=0.25), CPU)
    shown = VAE(16, 4, 0.25)
    shown.load_state_dict(trainer.model.state_dict())
    generator = torch.Generator().manual_seed(1)
    draw_dropout_from(shown, generator)
    optimizer = torch.optim.Adam(shown.parameters(), lr=trainer.config.learning_rate, fused=True)
    order = [trainer.loader.load(trainer.batches[0])]
    losses = train_epoch(shown.to(memory_format=torch.channels_last), order, optimizer, generator)  # type: ignore[arg-type]
    trainer.step()
    for one, other in zip(shown.parameters(), trainer.model.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)
    assert losses[0] == pytest.approx(float(trainer.step_metrics[0][:2].sum()), rel=1e-5)


def test_a_linear_vae_reaches_the_exact_optimum() -> None:
    data = torch.randn(300, 6, generator=torch.Generator().manual_seed(0)) * torch.tensor([5.0, 3, 1, 1, 0.5, 0.5])
    found = linear.linear_fit(data, 2)
    assert 0 <= found.exact - found.bound < 1e-4
    assert doctest.testmod(linear).failed == 0


def test_each_image_of_a_batch_is_changed_by_itself_and_as_the_seed_says() -> None:
    image = synthetic_faces(1, 32, 0).images.float().expand(6, -1, -1, -1) / 255
    before = torch.get_rng_state()
    one, again, other = (jitter(image, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert len({part.numpy().tobytes() for part in one}) == 6
    assert one.min() >= 0
    assert one.max() <= 1


def test_averaged_weights_and_the_best_epoch_come_back_from_a_checkpoint(tmp_path) -> None:
    faces = synthetic_faces(80, 16, 1)
    split = stratified_split(faces.smiling, 0.8, 0)
    config = TrainingConfig(epochs=3, batch_size=16, latent_dim=4, flip=True, jitter=True, averaging=0.5)
    whole = train(faces, split, config)
    train(faces, split, config, tmp_path, budget=0.0)
    pieces = [train(faces, split, config, tmp_path, budget=0.05)]
    while not pieces[-1].finished:
        pieces.append(train(faces, split, config, tmp_path, budget=0.05))
    assert pieces[-1].history == whole.history
    assert pieces[-1].best_epoch == whole.best_epoch
    for kind in ("model", "last"):
        for name, tensor in getattr(whole, kind).state_dict().items():
            assert torch.equal(tensor, getattr(pieces[-1], kind).state_dict()[name]), name
    least = min(metrics.loss() for metrics in whole.history.valid)
    assert whole.unseen.loss() == least
