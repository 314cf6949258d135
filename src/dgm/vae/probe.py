"""An independent judge of smiles: a small network trained on the training images alone, never on generated ones."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm.vae.data import Faces, Split

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
