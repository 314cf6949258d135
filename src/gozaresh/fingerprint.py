"""What the cache's key is made of: digests of code, modules, files and the environment."""

from __future__ import annotations

import ast
import hashlib
import json
import platform
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import distributions
from pathlib import Path

from gozaresh.settings import cuda_present


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
    """Interpreter, machine kind, device kind and every installed package with its version."""
    packages = sorted({f"{d.metadata['Name'].lower()}=={d.version}" for d in distributions()})
    return {
        "python": platform.python_version(), "machine": platform.machine(), "system": sys.platform,
        "device": "cuda" if cuda_present() else "cpu", "packages": digest(packages),
    }


def modules_digest(code: Iterable[str], roots: Sequence[Path]) -> str:
    """Digest of the files below ``roots`` that ``code`` imports, and of those that these import in turn."""
    found: dict[str, str] = {}
    waiting = [name for text in code for name in imported_names(text)]
    while waiting:
        path = _module_file(waiting.pop(), roots)
        if path is not None and str(path) not in found:
            text = path.read_text(encoding="utf-8")
            found[str(path)] = hashlib.sha256(text.encode()).hexdigest()
            waiting += imported_names(text)
    return digest(sorted((Path(path).name, value) for path, value in found.items()))


def imported_names(code: str) -> Iterator[str]:
    """Every dotted name that ``code`` may import: ``from a.b import c`` gives a, a.b and a.b.c."""
    try:
        tree = ast.parse("\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in code.splitlines()))
    except SyntaxError:
        return  # the cell will fail when it runs, with its place
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            yield from (".".join(parts[:k]) for k in range(1, len(parts) + 1))


def _module_file(name: str, roots: Sequence[Path]) -> Path | None:
    for root in roots:
        stem = root.joinpath(*name.split("."))
        for path in (stem.with_suffix(".py"), stem / "__init__.py"):
            if path.is_file():
                return path
    return None
