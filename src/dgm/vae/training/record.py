"""Records of long trainings, which a report may use in place of its own, and the command that makes them.

``python -m dgm.vae.training.record --name paper --data faces.zip --epochs 1000 --minutes 10``, as often as it takes.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Protocol

import torch

from dgm.errors import DgmError, ModelError
from dgm.vae.common.device import best_device
from dgm.vae.common.files import UNREADABLE, read_files, reason, write_files
from dgm.vae.images.faces import Faces, LoadReport, Split, load_faces, stratified_split
from dgm.vae.model.vae import VAE
from dgm.vae.training import record as checkpoint
from dgm.vae.training.identity import Identity, identify
from dgm.vae.training.loop import History, Measure, Origin, Stretch, Trained, TrainingConfig, TrainingStopped, train
from dgm.vae.worlds.faces import synthetic_faces

UNFINISHED = 75  # exit status: run the same command again (EX_TEMPFAIL of sysexits.h)


def find_record(runs: Path, faces: Faces, split: Split, config: TrainingConfig) -> Trained | None:
    """The record under ``runs`` that was made with these very inputs and this very code, its ``origin`` set, or None.

    A record with epochs missing is taken only where no CUDA card could train them all.

    Raises:
        ModelError: there is one, but its weights are missing or damaged.
    """
    wanted = identify(faces, split, config, best_device()).recorded
    for path in sorted(runs.glob("*/run.json")):
        if _read_inputs(path) == wanted:
            found = checkpoint.load(path.parent)
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
    checkpoint.save(trained, data, folder, torch.bfloat16, about)


def _read_inputs(path: Path) -> object:
    try:
        return json.loads(path.read_bytes()).get("inputs")
    except (OSError, ValueError, AttributeError):
        return None


class Training(Protocol):
    """:func:`train`, or another way to the same."""

    def __call__(self, faces: Faces, split: Split, config: TrainingConfig, folder: Path | None = None, *,
                 budget: float = ..., source: Path | None = ...) -> Trained:
        """Train, or go on training."""


def main(arguments: Sequence[str] | None = None, training: Training = train, *, keeps: bool = True) -> int:
    """The command line; the exit status is 75 as long as epochs are missing.

    ``training`` is how it is done, and ``keeps`` whether this process says so and writes the record.
    """
    given = _parser().parse_args(arguments)
    try:
        config = TrainingConfig(**{field.name: getattr(given, field.name) for field in fields(TrainingConfig)})
        faces = (load_faces(given.data, given.image_size, Path("build/images")) if given.data
                 else synthetic_faces(given.synthetic, given.image_size, config.seed))
        split = stratified_split(faces.smiling, given.train_fraction, config.seed, faces.content)
        return _work(given, faces, split, config, training, keeps)
    except DgmError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except TrainingStopped as stopped:
        print(f"record {given.name}: {str(stopped).partition(', go on')[0]}, go on with the same command",
              file=sys.stderr)
        return 130


def _work(given: argparse.Namespace, faces: Faces, split: Split, config: TrainingConfig, training: Training,
          keeps: bool) -> int:
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
    write_record(trained, faces.report, known, given.runs / given.name)
    print(f"recorded: {given.runs / given.name}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dgm.vae.training.record", description="Train in resumable pieces; "
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


if __name__ == "__main__":
    sys.exit(main())

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
