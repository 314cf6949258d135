"""Many small images as one picture."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

GAP = 3  # white pixels between images


def image_grid(images: Tensor, columns: int) -> Image.Image:
    """Images (N, 3, S, S), uint8 or float in [0, 1], row by row in a white picture."""
    pixels = images if images.dtype == torch.uint8 else (images.clamp(0, 1) * 255).round().to(torch.uint8)
    count, _, height, width = pixels.shape
    rows = -(-count // columns)
    canvas = np.full((rows * (height + GAP) + GAP, columns * (width + GAP) + GAP, 3), 255, dtype=np.uint8)
    for number, image in enumerate(pixels.permute(0, 2, 3, 1).numpy()):  # (S, S, 3)
        row, column = divmod(number, columns)
        top, left = GAP + row * (height + GAP), GAP + column * (width + GAP)
        canvas[top : top + height, left : left + width] = image
    return Image.fromarray(canvas)


def interleaved_rows(first: Tensor, second: Tensor, columns: int) -> Tensor:
    """Rows of ``first`` and of ``second`` in turn, so that each image stands above its counterpart.

    Both are (N, 3, S, S) of one type, and N is a multiple of ``columns``.
    """
    pairs = zip(first.split(columns), second.split(columns), strict=True)
    return torch.cat([row for pair in pairs for row in pair])
