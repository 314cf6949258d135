"""FactorVAE (Kim & Mnih 2018, arXiv 1802.05983, Algorithm 2): the VAE's step, then the discriminator's."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from dgm.errors import ModelError, nearest
from dgm.vae.common.device import mixed_precision
from dgm.vae.images.faces import Faces, Split
from dgm.vae.model.dense import DenseVAE
from dgm.vae.model.discriminator import (
    ADAM,
    Discriminator,
    accuracy,
    discriminator_loss,
    permute_dims,
    total_correlation,
)
from dgm.vae.model.layers import ReluDropout
from dgm.vae.model.objective import elbo_terms
from dgm.vae.model.vae import reparameterize
from dgm.vae.training.trainer import History, State, Trainer, TrainingConfig, metrics_of, optimizer_state

NETWORKS = ("table1", "dense")


@dataclass(frozen=True)
class FactorConfig:
    """A training of the VAE, the weight ``gamma`` of the total correlation, and the discriminator.

    The paper's values are the defaults here; its VAE learns with a rate of 1e-4, ``training`` says what ours does.
    With ``gamma`` 0 the VAE is bit for bit that of :class:`Trainer`, and the discriminator only looks on. ``network``
    is the sheet's of Table 1 or the small :class:`DenseVAE`, which has no dropout.

    Raises:
        ModelError: a value out of its range.
    """

    training: TrainingConfig = field(default_factory=TrainingConfig)
    gamma: float = 10.0
    discriminator_width: int = 1000
    discriminator_layers: int = 6
    discriminator_learning_rate: float = 1e-4
    network: str = "table1"

    def __post_init__(self) -> None:
        if self.network not in NETWORKS:
            raise ModelError(f"network = {self.network!r} is not known; {nearest(self.network, NETWORKS)}")
        if not 0 <= self.gamma < math.inf:
            raise ModelError(f"gamma = {self.gamma} is not in [0, inf); nearest: 0")
        if not 0 < self.discriminator_learning_rate < math.inf:
            raise ModelError(f"discriminator_learning_rate = {self.discriminator_learning_rate} is not positive; "
                             "nearest: 0.0001")


@dataclass(frozen=True)
class FactorMetrics:
    """Means over an epoch's steps: the total correlation's estimate in nats, the discriminator's accuracy."""

    total_correlation: float
    accuracy: float


@dataclass(frozen=True)
class FactorHistory(History):
    """The VAE's metrics, and beside each of its ``train`` the discriminator's."""

    factor: tuple[FactorMetrics, ...] = ()


