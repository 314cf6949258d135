"""Use of a recorded model from the command line: ``sample``, ``reconstruct`` and ``smile`` write images."""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from dgm.errors import ModelError
from dgm.vae.analysis.latent import smile_direction
from dgm.vae.analysis.quality import psnr, ssim
from dgm.vae.analysis.smile import GRID, choose_multiples, halves, train_probe, walk
from dgm.vae.common.files import write_whole
from dgm.vae.images.faces import Faces, load_faces, stratified_split
from dgm.vae.images.picture import png
from dgm.vae.model.inference import decode, encode
from dgm.vae.training.loop import Trained
from dgm.vae.training.record import load

RECORD = Path("report/runs/paper")


def sample(arguments: Sequence[str]) -> int:
    """Draw new faces from the learned prior, as the report's figure does."""
    parser = _parser("sample", sample.__doc__)
    parser.add_argument("--count", type=int, default=32, help="how many (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the noise (%(default)s)")
    given = parser.parse_args(arguments)
    if given.count < 1:
        raise ModelError(f"count = {given.count} is too small; nearest: 1")
    trained = load(given.record)
    if trained.prior is None:
        raise ModelError(f"{given.record}: the record holds no learned prior (prior.safetensors)")
    z = trained.prior.sample(given.count, torch.Generator().manual_seed(given.seed))
    _write(given.out, {f"{number:03}": image for number, image in enumerate(decode(trained.model, z))})
    print(f"{given.count} images: {given.out}")
    return 0


def reconstruct(arguments: Sequence[str]) -> int:
    """Write pairs of an image and its reconstruction; print the means of PSNR and SSIM."""
    parser = _parser("reconstruct", reconstruct.__doc__)
    _add_data(parser)
    given = parser.parse_args(arguments)
    trained = load(given.record)
    images = _faces(given, trained).images[: given.count]
    made = decode(trained.model, encode(trained.model, images).mean)
    originals = images.float() / 255
    for number, pair in enumerate(zip(originals, made, strict=True)):
        _write(given.out, {f"{number:03}-{name}": image
                           for name, image in zip(("original", "reconstruction"), pair, strict=True)})
    print(f"{len(made)} pairs: {given.out}; PSNR {psnr(made, originals):.2f} dB, SSIM {ssim(made, originals):.3f}")
    return 0


def smile(arguments: Sequence[str]) -> int:
    """Write six images of each unsmiling face, from none to all of a smile; ``smile.csv`` has the percentages."""
    parser = _parser("smile", smile.__doc__)
    _add_data(parser)
    given = parser.parse_args(arguments)
    trained = load(given.record)
    faces = _faces(given, trained)
    split = stratified_split(faces.smiling, 0.8, trained.config.seed, faces.content)
    first, _ = halves(split)
    judge = train_probe(faces, first, trained.config.seed)
    posterior = encode(trained.model, faces.images)
    direction = smile_direction(posterior.mean, faces.smiling).vector
    chosen = torch.cat([split.valid, split.train])
    z = posterior.mean[chosen[~faces.smiling[chosen]][: given.count]]
    multiples = choose_multiples(walk(trained.model, z, direction, judge, GRID))
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["face", "image", "multiple", "smile_percent"])
    for number, (start, steps) in enumerate(zip(z, multiples, strict=True)):
        images = decode(trained.model, start + steps.unsqueeze(1) * direction)
        _write(given.out, {f"{number:03}-{step}": image for step, image in enumerate(images)})
        seen = judge.probability(images).tolist()
        rows.writerows([f"{number:03}", step, f"{multiple:.2f}", f"{100 * smiles:.0f}"]
                       for step, (multiple, smiles) in enumerate(zip(steps.tolist(), seen, strict=True)))
    write_whole(given.out / "smile.csv", text.getvalue().encode())
    print(f"{len(z)} faces, {multiples.shape[1]} images each: {given.out}; the judge tells "
          f"{100 * judge.accuracy:.1f} % of unseen faces right")
    return 0


def _parser(name: str, about: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m dgm.vae {name}", description=about)
    parser.add_argument("--record", type=Path, default=RECORD, help="a recorded training (%(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="where the images are written")
    return parser


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="a folder or .zip of faces in two classes")
    parser.add_argument("--count", type=int, default=32, help="how many faces at most (%(default)s)")


def _faces(given: argparse.Namespace, trained: Trained) -> Faces:
    if given.count < 1:
        raise ModelError(f"count = {given.count} is too small; nearest: 1")
    return load_faces(given.data, trained.model.image_size)


def _write(folder: Path, images: dict[str, Tensor]) -> None:
    try:
        for name, image in images.items():
            write_whole(folder / f"{name}.png", png(image))
    except OSError as error:
        raise ModelError(f"{folder}: images cannot be written there ({error.strerror})") from None
