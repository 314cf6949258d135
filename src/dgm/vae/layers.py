"""Two layers that compute exactly what their plain forms do, several times faster on a CPU."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class UpConv2d(nn.Module):
    """``Upsample(×2, nearest)`` and then ``Conv2d(kernel 3, padding 1)``, computed at the low resolution.

    Output row o = 2i - 1 + a of a transposed convolution (kernel 4, stride 2, padding 1) sees input row i through
    tap a. The plain form sees it through the taps k with floor((o + k - 1) / 2) = i, that is a + k in {2, 3}. So tap
    a of the transposed kernel is the sum of those k: an identity of the weights, not an approximation.
    """

    taps: Tensor

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1)
        sums = [[float(a + k in (2, 3)) for k in range(3)] for a in range(4)]
        self.register_buffer("taps", torch.tensor(sums), persistent=False)  # (4, 3)

    def forward(self, x: Tensor) -> Tensor:  # (B, C_in, H, W) -> (B, C_out, 2H, 2W)
        """Upsample and convolve."""
        taps = self.taps.to(self.conv.weight.dtype)
        weight = torch.einsum("ak,oikl,bl->ioab", taps, self.conv.weight, taps)  # (C_in, C_out, 4, 4)
        return F.conv_transpose2d(x, weight, self.conv.bias, stride=2, padding=1)


class ByteDropout(nn.Module):
    """Dropout (Srivastava et al. 2014) whose mask costs one random byte an element; p is rounded to 1/256.

    ``nn.Dropout`` draws a float an element, which alone halves the speed of this model on a CPU.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.threshold = round(p * 256)

    def forward(self, x: Tensor) -> Tensor:  # any shape
        """Set a share of the elements to zero and scale the others up; nothing in evaluation mode."""
        if not self.training or self.threshold == 0:
            return x
        words = torch.empty((x.numel() + 7) // 8, dtype=torch.int64, device=x.device).random_(-(2**63), None)
        keep = (words.view(torch.uint8)[: x.numel()] >= self.threshold).as_strided(x.shape, x.stride())
        return x * keep * (256 / (256 - self.threshold))
