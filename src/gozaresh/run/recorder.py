"""Record a run while it goes on: the cell at work, the outputs of the cells before it, the files that they read."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from gozaresh.common.errors import ExecutionError, Place
from gozaresh.run.cache import CellRun, Entry
from gozaresh.run.cache_key import CacheKey
from gozaresh.source.notebook import is_injected, option_lines, place_of

FULL = 2**20  # free bytes below which a disk counts as full


def coalesce_streams(outputs: Sequence[NotebookNode]) -> list[NotebookNode]:
    """The outputs with all that was printed between two others in one piece, what went to standard error after it.

    A kernel sends printed text in as many pieces as it happens to flush, and a busy machine makes more of them.
    """
    done: list[NotebookNode] = []
    for streams, group in groupby(deepcopy(list(outputs)), lambda output: output["output_type"] == "stream"):
        pieces = list(group)
        for name in sorted({piece["name"] for piece in pieces}, reverse=True) if streams else ():
            mine = [piece for piece in pieces if piece["name"] == name]
            mine[0]["text"] = "".join(piece["text"] for piece in mine)
            done.append(mine[0])
        done += [] if streams else pieces
    return done


@dataclass
class Recorder:
    """Records a run: what nbclient's hooks tell of the cells, and what the file audit notes in its journal."""

    journal: Path
    root: Path
    declared: Collection[str] = ()  # modules and files whose digests are in the key already
    at: NotebookNode | None = None
    since: float = 0.0  # when it began
    injected: list[NotebookNode] = field(default_factory=list)
    _done: dict[str, CellRun] = field(default_factory=dict)
    _seen: list[tuple[str, str, str]] = field(default_factory=list)  # cell ("": the injected one), name, digest
    _wrote: set[str] = field(default_factory=set)
    _read: int = 0  # bytes of the journal

    def started(self, cell: NotebookNode, cell_index: int) -> None:
        """A cell begins."""
        self.at, self.since = cell, time.monotonic()

    def now(self) -> str:
        """Which cell is at work, and for how long; empty where none is."""
        place = self.place
        return f"the cell at {place} has been running for {time.monotonic() - self.since:.0f} s" if place else ""

    def is_done(self, cell: NotebookNode) -> bool:
        """Test if a cell has run to its end."""
        return cell["id"] in self._done or is_injected(cell)

    def executed(self, cell: NotebookNode, cell_index: int, execute_reply: Mapping[str, Any]) -> None:
        """A cell has ended, well or not."""
        self._listen("" if is_injected(cell) else cell["id"])
        if execute_reply["content"]["status"] == "ok":
            self._done[cell["id"]] = CellRun("", coalesce_streams(cell.outputs), cell.execution_count, {})
            self.at = None
            if is_injected(cell):
                self.injected.append(deepcopy(cell))

    @property
    def place(self) -> Place | None:
        """The first line of code of the cell at work."""
        if self.at is None or is_injected(self.at):
            return None
        return place_of(self.at, 1 + option_lines(self.at))

    def _listen(self, cell: str) -> None:
        """Read what the file audit has noted since, as read by a cell."""
        try:
            text = self.journal.read_bytes()[self._read:]
        except FileNotFoundError:
            raise ExecutionError(self._lost(), self.place or Place(self.journal.stem)) from None
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            noted = json.loads(line)
            name = self._named(Path(noted["path"]))
            if noted["kind"] == "wrote":
                self._wrote |= {name, self._named(Path(noted["path"]).parent)}
            elif name not in self.declared:
                self._seen.append((cell, f"{noted['kind']} {name}", noted["digest"]))

    def _lost(self) -> str:
        if not self.journal.parent.is_dir():
            return "this cell has removed build/run, where the engine works; a chapter must leave build/ alone"
        free = shutil.disk_usage(self.journal.parent).free
        return "what the cell read could not be noted" + ("; the disk is full" if free < FULL else "")

    def _named(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)

    def entry(self, inputs: CacheKey, fresh: NotebookNode, record: Mapping[str, Any],
              executed: NotebookNode | None = None) -> Entry:
        """The run as far as it came; ``executed`` is the notebook at its end."""
        codes = [cell for cell in fresh.cells if cell.cell_type == "code"]
        final = {cell["id"]: cell for cell in executed.cells if cell.cell_type == "code"} if executed else {}
        cells: list[CellRun] = []
        for cell, key in zip(codes, inputs.keys, strict=True):
            done = self._done.get(cell["id"])
            if done is None and cell.source.strip():
                break
            done = done or CellRun("", [], None, {})  # an empty cell is never run
            after = coalesce_streams(final[cell["id"]].outputs) if final else done.outputs
            cells.append(CellRun(key, done.outputs, done.count, self._seen_by(cell["id"], first=not cells),
                                 None if after == done.outputs else after))
        return Entry(inputs, tuple(cells), tuple(self.injected), record)

    def _seen_by(self, cell: str, first: bool) -> dict[str, str]:
        """What a cell read that the run itself did not write; the injected parameters count as the first cell's.

        The source of a module is read to show it; as a module it counts already.
        """
        modules = {name.removeprefix("module ") for _, name, _ in self._seen if name.startswith("module ")}
        readers = {cell, ""} if first else {cell}
        return {name: digest for one, name, digest in self._seen
                if one in readers and name.partition(" ")[2] not in self._wrote
                and name.removeprefix("file ") not in modules}
