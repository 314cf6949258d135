"""What the cache's key is made of: digests of code, modules, files and the environment."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from gozaresh.clock import repeatable
from gozaresh.device import cuda_present, threads
from gozaresh.memo import Memo

FIELD = re.compile(r"^(Name|Version): *(.*?) *$", re.M)


def digest(value: object) -> str:
    """SHA-256 of a value that JSON can write."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, or of the names and bytes of all files in a folder."""
    if path.is_dir():
        files = sorted(entry for entry in path.rglob("*") if entry.is_file())
        return digest([(entry.relative_to(path).as_posix(), file_digest(entry)) for entry in files])
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def environment() -> dict[str, str]:
    """Interpreter, machine, device, threads, whether durations are told, and every installed package's version."""
    packages = sorted(_package(found) for found in distributions())
    return {
        "python": platform.python_version(), "machine": platform.machine(), "system": sys.platform,
        "device": "cuda" if cuda_present() else "cpu", "threads": threads(),
        "durations": "not told" if repeatable() else "told",
        **dict(packages),
    }


def _package(found: Distribution) -> tuple[str, str]:
    """Name and version from the head of a package's own record; its long description need not be parsed."""
    record = found.read_text("METADATA") or found.read_text("PKG-INFO") or ""
    fields = dict(reversed(FIELD.findall(record.partition("\n\n")[0])))
    return f"package {fields.get('Name', '').lower()}", fields.get("Version", "")


@dataclass(frozen=True)
class Module:
    """A file that some code imports; ``name`` is its path from the project's folder on."""

    name: str
    path: Path
    digest: str


class Modules:
    """Finds the project's modules that the cells of a chapter import, each file read once and so of one state."""

    def __init__(self, root: Path, roots: Sequence[Path], memo: Memo) -> None:
        self._root, self._roots, self._memo = root, roots, memo
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
        name = f"{hashlib.sha256(data).hexdigest()} {package}"
        return self._memo.get(name, lambda: tuple(imported_names(data.decode(errors="replace"), package)))

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
