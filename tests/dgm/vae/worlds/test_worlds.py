"""Worlds with known factors: each factor shows in the images, and a code that holds them is scored as one."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from dgm.errors import DataError
from dgm.vae.analysis.measure import Sizes, by_rate, measure, traversals, vote
from dgm.vae.model import inference
from dgm.vae.model.vae import VAE, Posterior
from dgm.vae.worlds.sprites import HEART, LARGEST, render_sprites, sample_sprites
from dgm.vae.worlds.world import WORLDS, known_images, world

SIZE = 32
SMALL = Sizes(images=600, groups=60, group=12, steps=30)


def sprite(shape: float = 0, scale: float = 1.0, angle: float = 0.0, x: float = 0.0, y: float = 0.0) -> Tensor:
    return torch.tensor([[shape, scale, angle, x, y]])


def area(values: Tensor, size: int = 64) -> float:
    """Of the shape, in units of the image's coordinates, which are 2 wide."""
    return float(render_sprites(values, size)[0, 0].mean()) * 4


@pytest.mark.parametrize(("shape", "whole"), [(0, 1.6**2), (1, math.pi * 0.55), (2, (4 + math.pi) * HEART**2)])
@pytest.mark.parametrize("scale", [0.5, 0.75, 1.0])
@pytest.mark.parametrize("angle", [0.0, 0.4, 1.2])
def test_a_shape_covers_its_area_at_every_scale_and_angle(shape: int, whole: float, scale: float, angle: float) -> None:
    assert area(sprite(shape, scale, angle)) == pytest.approx(whole * (LARGEST * scale) ** 2, rel=0.03)


@pytest.mark.parametrize("shape", [0, 1, 2])
def test_the_centre_of_brightness_moves_with_the_sprite(shape: int) -> None:
    axis = (torch.arange(64) + 0.5) / 32 - 1

    def centre(image: Tensor) -> Tensor:
        return torch.stack([(image * axis).sum(), (image * -axis[:, None]).sum()]) / image.sum()

    start = centre(render_sprites(sprite(shape), 64)[0, 0])
    moved = centre(render_sprites(sprite(shape, x=0.3, y=-0.4), 64)[0, 0])
    torch.testing.assert_close(moved - start, torch.tensor([0.3, -0.4]), atol=2e-3, rtol=0)


@pytest.mark.parametrize("shape", [0, 1, 2])
def test_edges_are_smooth_and_no_shape_leaves_the_image(shape: int) -> None:
    images = render_sprites(torch.cat([sprite(shape, 1.0, angle, x, y) for angle in (0.0, 0.8) for x in (-0.5, 0.5)
                                       for y in (-0.5, 0.5)]), SIZE)
    assert images.min() >= 0
    assert images.max() == 1
    assert ((images > 0.02) & (images < 0.98)).float().mean() > 0.01
    rim = torch.cat([images[..., 0, :], images[..., -1, :], images[..., 0], images[..., -1]])
    assert rim.max() < 0.6


def test_a_quarter_turn_of_a_square_is_the_same_and_of_the_others_not() -> None:
    for shape, same in ((0, True), (1, False), (2, False)):
        one, other = (render_sprites(sprite(shape, angle=angle), SIZE) for angle in (0.0, math.pi / 2))
        assert (float((one - other).abs().max()) < 1e-4) == same


@pytest.mark.parametrize("name", sorted(WORLDS))
def test_every_factor_shows(name: str) -> None:
    drawn = world(name)
    generator = torch.Generator().manual_seed(0)
    values, others = drawn.sample(64, generator), drawn.sample(64, generator)
    plain = drawn.draw(values, SIZE).float()
    for number, factor in enumerate(drawn.factors):
        changed = values.clone()
        changed[:, number] = others[:, number]
        assert (drawn.draw(changed, SIZE).float() - plain).abs().mean() > 0.05, factor
    assert drawn.truth(values).values.shape == (64, len(drawn.factors))


def test_a_world_is_drawn_the_same_again_and_split_without_rest() -> None:
    one, other = (known_images(world("sprites"), 50, 16, 3) for _ in range(2))
    assert torch.equal(one.images.images, other.images.images)
    both = torch.cat([one.split.train, one.split.valid])
    assert both.sort().values.tolist() == list(range(50))
    assert one.images.report.fingerprint != known_images(world("sprites"), 50, 16, 4).images.report.fingerprint


def test_a_world_that_is_none_is_named() -> None:
    with pytest.raises(DataError, match="world = 'sprite' is not known; nearest: sprites"):
        world("sprite")


def test_the_vote_knows_a_planted_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """The images' factors stand in for an encoder's means; two dimensions idle."""
    drawn, held = world("sprites"), []
    generator = torch.Generator().manual_seed(0)
    values = drawn.sample(500, generator)

    def planted(values: Tensor) -> Posterior:
        mean = torch.cat([values, 1e-4 * values[:, :2].square()], 1)
        return Posterior(mean, torch.full_like(mean, -8.0))

    monkeypatch.setattr(type(drawn), "draw", lambda self, values, size: held.append(values) or values)
    monkeypatch.setattr(inference, "encode", lambda model, values: planted(values))
    assert vote(VAE(16, 7), drawn, planted(values), generator, SMALL) == 1.0
    groups = torch.cat(held).view(SMALL.groups, SMALL.group, 5)
    assert ((groups == groups[:, :1]).all(1).sum(1) == 1).float().mean() > 0.9  # one factor stands, the others vary


def test_an_untrained_model_is_measured_in_full() -> None:
    drawn = world("sprites")
    known = known_images(drawn, 80, 16, 0)
    found = measure(VAE(16, 4, 0.0), drawn, known, sizes=SMALL).numbers()
    assert all(math.isfinite(value) for value in found.values())
    for name in ("factor_metric", "mig", "disentanglement", "completeness", "informativeness", "sap", "modularity"):
        assert 0 <= found[name] <= 1, name
    assert found["rate"] >= 0


def test_a_traversal_moves_the_dimensions_of_most_rate() -> None:
    torch.manual_seed(0)
    model, drawn = VAE(16, 5, 0.0), world("sprites")
    images = drawn.draw(sample_sprites(8, torch.Generator().manual_seed(0)), 16)
    with torch.no_grad():
        model.encoder.mean.weight[3] *= 200
    assert int(by_rate(inference.encode(model, images))[0]) == 3
    picture = traversals(model, images, rows=2, steps=4)
    assert picture.size == (4 * 19 + 3, 2 * 19 + 3)
