"""Amortization gap: the part of the bound that is lost because one encoder pass gives every q(z|x).

Cremer et al. 2018, section 3; the steps are those of stochastic variational inference from the encoder's q(z|x) on,
as in Kim et al. 2018 (semi-amortized VAE, section 3), with the weights as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dgm.vae.images.faces import Faces, Split
from dgm.vae.images.loader import to_unit
from dgm.vae.model.objective import Terms, elbo_terms
from dgm.vae.model.vae import VAE, Posterior, reparameterize
from dgm.vae.training.trainer import Metrics

STEPS = 60  # of Adam
RATE = 0.2  # Adam's first, which sinks to 0; on 24 unseen photographs twice of it gained no more, half of it 3 % less


@dataclass(frozen=True)
class Refinement:
    """q(z|x) of some images after the steps, and the means over them before and after, by the same noise."""

    encoded: Metrics
    refined: Metrics
    posterior: Posterior

    def gap(self, beta: float = 1.0) -> float:
        """By how many nats an image the cost sank; the amortization gap is at least this."""
        return self.encoded.loss(beta) - self.refined.loss(beta)


def refinements(model: VAE, faces: Faces, split: Split, beta: float, count: int) -> tuple[Refinement, Refinement]:
    """:func:`refine` for the first ``count`` training images, and for the first ``count`` validation images."""
    seen, unseen = (refine(model, faces.images[part[:count]], beta) for part in (split.train, split.valid))
    return seen, unseen


def refine(model: VAE, images: Tensor, beta: float = 1.0, steps: int = STEPS) -> Refinement:  # uint8 (N, 3, S, S)
    """Lower each image's own cost by moving its q(z|x) from where the encoder put it; the model stays as it is.

    All images are computed at once: 128 of 128x128 take as much memory as a training step.
    """
    model.eval()
    x = to_unit(images.to(next(model.parameters()).device))
    generator = torch.Generator(x.device).manual_seed(0)
    with torch.no_grad():
        encoded = model.encoder(x)
    noise = torch.randn(encoded.mean.shape, device=x.device, generator=generator)
    refined = _descend(model, x, encoded, beta, steps, generator)
    before, after = (_measure(model, x, posterior, noise) for posterior in (encoded, refined))
    return Refinement(before, after, Posterior(refined.mean.cpu(), refined.log_variance.cpu()))


def _descend(model: VAE, x: Tensor, start: Posterior, beta: float, steps: int, generator: torch.Generator) -> Posterior:
    moved = [start.mean.clone().requires_grad_(), start.log_variance.clone().requires_grad_()]
    optimizer = torch.optim.Adam(moved, lr=RATE)
    for done in range(steps):
        optimizer.param_groups[0]["lr"] = RATE * (1 - done / steps)
        noise = torch.randn(start.mean.shape, device=x.device, generator=generator)
        loss = _terms(model, x, Posterior(*moved), noise).loss(beta) * len(x)  # each image's own gradient
        for tensor, gradient in zip(moved, torch.autograd.grad(loss, moved), strict=True):
            tensor.grad = gradient
        optimizer.step()
    return Posterior(*(tensor.detach() for tensor in moved))


@torch.no_grad()
def _measure(model: VAE, x: Tensor, posterior: Posterior, noise: Tensor) -> Metrics:
    terms = _terms(model, x, posterior, noise)
    return Metrics(float(terms.reconstruction), float(terms.kl), float(terms.squared_error))


def _terms(model: VAE, x: Tensor, posterior: Posterior, noise: Tensor) -> Terms:
    return elbo_terms(x, model.decoder(reparameterize(posterior, noise)), posterior, model.variance)
