"""Records of long trainings, which a report may use in place of its own, and the command that makes them.

``python -m dgm.vae record --name paper --data faces.zip --epochs 1000 --minutes 10``, as often as it takes.
"""

from __future__ import annotations

import argparse
import datetime
import json
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Protocol

import torch

from dgm.errors import ModelError
from dgm.vae.common.device import best_device
from dgm.vae.common.files import UNREADABLE, best_weights, read_files, reason, write_files
from dgm.vae.images.faces import Faces, LoadReport, Split, load_faces, stratified_split
from dgm.vae.model.inference import encode
from dgm.vae.model.prior import GaussianPrior, fit_prior
from dgm.vae.model.vae import VAE
from dgm.vae.training.identity import Identity, identify
from dgm.vae.training.loop import History, Metrics, Origin, Segment, Trained, TrainingConfig, train
from dgm.vae.worlds.faces import synthetic_faces

UNFINISHED = 75  # exit status: run the same command again (EX_TEMPFAIL of sysexits.h)


def find_record(runs: Path, faces: Faces, split: Split, config: TrainingConfig) -> Trained | None:
    """The record under ``runs`` that was made with these very inputs and this very code, its ``origin`` set, or None.

    A record with epochs missing is taken only where no CUDA card could train them all.

    Raises:
        ModelError: there is one, but its weights are missing or damaged.
    """
    wanted = identify(faces, split, config, best_device())
    for path in sorted(runs.glob("*/run.json")):
        if wanted.is_of(_read_inputs(path)):
            found = load(path.parent)
            return found if found.finished or best_device().type == "cpu" else None
    return None


def write_record(trained: Trained, data: LoadReport, known: Identity, folder: Path) -> None:
    """Keep a training as it stands as the record ``folder``, its weights in bfloat16.

    ``known`` is its identity, taken before it began: the code may be another when it ends.

    Raises:
        ModelError: the folder cannot be written to.
    """
    about: dict[str, object] = {"date": datetime.datetime.now(datetime.UTC).date().isoformat(),
                                "inputs": known.recorded}
    save(trained, data, folder, torch.bfloat16, about)


def _read_inputs(path: Path) -> object:
    try:
        return json.loads(path.read_bytes()).get("inputs")
    except (OSError, ValueError, AttributeError):
        return None


def save(trained: Trained, data: LoadReport, folder: Path, precision: torch.dtype = torch.float32,
         about: dict[str, object] | None = None) -> None:
    """Write a training into ``folder``, its weights with ``precision``; ``about`` is added to ``run.json``.

    Raises:
        ModelError: the folder cannot be written to.
    """
    files = {"weights": _rounded(trained.last, precision)}
    if trained.best_epoch not in (0, trained.epochs):
        files["best"] = _rounded(trained.model, precision)
    if trained.prior:
        files["prior"] = {"mean": trained.prior.mean, "covariance": trained.prior.covariance}
    try:
        write_files(folder, {**run_record(trained, data), **(about or {})}, files)
    except OSError as error:
        raise ModelError(f"{folder}: the training cannot be written there ({error.strerror})") from None


def _rounded(model: VAE, precision: torch.dtype) -> dict[str, torch.Tensor]:
    return {name: (tensor.to(precision) if tensor.is_floating_point() else tensor).detach().cpu().contiguous()
            for name, tensor in model.state_dict().items()}


def run_record(trained: Trained, data: LoadReport) -> dict[str, object]:
    """Contents of ``run.json``, from which the run is judged or repeated; of the history a list for each metric."""
    history = {part: {field.name: [getattr(one, field.name) for one in metrics] for field in fields(Metrics)}
               for part, metrics in (("train", trained.history.train), ("valid", trained.history.valid))}
    return {
        "data": {"source": data.source, "synthetic": data.synthetic, "fingerprint": data.fingerprint,
                 "skipped": [asdict(file) for file in data.skipped]},
        "image_size": trained.model.image_size, "config": asdict(trained.config), "epochs": trained.epochs,
        **({"best_epoch": trained.best_epoch} if trained.best_epoch else {}),
        "device": trained.device, "segments": [asdict(segment) for segment in trained.segments],
        "torch": torch.__version__, "seconds": round(trained.seconds, 1), "history": history,
    }


