"""Faces drawn by the program: a head is an ellipsoid seen from the front, its features lie in head coordinates.

Every factor of a face is known, so that what a model finds can be compared with what was put in.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from dgm.vae.images.faces import Faces, LoadReport

RANGES = {
    "smile": (-1.0, 1.0), "yaw": (-0.35, 0.35), "pitch": (-0.15, 0.15), "roll": (-0.12, 0.12), "skin": (0.0, 1.0),
    "hair": (0.0, 1.0), "hair_length": (0.0, 1.0), "eye_opening": (0.4, 1.0), "light": (-0.9, 0.9),
    "mouth_opening": (0.0, 1.0), "brow": (-1.0, 1.0), "background": (0.0, 0.85),
}
SKIN = ((0.98, 0.86, 0.76), (0.93, 0.74, 0.60), (0.82, 0.60, 0.44), (0.60, 0.40, 0.27), (0.40, 0.26, 0.18))
HAIR = ((0.08, 0.06, 0.06), (0.25, 0.14, 0.08), (0.50, 0.28, 0.12), (0.85, 0.68, 0.35), (0.75, 0.75, 0.75))
ZOOM = 0.98  # half the width of the screen; the head fills the frame as in photographs of faces
CHUNK = 128  # images drawn at once; keeps the memory small


@dataclass(frozen=True)
class Factors:
    """The factors of N faces, float (N, 12), one column a name of :data:`RANGES`."""

    values: Tensor

    def __getitem__(self, name: str) -> Tensor:
        return self.values[:, list(RANGES).index(name)].view(-1, 1, 1)  # (N, 1, 1), beside pixel maps (N, S, S)

    def __len__(self) -> int:
        return len(self.values)


def sample_factors(count: int, generator: torch.Generator) -> Factors:
    """Independent, uniform factors; the smile keeps away from its middle, so that the classes are clear."""
    low, high = torch.tensor(list(RANGES.values())).T
    values = low + (high - low) * torch.rand(count, len(RANGES), generator=generator)  # (N, 12)
    smile = values[:, 0]
    values[:, 0] = torch.where(smile >= 0, 1.0, -1.0) * (0.25 + 0.75 * smile.abs())
    return Factors(values)


def synthetic_faces(count: int, image_size: int, seed: int) -> Faces:
    """Draw ``count`` faces; those with a smile factor above zero are the smiling class."""
    factors = sample_factors(count, torch.Generator().manual_seed(seed))
    images = (render(factors, image_size) * 255).round().to(torch.uint8)  # (N, 3, S, S)
    recipe = f"synthetic {count} {image_size} {seed}".encode()
    report = LoadReport("dgm.vae.worlds.faces", True, hashlib.sha256(recipe).hexdigest())
    return Faces(images, factors["smile"].flatten() > 0, report)


def render(factors: Factors, image_size: int = 128) -> Tensor:
    """Draw faces as float RGB in [0, 1], (N, 3, S, S)."""
    parts = [_draw(Factors(values), image_size) for values in factors.values.split(CHUNK)]
    return torch.cat(parts)


@dataclass(frozen=True)
class _Head:
    """Pixel maps (N, S, S) of a head: where each pixel lies on it, how much light falls there."""

    x: Tensor  # to the right of the face's middle line
    y: Tensor  # up from the face's centre
    front: Tensor  # 1 on the visible front, 0 behind
    depth: Tensor  # towards the viewer, in head coordinates
    mask: Tensor  # 1 inside the head's outline
    light: Tensor  # (N, 1, S, S)
    softness: float  # width of an edge, about two pixels

    @property
    def side(self) -> Tensor:
        """Distance from the middle line: both halves of a face are drawn at once."""
        return self.x.abs()

    def inside(self, distance: Tensor, width: float = 1.0) -> Tensor:
        """1 where a signed distance is negative, 0 where positive, smooth between."""
        return torch.sigmoid(distance * (-4 / (self.softness * width)))


def _draw(factors: Factors, size: int) -> Tensor:
    screen_x, screen_y = _screen(size)
    head = _head(factors, screen_x, screen_y, size)
    skin, hair = _shade(factors["skin"], SKIN), _shade(factors["hair"], HAIR)  # (N, 3, 1, 1)
    image = _eyes(factors, head, _cheeks_and_nose(factors, head, skin * head.light, skin), skin)
    image = _brows(factors, head, image, hair)
    image = _mouth(factors, head, image, skin)
    image = _hair_cap(head, image, hair)
    behind = _background(factors, head, screen_x, screen_y, skin, hair)
    return _over(behind, head.mask, image).clamp(0, 1)


def _screen(size: int) -> tuple[Tensor, Tensor]:
    centres = (torch.arange(size) + 0.5) / size * 2 - 1
    return (centres * ZOOM).view(1, 1, size), (-centres * ZOOM - 0.02).view(1, size, 1)


def _head(factors: Factors, screen_x: Tensor, screen_y: Tensor, size: int) -> _Head:
    cos, sin = factors["roll"].cos(), factors["roll"].sin()
    x, y = (cos * screen_x + sin * screen_y) / 0.74, (-sin * screen_x + cos * screen_y) / 0.95
    x = x / (1 - 0.16 * torch.relu(-y) ** 1.5)  # the jaw is narrower than the brow
    square = x * x + y * y
    z = (1 - square).clamp(min=1e-4).sqrt()
    up = factors["pitch"].cos() * y + factors["pitch"].sin() * z
    towards = -factors["pitch"].sin() * y + factors["pitch"].cos() * z
    right = factors["yaw"].cos() * x - factors["yaw"].sin() * towards
    depth = factors["yaw"].sin() * x + factors["yaw"].cos() * towards
    softness = 1.6 * ZOOM * 2 / size
    front = torch.sigmoid(depth * 12)
    mask = torch.sigmoid((square.sqrt() - 1) * 0.8 * (-4 / softness))
    light = _light(factors, (x, y, z), (right, up), front)
    return _Head(right, up, front, depth, mask, light, softness)


def _light(factors: Factors, normal: tuple[Tensor, Tensor, Tensor], place: tuple[Tensor, Tensor],
           front: Tensor) -> Tensor:
    """Lambert's law with a nose: its slope turns the surface's normal."""
    x, y, z = normal
    right, up = place
    nose = torch.exp(-((right / 0.11) ** 2) - ((up + 0.08) / 0.22) ** 2)
    slope = -2 * right / 0.0121 * nose * 0.035 * front
    across, above = factors["light"].sin() * 0.8, 0.35
    ahead = (1 - (across**2 + above**2)).clamp(min=0.05).sqrt()
    lambert = ((x - slope) * across + y * above + z * ahead) / (1 + slope**2).sqrt()
    return (0.42 + 0.68 * lambert.clamp(min=0)).unsqueeze(1)  # (N, 1, S, S)


def _cheeks_and_nose(factors: Factors, head: _Head, image: Tensor, skin: Tensor) -> Tensor:
    smile = factors["smile"].clamp(min=0)
    blush = torch.exp(-(((head.side - 0.42) / 0.16) ** 2) - ((head.y + 0.2 - 0.05 * factors["smile"]) / 0.13) ** 2)
    image = _over(image, 0.25 * head.front * blush * (0.5 + 0.5 * smile), _colour(0.85, 0.35, 0.30) * head.light)
    nostrils = torch.exp(-(((head.side - 0.075) / 0.035) ** 2) - ((head.y + 0.25) / 0.03) ** 2)
    return _over(image, 0.45 * head.front * nostrils, skin * 0.35)


def _eyes(factors: Factors, head: _Head, image: Tensor, skin: Tensor) -> Tensor:
    opening = factors["eye_opening"] * 0.12 * (1 - 0.12 * factors["smile"].clamp(min=0))
    across, above = (head.side - 0.36) / 0.19, head.y - 0.1
    socket = (across**2 + (above / 0.14) ** 2).sqrt() * 0.12 - 0.12
    image = _over(image, 0.35 * head.front * head.inside(socket, 2.0), skin * 0.6 * head.light)
    eye = head.front * head.inside(((across**2 + (above / opening.clamp(min=0.012)) ** 2).sqrt() - 1) * 0.09)
    centre = head.x.sign() * 0.36
    from_iris = ((head.x - centre) ** 2 + above**2).sqrt()
    gleam = ((head.x - centre - 0.02) ** 2 + (head.y - 0.125) ** 2).sqrt()
    image = _over(image, eye, 0.95 * head.light.clamp(min=0.6))
    image = _over(image, eye * head.inside(from_iris - 0.088), _colour(0.25, 0.30, 0.35))
    image = _over(image, eye * head.inside(from_iris - 0.042), _colour(0.03, 0.03, 0.03))
    image = _over(image, eye * head.inside(gleam - 0.018), _colour(1.0, 1.0, 1.0))
    lid = (above - opening * (1 - across**2).clamp(min=0)).abs() - 0.018
    lash = head.front * head.inside(lid) * head.inside(across.abs() * 0.15 - 0.15)
    return _over(image, lash, _colour(0.08, 0.08, 0.08))


def _brows(factors: Factors, head: _Head, image: Tensor, hair: Tensor) -> Tensor:
    from_middle = head.side - 0.36
    arch = 0.34 + 0.05 * factors["brow"] - 0.5 * from_middle**2 + 0.06 * from_middle * factors["brow"]
    brow = head.inside((head.y - arch).abs() - 0.036) * head.inside(from_middle.abs() - 0.2)
    return _over(image, head.front * brow, hair * 0.7)


def _mouth(factors: Factors, head: _Head, image: Tensor, skin: Tensor) -> Tensor:
    """Lips along a parabola whose corners rise with the smile; teeth show when a smiling mouth opens."""
    smile, grin = factors["smile"], factors["smile"].clamp(min=0)
    width = 0.31 + 0.09 * smile
    curve = -0.5 - 0.06 * smile + 1.25 * smile * head.x**2
    opening = 0.025 + 0.1 * factors["mouth_opening"] * (0.35 + 0.65 * grin)
    profile = (1 - (head.x / width) ** 2).clamp(min=0)
    away = (head.y - curve).abs()
    lips = head.front * head.inside(away - (opening + 0.06) * profile.sqrt()) * head.inside(head.side - width)
    gap = head.front * head.inside(away - opening * profile) * head.inside(head.side - width * 0.97)
    image = _over(image, lips, (skin * 0.35 + _colour(0.45, 0.08, 0.12)) * head.light)
    image = _over(image, gap, _colour(0.20, 0.05, 0.06))
    teeth = gap * head.inside(-(head.y - curve + opening * 0.15)) * 0.95
    image = _over(image, teeth, 0.93 * head.light.clamp(min=0.6))
    fold = torch.exp(-(((head.side - 0.36 - 0.25 * (head.y + 0.45).abs()) / 0.022) ** 2))
    fold = 0.35 * head.front * grin * fold * head.inside((head.y + 0.42).abs() - 0.12)
    return _over(image, fold, skin * 0.5)


def _hair_cap(head: _Head, image: Tensor, hair: Tensor) -> Tensor:
    line = 0.62 - 0.36 * head.side**2 - 0.99 * torch.relu(0.35 - head.depth)
    covered = torch.maximum(head.inside((line - head.y) * 0.5), 1 - head.front)
    return _over(image, covered, hair * (0.55 + 0.5 * head.light))


def _background(factors: Factors, head: _Head, screen_x: Tensor, screen_y: Tensor, skin: Tensor,
                hair: Tensor) -> Tensor:
    wall = _hue(factors["background"]) * (0.85 + 0.15 * screen_y.unsqueeze(1))
    across = factors["roll"].cos() * screen_x + factors["roll"].sin() * screen_y
    outline = ((across / 0.9) ** 2 + ((screen_y - 0.12) / 1.08) ** 2).sqrt() * 0.9 - 0.9
    locks = head.inside(outline) * head.inside(-(screen_y + 1.1 * factors["hair_length"] - 0.1))
    neck = head.inside(across.abs() - 0.3) * head.inside(screen_y + 0.3)
    return _over(_over(wall, locks, hair * 0.55), neck, skin * 0.55)


def _over(image: Tensor, mask: Tensor, colour: Tensor) -> Tensor:
    """Lay a colour (N, 3, …) over an image (N, 3, S, S) where the mask (N, S, S) says so."""
    return image + (colour - image) * mask.unsqueeze(1)


def _colour(red: float, green: float, blue: float) -> Tensor:
    return torch.tensor([red, green, blue]).view(1, 3, 1, 1)


def _shade(position: Tensor, table: tuple[tuple[float, float, float], ...]) -> Tensor:
    """A colour between those of a table, (N, 3, 1, 1); 0 is its first, 1 its last."""
    colours = torch.tensor(table)
    at = (position.flatten() * (len(table) - 1)).clamp(0, len(table) - 1 - 1e-4)
    below, share = at.long(), (at - at.floor()).unsqueeze(1)
    return (colours[below] * (1 - share) + colours[below + 1] * share).view(-1, 3, 1, 1)


def _hue(position: Tensor) -> Tensor:
    """Pale colours round the wheel, (N, 3, 1, 1)."""
    phase = torch.tensor([0.0, 2.0, 4.0]) * math.pi / 3
    return (0.66 + 0.14 * torch.cos(2 * math.pi * position.view(-1, 1) + phase)).view(-1, 3, 1, 1)
