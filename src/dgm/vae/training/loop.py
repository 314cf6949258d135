"""Training loop: from beginning to end, with checkpoints, stop signals and progress."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from torch import Tensor

from dgm.errors import ModelError
from dgm.vae.common.device import best_device, device_name, keep_freed_memory
from dgm.vae.images.faces import Faces, Split
from dgm.vae.model.discriminator import Discriminator
from dgm.vae.model.objective import psnr
from dgm.vae.model.prior import GaussianPrior
from dgm.vae.model.vae import VAE
from dgm.vae.training.checkpoint import Checkpointer, Segment
from dgm.vae.training.cuda_graph import GraphedTrainer
from dgm.vae.training.factor import FactorConfig, FactorHistory, FactorTrainer
from dgm.vae.training.identity import identify, identify_factor
from dgm.vae.training.reporting import Observer, Progress
from dgm.vae.training.trainer import History, Metrics, Trainer, TrainingConfig, evaluate

__all__ = ["FactorTrained", "History", "Metrics", "Origin", "Segment", "Trained", "TrainingConfig", "TrainingStopped",
           "evaluate", "train", "train_factor"]


class TrainingStopped(KeyboardInterrupt):
    """Ctrl-C or SIGTERM; says how far the training came and how it goes on."""


@dataclass(frozen=True)
class Origin:
    """The record that a training was read from: its name, its day as YYYY-MM-DD, and the version of PyTorch then.

    ``made_by`` is the digest of the code that made it if that is another which was found to train to the same bits.
    """

    name: str
    date: str
    torch: str
    made_by: str = ""


@dataclass(frozen=True)
class Trained:
    """A trained model with how it became so; ``origin`` is set if that was not now but read from a record.

    ``model`` has the weights of ``best_epoch`` (from 1), that of the least loss on unseen images, and ``last`` those
    after the last epoch; where the best epoch is not known (0), both are the last. ``prior`` is learned from
    the training images' posteriors, if a record holds it.
    ``seconds`` is 0 where SOURCE_DATE_EPOCH forbids to tell durations. ``device`` is where it ended; ``segments`` are
    more than one if it did not begin there.
    """

    model: VAE
    config: TrainingConfig
    history: History
    seconds: float
    device: str
    last: VAE
    best_epoch: int = 0
    origin: Origin | None = None
    segments: tuple[Segment, ...] = ()
    prior: GaussianPrior | None = None

    @property
    def epochs(self) -> int:
        """How many epochs were really trained; fewer than the configuration's if the time was up."""
        return len(self.history.train)

    @property
    def finished(self) -> bool:
        """True if all epochs of the configuration were trained."""
        return self.epochs == self.config.epochs

    @property
    def psnr(self) -> float:
        """Peak signal-to-noise ratio in dB of unseen images with ``model``, from one sample of q(z|x) each."""
        return psnr(self.unseen.squared_error)

    @property
    def unseen(self) -> Metrics:
        """Metrics of the validation images with ``model``."""
        return self.history.valid[self.best_epoch - 1]


@dataclass(frozen=True)
class FactorTrained:
    """A trained FactorVAE: its VAE, its discriminator, and the history of both."""

    vae: Trained
    config: FactorConfig
    history: FactorHistory
    discriminator: Discriminator

    @property
    def model(self) -> VAE:
        """The VAE's model."""
        return self.vae.model

    @property
    def finished(self) -> bool:
        """True if all epochs of the configuration were trained."""
        return self.vae.finished


def train(faces: Faces, split: Split, config: TrainingConfig, folder: Path | None = None, *,
          checkpoint_seconds: float = 60.0, strip_epochs: int = 10, budget: float = math.inf,
          source: Path | None = None) -> Trained:
    """Train on ``split.train`` and measure on both parts at every epoch.

    With a ``folder`` the training cannot be lost: its state is written there every ``checkpoint_seconds``, at the end,
    and when Ctrl-C or SIGTERM stops it, and the next call with the same inputs goes on from there. On the CPU the
    result is bit for bit that of a training never stopped. Every ``strip_epochs`` epochs a strip of reconstructions is
    drawn there. After ``budget`` seconds the training ends as it then stands. ``source`` is a checkpoint to begin from
    if the folder has none, as :class:`dgm.vae.training.checkpoint.Checkpointer` takes it.

    Raises:
        ModelError: the loss is no longer a number, or ``source`` is no checkpoint of this training.
        TrainingStopped: Ctrl-C or SIGTERM; the state is saved.
    """
    device = best_device()
    trainer = (GraphedTrainer if device.type == "cuda" else Trainer)(faces, split, config, device)
    stored = Checkpointer(trainer, folder, identify(faces, split, config, device), source) if folder else None
    seconds = run(trainer, stored, faces.images[split.valid[:8]], checkpoint_seconds, strip_epochs, budget)
    return result(trainer, stored, seconds, device_name(device))