class FactorTrainer(Trainer):
    """Algorithm 2, a step a call: it goes on from a :class:`State` bit for bit as :class:`Trainer` does.

    All chance of the second batch (its images, samples, masks and permutation) comes from ``discriminator_rng``, and
    its pass leaves the batch normalisation's running statistics alone, so that the VAE does not notice a discriminator
    that has no weight.
    """

    def __init__(self, faces: Faces, split: Split, factor: FactorConfig, device: torch.device) -> None:
        super().__init__(faces, split, factor.training, device)
        self.factor = factor
        if factor.network == "dense":
            self._take_dense_network()
        self.discriminator_rng = torch.Generator(device).manual_seed(factor.training.seed + 2)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(factor.training.seed + 2)
            plain = Discriminator(factor.training.latent_dim, factor.discriminator_width, factor.discriminator_layers)
        self.discriminator = plain.to(device)
        self.discriminator_optimizer = torch.optim.Adam(
            self.discriminator.parameters(), lr=factor.discriminator_learning_rate, betas=ADAM, fused=True)
        self.factor_metrics: list[FactorMetrics] = []
        self.factor_step_metrics: list[Tensor] = []  # of the present epoch, each (2,)

    def _take_dense_network(self) -> None:
        config = self.config
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.model = DenseVAE(self.model.image_size, config.latent_dim).to(self.data.device)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=config.learning_rate, fused=True)

    @property
    def history(self) -> FactorHistory:
        """All metrics of every epoch done."""
        return FactorHistory(tuple(self.train_metrics), tuple(self.valid_metrics), tuple(self.factor_metrics))

    def step(self) -> None:
        """Train the VAE on the next batch and the discriminator on its z, against a second batch's permuted z.

        Raises:
            ModelError: the loss or a weight is no longer a number (looked at after each epoch).
        """
        done = self.epoch
        super().step()
        self.factor_step_metrics.append(torch.stack([self.total_correlation, self._step_discriminator()]))
        if self.epoch > done:
            self.factor_metrics.append(FactorMetrics(*torch.stack(self.factor_step_metrics).mean(0).tolist()))
            self.factor_step_metrics = []

    def require_finite(self) -> None:
        """Raise a :class:`ModelError` if a loss or a weight, the discriminator's too, is no longer a number."""
        super().require_finite()
        if not all(bool(parameter.isfinite().all()) for parameter in self.discriminator.parameters()):
            raise ModelError(f"epoch {self.epoch + 1}: the discriminator is no longer made of numbers; try a "
                             f"discriminator_learning_rate below {self.factor.discriminator_learning_rate:g}")

    def state(self) -> State:
        """All that :meth:`restore` needs."""
        tensors = {f"discriminator.{name}": tensor for name, tensor in self.discriminator.state_dict().items()}
        for number, parameter in enumerate(self.discriminator.parameters()):
            kept = self.discriminator_optimizer.state[parameter]
            tensors |= {f"discriminator_adam.{number}.{key}": value for key, value in kept.items()}
        rows = [[one.total_correlation, one.accuracy] for one in self.factor_metrics]
        steps = self.factor_step_metrics
        tensors |= {"aside": self.discriminator_rng.get_state(),
                    "factor": torch.tensor(rows, dtype=torch.float64).view(-1, 2),
                    "factor_values": torch.stack(steps) if steps else torch.zeros(0, 2)}
        at_rest = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        plain = super().state()
        return State({**plain.tensors, **at_rest}, plain.numbers)

    def restore(self, state: State) -> None:
        """Go back to a state of a training of the same data, split and configuration."""
        super().restore(state)
        tensors = state.tensors
        names = self.discriminator.state_dict()
        self.discriminator.load_state_dict({name: tensors[f"discriminator.{name}"] for name in names})
        for number, parameter in enumerate(self.discriminator.parameters()):
            kept = optimizer_state(tensors, f"discriminator_adam.{number}.", parameter)
            self.discriminator_optimizer.state[parameter] = kept
        self.discriminator_rng.set_state(tensors["aside"])
        self.factor_metrics = [FactorMetrics(*row) for row in tensors["factor"].tolist()]
        self.factor_step_metrics = list(tensors["factor_values"].to(self.data.device))

    def _set_gradients(self, x: Tensor, noise: Tensor, beta: float) -> Tensor:
        """Algorithm 2's first step: the gradients of the negative ELBO plus gamma times the total correlation."""
        self.optimizer.zero_grad(set_to_none=True)
        fixed = torch.tensor(self.config.sigma**2, device=x.device) if self.config.sigma else None
        with mixed_precision(x):
            mean, posterior = self.model(x, noise)
        terms = elbo_terms(x, mean, posterior, fixed)
        loss = terms.loss(beta)
        z = reparameterize(posterior, noise)  # (B, D), the very sample that was decoded
        self.discriminator.requires_grad_(False)  # it is held fixed here, which saves its gradients
        estimate = total_correlation(self.discriminator, z)
        self.discriminator.requires_grad_(True)
        (loss + self.factor.gamma * estimate if self.factor.gamma else loss).backward()
        self.z, self.total_correlation = z.detach(), estimate.detach()
        return metrics_of(terms)

    def _step_discriminator(self) -> Tensor:
        """Algorithm 2's second step, on the first batch's z and a second batch's permuted z; its accuracy."""
        permuted = permute_dims(self._second_batch(), self.discriminator_rng)
        logits, permuted_logits = self.discriminator(self.z), self.discriminator(permuted)
        self.discriminator_optimizer.zero_grad(set_to_none=True)
        discriminator_loss(logits, permuted_logits).backward()
        self.discriminator_optimizer.step()
        return accuracy(logits, permuted_logits).detach()

    @torch.no_grad()
    def _second_batch(self) -> Tensor:  # (B, D)
        """z of q(z) by other images, drawn by themselves."""
        order = torch.randperm(len(self.split.train), device=self.data.device, generator=self.discriminator_rng)
        x = self.loader.load(self.split.train.to(self.data.device)[order[: len(self.z)]])
        with frozen_batchnorm_statistics(self.model, self.discriminator_rng, self.noise), mixed_precision(x):
            posterior = self.model.encoder(x)
        noise = torch.randn(self.z.shape, device=x.device, generator=self.discriminator_rng)
        return reparameterize(posterior, noise)


@contextmanager
def frozen_batchnorm_statistics(model: nn.Module, chance: torch.Generator, after: torch.Generator) -> Iterator[None]:
    """Run a forward pass in training mode that leaves no trace in the batch normalisation's running statistics.

    The dropout masks come from ``chance``; afterwards they come from ``after`` again.
    """
    norms = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    masks = [layer for layer in model.modules() if isinstance(layer, ReluDropout)]
    was_training = model.training
    model.train()
    for norm in norms:
        norm.track_running_stats = False
    for mask in masks:
        mask.generator = chance
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True
        for mask in masks:
            mask.generator = after
        model.train(was_training)
