"""Progress of a training: a bar on the terminal, or lines of JSON in the file that GOZARESH_PROGRESS names."""

from __future__ import annotations

import importlib.util
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from dgm.vae.images.picture import image_grid
from dgm.vae.model import inference
from dgm.vae.model.vae import VAE
from dgm.vae.training.trainer import History, Metrics


@dataclass
class Progress:
    """A bar over epochs with both terms of the loss, the speed and the time left; ``done`` epochs came before."""

    epochs: int
    images: int
    done: int = 0
    started: float = field(default_factory=time.monotonic)

    def __enter__(self) -> Progress:
        name = os.environ.get("GOZARESH_PROGRESS", "")
        self._file = Path(name) if name else None
        self._bar = tqdm(total=self.epochs, initial=self.done, unit="epoch", disable=self._file is not None)
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def step(self, epoch: int, metrics: Metrics) -> None:
        """Show that ``epoch`` (from 1) is done."""
        an_epoch = (time.monotonic() - self.started) / (epoch - self.done)
        text = (f"reconstruction {metrics.reconstruction:.0f} + KL {metrics.kl:.0f} nats, "
                f"{self.images / an_epoch:.0f} images/s")
        self._bar.set_postfix_str(text)
        self._bar.update()
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as stream:
                left = f"{an_epoch * (self.epochs - epoch):.0f} s left"
                stream.write(json.dumps({"unit": "epoch", "done": epoch, "total": self.epochs,
                                         "text": f"{text}, {left}"}) + "\n")


class Observer:
    """Draws ``images`` uint8 (N, 3, S, S) above their reconstructions every ``every`` epochs (0: never)."""

    def __init__(self, folder: Path, images: Tensor, every: int) -> None:
        self.folder, self.images, self.every = folder, images, every
        self.writer = _tensorboard(folder)

    def epoch(self, epoch: int, model: VAE, history: History) -> None:
        """Show epoch ``epoch`` (from 1). What cannot be written does not stop the training."""
        try:
            if self.every and epoch % self.every == 0:
                self._strip(epoch, model)
            if self.writer:
                self._log(epoch, history)
        except OSError:
            return  # the checkpoint's line on the same disk says it

    def _strip(self, epoch: int, model: VAE) -> None:
        means = inference.encode(model, self.images).mean
        pair = torch.cat([self.images.float() / 255, inference.decode(model, means)])
        self.folder.mkdir(parents=True, exist_ok=True)
        image_grid(pair, len(self.images)).save(self.folder / f"strip-{epoch:04}.png")

    def _log(self, epoch: int, history: History) -> None:
        for part, metrics in (("train", history.train), ("valid", history.valid)):
            for name in ("reconstruction", "kl", "squared_error"):
                self.writer.add_scalar(f"{name}/{part}", getattr(metrics[-1], name), epoch)


def _tensorboard(folder: Path) -> Any:
    """A writer of TensorBoard's logs, or None; its package is no requirement of this one."""
    if importlib.util.find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    try:
        return SummaryWriter(str(folder / "tensorboard"))
    except OSError:
        return None
