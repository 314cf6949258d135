"""Checkpoint of a training: one safetensors file (never pickle), replaced whole; resuming from it or from a record."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save as serialize
from torch import Tensor

from dgm.errors import ModelError
from dgm.vae.common.console import say
from dgm.vae.common.files import UNREADABLE, best_weights, read_files, reason, write_whole
from dgm.vae.images.loader import FaceLoader
from dgm.vae.training.identity import Identity
from dgm.vae.training.trainer import Best, Metrics, State, Trainer


@dataclass(frozen=True)
class Segment:
    """A run of epochs from ``first`` (1-based), trained on one device, in one precision, by one version of PyTorch.

    ``from_record`` says that it went on from a record, hence from rounded weights and without Adam's moments.
    """

    first: int
    arithmetic: str
    from_record: bool = False

    @property
    def device(self) -> str:
        """The arithmetic's device, as records name it."""
        return self.arithmetic.rpartition(", torch ")[0]


class Checkpointer:
    """Keeps the state of one training in a folder, under a name that holds the digest of its identity.

    If nothing is there yet, the training begins from ``source``: a checkpoint of the same inputs, whatever arithmetic
    it was trained by, as long as that is a CPU's if this is; or a record of the same inputs, its folder, whatever it
    was trained on. :attr:`segments` says which epochs are whose.
    """

    def __init__(self, trainer: Trainer, folder: Path, identity: Identity, source: Path | None = None) -> None:
        self.trainer, self.identity, self.source = trainer, identity, source
        self.path = folder / f"checkpoint-{identity.digest[:16]}.safetensors"
        self.segments: tuple[Segment, ...] = (Segment(1, identity.arithmetic),)
        self.seconds = 0.0  # of training until the checkpoint
        self._stands_at: tuple[int, int] | None = None  # epoch and position of the checkpoint

    @property
    def current(self) -> bool:
        """Whether the checkpoint holds the training as it stands."""
        return self._stands_at == (self.trainer.epoch, self.trainer.position)

    def save(self, seconds: float) -> None:
        """Replace the checkpoint; if that cannot be done, say so and keep the former one.

        Raises:
            ModelError: the loss or a weight is no longer a number; the former one is kept.
        """
        if self.current:
            return
        self.trainer.require_finite()
        state, best = self.trainer.state(), self.trainer.best
        numbers = json.dumps({**state.numbers, "seconds": seconds, "best_epoch": best.epoch, "best_loss": best.loss})
        tensors = {**state.tensors, **{f"best.{name}": tensor.cpu() for name, tensor in best.weights.items()}}
        about = {"identity": self.identity.digest, "inputs": self.identity.inputs, "numbers": numbers,
                 "segments": _written(self.segments)}
        try:
            write_whole(self.path, serialize(tensors, about))
            self._stands_at, self.seconds = (self.trainer.epoch, self.trainer.position), seconds
        except OSError as error:
            kept = "the last one is kept" if self.path.is_file() else "there is none yet"
            say(f"no checkpoint written to {self.path.parent} ({error.strerror}); {kept}, the training goes on")

    def restore(self) -> float:
        """Bring the training to its checkpoint, if there is one of the same identity; give its seconds so far.

        Raises:
            ModelError: there is none, and ``source`` is no checkpoint or record of the same inputs.
        """
        for torn in self.path.parent.glob(f".{self.path.name}.*"):
            torn.unlink(missing_ok=True)  # what a process left that was killed while it wrote
        if self.path.is_file():
            return self._restore_own()
        return self._restore_source(self.source) if self.source else 0.0

    def _restore_own(self) -> float:
        try:
            stored = _read(self.path)
        except UNREADABLE as error:
            say(f"{self.path} is damaged ({reason(error)}); the training begins anew")
            return 0.0
        if stored.about.get("identity") != self.identity.digest:
            return 0.0
        self._take(stored)
        self._stands_at = (self.trainer.epoch, self.trainer.position)
        return self.seconds

    def _restore_source(self, source: Path) -> float:
        stored = self._read_record(source) if source.is_dir() else self._read_checkpoint(source)
        self._take(stored)
        own = Segment(self.trainer.epoch + 1, self.identity.arithmetic, source.is_dir())
        done = tuple(segment for segment in self.segments if segment.first < own.first)
        goes_on = not self.trainer.finished and (own.from_record or stored.arithmetic != own.arithmetic)
        self.segments = (*done, own) if goes_on or not done else done
        return self.seconds

    def _read_checkpoint(self, source: Path) -> _Stored:
        try:
            stored = _read(source)
        except UNREADABLE as error:
            raise ModelError(f"{source}: not a training's checkpoint ({reason(error)})") from None
        if stored.about.get("inputs") != self.identity.inputs:
            raise ModelError(f"{source}: a checkpoint of other data, split, configuration or code than are asked for")
        theirs, own = stored.arithmetic, self.identity.arithmetic
        if ("CPU, " in theirs) != ("CPU, " in own):
            raise ModelError(f"{source}: its random numbers are of another kind of device ({theirs}) than this ({own})")
        return stored

    def _read_record(self, source: Path) -> _Stored:
        try:
            record, weights = read_files(source)
            if not self.identity.is_of(record["inputs"]):
                raise ModelError(f"{source}: a record of other data, split, configuration or code than are asked for")
            state = restart_state(self.trainer, weights["weights"], record["history"])
            segments = ([Segment(**one) for one in record.get("segments", [])]
                         or [Segment(1, f"{record['device']}, torch {record['torch']}")])
            kept = {f"best.{name}": tensor for name, tensor in best_weights(record, weights).items()}
            metrics = Metrics(**{name: values[record["best_epoch"] - 1] for name, values
                                 in record["history"]["valid"].items()}) if kept else None
            numbers = {**state.numbers, "seconds": record["seconds"], "best_epoch": record.get("best_epoch", 0),
                       "best_loss": metrics.loss(self.trainer.config.beta) if metrics else 0.0}
            return _Stored(State({**state.tensors, **kept}, numbers), {"segments": _written(segments)})
        except UNREADABLE as error:
            raise ModelError(f"{source}: not a record ({reason(error)})") from None

    def _take(self, stored: _Stored) -> None:
        self.trainer.restore(stored.state)
        self.trainer.best = stored.best
        self.seconds = float(stored.state.numbers["seconds"])
        self.segments = stored.segments or self.segments


