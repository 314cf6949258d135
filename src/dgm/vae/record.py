"""Records of long trainings, which a report may use in place of its own, and the command that makes them.

``python -m dgm.vae.record --name paper --data faces.zip --epochs 1000 --minutes 10``, as often as it takes.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Protocol

import torch

from dgm.errors import DgmError
from dgm.vae import checkpoint
from dgm.vae.data import Faces, LoadReport, Split, load_faces, stratified_split
from dgm.vae.device import best_device
from dgm.vae.faces import synthetic_faces
from dgm.vae.identity import Identity, identify
from dgm.vae.train import Trained, TrainingConfig, TrainingStopped, train

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
    parser = argparse.ArgumentParser(prog="python -m dgm.vae.record", description="Train in resumable pieces; "
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
