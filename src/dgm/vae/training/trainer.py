"""Training step, and the state between two steps that the next one depends on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass, field

import torch
from torch import Tensor

from dgm.errors import ModelError
from dgm.vae.common.console import say
from dgm.vae.common.device import mixed_precision
from dgm.vae.images.augment import jitter
from dgm.vae.images.faces import Faces, Split
from dgm.vae.images.loader import FaceLoader
from dgm.vae.model.objective import Terms, batch_terms, elbo_terms, loss_slopes, optimal_variance
from dgm.vae.model.vae import VAE, draw_dropout_from, start_at

VARIANCE_MEMORY = 0.9  # the likelihood's variance follows the batches' optimal ones this slowly


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of a training.

    ``sigma`` 0 means the optimal likelihood (Rybkin et al. 2021). Over the first ``warmup`` epochs the KL's weight
    rises from 0 to ``beta``. ``flip`` mirrors each training image with probability 1/2; ``jitter`` shifts, scales,
    turns and lights each a little (:mod:`dgm.vae.images.augment`). ``averaging`` above 0 is the memory, a step, of an
    exponential average of the weights (Polyak & Juditsky 1992), which then is the model that is measured and kept.

    Raises:
        ModelError: a value out of its range.
    """

    epochs: int = 1000
    batch_size: int = 128
    learning_rate: float = 5e-4
    latent_dim: int = 200
    beta: float = 1.0
    sigma: float = 0.0
    dropout: float = 0.02
    seed: int = 0
    warmup: int = 0
    flip: bool = False
    jitter: bool = False
    averaging: float = 0.0

    def __post_init__(self) -> None:
        least = {"epochs": 1, "batch_size": 2, "latent_dim": 1, "beta": 0, "sigma": 0, "warmup": 0}
        for name, bound in least.items():
            value = asdict(self)[name]
            if not value >= bound:
                raise ModelError(f"{name} = {value} is too small; nearest: {bound}")
        if not 0 < self.learning_rate < math.inf:
            raise ModelError(f"learning_rate = {self.learning_rate} is not positive; nearest: 0.0005")
        if not 0 <= self.averaging < 1:
            good = 0.0 if self.averaging < 0 else 0.999
            raise ModelError(f"averaging = {self.averaging} is not in [0, 1); nearest: {good}")


@dataclass(frozen=True)
class Metrics:
    """Means over images: both terms in nats, the squared error over pixel values in [0, 1]."""

    reconstruction: float
    kl: float
    squared_error: float

    def loss(self, beta: float = 1.0) -> float:
        """Negative (β-weighted) evidence lower bound in nats an image."""
        return self.reconstruction + beta * self.kl


@dataclass(frozen=True)
class History:
    """Metrics of each epoch; ``train`` is taken while the weights move, ``valid`` after, in evaluation mode."""

    train: tuple[Metrics, ...]
    valid: tuple[Metrics, ...]


@dataclass(frozen=True)
class State:
    """A training at rest: tensors on the CPU by name, and plain numbers by name."""

    tensors: dict[str, Tensor]
    numbers: dict[str, float]


@dataclass(frozen=True)
class Best:
    """Weights of the epoch, from 1, with the least loss on unseen images so far; epoch 0 before the first."""

    epoch: int = 0
    loss: float = math.inf
    weights: dict[str, Tensor] = field(default_factory=dict)


