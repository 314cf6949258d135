"""Keys of the cache: digests of all that a code cell's outputs depend on, shared inputs, code and modules up to it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path

from nbformat import NotebookNode

from gozaresh.common.digests import digest, file_digest
from gozaresh.common.paths import ENGINE, FONTS
from gozaresh.common.store import Store
from gozaresh.run import modules as fingerprint
from gozaresh.settings import Literal
from gozaresh.source.notebook import code_of, option_lines, place_of

OWN = "the chapter's own"
WIDTH = 60  # characters of a value that are shown


@dataclass(frozen=True)
class CellKey:
    """A code cell: its place in the script, its code without options, and the modules first imported in it."""

    place: str
    code: str
    modules: Mapping[str, str]  # SHA-256 by name


@dataclass(frozen=True)
class CacheKey:
    """A chapter's code cells, and what all of them share: parameters, data, environment."""

    shared: Mapping[str, str]
    cells: tuple[CellKey, ...]

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """For each code cell the digest of everything that its outputs depend on; prose, captions, options are not."""
        _, *keys = accumulate(self.cells, _next_key, initial=self._start)
        return tuple(keys)

    @property
    def key(self) -> str:
        """The digest of everything that the chapter's outputs depend on."""
        return self.keys[-1] if self.keys else self._start

    @property
    def _start(self) -> str:
        return digest(dict(self.shared))

    @cached_property
    def modules(self) -> dict[str, str]:
        """SHA-256 of all modules of the chapter by name."""
        return {name: digest for cell in self.cells for name, digest in cell.modules.items()}


def _next_key(above: str, cell: CellKey) -> str:
    """The key of a cell below another one."""
    return digest([above, cell.code, dict(cell.modules)])


@dataclass(frozen=True)
class Dependencies:
    """The inputs, and the files of the modules among them."""

    inputs: CacheKey
    files: Mapping[str, str]  # SHA-256 of each input file by its parameter
    modules: tuple[Path, ...]


def dependencies(notebook: NotebookNode, parameters: Mapping[str, Literal], paths: Mapping[str, Path], root: Path,
              roots: Sequence[Path], environment: Mapping[str, str], store: Store) -> Dependencies:
    """Gather a chapter's inputs; ``paths`` are its input files by parameter, ``roots`` hold the project's modules.

    A file counts by its content, not by its name: the same data elsewhere is the same data. ``store`` holds what each
    module imports.
    """
    files = {name: file_digest(path) for name, path in sorted(paths.items())}
    values = {f"parameter {name}": json.dumps(value, ensure_ascii=False)
              for name, value in sorted(parameters.items()) if name not in paths}
    data = {f"data of parameter {name}": value for name, value in files.items()}
    shared = {**values, **data, **environment, "fonts": file_digest(FONTS)}
    modules = fingerprint.Modules(root, [root, *roots, ENGINE.parent], store)
    cells = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            code = code_of(cell)
            named = {module.name: module.digest for module in modules.first_imported(code)}
            cells.append(CellKey(str(place_of(cell, 1 + option_lines(cell))), code, named))
    return Dependencies(CacheKey(shared, tuple(cells)), files, tuple(modules.found))


def differences(before: CacheKey, now: CacheKey) -> Iterator[str]:
    """Say in which inputs two runs of a chapter differ; of the cells only the first, as all below depend on it."""
    yield from _mapping("", before.shared, now.shared)
    yield from _mapping("module ", before.modules, now.modules)
    for old, new in zip(before.cells, now.cells, strict=False):
        if old.code != new.code:
            yield f"code of the cell at {new.place}"
            return
    if len(now.cells) > len(before.cells):
        yield f"the cell at {now.cells[len(before.cells)].place} is new"
    elif len(now.cells) < len(before.cells):
        yield f"a cell that was at {before.cells[len(now.cells)].place} is gone"


def _mapping(kind: str, before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*before, *now}):
        old, new = before.get(name), now.get(name)
        if name.startswith("parameter ") and old != new:
            yield f"{name}: {_short(old or OWN)} -> {_short(new or OWN)}"
        elif old is None:
            yield f"{kind}{name} is new"
        elif new is None:
            yield f"{kind}{name} is gone"
        elif old != new:
            digests = kind or name.startswith(("data ", "fonts"))
            yield f"{kind}{name} changed" if digests else f"{name}: {_short(old)} -> {_short(new)}"


def _short(value: str) -> str:
    return value if len(value) <= WIDTH else value[:WIDTH] + "…"
