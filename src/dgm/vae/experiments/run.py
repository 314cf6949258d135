"""One run of a sweep: train a FactorVAE and measure it on a world with known factors."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path

import torch

from dgm.errors import ModelError
from dgm.vae.analysis.measure import Sizes, measure, traversals
from dgm.vae.model.vae import IMAGE_SIZES
from dgm.vae.training.factor import FactorConfig, FactorHistory
from dgm.vae.training.identity import DECIDING, FACTOR, code_digest
from dgm.vae.training.loop import train_factor
from dgm.vae.training.trainer import TrainingConfig
from dgm.vae.worlds.world import Known, known_images, world

# the modules that decide what a run finds
CODE = (*DECIDING, *FACTOR, "worlds/world", "analysis/latent", "model/inference", "analysis/measure", "worlds/sprites",
        *(f"../disentangle/{name}" for name in ("importance", "information", "separated", "trees", "truth", "vote")))
SHOWN = 500  # validation images that say which dimensions a picture of traversals shows


@dataclass(frozen=True)
class Run:
    """What is trained, on how many images of which world, and measured on how many; the images are those of all seeds.

    Raises:
        DataError: there is no such world.
        ModelError: too few images for a batch, or a size that the model has not.
    """

    world: str = "sprites"
    images: int = 8000
    image_size: int = 32
    factor: FactorConfig = field(default_factory=FactorConfig)
    sizes: Sizes = field(default_factory=Sizes)

    def __post_init__(self) -> None:
        world(self.world)
        least = 5 * self.factor.training.batch_size // 4 + 1
        if self.images < least:
            raise ModelError(f"images = {self.images} are too few for a batch of {self.factor.training.batch_size}; "
                             f"nearest: {least}")
        if self.image_size not in IMAGE_SIZES:
            good = min(IMAGE_SIZES, key=lambda size: abs(size - self.image_size))
            raise ModelError(f"image_size = {self.image_size} is none of {sorted(IMAGE_SIZES)}; nearest: {good}")

    @property
    def label(self) -> str:
        """How a person tells it from the others of its sweep."""
        training = self.factor.training
        return f"{self.world}, beta {training.beta:g}, gamma {self.factor.gamma:g}, seed {training.seed}"

    def inputs(self) -> dict[str, object]:
        """All that the result depends on, as JSON has it."""
        found: dict[str, object] = json.loads(json.dumps({**asdict(self), "code": _code()}))
        return found

    def is_of(self, inputs: dict[str, object]) -> bool:
        """Tell if recorded inputs are these; a setting that they do not name had its default."""
        return inputs["code"] == _code() and run_of(inputs) == self

    @property
    def digest(self) -> str:
        """The name of its record: the beginning of SHA-256 over its inputs."""
        return hashlib.sha256(json.dumps(self.inputs(), sort_keys=True).encode()).hexdigest()[:16]


@cache
def _code() -> str:
    return code_digest(CODE)


def run_of(inputs: dict[str, object]) -> Run:
    """The run that has these inputs, by this code."""
    given = {name: value for name, value in inputs.items() if name != "code"}
    factor = dict(given.pop("factor"))  # type: ignore[call-overload]
    sizes = Sizes(**given.pop("sizes"))  # type: ignore[arg-type]
    return Run(**given, sizes=sizes,  # type: ignore[arg-type]
               factor=FactorConfig(TrainingConfig(**factor.pop("training")), **factor))


def with_values(base: Run, beta: float, gamma: float, seed: int) -> Run:
    """A run with other values of what a sweep goes over."""
    training = replace(base.factor.training, beta=float(beta), seed=seed)
    return replace(base, factor=replace(base.factor, training=training, gamma=float(gamma)))


@cache
def _drawn(name: str, images: int, image_size: int) -> Known:
    return known_images(world(name), images, image_size, seed=0)


def run_experiment(run: Run, folder: Path | None = None) -> dict[str, object]:
    """Train and measure; with a ``folder`` the training's state is kept there, and a run goes on where it was stopped.

    A chapter that calls it with a sweep's run, and computes with one thread as sweeps do, finds the same numbers.

    The result is a record of JSON's types: the run's inputs, its findings, its history, the seconds its training took,
    and a picture of traversals as a PNG file in base 64.
    """
    known = _drawn(run.world, run.images, run.image_size)
    torch.set_flush_denormal(True)  # Adam's moments of weights at pixels that are always black take half the time else
    trained = train_factor(known.images, known.split, run.factor, folder, strip_epochs=0)
    torch.set_flush_denormal(False)
    seed = run.factor.training.seed
    found = measure(trained.model, world(run.world), known, seed, run.sizes)
    picture = io.BytesIO()
    traversals(trained.model, known.images.images[known.split.valid[:SHOWN]]).save(picture, "png")
    return {"inputs": run.inputs(), "findings": found.numbers(), "history": _history(trained.history),
            "seconds": round(trained.vae.seconds, 1), "device": trained.vae.device, "torch": torch.__version__,
            "traversals": base64.b64encode(picture.getvalue()).decode()}


def _history(history: FactorHistory) -> dict[str, list[float]]:
    """A list an epoch; all but ``valid_…`` are means over the epoch's steps."""
    return {"reconstruction": [measure.reconstruction for measure in history.train],
            "kl": [measure.kl for measure in history.train],
            "total_correlation": [measure.total_correlation for measure in history.factor],
            "accuracy": [measure.accuracy for measure in history.factor],
            "valid_reconstruction": [measure.reconstruction for measure in history.valid],
            "valid_kl": [measure.kl for measure in history.valid]}
