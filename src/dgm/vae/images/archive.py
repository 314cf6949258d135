"""The files of a folder or a .zip, by name, read one at a time."""

from __future__ import annotations

import contextlib
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dgm.errors import DataError

MAX_FILE = 200_000_000  # bytes of one file, unpacked
SYSTEM_FILES = {"Thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class File:
    """A file's name, with / between its parts, and how its bytes are read.

    As long as ``stamp`` stays, so do the bytes: an archive's checksum of them, or size and time of change.
    """

    name: str
    read: Callable[[], bytes]  # no bytes if the file is too large, encrypted or damaged
    stamp: str


@contextmanager
def files_of(source: Path) -> Iterator[list[File]]:
    """The files of a folder or .zip sorted by name; they can be read while the context lasts."""
    if source.is_dir():
        yield _folder_files(source)
    elif source.exists():
        with _open_zip(source) as archive:
            yield _zip_files(archive, source)
    else:
        raise DataError(f"DATA={source}: no such file or folder")


def _folder_files(source: Path) -> list[File]:
    top = source.resolve().name
    found = sorted(_names_below(str(source), ""))
    return [File(f"{top}/{name}", partial(_read_file, path), _stamp(path)) for name, path in found if not _hidden(name)]


def _names_below(folder: str, prefix: str) -> Iterator[tuple[str, str]]:
    """The files' names from the folder on, with /, and their paths; a folder that may not be read has none."""
    with contextlib.suppress(PermissionError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _names_below(entry.path, f"{prefix}{entry.name}/")
            elif entry.is_file():
                yield f"{prefix}{entry.name}", entry.path


def _stamp(path: str) -> str:
    try:
        known = os.stat(path)
        return f"{known.st_size} {known.st_mtime_ns} {known.st_ino}"
    except OSError:
        return "unreadable"


def _read_file(path: str) -> bytes:
    try:
        return Path(path).read_bytes() if os.stat(path).st_size <= MAX_FILE else b""
    except OSError:
        return b""


def _open_zip(source: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(source)
    except (zipfile.BadZipFile, OSError, ValueError, struct.error):
        raise DataError(f"DATA={source.name}: neither a folder nor a readable .zip") from None


def _zip_files(archive: zipfile.ZipFile, source: Path) -> list[File]:
    entries = sorted(archive.infolist(), key=lambda entry: entry.filename)
    for entry in entries:
        _check_name(entry.filename, source)
    named = [(entry.filename.replace("\\", "/"), entry) for entry in entries if not entry.is_dir()]
    return [File(name, partial(_read_entry, archive, entry), f"{entry.file_size} {entry.CRC}")
            for name, entry in named if not _hidden(name)]


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


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) or part in SYSTEM_FILES for part in name.split("/"))
