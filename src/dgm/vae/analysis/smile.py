"""Smiles: a classifier of smiling faces, and the walk along the smile direction that it measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dgm.errors import ModelError
from dgm.vae.analysis.latent import smile_direction, traverse
from dgm.vae.images.faces import Faces, Split
from dgm.vae.model.inference import decode, encode
from dgm.vae.model.prior import GaussianPrior, fit_prior
from dgm.vae.model.vae import VAE, Posterior

STEPS = (-0.5, 0.3, 1.1, 1.9, 2.7, 3.5)  # multiples of the smile vector, the same for all faces
SLACK = 0.01  # a judge that is already sure, at 0 or at 1, wavers by less
GRID = tuple(round(-2 + 0.2 * k, 1) for k in range(31))  # -2 to 4, among which a face's own multiples are looked for
TARGETS = (0.02, 0.2, 0.4, 0.6, 0.8, 0.98)  # probabilities of a smile in the sheet's six images
MOUTH = (0.62, 0.92, 0.25, 0.75)  # top, bottom, left and right of the mouth's region, in heights and widths
TORN = 0.95  # a mouth counts as torn above this quantile of what reconstructions have
FACES = 200  # unseen and unsmiling, that are walked
SIZE = 32  # pixels a side that the classifier sees
EPOCHS = 8  # of its training


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


@dataclass(frozen=True)
class SmileRows:
    """Six images of each of N unsmiling, unseen faces, (N, 6) each, and the two walks that they are chosen from.

    ``multiples`` of the smile vector are chosen, face by face, so that the classifier that chooses sees the
    probabilities :data:`TARGETS`, as far as it ever does; ``chosen`` is what it then sees, ``second`` what another sees
    that was trained on other images. ``mouth`` is the squared error in the mouth's region when an image is encoded and
    decoded once more, in multiples of the :data:`TORN` quantile of reconstructions: a mouth above 1 is none that the
    model knows. ``distance`` is the Mahalanobis distance to the learned prior's mean, in multiples of the 0.99 quantile
    of unseen images: above 1 a vector lies outside the data. ``whole`` and ``alone`` are walks over :data:`GRID` along
    the smile vector and along its largest dimension alone.
    """

    multiples: Tensor
    chosen: Tensor
    second: Tensor
    mouth: Tensor
    distance: Tensor
    whole: SmileWalk
    alone: SmileWalk

    @property
    def good(self) -> Tensor:  # bool (N,)
        """Faces that the rule allows to be shown: no mouth is torn, and both ends of the scale are reached."""
        reached = (self.chosen[:, 0] <= 0.1) & (self.chosen[:, -1] >= 0.9)
        return reached & (self.mouth <= 1).all(1)

    @property
    def rising(self) -> float:
        """Share of the faces whose six images smile more and more, as the second classifier sees it."""
        return float((self.second.diff(dim=1) > 0).all(1).float().mean())


def smile_rows(model: VAE, faces: Faces, split: Split, first: SmileProbe, second: SmileProbe) -> SmileRows:
    """Choose six multiples for each of the first :data:`FACES` unsmiling validation faces, and measure the images."""
    posterior = encode(model, faces.images)
    direction = smile_direction(posterior.mean, faces.smiling)
    z = posterior.mean[walked_faces(faces, split)]
    only = direction.vector * (torch.arange(z.shape[1]) == direction.largest)
    whole, alone = (walk(model, z, along, first, GRID) for along in (direction.vector, only))
    multiples = choose_multiples(whole)
    moved = (z.unsqueeze(1) + multiples.unsqueeze(2) * direction.vector).flatten(0, 1)  # (N * 6, D)
    images = decode(model, moved)
    unseen = posterior.mean[split.valid]
    prior = fit_prior(Posterior(posterior.mean[split.train], posterior.log_variance[split.train]))
    usual = mouth_error(model, decode(model, unseen[:2 * FACES])).quantile(TORN)
    farthest = mahalanobis(prior, unseen).quantile(0.99)
    chosen, seen, mouth, distance = (one.view(multiples.shape) for one in (
        first.probability(images), second.probability(images), mouth_error(model, images) / usual,
        mahalanobis(prior, moved) / farthest))
    return SmileRows(multiples, chosen, seen, mouth, distance, whole, alone)


def halves(split: Split) -> tuple[Split, Split]:
    """Two splits that share no training image, for two classifiers; both are measured on all validation images."""
    middle = len(split.train) // 2
    return Split(split.train[:middle], split.valid), Split(split.train[middle:], split.valid)


def walked_faces(faces: Faces, split: Split) -> Tensor:  # (N,)
    """Indices of the unsmiling validation faces that are walked."""
    return split.valid[~faces.smiling[split.valid]][:FACES]


def choose_multiples(walked: SmileWalk, targets: Sequence[float] = TARGETS) -> Tensor:  # (N, len(targets))
    """For each face the multiples at which its probability first reaches each target, between two steps of the walk.

    The way goes from the last step at most at the first target to the first step at least at the last one after it;
    where a face never comes so low or so high, from its lowest or to its highest. A step back is passed over.
    """
    return torch.tensor([_chosen(face, walked.steps, targets) for face in walked.probability.double()])


def _chosen(probability: Tensor, steps: Sequence[float], targets: Sequence[float]) -> list[float]:  # (len(steps),)
    above = (probability >= targets[-1]).nonzero().flatten()
    end = int(above[0]) if len(above) else int(probability.argmax())
    below = (probability[: end + 1] <= targets[0]).nonzero().flatten()
    start = int(below[-1]) if len(below) else int(probability[: end + 1].argmin())
    heights = probability[start : end + 1].clamp(1e-4, 1 - 1e-4).logit().cummax(0).values
    places = torch.tensor(steps[start : end + 1], dtype=torch.float64)
    return [float(places[0]), *(_crossing(places, heights, target) for target in targets[1:-1]), float(places[-1])]


def _crossing(places: Tensor, heights: Tensor, target: float) -> float:
    wanted = torch.tensor(target, dtype=torch.float64).logit()
    at = int((heights < wanted).sum().clamp(1, len(heights) - 1)) if len(heights) > 1 else 0
    if at == 0:
        return float(places[0])
    low, high = heights[at - 1], heights[at]
    share = ((wanted - low) / (high - low)).clamp(0, 1) if high > low else torch.tensor(0.5)
    return float(places[at - 1] + share * (places[at] - places[at - 1]))


def mouth_error(model: VAE, images: Tensor) -> Tensor:  # float (N, 3, S, S) in [0, 1] -> (N,)
    """Mean squared error in the mouth's region after the images are encoded and decoded once more."""
    pixels = (images * 255).round().clamp(0, 255).to(torch.uint8)
    error = (decode(model, encode(model, pixels).mean) - images).square().mean(1)  # (N, S, S)
    top, bottom, left, right = (round(part * images.shape[-1]) for part in MOUTH)
    return error[:, top:bottom, left:right].mean((1, 2))


