"""Images whose factors are known, from a world that draws as many as are asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dgm.disentangle.truth import Truth
from dgm.errors import DataError, nearest
from dgm.vae.images.faces import Faces, LoadReport, Split
from dgm.vae.worlds import faces, sprites


@dataclass(frozen=True)
class World:
    """A generative process: ``classes`` says of each factor how many classes it has, 0 if it is continuous.

    ``sample`` gives (N, K) independent factors, ``render`` draws them as float (N, 3, S, S) in [0, 1].
    """

    name: str
    factors: tuple[str, ...]
    classes: tuple[int, ...]
    sample: Callable[[int, torch.Generator], Tensor]
    render: Callable[[Tensor, int], Tensor]

    def draw(self, values: Tensor, image_size: int) -> Tensor:  # (N, K) -> uint8 (N, 3, S, S)
        """Images as the model is given them."""
        return (self.render(values, image_size) * 255).round().to(torch.uint8)

    def truth(self, values: Tensor) -> Truth:
        """Factors as the scores want them."""
        return Truth(values.double().numpy().astype(np.float64), self.classes)


WORLDS = {world.name: world for world in (
    World("sprites", tuple(sprites.RANGES), (len(sprites.SHAPES), 0, 0, 0, 0), sprites.sample_sprites,
          sprites.render_sprites),
    World("faces", tuple(faces.RANGES), (0,) * len(faces.RANGES),
          lambda count, generator: faces.sample_factors(count, generator).values,
          lambda values, size: faces.render(faces.Factors(values), size)),
)}


def world(name: str) -> World:
    """The world of a name.

    Raises:
        DataError: there is none.
    """
    if name not in WORLDS:
        raise DataError(f"world = {name!r} is not known; {nearest(name, WORLDS)}")
    return WORLDS[name]


@dataclass(frozen=True)
class Known:
    """Images, their factors (N, K), and a split; nothing is said of smiles in a world without faces."""

    images: Faces
    factors: Tensor
    split: Split


def known_images(chosen: World, count: int, image_size: int, seed: int, train_fraction: float = 0.8) -> Known:
    """Draw ``count`` images and split them by chance."""
    generator = torch.Generator().manual_seed(seed)
    factors = chosen.sample(count, generator)
    recipe = f"{chosen.name} {count} {image_size} {seed}".encode()
    report = LoadReport(chosen.render.__module__, True, hashlib.sha256(recipe).hexdigest())
    images = Faces(chosen.draw(factors, image_size), torch.zeros(count, dtype=torch.bool), report)
    order = torch.randperm(count, generator=generator)
    cut = round(train_fraction * count)
    return Known(images, factors, Split(order[:cut], order[cut:]))
