"""Face shares: in how many images of each kind an outside detector, OpenCV's cascade, finds a face."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from dgm.vae.analysis.quality import CASCADE, Variety, faces_found, variety
from dgm.vae.images.faces import Faces, Split
from dgm.vae.model.inference import decode, encode
from dgm.vae.model.prior import GaussianPrior
from dgm.vae.model.vae import VAE

__all__ = ["CASCADE", "COUNT", "FaceShares", "measured_faces"]

COUNT = 200  # images of each kind


@dataclass(frozen=True)
class FaceShares:
    """Counts of faces found among ``count`` images of each kind, and how much images of two kinds differ."""

    count: int
    unseen: int
    reconstructed: int
    standard: int
    learned: int
    reconstructions: Variety
    samples: Variety


def measured_faces(model: VAE, faces: Faces, split: Split, prior: GaussianPrior, seed: int) -> FaceShares:
    """Look for faces in unseen images, their reconstructions, and samples of N(0, I) and of the learned prior.

    Raises:
        ModelError: the package 'opencv-python-headless' is not installed.
    """
    images = faces.images[split.valid[:COUNT]]
    count, generator = len(images), torch.Generator().manual_seed(seed + 1)
    reconstructed = decode(model, encode(model, images).mean)
    noise = torch.randn(count, model.latent_dim, generator=generator)
    standard, learned = decode(model, noise), decode(model, prior.sample(count, generator))
    unseen, again, plain, fitted = (int(faces_found(one).sum())
                                    for one in (images.float() / 255, reconstructed, standard, learned))
    return FaceShares(count, unseen, again, plain, fitted, variety(reconstructed), variety(learned))
