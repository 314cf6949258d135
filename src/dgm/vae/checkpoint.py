"""A finished or half-finished training on disk, and back."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path

import torch

from dgm.errors import ModelError
from dgm.vae.data import LoadReport
from dgm.vae.model import VAE
from dgm.vae.stored import UNREADABLE, read_files, reason, write_files
from dgm.vae.train import History, Measure, Origin, Stretch, Trained, TrainingConfig


def save(trained: Trained, data: LoadReport, folder: Path, precision: torch.dtype = torch.float32,
         about: dict[str, object] | None = None) -> None:
    """Write a training into ``folder``, its weights with ``precision``; ``about`` is added to ``run.json``.

    Raises:
        ModelError: the folder cannot be written to.
    """
    weights = {name: (tensor.to(precision) if tensor.is_floating_point() else tensor).detach().cpu().contiguous()
               for name, tensor in trained.model.state_dict().items()}
    try:
        write_files(folder, {**run_record(trained, data), **(about or {})}, weights)
    except OSError as error:
        raise ModelError(f"{folder}: the training cannot be written there ({error.strerror})") from None


def run_record(trained: Trained, data: LoadReport) -> dict[str, object]:
    """What a reader needs to judge or repeat the run; of the history a list for each of the measures."""
    history = {part: {field.name: [getattr(measure, field.name) for measure in measures] for field in fields(Measure)}
               for part, measures in (("train", trained.history.train), ("valid", trained.history.valid))}
    return {
        "data": {"source": data.source, "synthetic": data.synthetic, "fingerprint": data.fingerprint,
                 "skipped": [asdict(file) for file in data.skipped]},
        "image_size": trained.model.image_size, "config": asdict(trained.config), "epochs": trained.epochs,
        "device": trained.device, "stretches": [asdict(stretch) for stretch in trained.stretches],
        "torch": torch.__version__, "seconds": round(trained.seconds, 1), "history": history,
    }


def load(folder: Path) -> Trained:
    """Read a training back; it has an origin if ``run.json`` has a date, as records have.

    Raises:
        ModelError: a file is missing, damaged, or not of this kind.
    """
    try:
        record, weights = read_files(folder)
        config = TrainingConfig(**record["config"])
        model = VAE(record["image_size"], config.latent_dim, config.dropout)
        model.load_state_dict(weights)
        parts = [tuple(Measure(*row) for row in zip(*(record["history"][part][field.name] for field in fields(Measure)),
                                                    strict=True)) for part in ("train", "valid")]
        origin = (Origin(folder.name, record["date"], record["torch"], record.get("made_by", ""))
                  if "date" in record else None)
        stretches = tuple(Stretch(**one) for one in record.get("stretches", []))
        return Trained(model.eval(), config, History(*parts), record["seconds"], record["device"], origin, stretches)
    except UNREADABLE as error:
        raise ModelError(f"{folder.name}: not a stored training: {reason(error)}") from None
