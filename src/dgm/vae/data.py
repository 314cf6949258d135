"""Faces in two classes from a folder or a .zip, whatever state the files are in, and their split."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from dgm.errors import DataError, nearest

MAX_PIXELS = 100_000_000  # an image beyond this is not decoded at all
MAX_FILE = 200_000_000  # bytes of one file, unpacked
MAX_SKIPPED = 0.1
IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm"}
NEGATION = re.compile(r"^(non|not|no|un|without|neg)")


@dataclass(frozen=True)
class Skipped:
    """A file that could not be used, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class LoadReport:
    """Where the images came from; ``fingerprint`` is SHA-256 over the sorted names and contents."""

    source: str
    synthetic: bool
    fingerprint: str
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True)
class Faces:
    """Images uint8 (N, 3, S, S) and whether each smiles, bool (N,)."""

    images: Tensor
    smiling: Tensor
    report: LoadReport

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class Split:
    """Indices of the training and of the validation images, int64 (N_train,) and (N_valid,)."""

    train: Tensor
    valid: Tensor


@dataclass(frozen=True)
class _File:
    name: str
    content: bytes


def load_faces(path: str | Path, image_size: int) -> Faces:
    """Read a folder or .zip with a smiling and an unsmiling class as squares of ``image_size`` pixels.

    Folder names are matched loosely (``smile``, ``Not-Smiling``, ``non_smile``). Files that are no images are
    skipped and named in the report. Grey, 16-bit, CMYK, palette and transparent images become RGB.

    Raises:
        DataError: nothing there, a class missing or not understood, more than a tenth of the files unusable,
            a zip whose names lead outside it.
    """
    source = Path(path)
    images, labels, skipped, digests = [], [], [], []
    for file, smiling in _classified(source):
        digests.append((file.name, hashlib.sha256(file.content).hexdigest()))
        try:
            images.append(_decode(file.content, image_size))
            labels.append(smiling)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            skipped.append(Skipped(file.name, _reason(error, file.content)))
    _check_usable(source, labels, skipped)
    fingerprint = hashlib.sha256(repr(sorted(digests)).encode()).hexdigest()
    stacked = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()  # (N, 3, S, S)
    return Faces(stacked, torch.tensor(labels), LoadReport(source.name, False, fingerprint, tuple(skipped)))


def stratified_split(smiling: Tensor, train_fraction: float, seed: int) -> Split:
    """Split so that both parts have the same share of smiling faces; the same seed gives the same split.

    Raises:
        DataError: the fraction is not strictly between 0 and 1.
    """
    if not 0 < train_fraction < 1:
        raise DataError(f"train_fraction = {train_fraction} is not between 0 and 1; nearest: 0.8")
    generator = torch.Generator().manual_seed(seed)
    parts: tuple[list[Tensor], list[Tensor]] = ([], [])
    for value in (False, True):
        members = torch.nonzero(smiling == value).flatten()
        members = members[torch.randperm(len(members), generator=generator)]
        cut = round(train_fraction * len(members))
        parts[0].append(members[:cut])
        parts[1].append(members[cut:])
    train, valid = (torch.cat(part) for part in parts)
    return Split(train[torch.randperm(len(train), generator=generator)],
                 valid[torch.randperm(len(valid), generator=generator)])


def is_smile_class(name: str) -> bool | None:
    """Whether a folder's name says smiling (True), unsmiling (False), or neither (None).

    >>> [is_smile_class(name) for name in ("Smile", "non_smile", "Not-Smiling", "cats")]
    [True, False, False, None]
    """
    plain = re.sub(r"[^a-z]", "", name.lower())
    if plain in ("neutral", "serious"):
        return False
    if "smil" not in plain and plain != "happy":
        return None
    return NEGATION.match(plain) is None


