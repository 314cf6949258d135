"""A training on disk: weights as safetensors (never pickle), the rest as readable JSON."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from dgm.errors import ModelError
from dgm.vae.data import LoadReport
from dgm.vae.model import VAE
from dgm.vae.train import History, Measure, Trained, TrainingConfig


def save(trained: Trained, data: LoadReport, folder: Path) -> None:
    """Write ``model.safetensors`` and ``run.json`` into ``folder``, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in trained.model.state_dict().items()}
    about = {
        "config": json.dumps(asdict(trained.config)), "history": json.dumps(asdict(trained.history)),
        "image_size": str(trained.model.image_size), "seconds": str(trained.seconds), "device": trained.device,
    }
    partial = folder / f".model.{os.getpid()}"
    save_file(weights, partial, metadata=about)
    partial.replace(folder / "model.safetensors")
    _write(json.dumps(run_record(trained, data), indent=1, ensure_ascii=False), folder / "run.json")


def run_record(trained: Trained, data: LoadReport) -> dict[str, object]:
    """What a reader needs to judge or repeat the run."""
    return {
        "data": {"source": data.source, "synthetic": data.synthetic, "fingerprint": data.fingerprint,
                 "skipped": [asdict(file) for file in data.skipped]},
        "image_size": trained.model.image_size, "config": asdict(trained.config), "device": trained.device,
        "torch": torch.__version__, "seconds": round(trained.seconds, 1), "history": asdict(trained.history),
    }


def load(path: Path) -> Trained:
    """Read a training back from ``model.safetensors``.

    Raises:
        ModelError: the file is missing, damaged, or not of this kind.
    """
    try:
        with safe_open(path, "pt") as stored:
            about = stored.metadata() or {}
            weights = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118  # not a dict
        config = TrainingConfig(**json.loads(about["config"]))
        model = VAE(int(about["image_size"]), config.latent_dim, config.dropout)
        model.load_state_dict(weights)
        history = json.loads(about["history"])
        parts = [tuple(Measure(**measure) for measure in history[part]) for part in ("train", "valid")]
        return Trained(model.eval(), config, History(*parts), float(about["seconds"]), about["device"])
    except (OSError, SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise ModelError(f"{path.name}: not a stored training: {str(error).splitlines()[0]}") from None


def _write(text: str, path: Path) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(path)
