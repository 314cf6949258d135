"""Two layers that compute exactly what their plain forms do, several times faster on a CPU."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PIECE = 2**18  # elements whose random bytes and mask fit into a processor's own cache


class UpConv2d(nn.Module):
    """``Upsample(×2, nearest)`` and then ``Conv2d(kernel 3, padding 1)``, computed at the low resolution.

    Output row o = 2i - 1 + a of a transposed convolution (kernel 4, stride 2, padding 1) sees input row i through
    tap a. The plain form sees it through the taps k with floor((o + k - 1) / 2) = i, that is a + k in {2, 3}. So tap
    a of the transposed kernel is the sum of those k: an identity of the weights, not an approximation.
    """

    taps: Tensor

    def __init__(self, channels_in: int, channels_out: int, bias: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1, bias=bias)
        sums = [[float(a + k in (2, 3)) for k in range(3)] for a in range(4)]
        self.register_buffer("taps", torch.tensor(sums), persistent=False)  # (4, 3)

    def forward(self, x: Tensor) -> Tensor:  # (B, C_in, H, W) -> (B, C_out, 2H, 2W)
        """Upsample and convolve."""
        taps = self.taps.to(self.conv.weight.dtype)
        weight = torch.einsum("ak,oikl,bl->ioab", taps, self.conv.weight, taps)  # (C_in, C_out, 4, 4)
        weight = weight.contiguous(memory_format=torch.channels_last)  # as the images are; else it is done twice a step
        return F.conv_transpose2d(x, weight, self.conv.bias, stride=2, padding=1)


class ReluDropout(nn.Module):
    """``ReLU`` and then ``Dropout(p)`` (Srivastava et al. 2014) in the memory of their input.

    With y = relu(x) * keep / (1 - p), y > 0 holds exactly where x > 0 and the element was kept, which is where the
    gradient passes: dy/dx = [y > 0] / (1 - p). So y is all that the way back needs, and neither a mask nor x is kept.
    A mask costs one random byte an element, so p is rounded to 1/256; ``nn.Dropout`` draws a float an element, which
    alone halves the speed of this model on a CPU. ``generator`` draws the masks, if it is given.
    """

    generator: torch.Generator | None = None

    def __init__(self, p: float) -> None:
        super().__init__()
        self.threshold = round(p * 256)

    def forward(self, x: Tensor) -> Tensor:  # any shape, its elements densely stored
        """Only the rectifier in evaluation mode; in training mode the input is overwritten."""
        if not self.training or self.threshold == 0:
            return F.relu(x)
        y: Tensor = _MaskedRelu.apply(x, self.threshold, self.generator)
        return y


class _MaskedRelu(torch.autograd.Function):
    """y = relu(x) * keep / (1 - p), written over x piece by piece, so that a piece's mask stays in the cache."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, threshold: int, generator: torch.Generator | None) -> Tensor:
        ctx.scale = 256 / (256 - threshold)
        for piece in _pieces(x):
            words = torch.empty((len(piece) + 7) // 8, dtype=torch.int64, device=x.device)
            words.random_(-(2**63), None, generator=generator)
            keep = words.view(torch.uint8)[: len(piece)].ge_(threshold)  # 0 or 1
            F.relu_(piece).mul_(keep.to(x.dtype).mul_(ctx.scale))
        ctx.mark_dirty(x)
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (y,) = ctx.saved_tensors
        passed: Tensor = torch.ops.aten.threshold_backward(gradient, y, 0)
        return passed.mul_(ctx.scale), None, None


def _pieces(x: Tensor) -> tuple[Tensor, ...]:
    """The elements of a dense tensor in the order of their storage; on a GPU all in one piece."""
    every = x.as_strided((x.numel(),), (1,))
    return every.split(PIECE) if x.device.type == "cpu" else (every,)
