"""What a trained VAE has made of a world with known factors: rate, distortion, and how well it tells factors apart."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from PIL import Image
from torch import Tensor

from dgm.disentangle.importance import importance
from dgm.disentangle.information import modularity, mutual_information_gap
from dgm.disentangle.separated import separated_predictability
from dgm.disentangle.vote import Votes, factor_metric
from dgm.vae.analysis import latent
from dgm.vae.images.picture import image_grid
from dgm.vae.model import inference
from dgm.vae.model.discriminator import EstimateConfig, estimate_total_correlation, gaussian_total_correlation
from dgm.vae.model.objective import kl_standard_normal
from dgm.vae.model.vae import VAE, Posterior, reparameterize
from dgm.vae.training.trainer import evaluate
from dgm.vae.worlds.world import Known, World

DRAWS = 4  # of z for each image that the total correlation's discriminator learns on

@dataclass(frozen=True)
class Findings:
    """Measures on images that were not trained on.

    ``rate`` is the mean of KL(q(z|x) || p(z)) and ``distortion`` that of -log p(x|z), in nats; ``squared_error`` is
    the mean over pixels. ``total_correlation`` is the estimate, in nats, of a discriminator trained for it alone, and
    ``gaussian_correlation`` what a Gaussian with the moments of q(z) has. The scores are those of
    :mod:`dgm.disentangle`; the three of Eastwood & Williams 2018 are ``disentanglement`` to ``informativeness``.
    """

    rate: float
    distortion: float
    squared_error: float
    active: int
    total_correlation: float
    gaussian_correlation: float
    factor_metric: float
    mig: float
    disentanglement: float
    completeness: float
    informativeness: float
    sap: float
    modularity: float

    def numbers(self) -> dict[str, float]:
        """All of them by name."""
        return {name: float(value) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Sizes:
    """How much is drawn for the scores: fresh images, groups of the vote, images in each; the discriminator's steps."""

    images: int = 5000
    groups: int = 400
    group: int = 50
    steps: int = 800


@torch.no_grad()
def _samples(posterior: Posterior, generator: torch.Generator) -> Tensor:  # (N, D)
    return reparameterize(posterior, torch.randn(posterior.mean.shape, generator=generator))


def measure(model: VAE, drawn: World, known: Known, seed: int = 0, sizes: Sizes | None = None) -> Findings:
    """Measure on the validation images and on fresh ones of the same world.

    Scores of information see samples of q(z|x), as their authors' do; those of prediction and the vote see its means.
    """
    chosen = sizes or Sizes()
    generator = torch.Generator().manual_seed(1_000_003 * (seed + 1))  # not the numbers that the images were drawn from
    terms = evaluate(model, known.images.images.to(next(model.parameters()).device), known.split.valid)
    factors = drawn.sample(chosen.images, generator)
    posterior = inference.encode(model, drawn.draw(factors, model.image_size))
    codes, z = posterior.mean.double().numpy(), _samples(posterior, generator)
    truth, found = drawn.truth(factors), importance(codes, drawn.truth(factors))
    others = inference.encode(model, drawn.draw(drawn.sample(chosen.images, generator), model.image_size))
    several = Posterior(others.mean.repeat(DRAWS, 1), others.log_variance.repeat(DRAWS, 1))
    return Findings(
        rate=terms.kl, distortion=terms.reconstruction, squared_error=terms.squared_error,
        active=latent.active_units(posterior),
        total_correlation=estimate_total_correlation(_samples(several, generator), z,
                                                     EstimateConfig(steps=chosen.steps)),
        gaussian_correlation=gaussian_total_correlation(z),
        factor_metric=vote(model, drawn, posterior, generator, chosen),
        mig=mutual_information_gap(z.double().numpy(), truth), disentanglement=found.disentanglement,
        completeness=found.completeness, informativeness=found.informativeness,
        sap=separated_predictability(codes, truth), modularity=modularity(z.double().numpy(), truth))


def vote(model: VAE, drawn: World, whole: Posterior, generator: torch.Generator, sizes: Sizes) -> float:
    """The metric of Kim & Mnih 2018, section 4, over the model's active units alone, as there.

    ``whole`` is q(z|x) of images of all kinds, which says how much each dimension varies.
    """
    fixed = torch.randint(len(drawn.factors), (sizes.groups,), generator=generator)
    values = drawn.sample(sizes.groups * sizes.group, generator).view(sizes.groups, sizes.group, -1)
    groups = torch.arange(sizes.groups)
    values[groups, :, fixed] = values[groups, :1, fixed].expand(-1, sizes.group)
    parts = [inference.encode(model, drawn.draw(part, model.image_size)).mean
             for part in values.flatten(0, 1).split(1024)]
    codes = torch.cat(parts).view(sizes.groups, sizes.group, -1)
    spread = whole.mean.std(0)
    return factor_metric(Votes(codes.double().numpy(), fixed.numpy()), spread.double().numpy(),
                         (spread.square() > latent.ACTIVE).numpy())


def by_rate(posterior: Posterior) -> Tensor:  # (D,)
    """The dimensions of z, those that carry most nats first."""
    return kl_standard_normal(posterior).mean(0).argsort(descending=True)


def traversals(model: VAE, images: Tensor, rows: int = 10, steps: int = 9, reach: float = 2.0) -> Image.Image:
    """A picture: a row for each of the ``rows`` dimensions of most rate, along which an image's mean code is moved.

    The first of the ``images`` uint8 (N, 3, S, S) is moved, from -``reach`` to ``reach`` in the prior's deviations;
    all of them say which dimensions carry most.
    """
    posterior = inference.encode(model, images)
    chosen = by_rate(posterior)[:rows]
    z = posterior.mean[:1].repeat(len(chosen) * steps, 1).view(len(chosen), steps, -1)
    for row, dimension in enumerate(chosen):
        z[row, :, dimension] = torch.linspace(-reach, reach, steps)
    return image_grid(inference.decode(model, z.flatten(0, 1)), steps)
