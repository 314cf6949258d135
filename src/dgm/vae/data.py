"""Faces in two classes from a folder or a .zip, whatever state the files are in, and their split."""

from __future__ import annotations

import hashlib
import io
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from dgm.errors import DataError, nearest

MAX_PIXELS = 100_000_000  # an image beyond this is not decoded at all
MAX_FILE = 200_000_000  # bytes of one file, unpacked
MAX_SKIPPED = 0.1
# what Pillow's decoders raise on damaged files
UNREADABLE = (OSError, ValueError, SyntaxError, ArithmeticError, LookupError, TypeError, EOFError, struct.error,
              Image.DecompressionBombError)
IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm"}
IMAGE_FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM")  # none that runs another program
SYSTEM_FILES = {"Thumbs.db", "desktop.ini"}
NEUTRAL = {"neutral", "serious", "unhappy"}
NEGATIONS = {"non", "not", "no", "un", "without", "neg", "negative", "isn"}
NEGATED = re.compile(r"(non|not|no|un|without|neg)smil")


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
    read: Callable[[], bytes]  # no bytes if the file is too large, encrypted or damaged


@dataclass(frozen=True)
class _Sorted:
    """The files of both classes, and those that lie beside the classes' folders."""

    classed: list[tuple[_File, str, bool]]  # the file, its name from its class's folder on, whether it smiles
    stray: list[_File]


def load_faces(path: str | Path, image_size: int) -> Faces:
    """Read a folder or .zip with a smiling and an unsmiling class as squares of ``image_size`` pixels.

    Folder names are matched loosely (``smile``, ``Not-Smiling``, ``non_smile``). Files that are no images are
    skipped and named in the report. Grey, 16-bit, CMYK, palette and transparent images become RGB.

    Raises:
        DataError: nothing there, a class missing or not understood, more than a tenth of the files unusable,
            a zip whose names lead outside it.
    """
    if not str(path).strip():
        raise DataError("DATA is empty; give a folder or a .zip with the two folders 'smile' and 'non_smile'")
    source = Path(path)
    images, labels, digests = [], [], []
    with _files(source) as files:
        parts = _sort(source, files)
        skipped = [Skipped(file.name, "outside the classes' folders") for file in parts.stray]
        for file, inner_name, smiling in parts.classed:
            content = file.read()
            digests.append((inner_name, hashlib.sha256(content).hexdigest()))
            try:
                images.append(_decode(content, image_size))
                labels.append(smiling)
            except UNREADABLE as error:
                skipped.append(Skipped(file.name, _reason(error, content)))
    _check_usable(source, labels, skipped)
    fingerprint = hashlib.sha256(repr(sorted(digests)).encode()).hexdigest()
    stacked = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()  # (N, 3, S, S)
    return Faces(stacked, torch.tensor(labels), LoadReport(source.name, False, fingerprint, tuple(skipped)))


def stratified_split(smiling: Tensor, train_fraction: float, seed: int) -> Split:
    """Split so that both parts have the same share of smiling faces; the same seed gives the same split.

    Each part gets at least one image of each class.

    Raises:
        DataError: the fraction is not strictly between 0 and 1, or a class has fewer than two images.
    """
    if not 0 < train_fraction < 1:
        raise DataError(f"train_fraction = {train_fraction} is not between 0 and 1; nearest: 0.8")
    generator = torch.Generator().manual_seed(seed)
    parts: tuple[list[Tensor], list[Tensor]] = ([], [])
    for value in (False, True):
        members = torch.nonzero(smiling == value).flatten()
        members = members[torch.randperm(len(members), generator=generator)]
        if len(members) < 2:
            raise DataError(f"class {'smile' if value else 'non_smile'!r} has {len(members)} images; a split needs two")
        cut = min(max(round(train_fraction * len(members)), 1), len(members) - 1)
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
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]
    if not NEUTRAL.isdisjoint(words):
        return False
    if not any("smil" in word or word == "happy" for word in words):
        return None
    return not any(word in NEGATIONS or NEGATED.match(word) for word in words)