def mahalanobis(prior: GaussianPrior, z: Tensor) -> Tensor:  # (N, D) -> (N,)
    """Distance of latent vectors to a prior's mean, in its standard deviations."""
    factor = torch.linalg.cholesky(prior.covariance.double())
    away = torch.linalg.solve_triangular(factor, (z - prior.mean).double().T, upper=False)
    distance: Tensor = away.square().sum(0).sqrt()
    return distance.float()


class SmileNet(nn.Sequential):
    """The classifier's layers, their weights drawn from torch's global generator."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(24, 48, 3, padding=1), nn.BatchNorm2d(48), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(48, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Dropout(0.5), nn.Linear(64 * 16, 1))


@dataclass(frozen=True)
class SmileProbe:
    """A classifier of smiles, and its accuracy on validation images."""

    net: SmileNet
    accuracy: float

    @torch.no_grad()
    def probability(self, images: Tensor) -> Tensor:  # float (N, 3, S, S) in [0, 1] -> (N,)
        """The probability that each face smiles."""
        logits: Tensor = self.net.eval()(_shrink(images))
        return logits.flatten().sigmoid()


def train_probe(faces: Faces, split: Split, seed: int = 0, epochs: int = EPOCHS) -> SmileProbe:
    """Train the classifier with Adam on mirrored and unmirrored training images; no other chance is touched."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _train_probe(faces, split, epochs)


def _train_probe(faces: Faces, split: Split, epochs: int) -> SmileProbe:
    net = SmileNet()
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
