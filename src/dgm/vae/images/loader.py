"""The data loader: one part of the images, batch by batch, as the model takes them."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torchvision.transforms import v2

# Table 2's «normalize, to tensor»; the images are tensors already. x / 255 is in [0, 1], as the decoder's sigmoid is.
NORMALIZE = v2.Compose([v2.ToDtype(torch.float32), v2.Normalize(mean=[0.0] * 3, std=[255.0] * 3)])


class FaceLoader:
    """Batches float (B, 3, S, S) in [0, 1] of the images uint8 (N, 3, S, S) that ``indices`` (M,) names.

    With ``shuffle`` every pass has a new order, drawn by that generator, and leaves out a last short batch, which
    would disturb batch normalisation; without it the order is that of the indices and nothing is left out.
    """

    def __init__(
        self, images: Tensor, indices: Tensor, batch_size: int,
        shuffle: torch.Generator | None = None,
    ) -> None:
        self.images, self.indices = images, indices
        self.batch_size, self.shuffle = batch_size, shuffle

    def __len__(self) -> int:
        whole, rest = divmod(len(self.indices), self.batch_size)
        return max(whole, 1) if self.shuffle else whole + (rest > 0)

    def batches(self) -> tuple[Tensor, ...]:  # of indices, each (B,)
        """Which images each batch of a pass holds."""
        count = len(self.indices)
        order = (torch.randperm(count, generator=self.shuffle) if self.shuffle
                 else torch.arange(count))
        every: tuple[Tensor, ...] = (
            self.indices[order].to(self.images.device).split(self.batch_size))
        return every[: len(self)]

    def load(self, batch: Tensor) -> Tensor:  # (B,) -> (B, 3, S, S)
        """The images of one batch."""
        return to_unit(self.images[batch])

    def __iter__(self) -> Iterator[Tensor]:
        return map(self.load, self.batches())


def to_unit(images: Tensor) -> Tensor:  # uint8 (B, 3, S, S) -> float in [0, 1]
    """Pixels as the model sees them, stored with the channels last, which convolutions prefer."""
    unit: Tensor = NORMALIZE(images.to(memory_format=torch.channels_last))
    return unit