def _sort(source: Path, files: Sequence[_File]) -> _Sorted:
    """Give every file its class, by the nearest folder above it that names one."""
    classes = _class_folders([PurePosixPath(file.name) for file in files])
    above = {outer for folder in classes for outer in folder.parents}
    classed, stray, unknown = [], [], set()
    for file in files:
        path = PurePosixPath(file.name)
        folder = next((parent for parent in path.parents if parent in classes), None)
        if folder is not None:
            classed.append((file, f"{folder.name}/{path.relative_to(folder)}", classes[folder]))
        elif path.suffix.lower() in IMAGE_SUFFIXES:
            stray.append(file) if path.parent in above else unknown.add(path.parent.name or ".")
    found = {value: sum(smiling == value for _, _, smiling in classed) for value in (False, True)}
    _check_classes(source, found, unknown)
    return _Sorted(classed, stray)


def _class_folders(paths: Sequence[PurePosixPath]) -> dict[PurePosixPath, bool]:
    """The folders that name a class; not one such as ``smile-data`` that holds a folder of the other class."""
    folders = {parent for path in paths for parent in path.parents}
    named = {folder: smiling for folder in folders if (smiling := is_smile_class(folder.name)) is not None}
    holders = {outer for inner in named for outer in inner.parents if named.get(outer, named[inner]) != named[inner]}
    return {folder: smiling for folder, smiling in named.items() if folder not in holders}


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
    return any(part.startswith((".", "__MACOSX")) or part in SYSTEM_FILES for part in PurePosixPath(name).parts)


@contextmanager
def _files(source: Path) -> Iterator[list[_File]]:
    """The files of a folder or .zip sorted by name; they can be read while the context lasts."""
    if source.is_dir():
        yield _folder_files(source)
    elif source.exists():
        with _open_zip(source) as archive:
            yield _zip_files(archive, source)
    else:
        raise DataError(f"DATA={source}: no such file or folder")


def _folder_files(source: Path) -> list[_File]:
    top = source.resolve().name
    found = [(path.relative_to(source).as_posix(), path) for path in sorted(source.rglob("*")) if path.is_file()]
    return [_File(f"{top}/{name}", partial(_read_file, path)) for name, path in found if not _hidden(name)]


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.stat().st_size <= MAX_FILE else b""
    except OSError:
        return b""


def _open_zip(source: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(source)
    except (zipfile.BadZipFile, OSError, ValueError, struct.error):
        raise DataError(f"DATA={source.name}: neither a folder nor a readable .zip") from None


def _zip_files(archive: zipfile.ZipFile, source: Path) -> list[_File]:
    entries = sorted(archive.infolist(), key=lambda entry: entry.filename)
    for entry in entries:
        _check_name(entry.filename, source)
    named = [(entry.filename.replace("\\", "/"), entry) for entry in entries if not entry.is_dir()]
    return [_File(name, partial(_read_entry, archive, entry)) for name, entry in named if not _hidden(name)]


def _check_name(name: str, source: Path) -> None:
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or name.startswith(("/", "\\")) or ":" in parts[0]:
        raise DataError(f"DATA={source.name}: refused, the name {name!r} leads outside the archive")


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.file_size > MAX_FILE:
        return b""
    try:
        return archive.read(entry)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error, OSError, EOFError, ValueError):
        return b""


def _decode(content: bytes, size: int) -> np.ndarray:
    """An image file as a square RGB array, uint8 (size, size, 3), its middle cut out."""
    # no warnings: a file either gives an image or is reported as skipped
    with (warnings.catch_warnings(action="ignore"),
          Image.open(io.BytesIO(content), formats=IMAGE_FORMATS) as opened):
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
        return "empty, too large or damaged"
    if isinstance(error, UnidentifiedImageError):
        return "not an image"
    return (str(error).splitlines() or [type(error).__name__])[0][:80]


def _check_usable(source: Path, labels: Sequence[bool], skipped: Sequence[Skipped]) -> None:
    total = len(labels) + len(skipped)
    if len(skipped) > MAX_SKIPPED * total:
        first = skipped[0]
        raise DataError(f"DATA={source.name}: {len(skipped)} of {total} files are no usable images, more than a tenth; "
                        f"the first is {first.name} ({first.reason})")
    for smiling, name in ((True, "smile"), (False, "non_smile")):
        if sum(label == smiling for label in labels) < 2:
            raise DataError(f"DATA={source.name}: class {name!r} has fewer than two usable images")