def train_factor(faces: Faces, split: Split, config: FactorConfig, folder: Path | None = None, *,
                 checkpoint_seconds: float = 60.0, strip_epochs: int = 10, budget: float = math.inf) -> FactorTrained:
    """Train a FactorVAE as :func:`train` trains a VAE: resumable in the same way, bit for bit, with the same errors."""
    device = best_device()
    trainer = FactorTrainer(faces, split, config, device)
    stored = Checkpointer(trainer, folder, identify_factor(faces, split, config, device)) if folder else None
    seconds = run(trainer, stored, faces.images[split.valid[:8]], checkpoint_seconds, strip_epochs, budget)
    vae = result(trainer, stored, seconds, device_name(device))
    return FactorTrained(vae, config, trainer.history, trainer.discriminator.eval())


def result(trainer: Trainer, stored: Checkpointer | None, seconds: float, device: str) -> Trained:
    """The training as it stands."""
    with trainer.averaged_weights() as model:
        last = deepcopy(model).eval()
    best = deepcopy(last)
    best.load_state_dict(trainer.best.weights or last.state_dict())
    return Trained(best, trainer.config, trainer.history, reported_seconds(seconds), device, last, trainer.best.epoch,
                   segments=stored.segments if stored else ())


def reported_seconds(seconds: float) -> float:
    """No duration where SOURCE_DATE_EPOCH asks for results that can be repeated to the byte."""
    return 0.0 if os.environ.get("SOURCE_DATE_EPOCH") else seconds


def run(trainer: Trainer, stored: Checkpointer | None, shown: Tensor, checkpoint_seconds: float, strip_epochs: int,
        budget: float, should_stop: Callable[[bool], bool] = bool) -> float:
    """Bring a training to its end, or as far as it is let; give its seconds in all.

    ``shown`` uint8 (N, 3, S, S) are the images of the strips; ``should_stop`` combines this process's wish to stop with
    that of the others.
    """
    keep_freed_memory()
    folder = stored.path.parent if stored else None
    clock = _Clock(stored.restore() if stored else 0.0)
    observer = Observer(folder, shown, strip_epochs) if folder else None
    progress = Progress(trainer.config.epochs, len(trainer.split.train), trainer.epoch)
    try:
        with _StopSignals() as stop, progress:
            while not trainer.finished and not should_stop(clock.here >= budget or stop.asked):
                _step(trainer, progress, observer)
                if stored and clock.since_mark >= checkpoint_seconds:
                    stored.save(clock.total)
                    clock.mark()
            if stored:
                stored.save(clock.total)
    except ModelError as error:
        kept = f"; the last good state is kept in {folder}" if stored and stored.path.is_file() else ""
        raise ModelError(f"{error}{kept}") from None
    if should_stop(stop.asked):
        raise TrainingStopped(_stopped(trainer, folder))
    return stored.seconds if stored and stored.current else clock.total  # a later call then says the same


def _step(trainer: Trainer, progress: Progress, observer: Observer | None) -> None:
    """One step, and what is to be shown after an epoch's last."""
    done = trainer.epoch
    trainer.step()
    if trainer.epoch > done:
        progress.step(trainer.epoch, trainer.train_metrics[-1])
        if observer:
            observer.epoch(trainer.epoch, trainer.model, trainer.history)


def _stopped(trainer: Trainer, folder: Path | None) -> str:
    where = f"stopped after epoch {trainer.epoch} of {trainer.config.epochs} and {trainer.position} steps"
    return f"{where}; saved in {folder}, go on with: make report" if folder else f"{where}; nothing is saved"


@dataclass
class _Clock:
    """Seconds of this training in this process and before."""

    before: float
    started: float = field(default_factory=time.monotonic)
    marked: float = field(default_factory=time.monotonic)

    @property
    def here(self) -> float:
        return time.monotonic() - self.started

    @property
    def total(self) -> float:
        return self.before + self.here

    @property
    def since_mark(self) -> float:
        return time.monotonic() - self.marked

    def mark(self) -> None:
        self.marked = time.monotonic()


class _StopSignals:
    """Lets Ctrl-C and SIGTERM wait for the end of a step; a second one does not wait."""

    def __enter__(self) -> _StopSignals:
        self.asked = False
        self._former: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}
        if threading.current_thread() is threading.main_thread():  # others may not set handlers
            self._former = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
