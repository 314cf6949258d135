"""Executed cells by the digest of all that their outputs depend on; an entry is one run of one chapter.

A chapter whose cells are all in one entry, or whose cells are the first ones of a longer run, is taken from there. Any
other is run from its first cell, because the state of a kernel cannot be restored honestly: pickles lose generators,
open files, threads and library settings, and a forked kernel loses its threads and its CUDA device. Long work (proofs,
decoded images, trainings) is kept by its own inputs, so running a chapter again does not repeat it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from gozaresh.common.files import remove_torn
from gozaresh.common.store import Store
from gozaresh.run.cache_key import CacheKey, differences
from gozaresh.run.file_audit import ABSENT, digest_of

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


class Cache:
    """The runs of one chapter in a folder, named by the key of their last cell."""

    def __init__(self, folder: Path, root: Path) -> None:
        self._folder, self._store, self._root = folder, Store(folder, durable=True), root

    def load(self, inputs: CacheKey) -> Entry | None:
        """A run that holds all these cells with these very inputs, or None."""
        exact = self._store.find(f"{inputs.key}.entry", Entry)
        if exact is not None and self._holds(exact, inputs):
            return exact
        return next((entry for entry in self.entries() if self._holds(entry, inputs)), None)

    def _holds(self, entry: Entry, inputs: CacheKey) -> bool:
        wanted = len(inputs.keys)
        return entry.common(inputs.keys) == wanted and not changed(entry.seen(wanted), self._root)

    def entries(self) -> list[Entry]:
        """All runs that are whole, the newest first."""
        return [entry for _, entry in self._numbered()]

    def _numbered(self) -> list[tuple[str, Entry]]:
        found = [(name, entry) for name in self._store.names() if (entry := self._store.find(name, Entry))]
        return sorted(found, key=lambda named: (-named[1].number, named[0]))

    def nearest(self, inputs: CacheKey) -> Entry | None:
        """The run that differs from the wanted one in the fewest inputs; of several the one with most common cells."""
        return min(self.entries(), default=None, key=lambda entry: (
            len([*differences(entry.inputs, inputs)]), -entry.common(inputs.keys), -entry.number))

    def store(self, entry: Entry) -> None:
        """Keep a run; the oldest beyond :data:`KEPT` go, and files that are damaged."""
        former = self._numbered()
        name = f"{entry.inputs.key}{'' if len(entry.cells) == len(entry.inputs.cells) else '.partial'}.entry"
        self._store.keep(name, replace(entry, number=1 + max((old.number for _, old in former), default=0)), Entry)
        kept = {name, *[old for old, _ in former if old != name][:KEPT - 1]}
        for other in [*self._store.names()]:
            if other not in kept:
                self._store.drop(other)
        remove_torn(self._folder)


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