class Trainer:
    """Adam by the sheet's Table 2, a step a call.

    Chance comes from two generators alone: ``order`` shuffles, ``noise`` draws the posteriors' samples, the dropout
    masks and the augmentation. So :meth:`state` and :meth:`restore` make an interrupted training go on bit for bit.
    """

    def __init__(self, faces: Faces, split: Split, config: TrainingConfig, device: torch.device) -> None:
        self.config, self.split = config, split
        self.data = faces.images.to(device)  # uint8, and stays so: a batch becomes float on the device
        self.order = torch.Generator().manual_seed(config.seed)
        self.noise = torch.Generator(device).manual_seed(config.seed + 1)
        self.model = _new_model(self.data, split, config)
        draw_dropout_from(self.model, self.noise)
        self.loader = FaceLoader(self.data, split.train, config.batch_size, self.order)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=config.learning_rate, fused=True)
        self.micro_batches = 1  # of a batch, each with its own forward and backward pass
        self.average: dict[str, Tensor] = {}  # of the weights, by their names in the model; empty before the first step
        self.best = Best()
        self.train_metrics: list[Metrics] = []
        self.valid_metrics: list[Metrics] = []
        self.step_metrics: list[Tensor] = []  # of the present epoch, each (3,), in the order of the fields of Metrics
        self._begin_epoch()

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return len(self.train_metrics)

    @property
    def position(self) -> int:
        """How many steps of the present epoch are done."""
        return len(self.step_metrics)

    @property
    def finished(self) -> bool:
        """True if all epochs are done."""
        return self.epoch == self.config.epochs

    @property
    def history(self) -> History:
        """Both terms at every epoch done."""
        return History(tuple(self.train_metrics), tuple(self.valid_metrics))

    def step(self) -> None:
        """Train on the next batch; after an epoch's last one, measure the validation images too.

        Raises:
            ModelError: the loss or a weight is no longer a number (looked at after each epoch).
        """
        done = self.epoch * len(self.loader) + self.position
        self.model.train()
        x = self._augment(self.loader.load(self.batches[self.position]))  # (B, 3, S, S)
        noise = torch.randn(len(x), self.config.latent_dim, device=x.device, generator=self.noise)
        metrics = self._set_gradients(x, noise, self._kl_weight(done))
        self.optimizer.param_groups[0]["lr"] = self._learning_rate(done)
        self.optimizer.step()
        self._follow_variance(metrics[2], first=done == 0)
        self._follow_weights()
        self.step_metrics.append(metrics)
        if self.position == len(self.loader):
            self._end_epoch()

    def require_finite(self) -> None:
        """Raise a :class:`ModelError` with epoch and step if the loss or a weight is no longer a number."""
        finite = torch.stack(self.step_metrics).isfinite().all(1).tolist() if self.step_metrics else []
        if not all(finite):
            self._diverged(finite.index(False) + 1)
        if not all(bool(parameter.isfinite().all()) for parameter in self.model.parameters()):
            self._diverged(self.position)

    def state(self) -> State:
        """All that :meth:`restore` needs."""
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        for number, parameter in enumerate(self.model.parameters()):
            tensors |= {f"adam.{number}.{key}": value for key, value in self.optimizer.state[parameter].items()}
        tensors |= {f"average.{name}": tensor for name, tensor in self.average.items()}
        tensors |= {"order": self.order_at_start, "noise": self.noise.get_state(),
                    "train": _table(self.train_metrics), "valid": _table(self.valid_metrics),
                    "values": torch.stack(self.step_metrics) if self.step_metrics else torch.zeros(0, 3)}
        at_rest = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        return State(at_rest, {"parts": self.micro_batches})

    def restore(self, state: State) -> None:
        """Go back to a state of a training of the same data, split and configuration."""
        tensors = state.tensors
        self.model.load_state_dict({name: tensors[f"model.{name}"] for name in self.model.state_dict()})
        for number, parameter in enumerate(self.model.parameters()):
            self.optimizer.state[parameter] = optimizer_state(tensors, f"adam.{number}.", parameter)
        self.average = {name.removeprefix("average."): tensor.to(self.data.device)
                        for name, tensor in tensors.items() if name.startswith("average.")}
        self.train_metrics = [Metrics(*row) for row in tensors["train"].tolist()]
        self.valid_metrics = [Metrics(*row) for row in tensors["valid"].tolist()]
        self.order.set_state(tensors["order"])
        self._begin_epoch()
        self.noise.set_state(tensors["noise"])
        self.step_metrics = list(tensors["values"].to(self.data.device))
        self.micro_batches = int(state.numbers["parts"])

    @contextmanager
    def averaged_weights(self) -> Iterator[VAE]:
        """The model to measure and to keep, with the average of its weights, if there is one, while this lasts."""
        own = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
        self.model.load_state_dict({**own, **self.average})
        try:
            yield self.model
        finally:
            self.model.load_state_dict(own)

    def _begin_epoch(self) -> None:
        self.order_at_start = self.order.get_state()
        self.batches = self.loader.batches()
        self.step_metrics = []

    def _end_epoch(self) -> None:
        self.require_finite()
        train = _mean_metrics(self.step_metrics)
        with self.averaged_weights() as model:
            valid = evaluate(model, self.data, self.split.valid)
            if valid.loss(self.config.beta) < self.best.loss:
                weights = {name: tensor.clone(memory_format=torch.contiguous_format)
                           for name, tensor in model.state_dict().items()}
                self.best = Best(self.epoch + 1, valid.loss(self.config.beta), weights)
        self.train_metrics.append(train)
        self.valid_metrics.append(valid)
        self._begin_epoch()

    def _diverged(self, step: int) -> None:
        raise ModelError(f"epoch {self.epoch + 1}, step {step}: the loss is no longer a number; "
                         f"try a learning_rate below {self.config.learning_rate:g}")

    def _learning_rate(self, done: int) -> float:
        share = done / (len(self.loader) * self.config.epochs)
        return self.config.learning_rate * (1 + math.cos(math.pi * share)) / 2

    def _kl_weight(self, done: int) -> float:
        rising = self.config.warmup * len(self.loader)
        return self.config.beta * (min(done / rising, 1.0) if rising else 1.0)

    def _augment(self, x: Tensor) -> Tensor:  # (B, 3, S, S)
        if self.config.flip:
            mirrored = torch.rand(len(x), 1, 1, 1, device=x.device, generator=self.noise) < 0.5
            x = torch.where(mirrored, x.flip(3), x)
        return jitter(x, self.noise) if self.config.jitter else x

    def _set_gradients(self, x: Tensor, noise: Tensor, beta: float) -> Tensor:
        """Set the gradients for a batch, in micro-batches if the memory wants it, and give its metrics (3,).

        The micro-batches' loss and gradients are the whole batch's, but for batch normalisation, which sees each by
        itself, and for the dropout masks, which are drawn anew.
        """
        self.optimizer.zero_grad(set_to_none=True)
        fixed = torch.tensor(self.config.sigma**2, device=x.device) if self.config.sigma else None
        while True:
            try:
                if self.micro_batches == 1:
                    terms = forward(self.model, x, noise, fixed)
                    terms.loss(beta).backward()
                    return metrics_of(terms)
                return accumulate_gradients(self.model, x, noise, fixed, beta, self.micro_batches)
            except torch.OutOfMemoryError:
                self._take_smaller_batches(len(x))

    def _take_smaller_batches(self, batch_size: int) -> None:
        if self.micro_batches >= batch_size:
            raise ModelError("not even one image fits into the device's memory; try a smaller image_size") from None
        self.micro_batches *= 2
        self.optimizer.zero_grad(set_to_none=True)
        if self.data.is_cuda:
            torch.cuda.empty_cache()
        say(f"a batch of {batch_size} does not fit into the memory; it is computed in {self.micro_batches} parts "
            "and their gradients are summed")

    @torch.no_grad()
    def _follow_variance(self, squared_error: Tensor, *, first: bool) -> None:
        fixed = self.config.sigma**2
        memory = 0.0 if first or fixed else VARIANCE_MEMORY
        target = torch.full_like(squared_error, fixed) if fixed else optimal_variance(squared_error)
        self.model.variance.mul_(memory).add_((1 - memory) * target)

    @torch.no_grad()
    def _follow_weights(self) -> None:
        """Move the average towards the weights and the running statistics; the first step's are its beginning."""
        if self.config.averaging:
            now = {name: tensor for name, tensor in self.model.state_dict().items() if tensor.is_floating_point()}
            self.average = self.average or {name: tensor.clone() for name, tensor in now.items()}
            for name, tensor in now.items():
                self.average[name].lerp_(tensor, 1 - self.config.averaging)


