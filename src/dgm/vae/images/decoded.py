"""Decoded images, kept on disk under the digest of their files' contents and mapped into memory, not read."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import PIL
import torch
from torch import Tensor

from dgm.vae.common.console import say
from dgm.vae.common.files import write_whole
from dgm.vae.images import decode as decoding
from dgm.vae.images.archive import File
from dgm.vae.images.decode import UNREADABLE, decode, reason


@dataclass(frozen=True)
class Decoded:
    """The images uint8 (N, 3, S, S) of some files, the SHA-256 of every file, and why some gave no image, by number."""

    images: Tensor
    digests: tuple[str, ...]
    failures: dict[int, str]


def decode_all(files: Sequence[File], size: int, cache: Path | None) -> Decoded:
    """Decode every file, one at a time; with a ``cache`` folder, once for all calls with the same contents.

    A file is not even read again as long as its stamp stays.
    """
    digests = _digests(files, cache)
    if cache is not None:
        path = cache / f"{_key(digests, size)}.u8"
        try:
            failures = _stored(path, len(files), size)
            if failures is None:
                failures = _fill(path, files, size)
            return Decoded(_mapped(path, size), digests, failures)
        except OSError as error:
            say(f"decoded images cannot be kept in {cache} ({error.strerror})")
    stream = io.BytesIO()
    failures = _decode_into(stream, files, size)
    return Decoded(_images(np.frombuffer(stream.getbuffer(), np.uint8), size), digests, failures)


def _digests(files: Sequence[File], cache: Path | None) -> tuple[str, ...]:
    """SHA-256 of every file's content, remembered in the cache for files of the same names and stamps."""
    stamps = hashlib.sha256(json.dumps([(file.name, file.stamp) for file in files]).encode()).hexdigest()[:32]
    memory = cache / f"{stamps}.digests" if cache else None
    try:
        known = memory.read_text().split() if memory else []
    except OSError:
        known = []
    if len(known) == len(files):
        return tuple(known)
    digests = tuple(hashlib.sha256(file.read()).hexdigest() for file in files)
    if memory:
        with contextlib.suppress(OSError):  # then the images cannot be kept there either, which is said
            write_whole(memory, "\n".join(digests).encode())
    return digests


def _key(digests: Sequence[str], size: int) -> str:
    """What the decoded pixels depend on, in short."""
    code = Path(decoding.__file__).read_text(encoding="utf-8")
    return hashlib.sha256(json.dumps([digests, size, PIL.__version__, code]).encode()).hexdigest()[:32]


def _stored(path: Path, count: int, size: int) -> dict[int, str] | None:
    """The failures of a whole cache entry, or None."""
    try:
        failures = {int(number): why for number, why in json.loads(path.with_suffix(".json").read_bytes()).items()}
        return failures if path.stat().st_size == (count - len(failures)) * size * size * 3 else None
    except (FileNotFoundError, ValueError, AttributeError):
        return None


def _fill(path: Path, files: Sequence[File], size: int) -> dict[int, str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".partial")
    try:
        with beside.open("wb") as stream:
            failures = _decode_into(stream, files, size)
        write_whole(path.with_suffix(".json"), json.dumps(failures).encode())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return failures


def _decode_into(stream: BinaryIO, files: Sequence[File], size: int) -> dict[int, str]:
    failures = {}
    for number, file in enumerate(files):
        content = file.read()
        try:
            pixels = decode(content, size)
        except UNREADABLE as error:
            failures[number] = reason(error, content)
        else:
            stream.write(pixels.tobytes())
    return failures


def _mapped(path: Path, size: int) -> Tensor:
    if not path.stat().st_size:
        return torch.empty(0, 3, size, size, dtype=torch.uint8)
    return _images(np.memmap(path, np.uint8, "c"), size)  # "c": what is written to it stays in memory


def _images(pixels: np.ndarray, size: int) -> Tensor:  # (N * S * S * 3,) -> (N, 3, S, S), the channels stored last
    return torch.from_numpy(pixels).view(-1, size, size, 3).permute(0, 3, 1, 2)
