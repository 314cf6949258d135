"""What people look at during a run: strips of reconstructions, and TensorBoard where it is installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dgm.vae import latent
from dgm.vae.model import VAE
from dgm.vae.picture import image_grid
from dgm.vae.trainer import History


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
        means = latent.encode(model, self.images).mean
        pair = torch.cat([self.images.float() / 255, latent.decode(model, means)])
        self.folder.mkdir(parents=True, exist_ok=True)
        image_grid(pair, len(self.images)).save(self.folder / f"strip-{epoch:04}.png")

    def _log(self, epoch: int, history: History) -> None:
        for part, measures in (("train", history.train), ("valid", history.valid)):
            for name in ("reconstruction", "kl", "squared_error"):
                self.writer.add_scalar(f"{name}/{part}", getattr(measures[-1], name), epoch)


def _tensorboard(folder: Path) -> Any:
    """A writer of TensorBoard's logs, or None; its package is no requirement of this one."""
    if importlib.util.find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    try:
        return SummaryWriter(str(folder / "tensorboard"))
    except OSError:
        return None
