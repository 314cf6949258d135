"""Sprites drawn by the program after dSprites (Matthey et al. 2017): a white shape on black, five known factors.

dSprites turns its shapes a full circle, though a square looks the same after a quarter and an ellipse after a half, so
that no model can know the angle; here they turn a quarter, within which every angle shows.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

SHAPES = ("square", "ellipse", "heart")
RANGES = {"shape": (0.0, 2.0), "scale": (0.5, 1.0), "angle": (0.0, math.pi / 2), "x": (-0.5, 0.5), "y": (-0.5, 0.5)}
LARGEST = 0.4  # half the side of the largest shape's box; the image is 2 wide
HEART = 0.56  # half the side of the heart's square
CHUNK = 512  # sprites drawn at once; keeps the memory small


def sample_sprites(count: int, generator: torch.Generator) -> Tensor:  # (N, 5)
    """Independent, uniform factors in the order of :data:`RANGES`; the shape counts from 0."""
    low, high = torch.tensor(list(RANGES.values())).T
    values: Tensor = low + (high - low) * torch.rand(count, len(RANGES), generator=generator)
    values[:, 0] = torch.randint(len(SHAPES), (count,), generator=generator).float()
    return values


def render_sprites(values: Tensor, image_size: int = 64) -> Tensor:  # (N, 5) -> float (N, 3, S, S) in [0, 1]
    """Draw sprites; a pixel at an edge is as bright as the shape covers it."""
    return torch.cat([_draw(part, image_size) for part in values.split(CHUNK)])


def _draw(values: Tensor, size: int) -> Tensor:
    shape, scale, angle, x, y = values.view(-1, 5, 1, 1).unbind(1)  # each (N, 1, 1)
    centres = (torch.arange(size) + 0.5) / size * 2 - 1
    right, up = centres.view(1, 1, size) - x, -centres.view(1, size, 1) - y
    unit = scale * LARGEST  # of the shape's own coordinates
    u, v = (angle.cos() * right + angle.sin() * up) / unit, (-angle.sin() * right + angle.cos() * up) / unit
    outside = torch.where(shape == 0, _square(u, v), torch.where(shape == 1, _ellipse(u, v), _heart(u, v)))
    cover = (0.5 - outside * unit * size / 2).clamp(0, 1)  # (N, S, S), by the distance in pixels
    return cover.unsqueeze(1).expand(-1, 3, -1, -1).contiguous()


def _square(u: Tensor, v: Tensor) -> Tensor:
    """Distance from the square of half side 0.8, negative inside."""
    return torch.maximum(u.abs(), v.abs()) - 0.8


def _ellipse(u: Tensor, v: Tensor) -> Tensor:
    """Distance, to first order, from the ellipse of half axes 1 and 0.55, negative inside."""
    a, b = 1.0, 0.55
    radius = ((u / a) ** 2 + (v / b) ** 2).sqrt()
    slope = ((u / a**2) ** 2 + (v / b**2) ** 2).sqrt() / radius.clamp(min=1e-6)
    return (radius - 1) / slope.clamp(min=1e-6)


def _heart(u: Tensor, v: Tensor) -> Tensor:
    """Distance from a square on its corner with a disc over the middle of each upper side, negative inside."""
    half, v = HEART, v + 0.08
    p, q = (v + u) / math.sqrt(2), (v - u) / math.sqrt(2)  # the square's own axes
    square = torch.maximum(p.abs(), q.abs()) - half
    right, left = ((p - half) ** 2 + q**2).sqrt() - half, (p**2 + (q - half) ** 2).sqrt() - half
    return torch.minimum(square, torch.minimum(right, left))
