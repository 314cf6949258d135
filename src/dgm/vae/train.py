"""Training by the sheet's Table 2: Adam, both terms of the loss on both parts of the data at every epoch."""

from __future__ import annotations

import math
import time
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from dgm.errors import ModelError
from dgm.vae.data import Faces, Split
from dgm.vae.loader import FaceLoader
from dgm.vae.model import VAE
from dgm.vae.objective import Terms, elbo_terms, optimal_variance
from dgm.vae.progress import Progress

VARIANCE_MEMORY = 0.9  # the likelihood's variance follows the batches' optimal ones this slowly


@dataclass(frozen=True)
class TrainingConfig:
    """What a training depends on beside the data. ``sigma`` 0 means the optimal likelihood (Rybkin et al. 2021).

    Raises:
        ModelError: a value out of its range.
    """

    epochs: int = 1000
    batch_size: int = 128
    learning_rate: float = 5e-4
    latent_dim: int = 200
    beta: float = 1.0
    sigma: float = 0.0
    dropout: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("batch_size", 2), ("latent_dim", 1), ("beta", 0), ("sigma", 0)):
            value = asdict(self)[name]
            if not value >= least:
                raise ModelError(f"{name} = {value} is too small; nearest: {least}")
        if not 0 < self.learning_rate < math.inf:
            raise ModelError(f"learning_rate = {self.learning_rate} is not positive; nearest: 0.0005")


@dataclass(frozen=True)
class Measure:
    """Means over images: both terms in nats, the squared error over pixel values in [0, 1]."""

    reconstruction: float
    kl: float
    squared_error: float


@dataclass(frozen=True)
class History:
    """A measure an epoch; ``train`` is taken while the weights move, ``valid`` after, in evaluation mode."""

    train: tuple[Measure, ...]
    valid: tuple[Measure, ...]


@dataclass(frozen=True)
class Trained:
    """A trained model with how it became so."""

    model: VAE
    config: TrainingConfig
    history: History
    seconds: float
    device: str


def best_device() -> torch.device:
    """CUDA where it is, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def train(faces: Faces, split: Split, config: TrainingConfig) -> Trained:
    """Train on ``split.train`` and measure on both parts at every epoch.

    Raises:
        ModelError: the loss is no longer a number.
    """
    torch.manual_seed(config.seed)
    device = best_device()
    data = faces.images.to(device)
    model = VAE(faces.images.shape[-1], config.latent_dim, config.dropout)
    model.start_at(data[split.train[:512]].float().mean((0, 2, 3)).cpu() / 255)
    model = model.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    loader = FaceLoader(data, split.train, config.batch_size, shuffle=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, len(loader) * config.epochs)
    started, progress = time.monotonic(), Progress(config.epochs)
    train_measures, valid_measures = [], []
    for epoch in range(1, config.epochs + 1):
        train_measures.append(_epoch(model, loader, config, optimizer, schedule))
        valid_measures.append(evaluate(model, data, split.valid, config.beta))
        _check_finite(train_measures[-1], epoch)
        progress.step(epoch, train_measures[-1].reconstruction, train_measures[-1].kl)
    progress.close()
    history = History(tuple(train_measures), tuple(valid_measures))
    return Trained(model.eval(), config, history, time.monotonic() - started, _device_name(device))


def _epoch(model: VAE, loader: FaceLoader, config: TrainingConfig, optimizer: torch.optim.Optimizer,
           schedule: torch.optim.lr_scheduler.LRScheduler) -> Measure:
    model.train()
    measures = []
    for x in loader:  # (B, 3, S, S)
        noise = torch.randn(len(x), config.latent_dim, device=x.device)
        fixed = torch.tensor(config.sigma**2, device=x.device) if config.sigma else None
        terms = _terms(model, x, noise, fixed, config.beta)
        optimizer.zero_grad(set_to_none=True)
        terms.loss.backward()
        optimizer.step()
        schedule.step()
        _follow_variance(model, terms, fixed)
        measures.append(_values(terms))
    return _mean_measure(measures)


def _terms(model: VAE, x: Tensor, noise: Tensor, variance: Tensor | None, beta: float) -> Terms:
    with _autocast(x):
        mean, posterior = model(x, noise)
    return elbo_terms(x, mean, posterior, variance, beta)


def _values(terms: Terms) -> Tensor:  # (3,), in the order of Measure's fields
    return torch.stack([terms.reconstruction, terms.kl, terms.squared_error]).detach()


@torch.no_grad()
def _follow_variance(model: VAE, terms: Terms, fixed: Tensor | None) -> None:
    target = optimal_variance(terms.squared_error) if fixed is None else fixed
    memory = VARIANCE_MEMORY if fixed is None and model.variance != 1 else 0.0
    model.variance.mul_(memory).add_((1 - memory) * target)


@torch.no_grad()
def evaluate(model: VAE, data: Tensor, indices: Tensor, beta: float = 1.0) -> Measure:
    """Both terms on unseen images in evaluation mode: running batch statistics, no dropout, the model's variance."""
    model.eval()
    measures, sizes = [], []
    generator = torch.Generator(device=data.device).manual_seed(0)  # the same noise at every epoch
    for x in FaceLoader(data, indices, 256, shuffle=False):
        noise = torch.randn(len(x), model.latent_dim, device=x.device, generator=generator)
        measures.append(_values(_terms(model, x, noise, model.variance, beta)) * len(x))
        sizes.append(len(x))
    return _mean_measure([torch.stack(measures).sum(0) / sum(sizes)])


def _autocast(x: Tensor) -> AbstractContextManager[object]:
    """bfloat16 for convolutions where the processor computes in it, float32 elsewhere."""
    return torch.autocast(x.device.type, torch.bfloat16, enabled=x.is_cuda or _processor_has_bfloat16())


def _processor_has_bfloat16() -> bool:
    """Whether the CPU has instructions for it; where it only imitates them, float32 is faster."""
    native = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # private, so it may be gone in a later torch
    return torch.backends.mkldnn.is_available() and native is not None and bool(native())


def _mean_measure(measures: list[Tensor]) -> Measure:
    return Measure(*torch.stack(measures).mean(0).tolist())


def _check_finite(measure: Measure, epoch: int) -> None:
    if not math.isfinite(measure.reconstruction + measure.kl):
        raise ModelError(f"epoch {epoch}: the loss is no longer a number; try a learning_rate below the present one")


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
