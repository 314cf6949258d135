"""Quality of images: PSNR, SSIM, how much images of one kind differ, and the faces that a cascade finds in them."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from dgm.errors import ModelError

CASCADE = "haarcascade_frontalface_default.xml"  # of OpenCV (Viola & Jones 2001)
SEEN = 192  # pixels a side at which the cascade looks, with a margin of a quarter on each side


def psnr(images: Tensor, originals: Tensor) -> float:  # 2 x float (N, 3, S, S) in [0, 1]
    """Peak signal-to-noise ratio in dB of all images together."""
    return float(peak_signal_noise_ratio(images, originals, data_range=1.0))


def ssim(images: Tensor, originals: Tensor) -> float:  # 2 x float (N, 3, S, S) in [0, 1]
    """Mean structural similarity (Wang et al. 2004)."""
    parts = [structural_similarity_index_measure(one, other, data_range=1.0, reduction="sum")
             for one, other in zip(images.split(128), originals.split(128), strict=True)]
    return float(sum(float(part) for part in parts if isinstance(part, Tensor)) / len(images))


@dataclass(frozen=True)
class Variety:
    """Distances between images of one kind, in root mean squares over pixels: the mean of all pairs, and the least."""

    mean: float
    least: float


def variety(images: Tensor) -> Variety:  # float (N, 3, S, S)
    """How much images differ from one another."""
    distances = torch.pdist(images.flatten(1)) / images[0].numel() ** 0.5
    return Variety(float(distances.mean()), float(distances.min()))


def faces_found(images: Tensor) -> Tensor:  # float (N, 3, S, S) in [0, 1] -> bool (N,)
    """Tell for each image if OpenCV's frontal-face cascade finds a face in it.

    Raises:
        ModelError: the package 'opencv-python-headless' is not installed.
    """
    if importlib.util.find_spec("cv2") is None:
        raise ModelError("the face cascade needs the package 'opencv-python-headless', which is not installed; "
                         "nearest: its version 4.14.0.94, as the tests use it")
    import cv2  # only where it is asked for

    cascade = cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / CASCADE))
    margin = SEEN // 4
    found = []
    for image in (images * 255).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy():
        grey = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (SEEN, SEEN), interpolation=cv2.INTER_CUBIC)
        framed = cv2.copyMakeBorder(grey, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
        found.append(len(cascade.detectMultiScale(framed, 1.05, 4, minSize=(SEEN // 2, SEEN // 2))) > 0)
    return torch.tensor(found)
