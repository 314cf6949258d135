"""How much a walk along the smile vector makes unsmiling faces smile, as an independent judge sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm.errors import ModelError
from dgm.vae.analysis.latent import traverse
from dgm.vae.images.faces import Faces, Split
from dgm.vae.model.inference import decode
from dgm.vae.model.vae import VAE

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

SIZE = 32  # pixels a side that the judge sees
EPOCHS = 8


@dataclass(frozen=True)
class SmileProbe:
    """The judge and its accuracy on validation images."""

    net: nn.Module
    accuracy: float

    @torch.no_grad()
    def probability(self, images: Tensor) -> Tensor:  # float (N, 3, S, S) in [0, 1] -> (N,)
        """The probability that each face smiles."""
        logits: Tensor = self.net.eval()(_shrink(images))
        return logits.flatten().sigmoid()


def network() -> nn.Sequential:
    """The judge before its training, its weights drawn from torch's global generator."""
    return nn.Sequential(
        nn.Conv2d(3, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(24, 48, 3, padding=1), nn.BatchNorm2d(48), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(48, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.5), nn.Linear(64 * 16, 1))


def train_probe(faces: Faces, split: Split, seed: int = 0, epochs: int = EPOCHS) -> SmileProbe:
    """Train the judge with Adam on mirrored and unmirrored training images."""
    torch.manual_seed(seed)
    net = network()
    small = torch.cat([_shrink(part.float() / 255) for part in faces.images.split(1024)])  # (N, 3, 32, 32)
    smiling = float(faces.smiling[split.train].float().mean())
    weight = torch.tensor((1 - smiling) / smiling)  # so that both classes count alike, however rare one is
    target = faces.smiling.float()
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for _ in range(epochs):
        net.train()
        for batch in split.train[torch.randperm(len(split.train))].split(64):
            x = small[batch].flip(3) if torch.rand(()) < 0.5 else small[batch]
            loss = F.binary_cross_entropy_with_logits(net(x).flatten(), target[batch], pos_weight=weight)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    net.eval()
    with torch.no_grad():
        right = (net(small[split.valid]).flatten() > 0) == faces.smiling[split.valid]
    return SmileProbe(net, float(right.float().mean()))


def _shrink(images: Tensor) -> Tensor:  # (N, 3, S, S) -> (N, 3, 32, 32)
    return F.interpolate(images, size=(SIZE, SIZE), mode="area")