def forward(model: VAE, x: Tensor, noise: Tensor, variance: Tensor | None) -> Terms:
    """One pass through the model, in bfloat16 where the device computes in it."""
    with mixed_precision(x):
        mean, posterior = model(x, noise)
    return elbo_terms(x, mean, posterior, variance)


def accumulate_gradients(
    model: VAE, x: Tensor, noise: Tensor, variance: Tensor | None, beta: float, micro_batches: int
) -> Tensor:
    """Set the gradients of a batch's loss from several passes, each over a part of it, and give its metrics (3,).

    The optimal variance is known only after the last part. So the gradients of the squared error and of the KL are
    summed apart, and weighted with the loss's slopes at the end.
    """
    parameters = list(model.parameters())
    sums = torch.zeros(2, device=x.device)
    gradients = [[torch.zeros_like(parameter) for parameter in parameters] for _ in range(2)]
    for part, part_noise in zip(x.tensor_split(micro_batches), noise.tensor_split(micro_batches), strict=True):
        terms = forward(model, part, part_noise, variance)
        measured = torch.stack([terms.squared_error, terms.kl]) * (len(part) / len(x))
        sums += measured.detach()
        for kind, total in enumerate(gradients):
            _add(total, torch.autograd.grad(measured[kind], parameters, retain_graph=kind == 0, allow_unused=True))
    whole = batch_terms(sums[0], sums[1], variance, x[0].numel())
    by_error, by_kl = loss_slopes(whole, beta)
    for parameter, of_error, of_kl in zip(parameters, *gradients, strict=True):
        parameter.grad = of_error.mul_(by_error).add_(of_kl.mul_(by_kl))
    return metrics_of(whole)


