"""Pictures: many small images as one, and one image as a PNG file."""

from __future__ import annotations

import io

import torch
from PIL import Image
from torch import Tensor
from torchvision.utils import make_grid

GAP = 3  # white pixels between images


def image_grid(images: Tensor, columns: int) -> Image.Image:
    """Images (N, 3, S, S), uint8 or float in [0, 1], row by row in a white picture."""
    return to_image(make_grid(to_bytes(images), nrow=columns, padding=GAP, pad_value=255))


def to_bytes(images: Tensor) -> Tensor:
    """uint8 of images that are uint8 or float in [0, 1]."""
    return images if images.dtype == torch.uint8 else (images.clamp(0, 1) * 255).round().to(torch.uint8)


def to_image(pixels: Tensor) -> Image.Image:  # uint8 (3, H, W)
    """One picture of Pillow's."""
    return Image.fromarray(pixels.permute(1, 2, 0).numpy())


def png(image: Tensor) -> bytes:  # (3, S, S), uint8 or float in [0, 1]
    """A PNG file."""
    content = io.BytesIO()
    to_image(to_bytes(image)).save(content, "png")
    return content.getvalue()


def interleaved_rows(first: Tensor, second: Tensor, columns: int) -> Tensor:
    """Rows of ``first`` and of ``second`` in turn, so that each image stands above its counterpart.

    Both are (N, 3, S, S) of one type, and N is a multiple of ``columns``.
    """
    pairs = zip(first.split(columns), second.split(columns), strict=True)
    return torch.cat([row for pair in pairs for row in pair])
