"""How much a walk along the smile vector makes unsmiling faces smile, as an independent judge sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dgm.errors import ModelError
from dgm.vae.latent import decode, traverse
from dgm.vae.model import VAE
from dgm.vae.probe import SmileProbe

STEPS = (-0.5, 0.3, 1.1, 1.9, 2.7, 3.5)  # multiples of the smile vector: the sheet's six images
SLACK = 0.01  # a judge that is already sure, at 0 or at 1, wavers by less


@dataclass(frozen=True)
class SmileWalk:
    """The judge's probability of a smile of each face at each step, (N, len(steps))."""

    probability: Tensor
    steps: tuple[float, ...]

    @property
    def means(self) -> list[float]:
        """The mean over the faces at each step."""
        return [float(value) for value in self.probability.mean(0)]

    @property
    def rising(self) -> float:
        """The share of the faces whose probability rises from first to last and at no step falls by over ``SLACK``."""
        steady = (self.probability.diff(dim=1) > -SLACK).all(1)
        return float((steady & (self.probability[:, -1] > self.probability[:, 0])).float().mean())

    def interval(self, level: float = 0.95, draws: int = 2000, seed: int = 0) -> Tensor:  # (2, len(steps))
        """The percentile bootstrap's interval of the means (Efron & Tibshirani 1993, chapter 13): faces are redrawn.

        Raises:
            ModelError: ``level`` is not between 0 and 1.
        """
        if not 0 < level < 1:
            raise ModelError(f"level = {level} is not between 0 and 1; nearest: 0.95")
        faces = len(self.probability)
        chosen = torch.randint(faces, (draws, faces), generator=torch.Generator().manual_seed(seed))
        means = self.probability[chosen].mean(1)  # (draws, len(steps))
        return means.quantile(torch.tensor([(1 - level) / 2, (1 + level) / 2]), dim=0)


def walk(model: VAE, z: Tensor, direction: Tensor, probe: SmileProbe, steps: Sequence[float] = STEPS) -> SmileWalk:
    """Move latent vectors z (N, D) along a direction (D,), decode, and ask the judge."""
    moved = traverse(z, direction, steps)  # (N, len(steps), D)
    judged = [probe.probability(decode(model, moved[:, k])) for k in range(len(steps))]
    return SmileWalk(torch.stack(judged, 1), tuple(steps))