@dataclass(frozen=True)
class _Stored:
    state: State
    about: dict[str, str]

    @property
    def segments(self) -> tuple[Segment, ...]:
        return tuple(Segment(*one) for one in json.loads(self.about.get("segments", "[]")))

    @property
    def arithmetic(self) -> str:
        return self.segments[-1].arithmetic

    @property
    def best(self) -> Best:
        weights = {name.removeprefix("best."): tensor for name, tensor in self.state.tensors.items()
                   if name.startswith("best.")}
        numbers = self.state.numbers
        return Best(int(numbers["best_epoch"]), numbers["best_loss"], weights) if weights else Best()


def _written(segments: Sequence[Segment]) -> str:
    return json.dumps([astuple(segment) for segment in segments])


def _read(path: Path) -> _Stored:
    with safe_open(path, "pt") as stored:
        about = stored.metadata() or {}
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118  # not a dict
    return _Stored(State(tensors, json.loads(about["numbers"])), about)

History = Mapping[str, Mapping[str, Sequence[float]]]  # of "train" and "valid", a list for each field of Metrics


def restart_state(trainer: Trainer, weights: Mapping[str, Tensor], history: History) -> State:
    """The state after the epochs of ``history``, as far as a record tells it, for a new ``trainer``.

    The batches' order is the one that the training would have had. Three things are not: the weights are rounded as the
    record keeps them, Adam's moments begin from zero, and the noise is drawn from another seed.
    """
    epochs, config = len(history["train"][fields(Metrics)[0].name]), trainer.config
    order = torch.Generator().manual_seed(config.seed)
    loader = FaceLoader(trainer.data, trainer.split.train, config.batch_size, order)
    for _ in range(epochs):
        loader.batches()
    fresh = trainer.state()
    known = {f"model.{name}": tensor for name, tensor in weights.items()}
    if config.averaging:
        known |= {f"average.{name}": tensor for name, tensor in weights.items() if tensor.is_floating_point()}
    known |= {"order": order.get_state(), "train": _table(history["train"]), "valid": _table(history["valid"]),
              "noise": torch.Generator(trainer.data.device).manual_seed(config.seed + 1 + epochs).get_state()}
    return State({**fresh.tensors, **known}, fresh.numbers)


def _table(metrics: Mapping[str, Sequence[float]]) -> Tensor:  # float64 (E, 3), as Trainer keeps it
    return torch.tensor([metrics[field.name] for field in fields(Metrics)], dtype=torch.float64).T.contiguous()