def _classified(source: Path) -> Iterator[tuple[_File, bool]]:
    """Every file below a class's folder, sorted by name, with its class."""
    if not source.exists():
        raise DataError(f"DATA={source}: no such file or folder")
    found: dict[bool, int] = {False: 0, True: 0}
    unknown: set[str] = set()
    files = _zip_files(source) if source.is_file() else _folder_files(source)
    for file in files:
        parts = PurePosixPath(file.name).parts[:-1]
        classes = [smiling for part in reversed(parts) if (smiling := is_smile_class(part)) is not None]
        if classes:
            found[classes[0]] += 1
            yield file, classes[0]
        elif PurePosixPath(file.name).suffix.lower() in IMAGE_SUFFIXES:
            unknown.add(parts[-1] if parts else ".")
    _check_classes(source, found, unknown)


def _check_classes(source: Path, found: dict[bool, int], unknown: set[str]) -> None:
    missing = [name for name, smiling in (("smile", True), ("non_smile", False)) if not found[smiling]]
    if unknown:
        odd = sorted(unknown)[0]
        raise DataError(f"DATA={source.name}: class name {odd!r} is not understood; "
                        f"{nearest(odd.lower(), ['smile', 'non_smile'])}")
    if len(missing) == 2:
        raise DataError(f"DATA={source.name}: no images; two folders are needed, 'smile' and 'non_smile'")
    if missing:
        raise DataError(f"DATA={source.name}: only one class; the folder {missing[0]!r} is missing or empty")


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) or part == "Thumbs.db" for part in PurePosixPath(name).parts)


def _folder_files(source: Path) -> Iterator[_File]:
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source).as_posix()
        if path.is_file() and not _hidden(name):
            yield _File(f"{source.name}/{name}", path.read_bytes() if path.stat().st_size <= MAX_FILE else b"")


def _zip_files(source: Path) -> Iterator[_File]:
    try:
        archive = zipfile.ZipFile(source)
    except zipfile.BadZipFile:
        raise DataError(f"DATA={source.name}: neither a folder nor a readable .zip") from None
    with archive:
        entries = sorted(archive.infolist(), key=lambda entry: entry.filename)
        for entry in entries:
            _check_name(entry.filename, source)
        for entry in entries:
            if not entry.is_dir() and not _hidden(entry.filename):
                yield _File(entry.filename, _read(archive, entry))


def _check_name(name: str, source: Path) -> None:
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or name.startswith(("/", "\\")) or ":" in parts[0]:
        raise DataError(f"DATA={source.name}: refused, the name {name!r} leads outside the archive")


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """An entry's bytes; none if it is too large, encrypted or damaged, so that it is skipped as no image."""
    if entry.file_size > MAX_FILE:
        return b""
    try:
        return archive.read(entry)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError):
        return b""


def _decode(content: bytes, size: int) -> np.ndarray:
    """An image file as a square RGB array, uint8 (size, size, 3), its middle cut out."""
    with Image.open(io.BytesIO(content)) as opened:
        if opened.width * opened.height > MAX_PIXELS:
            raise ValueError(f"{opened.width}x{opened.height} pixels are too many")
        opened.draft("RGB", (2 * size, 2 * size))  # a JPEG may be decoded at a fraction of its size
        image = _rgb(ImageOps.exif_transpose(opened) or opened)
    return np.asarray(ImageOps.fit(image, (size, size), Image.Resampling.BICUBIC))


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits a pixel; 65535 / 257 = 255
        grey = np.asarray(image).astype(np.float64) / 257
        return Image.fromarray(grey.clip(0, 255).round().astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layered = image.convert("RGBA")
        white = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(white, layered).convert("RGB")
    return image.convert("RGB")


def _reason(error: Exception, content: bytes) -> str:
    if not content:
        return "empty or too large"
    return "not an image" if isinstance(error, UnidentifiedImageError) else str(error).splitlines()[0][:80]


def _check_usable(source: Path, labels: Sequence[bool], skipped: Sequence[Skipped]) -> None:
    total = len(labels) + len(skipped)
    if len(skipped) > MAX_SKIPPED * total:
        first = skipped[0]
        raise DataError(f"DATA={source.name}: {len(skipped)} of {total} files are no usable images, more than a tenth; "
                        f"the first is {first.name} ({first.reason})")
    for smiling, name in ((True, "smile"), (False, "non_smile")):
        if sum(label == smiling for label in labels) < 2:
            raise DataError(f"DATA={source.name}: class {name!r} has fewer than two usable images")
