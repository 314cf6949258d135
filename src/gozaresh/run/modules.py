"""Modules of the project that code imports, with their digests; bytecode checked by content."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import py_compile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gozaresh.common.digests import digest
from gozaresh.common.store import Store


@dataclass(frozen=True)
class Module:
    """A file that some code imports; ``name`` is its path from the project's folder on."""

    name: str
    path: Path
    digest: str


class Modules:
    """Finds the project's modules that the cells of a chapter import, each file read once and so of one state."""

    def __init__(self, root: Path, roots: Sequence[Path], store: Store) -> None:
        self._root, self._roots, self._store = root, roots, store
        self._names: set[str] = set()
        self.found: dict[Path, Module] = {}

    def first_imported(self, code: str) -> list[Module]:
        """The modules below the roots that ``code`` imports, and those that these import in turn, and none did before.

        All are in :attr:`found` from then on.
        """
        before = set(self.found)
        waiting = list(self._imports(code.encode(), ""))
        while waiting:
            name = waiting.pop()
            if name not in self._names:
                self._names.add(name)
                waiting += self._enter(name)
        return sorted((self.found[path] for path in self.found.keys() - before), key=lambda module: module.name)

    def _enter(self, name: str) -> tuple[str, ...]:
        """Find a module; give what it imports."""
        place = _module_file(name, self._roots)
        if place is None or place[0] in self.found:
            return ()
        path, root = place
        data = path.read_bytes()
        self.found[path] = Module(self._named(path, root), path, hashlib.sha256(data).hexdigest())
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        return self._imports(data, package)

    def _imports(self, data: bytes, package: str) -> tuple[str, ...]:
        return self._store.get(digest("imports", data, package),
                               lambda: tuple(imported_names(data.decode(errors="replace"), package)), tuple[str, ...])

    def _named(self, path: Path, root: Path) -> str:
        return path.relative_to(self._root if path.is_relative_to(self._root) else root).as_posix()


def imported_names(code: str, package: str = "") -> Iterator[str]:
    """Every dotted name that ``code`` may import: ``from a.b import c`` gives a, a.b and a.b.c.

    ``package`` is where relative imports start.

    >>> sorted(imported_names("from .x import y", "a"))
    ['a', 'a.x', 'a.x.y']
    """
    try:
        tree = ast.parse("\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in code.splitlines()))
    except (SyntaxError, ValueError):
        return  # the cell will fail when it runs, with its place
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            yield from (".".join(parts[:k]) for k in range(1, len(parts) + 1))


def _module_file(name: str, roots: Sequence[Path]) -> tuple[Path, Path] | None:
    """The file of a module and the root that it was found below."""
    below = name.replace(".", os.sep)
    for root in roots:
        stem = os.path.join(root, below)
        for path in (os.path.join(stem, "__init__.py"), f"{stem}.py"):
            if os.path.isfile(path):
                return Path(path), root
    return None

CHECKED = (0b11).to_bytes(4, "little")  # PEP 552: validated by the hash of the source


def check_by_content(modules: Iterable[Path]) -> None:
    """Let Python compare the contents of these modules from now on, where it compared times."""
    for path in modules:
        compiled = Path(importlib.util.cache_from_source(str(path)))
        with suppress(OSError, py_compile.PyCompileError, ValueError):  # a fault in a module shows when it is imported
            if not _is_checked(compiled, path.read_bytes()):
                compiled.unlink(missing_ok=True)
                py_compile.compile(str(path), str(compiled), doraise=True,
                                   invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)


def _is_checked(compiled: Path, source: bytes) -> bool:
    try:
        with compiled.open("rb") as stream:
            head = stream.read(16)
    except OSError:
        return False
    return head[4:16] == CHECKED + importlib.util.source_hash(source)
