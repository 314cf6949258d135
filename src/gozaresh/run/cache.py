"""Executed cells by the digest of all that their outputs depend on; an entry is one run of one chapter.

A chapter whose cells are all in one entry, or whose cells are the first ones of a longer run, is taken from there. Any
other is run from its first cell, because the state of a kernel cannot be restored honestly: pickles lose generators,
open files, threads and library settings, and a forked kernel loses its threads and its CUDA device. What that run
computes again it is held against, so a cell that gives another output from the same inputs is named, and long work
(proofs, decoded images, trainings) is kept by its own inputs, so running a chapter again does not repeat it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from gozaresh.common.files import write_bytes
from gozaresh.run.cache_key import CacheKey, CellKey, differences
from gozaresh.run.file_audit import ABSENT, digest_of

FORMAT = 2
KEPT = 12  # entries a chapter: some profiles and parameters, and the edits between them


@dataclass(frozen=True)
class CellRun:
    """What a code cell gave: its outputs when it was done, and at the chapter's end if they differ then.

    A later cell may still write to an earlier one's display. ``seen`` are the files and folders that the cell read
    without their being declared, and modules that no import statement names, each with its SHA-256.
    """

    key: str
    outputs: Sequence[Mapping[str, Any]]
    count: int | None
    seen: Mapping[str, str]
    final: Sequence[Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class Entry:
    """A run of a chapter, as far as it came; ``number`` counts the runs, as times of files prove nothing."""

    inputs: CacheKey
    cells: tuple[CellRun, ...]
    injected: tuple[Mapping[str, Any], ...]
    record: Mapping[str, Any]
    number: int = 0

    def common(self, keys: Sequence[str]) -> int:
        """How many cells, from the first on, are the same and had the same inputs."""
        return next((n for n, (cell, key) in enumerate(zip(self.cells, keys, strict=False)) if cell.key != key),
                    min(len(self.cells), len(keys)))

    def seen(self, count: int) -> dict[str, str]:
        """What the first cells had read undeclared, each with its digest."""
        return {name: digest for cell in self.cells[:count] for name, digest in cell.seen.items()}


def changed(seen: Mapping[str, str], root: Path) -> list[str]:
    """What was read undeclared and is another now."""
    return [f"{name} {_how(digest, now)}" for name, digest in sorted(seen.items())
            if (now := _now(name, root)) != digest]


def _now(name: str, root: Path) -> str:
    kind, _, path = name.partition(" ")
    return digest_of(kind, root / path)


def _how(before: str, now: str) -> str:
    return "is new" if before == ABSENT else "is gone" if now == ABSENT else "changed"


@dataclass(frozen=True)
class Cache:
    """The entries of one chapter in a folder, named by the key of their last cell."""

    folder: Path
    root: Path

    def load(self, inputs: CacheKey) -> Entry | None:
        """A run that holds all these cells with these very inputs, or None."""
        exact = self._read(self._file(inputs))
        if exact is not None and self._holds(exact, inputs):
            return exact
        return next((entry for entry in self.entries() if self._holds(entry, inputs)), None)

    def checksum(self, inputs: CacheKey) -> str:
        """The digest of the run of these very cells, if one is kept and no byte of it is lost."""
        try:
            return _checked(self._file(inputs).read_bytes())[0]
        except (OSError, ValueError):
            return ""

    def _file(self, inputs: CacheKey) -> Path:
        return self.folder / f"{inputs.key}.entry"

    def _holds(self, entry: Entry, inputs: CacheKey) -> bool:
        wanted = len(inputs.keys)
        return entry.common(inputs.keys) == wanted and not changed(entry.seen(wanted), self.root)

    def entries(self) -> list[Entry]:
        """All entries that can be read, the newest first."""
        found = [entry for path in self.folder.glob("*.entry") if (entry := self._read(path)) is not None]
        return sorted(found, key=lambda entry: (-entry.number, entry.inputs.key))

    def nearest(self, inputs: CacheKey) -> Entry | None:
        """The run that differs from the wanted one in the fewest inputs; of several the one with most common cells."""
        return min(self.entries(), default=None, key=lambda entry: (
            len([*differences(entry.inputs, inputs)]), -entry.common(inputs.keys), -entry.number))

    def store(self, entry: Entry) -> None:
        """Keep a run; the entry appears whole or not at all, and the oldest beyond :data:`KEPT` go."""
        former = self.entries()
        numbered = replace(entry, number=1 + max((old.number for old in former), default=0))
        write_bytes(_packed(numbered), self._path(entry))
        gone = [old for old in former if self._path(old) != self._path(entry)][KEPT - 1:]
        for path in [*map(self._path, gone), *stale_temporaries(self.folder)]:
            path.unlink(missing_ok=True)

    def _path(self, entry: Entry) -> Path:
        partial = "" if len(entry.cells) == len(entry.inputs.cells) else ".partial"
        return self.folder / f"{entry.inputs.key}{partial}.entry"

    def _read(self, path: Path) -> Entry | None:
        """An entry, or None where there is none that is whole and of this format."""
        try:
            return _unpacked(path.read_bytes())
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _packed(entry: Entry) -> bytes:
    body = json.dumps({"format": FORMAT, **asdict(entry)}, ensure_ascii=False).encode()
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def _checked(data: bytes) -> tuple[str, bytes]:
    digest, _, body = data.partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise ValueError("not the bytes that were written")
    return digest.decode(), body


def _unpacked(data: bytes) -> Entry:
    stored = json.loads(_checked(data)[1])
    if stored.pop("format") != FORMAT:
        raise ValueError("another version of the engine wrote it")
    inputs = CacheKey(stored["inputs"]["shared"], tuple(CellKey(**cell) for cell in stored["inputs"]["cells"]))
    return Entry(inputs, tuple(CellRun(**cell) for cell in stored["cells"]), tuple(stored["injected"]),
                 stored["record"], stored["number"])


def stale_temporaries(folder: Path) -> Iterator[Path]:
    """What writers left behind that were killed while they wrote."""
    for path in folder.glob(".*.entry.*"):
        with suppress(ValueError, PermissionError):
            try:
                os.kill(int(path.suffix[1:]), 0)
            except ProcessLookupError:
                yield path


def restore_outputs(entry: Entry, fresh: NotebookNode) -> NotebookNode:
    """Put the outputs of a run onto the cells of ``fresh``, which are the same code cells, or the first of them."""
    todo = [cell for cell in fresh.cells if cell.cell_type == "code"]
    complete = len(todo) == len(entry.cells)
    for old, new in zip(entry.cells, todo, strict=False):
        outputs = old.final if complete and old.final is not None else old.outputs
        new.outputs, new.execution_count = [nbformat.from_dict(output) for output in outputs], old.count
    fresh.metadata["gozaresh"] = nbformat.from_dict(dict(entry.record))
    at = next((n for n, cell in enumerate(fresh.cells) if "parameters" in cell.metadata.get("tags", ())), -1)
    fresh.cells[at + 1:at + 1] = [nbformat.from_dict(dict(cell)) for cell in entry.injected]
    return fresh