def load(folder: Path) -> Trained:
    """Read a training back; it has an origin if ``run.json`` has a date, as records have.

    Raises:
        ModelError: a file is missing, damaged, or not of this kind.
    """
    try:
        record, tensors = read_files(folder)
        config = TrainingConfig(**record["config"])
        last, shown = (VAE(record["image_size"], config.latent_dim, config.dropout).eval() for _ in range(2))
        last.load_state_dict(tensors["weights"])
        shown.load_state_dict(best_weights(record, tensors) or tensors["weights"])
        parts = [tuple(Metrics(*row) for row in zip(*(record["history"][part][field.name] for field in fields(Metrics)),
                                                    strict=True)) for part in ("train", "valid")]
        origin = (Origin(folder.name, record["date"], record["torch"], record.get("made_by", ""))
                  if "date" in record else None)
        segments = tuple(Segment(**one) for one in record.get("segments", []))
        prior = GaussianPrior(**tensors["prior"]) if "prior" in tensors else None
        return Trained(shown, config, History(*parts), record["seconds"], record["device"], last,
                       record.get("best_epoch", 0), origin, segments, prior)
    except UNREADABLE as error:
        raise ModelError(f"{folder.name}: not a stored training: {reason(error)}") from None


class Training(Protocol):
    """:func:`train`, or another way to the same."""

    def __call__(self, faces: Faces, split: Split, config: TrainingConfig, folder: Path | None = None, *,
                 budget: float = ..., source: Path | None = ...) -> Trained:
        """Train, or go on training."""


def main(arguments: Sequence[str] | None = None, training: Training = train, *, keeps: bool = True) -> int:
    """Command line; the exit status is 75 as long as epochs are missing.

    ``training`` is how it is done; only a process that ``keeps`` says so and writes the record.
    """
    given = _parser().parse_args(arguments)
    config = TrainingConfig(**{field.name: getattr(given, field.name) for field in fields(TrainingConfig)})
    faces = (load_faces(given.data, given.image_size, Path("build/images")) if given.data
             else synthetic_faces(given.synthetic, given.image_size, config.seed))
    split = stratified_split(faces.smiling, given.train_fraction, config.seed, faces.content)
    known = identify(faces, split, config, best_device())
    trained = training(faces, split, config, Path("build/records", given.name), budget=given.minutes * 60,
                       source=given.go_on_from)
    unfinished = not trained.epochs or not (trained.finished or given.as_it_stands)
    if not keeps:
        return UNFINISHED if unfinished else 0
    last = f", PSNR {trained.psnr:.2f} dB" if trained.epochs else ""
    print(f"record {given.name}: {trained.epochs} of {config.epochs} epochs, {trained.seconds / 60:.0f} minutes in all"
          f"{last}, code {known.code[:12]}")
    if unfinished:
        print("go on with the same command, or keep it with --as-it-stands --minutes 0")
        return UNFINISHED
    prior = fit_prior(encode(trained.model, faces.images[split.train]))
    write_record(replace(trained, prior=prior), faces.report, known, given.runs / given.name)
    print(f"recorded: {given.runs / given.name}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dgm.vae record", description="Train in resumable pieces; "
                                     "when all epochs are done, keep the training as a record.")
    parser.add_argument("--name", required=True, help="the record's folder")
    parser.add_argument("--runs", type=Path, default=Path("report/runs"), help="where records lie (%(default)s)")
    parser.add_argument("--data", default="", help="a folder or .zip of faces; without it faces are drawn")
    parser.add_argument("--synthetic", type=int, default=3600, help="how many faces are drawn (%(default)s)")
    parser.add_argument("--image-size", type=int, default=128, help="(%(default)s)")
    parser.add_argument("--train-fraction", type=float, default=0.8, help="(%(default)s)")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after these; the state is saved")
    parser.add_argument("--go-on-from", type=Path, metavar="PATH", help="a checkpoint or a record of the same inputs "
                        "from another machine, number of threads or torch, to begin from; a record has lost Adam's "
                        "moments and digits of its weights; the new one says which epochs are whose")
    parser.add_argument("--as-it-stands", action="store_true", help="keep it even if epochs are missing")
    for field in fields(TrainingConfig):
        name = "--" + field.name.replace("_", "-")
        if isinstance(field.default, bool):
            parser.add_argument(name, action="store_true", help="see TrainingConfig")
        else:
            parser.add_argument(name, type=type(field.default), default=field.default, help="(%(default)s)")
    return parser
