"""How far the training is: a bar on the terminal, or lines in the file that GOZARESH_PROGRESS names."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from dgm.vae.trainer import Measure


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

    def step(self, epoch: int, measure: Measure) -> None:
        """Show that ``epoch`` (from 1) is done."""
        an_epoch = (time.monotonic() - self.started) / (epoch - self.done)
        text = (f"reconstruction {measure.reconstruction:.0f} + KL {measure.kl:.0f} nats, "
                f"{self.images / an_epoch:.0f} images/s")
        self._bar.set_postfix_str(text)
        self._bar.update()
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as stream:
                stream.write(f"epoch {epoch}/{self.epochs}, {text}, {an_epoch * (self.epochs - epoch):.0f} s left\n")