def _add(total: list[Tensor], gradients: Iterable[Tensor | None]) -> None:
    for one, gradient in zip(total, gradients, strict=True):
        if gradient is not None:
            one += gradient


@torch.no_grad()
def evaluate(model: VAE, data: Tensor, indices: Tensor) -> Metrics:
    """Both terms on unseen images in evaluation mode: running batch statistics, no dropout, the model's variance."""
    model.eval()
    metrics, sizes = [], []
    generator = torch.Generator(device=data.device).manual_seed(0)  # the same noise at every epoch
    for x in FaceLoader(data, indices, 256):
        noise = torch.randn(len(x), model.latent_dim, device=x.device, generator=generator)
        metrics.append(metrics_of(forward(model, x, noise, model.variance)) * len(x))
        sizes.append(len(x))
    return _mean_metrics([torch.stack(metrics).sum(0) / sum(sizes)])


def _new_model(data: Tensor, split: Split, config: TrainingConfig) -> VAE:
    with torch.random.fork_rng(devices=[]):  # the layers draw their first weights from the global generator
        torch.manual_seed(config.seed)
        model = VAE(data.shape[-1], config.latent_dim, config.dropout)
    start_at(model, data[split.train[:512]].float().mean((0, 2, 3)).cpu() / 255)
    model.to(device=data.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model


def metrics_of(terms: Terms) -> Tensor:  # (3,), in the order of the fields of Metrics
    """Metrics of one batch."""
    return torch.stack([terms.reconstruction, terms.kl, terms.squared_error]).detach()


def _mean_metrics(metrics: list[Tensor]) -> Metrics:
    return Metrics(*torch.stack(metrics).mean(0).tolist())


def _table(metrics: list[Metrics]) -> Tensor:  # float64 (E, 3), which holds Python's numbers exactly
    return torch.tensor([astuple(one) for one in metrics], dtype=torch.float64).view(-1, 3)


def optimizer_state(tensors: dict[str, Tensor], prefix: str, parameter: Tensor) -> dict[str, Tensor]:
    """Adam's moments laid out in memory as their parameter is."""
    stored = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    return {key: torch.empty_like(parameter, dtype=tensor.dtype).copy_(tensor) if tensor.shape == parameter.shape
            else tensor.to(parameter.device) for key, tensor in stored.items()}
