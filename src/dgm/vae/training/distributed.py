"""Training on several processes, a GPU or some cores each: the same loss curve as one process with the same batches.

``torchrun --nproc-per-node 2 -m dgm.vae distributed --name paper --data faces.zip --epochs 1000`` takes the options of
:mod:`dgm.vae.training.record` and does its work; on several hosts, add torchrun's ``--nnodes`` and ``--rdzv-endpoint``.

What is summed over all processes at a step: the batch normalisation's statistics, the squared error that the
likelihood's variance is taken from, and the gradients. Every process draws the order, the mirroring and the posteriors'
noise of the whole batch, and takes its share. So what differs from one process is rounding, and, where there is
dropout, which units are dropped: masks are drawn for a share by itself.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch._dynamo  # DDP imports it; imported while there is a group, it holds that group for good: see `group`
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from dgm.errors import ModelError
from dgm.vae.common.device import device_name, mixed_precision
from dgm.vae.images.faces import Faces, Split
from dgm.vae.model.objective import batch_terms, elbo_terms, loss_slopes
from dgm.vae.model.vae import draw_dropout_from
from dgm.vae.training import record
from dgm.vae.training.checkpoint import Checkpointer
from dgm.vae.training.identity import identify
from dgm.vae.training.loop import Trained, result, run
from dgm.vae.training.trainer import State, Trainer, TrainingConfig, metrics_of

MASKS = 1_000_003  # times the number of a step: the seed of its dropout masks


class _Sum(torch.autograd.Function):
    """y = the sum of all processes' x, on each of them. Their losses are summed too, so dx is the sum of all dy."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.contiguous().clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        return total


def summed(x: Tensor) -> Tensor:
    """The sum over all processes, differentiable."""
    total: Tensor = _Sum.apply(x)
    return total


class GlobalBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation over the batch of all processes together (torch's own does not compute on a CPU)."""

    def forward(self, x: Tensor) -> Tensor:  # (b, C, H, W), the share of this process
        """Normalise by the whole batch's statistics in training mode, else by the running ones."""
        if not self.training:
            return super().forward(x)
        values = x.float() if x.dtype == torch.bfloat16 else x
        own = torch.full((1,), x.numel() / x.shape[1], dtype=values.dtype, device=x.device)
        total = summed(torch.cat([values.sum((0, 2, 3)), own]))
        count = total[-1].detach()
        mean = (total[:-1] / count).view(1, -1, 1, 1)
        variance = summed((values - mean).square().sum((0, 2, 3))) / count  # after the mean, lest digits are lost
        self._remember(mean.detach().flatten(), variance.detach() * count / (count - 1))
        scale = (variance + self.eps).rsqrt() * self.weight
        return ((values - mean) * scale.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)).to(x.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
        self.running_var.lerp_(variance.to(self.running_var.dtype), self.momentum)
        self.num_batches_tracked += 1


def with_global_statistics(module: nn.Module) -> nn.Module:
    """Put :class:`GlobalBatchNorm2d` in every batch normalisation's place, with the same parameters and buffers."""
    for name, child in module.named_children():
        if type(child) is nn.BatchNorm2d:
            other = GlobalBatchNorm2d(child.num_features, child.eps, child.momentum)
            other.weight, other.bias = child.weight, child.bias
            other.running_mean, other.running_var = child.running_mean, child.running_var
            other.num_batches_tracked = child.num_batches_tracked
            setattr(module, name, other)
        else:
            with_global_statistics(child)
    return module


class DistributedTrainer(Trainer):
    """A :class:`Trainer` whose steps all processes of the default group make together, each on its share of a batch.

    Raises:
        ModelError: a batch has fewer images than there are processes.
    """

    def __init__(self, faces: Faces, split: Split, config: TrainingConfig, device: torch.device) -> None:
        super().__init__(faces, split, config, device)
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        smallest = min(config.batch_size, len(split.train))
        if smallest < self.size:
            raise ModelError(f"a batch of {smallest} images is too small for {self.size} processes; "
                             f"nearest: {self.size}")
        self.masks = torch.Generator(device)
        draw_dropout_from(self.model, self.masks)
        with_global_statistics(self.model)
        self.together = DistributedDataParallel(self.model, [device] if device.type == "cuda" else None,
                                                forward_sync_buffers=False)  # they are equal everywhere as it is

    def _set_gradients(self, x: Tensor, noise: Tensor, beta: float) -> Tensor:
        """The whole batch's gradients and metrics (3,), from the shares of all processes."""
        self.optimizer.zero_grad(set_to_none=True)
        done = self.epoch * len(self.loader) + self.position
        self.masks.manual_seed(self.config.seed + MASKS * (done * self.size + self.rank + 1))
        own, own_noise = x.tensor_split(self.size)[self.rank], noise.tensor_split(self.size)[self.rank]
        try:
            with mixed_precision(own):
                mean, posterior = self.together(own, own_noise)
            fixed = torch.tensor(self.config.sigma**2, device=x.device) if self.config.sigma else None
            terms = elbo_terms(own, mean, posterior, fixed)
            share = torch.stack([terms.squared_error, terms.kl]) * (len(own) / len(x))  # of the whole batch's means
            squared_error, kl = _total(share.detach())
            whole = batch_terms(squared_error, kl, fixed, x[0].numel())
            slopes = torch.stack(loss_slopes(whole, beta))
            ((slopes * share).sum() * self.size).backward()  # the gradients are averaged, not summed
        except torch.OutOfMemoryError:
            raise ModelError(f"{len(own)} images a process do not fit into the memory; try a batch_size below "
                             f"{len(x)}, or more processes") from None
        return metrics_of(whole)


def _total(values: Tensor) -> Tensor:
    dist.all_reduce(values)
    return values


def train_together(faces: Faces, split: Split, config: TrainingConfig, folder: Path | None = None, *,
                   checkpoint_seconds: float = 60.0, strip_epochs: int = 10, budget: float = math.inf,
                   source: Path | None = None) -> Trained:
    """:func:`dgm.vae.training.loop.train` on all processes of the default group; the first one keeps the files.

    A checkpoint is of one number of processes. The processes stop together, whichever was asked to.
    """
    device = own_device()
    trainer = DistributedTrainer(faces, split, config, device)
    plain = identify(faces, split, config, device)
    identity = replace(plain, arithmetic=f"{trainer.size} processes, {plain.arithmetic}")
    stored = Checkpointer(trainer, folder, identity, source) if folder and trainer.rank == 0 else None
    _share_state(trainer, stored)
    shown = faces.images[split.valid[:8]]
    seconds = run(trainer, stored, shown, checkpoint_seconds, strip_epochs, budget, all_reduce_any)
    return result(trainer, stored, seconds, f"{trainer.size} processes, {device_name(device)}")


def _share_state(trainer: DistributedTrainer, stored: Checkpointer | None) -> None:
    """Bring every process to the state that the first one finds on its disk."""
    if stored is not None:
        stored.restore()
    state: list[State | None] = [trainer.state() if trainer.rank == 0 and (trainer.epoch or trainer.position) else None]
    dist.broadcast_object_list(state, src=0)
    if state[0] is not None and trainer.rank > 0:
        trainer.restore(state[0])


def all_reduce_any(flag: bool) -> bool:
    """Tell each process if any of them says so."""
    said = torch.tensor([float(flag)], device=own_device())
    dist.all_reduce(said, dist.ReduceOp.MAX)
    return bool(said.item())


def own_device() -> torch.device:
    """The GPU of this process's number on its host, or the CPU."""
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if torch.cuda.is_available() else torch.device(
        "cpu")


@contextmanager
def group() -> Iterator[None]:
    """The group of processes that torchrun has started: nccl between GPUs, gloo between CPUs.

    Its threads end with it: one that still held a tensor while the interpreter goes would abort the process.

    Raises:
        ModelError: this process was not started by torchrun.
    """
    if "RANK" not in os.environ:
        raise ModelError("this is one process alone; start it with torchrun --nproc-per-node N, "
                         "or use python -m dgm.vae record")
    device = own_device()
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line of :mod:`dgm.vae.training.record`, on all processes."""
    with group():
        first = dist.get_rank() == 0
        if not first:
            os.environ["GOZARESH_PROGRESS"] = os.devnull
        return record.main(arguments, train_together, keeps=first)
