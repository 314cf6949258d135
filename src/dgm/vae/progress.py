"""How far the training is: a bar on the terminal, or lines in the file that GOZARESH_PROGRESS names."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm


@dataclass
class Progress:
    """A bar over epochs with both terms of the loss and the time left."""

    epochs: int
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        name = os.environ.get("GOZARESH_PROGRESS", "")
        self._file = Path(name) if name else None
        self._bar = tqdm(total=self.epochs, unit="epoch", disable=self._file is not None)

    def step(self, epoch: int, reconstruction: float, kl: float) -> None:
        """Show that ``epoch`` (from 1) is done."""
        text = f"reconstruction {reconstruction:.0f} + KL {kl:.0f} nats"
        self._bar.set_postfix_str(text)
        self._bar.update()
        if self._file is not None:
            left = (time.monotonic() - self.started) / epoch * (self.epochs - epoch)
            with self._file.open("a", encoding="utf-8") as stream:
                stream.write(f"epoch {epoch}/{self.epochs}, {text}, {left:.0f} s left\n")

    def close(self) -> None:
        """End the bar."""
        self._bar.close()
