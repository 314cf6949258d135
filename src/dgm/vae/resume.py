"""A training's checkpoint: one file that is replaced whole, weights and all as safetensors (never pickle)."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialize

from dgm.vae.atomic import write_whole
from dgm.vae.identity import Identity
from dgm.vae.message import say
from dgm.vae.trainer import State, Trainer


class Resumable:
    """Keeps the state of one training in a folder, under a name that holds the digest of its identity."""

    def __init__(self, trainer: Trainer, folder: Path, identity: Identity) -> None:
        self.trainer, self.identity = trainer, identity
        self.path = folder / f"checkpoint-{identity.digest[:16]}.safetensors"
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
        state = self.trainer.state()
        numbers = json.dumps({**state.numbers, "seconds": seconds})
        try:
            write_whole(self.path, serialize(state.tensors, {"identity": self.identity.digest, "numbers": numbers}))
            self._stands_at, self.seconds = (self.trainer.epoch, self.trainer.position), seconds
        except OSError as error:
            kept = "the last one is kept" if self.path.is_file() else "there is none yet"
            say(f"no checkpoint written to {self.path.parent} ({error.strerror}); {kept}, the training goes on")

    def restore(self) -> float:
        """Bring the training to its checkpoint, if there is one of the same identity; give its seconds so far."""
        for torn in self.path.parent.glob(f".{self.path.name}.*"):
            torn.unlink(missing_ok=True)  # what a process left that was killed while it wrote
        if not self.path.is_file():
            return 0.0
        try:
            with safe_open(self.path, "pt") as stored:
                about = stored.metadata() or {}
                tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118  # not a dict
            numbers = json.loads(about["numbers"])
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            say(f"{self.path} is damaged ({str(error).splitlines()[0]}); the training begins anew")
            return 0.0
        if about.get("identity") != self.identity.digest:
            return 0.0
        self.trainer.restore(State(tensors, numbers))
        self._stands_at = (self.trainer.epoch, self.trainer.position)
        self.seconds = float(numbers["seconds"])
        return self.seconds
