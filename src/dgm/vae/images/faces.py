"""Faces in two classes from a folder or a .zip, whatever state the files are in, and their split."""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import torch
from torch import Tensor

from dgm.errors import DataError, nearest
from dgm.vae.images.archive import File, files_of
from dgm.vae.images.decoded import decode_all

MAX_SKIPPED = 0.1
IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm"}
NEUTRAL = {"neutral", "serious", "unhappy"}
NEGATIONS = {"non", "not", "no", "un", "without", "neg", "negative", "isn"}
NEGATED = re.compile(r"(non|not|no|un|without|neg)smil")


@dataclass(frozen=True)
class Skipped:
    """A file that could not be used, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Repeated:
    """Files with the same content, which may fall into different parts of a split."""

    names: tuple[str, ...]
    both_classes: bool  # so that one of the labels is wrong


@dataclass(frozen=True)
class LoadReport:
    """Where the images came from; ``fingerprint`` is SHA-256 over names and contents in the order of the images."""

    source: str
    synthetic: bool
    fingerprint: str
    skipped: tuple[Skipped, ...] = ()
    repeated: tuple[Repeated, ...] = ()


@dataclass(frozen=True)
class Faces:
    """Images uint8 (N, 3, S, S) and whether each smiles, bool (N,); ``content`` (N,) is equal for copies of a file."""

    images: Tensor
    smiling: Tensor
    report: LoadReport
    content: Tensor | None = None

    def __len__(self) -> int:
        return len(self.images)

    @property
    def rarer_share(self) -> float:
        """The share of the smaller class; far below one half, a judge that always says the other looks good."""
        smiling = float(self.smiling.float().mean())
        return min(smiling, 1 - smiling)


@dataclass(frozen=True)
class Split:
    """Indices of the training and of the validation images, int64 (N_train,) and (N_valid,)."""

    train: Tensor
    valid: Tensor


@dataclass(frozen=True)
class _Classed:
    """A file of a class, and its name from the class's folder on."""

    file: File
    inner_name: str
    smiling: bool


@dataclass(frozen=True)
class _Sorted:
    """The files of both classes by their inner names, and those that lie beside the classes' folders."""

    classed: list[_Classed]
    stray: list[File]


def load_faces(path: str | Path, image_size: int, cache: Path | None = None) -> Faces:
    """Read a folder or .zip with a smiling and an unsmiling class as squares of ``image_size`` pixels.

    Folder names are matched loosely (``smile``, ``Not-Smiling``, ``non_smile``). Files that are no images are
    skipped and named in the report, as are files of the same content. With a ``cache`` folder the decoded images are
    kept there; a later call maps them into memory, where they take room only as far as they are used.

    Raises:
        DataError: nothing there, a class missing or not understood, more than a tenth of the files unusable,
            a zip whose names lead outside it.
    """
    if not str(path).strip():
        raise DataError("DATA is empty; give a folder or a .zip with the two folders 'smile' and 'non_smile'")
    source = Path(path)
    with files_of(source) as files:
        parts = _sort(source, files)
        decoded = decode_all([one.file for one in parts.classed], image_size, cache)
    skipped = [*(Skipped(file.name, "outside the classes' folders") for file in parts.stray),
               *(Skipped(parts.classed[number].file.name, why) for number, why in decoded.failures.items())]
    used = {number: one for number, one in enumerate(parts.classed) if number not in decoded.failures}
    labels = [one.smiling for one in used.values()]
    _check_usable(source, labels, skipped)
    contents = [(one.inner_name, digest) for one, digest in zip(parts.classed, decoded.digests, strict=True)]
    fingerprint = hashlib.sha256(repr(contents).encode()).hexdigest()
    digests = {number: decoded.digests[number] for number in used}
    report = LoadReport(source.name, False, fingerprint, tuple(skipped), _repeated(digests, used))
    first = {digest: number for number, digest in reversed(digests.items())}
    content = torch.tensor([first[digest] for digest in digests.values()])
    return Faces(decoded.images, torch.tensor(labels), report, content)


def _repeated(digests: dict[int, str], files: dict[int, _Classed]) -> tuple[Repeated, ...]:
    groups: dict[str, list[_Classed]] = defaultdict(list)
    for number, digest in digests.items():
        groups[digest].append(files[number])
    return tuple(Repeated(tuple(one.file.name for one in group), len({one.smiling for one in group}) == 2)
                 for group in groups.values() if len(group) > 1)


def stratified_split(smiling: Tensor, train_fraction: float, seed: int, content: Tensor | None = None) -> Split:
    """Split so that both parts have the same share of smiling faces; the same seed gives the same split.

    Each part gets at least one image of each class. With ``content`` no training image has a copy in the validation
    part, where it would not be unseen: such copies are moved to the training part.

    Raises:
        DataError: the fraction is not strictly between 0 and 1, or a class has fewer than two different images.
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
    if content is not None:
        seen = torch.isin(content[valid], content[train])
        train, valid = torch.cat([train, valid[seen]]), valid[~seen]
    if any(not (smiling[valid] == value).any() for value in (False, True)):
        raise DataError("after copies of training images are taken out, a class has no validation image left")
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


def _sort(source: Path, files: Sequence[File]) -> _Sorted:
    """Give every file its class, by the nearest folder above it that names one."""
    folder_of = {file.name: file.name.rpartition("/")[0] for file in files}
    folders = {name: PurePosixPath(name) for name in set(folder_of.values())}
    classes = _class_folders(set(folders.values()))
    above = {outer for folder in classes for outer in folder.parents}
    nearest_class = {name: next((one for one in (folder, *folder.parents) if one in classes), None)
                     for name, folder in folders.items()}
    classed, stray, unknown = [], [], set()
    for file in files:
        name = folder_of[file.name]
        folder = nearest_class[name]
        if folder is not None:
            inner_name = f"{folder.name}{file.name[len(str(folder)):]}"
            classed.append(_Classed(file, inner_name, classes[folder]))
        elif os.path.splitext(file.name)[1].lower() in IMAGE_SUFFIXES:
            stray.append(file) if folders[name] in above else unknown.add(folders[name].name or ".")
    found = {value: sum(one.smiling == value for one in classed) for value in (False, True)}
    _check_classes(source, found, unknown)
    return _Sorted(sorted(classed, key=lambda one: one.inner_name), stray)


def _class_folders(holding: set[PurePosixPath]) -> dict[PurePosixPath, bool]:
    """The folders that name a class; not one such as ``smile-data`` that holds a folder of the other class."""
    folders = holding.union(*(folder.parents for folder in holding))
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


def _check_usable(source: Path, labels: Sequence[bool], skipped: Sequence[Skipped]) -> None:
    total = len(labels) + len(skipped)
    if len(skipped) > MAX_SKIPPED * total:
        first = skipped[0]
        raise DataError(f"DATA={source.name}: {len(skipped)} of {total} files are no usable images, more than a tenth; "
                        f"the first is {first.name} ({first.reason})")
    for smiling, name in ((True, "smile"), (False, "non_smile")):
        if sum(label == smiling for label in labels) < 2:
            raise DataError(f"DATA={source.name}: class {name!r} has fewer than two usable images")
