"""Augmentation of training images: small random shifts, scalings, turns and changes of brightness."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch
from torch import Tensor
from torchvision.transforms import v2

SHIFT, SCALE, TURN, BRIGHTNESS = 0.04, 0.06, 4.0, 0.1  # of the width, of the size, in degrees, of the values
MARGIN = 0.1  # of the width: mirrored pixels round the image, so that a shift or a turn uncovers no black corner


def jitter(x: Tensor, generator: torch.Generator) -> Tensor:  # float (B, 3, S, S) in [0, 1] -> the same
    """Change each image by a transform of its own.

    A transform of ``torchvision.transforms.v2`` draws once for all the images that it is given, so it is given one
    image at a time. It draws from torch's global generator, which is seeded from ``generator`` and put back afterwards.
    """
    seed = int(torch.randint(2**62, (), device=x.device, generator=generator))
    transform = _transform(x.shape[-1])
    with torch.random.fork_rng(devices=[]), _one_thread():
        torch.default_generator.manual_seed(seed)
        changed = torch.stack([transform(image) for image in x])
    return changed.contiguous(memory_format=torch.channels_last)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute on one core: an image is too small to be shared out, and on a busy machine the cores wait for another."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@cache
def _transform(size: int) -> v2.Transform:
    margin = round(MARGIN * size)
    shift = SHIFT * size / (size + 2 * margin)  # v2 counts it in widths of the padded image
    return v2.Compose([
        v2.Pad(margin, padding_mode="reflect"),
        v2.RandomAffine(TURN, (shift, shift), (1 - SCALE, 1 + SCALE), interpolation=v2.InterpolationMode.BILINEAR),
        v2.CenterCrop(size),
        v2.ColorJitter(brightness=BRIGHTNESS),
    ])
