"""Pieces of a build kept by the digest of all that they were made from, the engine's own code included.

A piece whose inputs are the same by content is taken from here; whatever differs is made anew. Kept in memory while the
program runs, and in one file a memo for the next one. A file that is damaged, or written by other code, counts as none.
"""

from __future__ import annotations

import hashlib
import pickle
import platform
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

from gozaresh.common.files import write_bytes
from gozaresh.common.paths import ENGINE

TOOLS = ("fonttools", "pikepdf", "pypandoc_binary", "pypdfium2", "typst", "nbformat", "nbconvert")
OLDEST = 2  # savings for which what is not asked for is kept, so that an edit can be taken back
SIZE = hashlib.sha256().digest_size
Result = TypeVar("Result")


class Memo:
    """Results by their keys; what was not asked for between the last few savings is dropped."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._held: dict[str, Any] = _read(file) if file else {}
        self._ages = dict.fromkeys(self._held, 0)  # savings since it was last asked for
        self._changed = False

    def find(self, key: str) -> Any:
        """What is kept under a key, or None."""
        if key in self._held:
            self._ages[key] = 0
        return self._held.get(key)

    def keep(self, key: str, value: object) -> None:
        """Keep a result, which must not be changed afterwards."""
        self._held[key], self._ages[key] = value, 0
        self._changed = True

    def get(self, key: str, make: Callable[[], Result]) -> Result:
        """What is kept under a key, else what ``make`` gives, which is kept from now on."""
        found: Result | None = self.find(key)
        if found is None:
            found = make()
            self.keep(key, found)
        return found

    def save(self) -> None:
        """Write what is kept, if any of it is new; the file appears whole or not at all."""
        if self._changed:
            self._held = {key: value for key, value in self._held.items() if self._ages[key] <= OLDEST}
            if self._file:
                payload = pickle.dumps(self._held, protocol=5)
                write_bytes(engine() + hashlib.sha256(payload).digest() + payload, self._file)
            self._ages = {key: self._ages[key] + 1 for key in self._held}
        self._changed = False


_opened: dict[Path, Memo] = {}


def memo(file: Path) -> Memo:
    """The memo of a file, read once a process and written by :func:`save_all`."""
    if file not in _opened:
        _opened[file] = Memo(file)
    return _opened[file]


def save_all() -> None:
    """Write all memos that hold anything new. It takes a moment, so it is done when the report is.

    Nothing is written where no build has begun.
    """
    for file, one in _opened.items():
        if file.parents[1].is_dir():
            one.save()


def key(*parts: object) -> str:
    """The digest of values that are told apart by how Python writes them."""
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()


@cache
def engine() -> bytes:
    """The digest of the engine's code and of the tools that it calls."""
    digest = hashlib.sha256(platform.python_version().encode())
    for path in sorted(ENGINE.rglob("*.py")):
        digest.update(path.relative_to(ENGINE).as_posix().encode() + hashlib.sha256(path.read_bytes()).digest())
    digest.update(repr([_version(name) for name in TOOLS]).encode())
    return digest.digest()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _read(file: Path) -> dict[str, Any]:
    try:
        data = file.read_bytes()
    except OSError:
        return {}
    by, sum_, payload = data[:SIZE], data[SIZE:2 * SIZE], data[2 * SIZE:]
    if by != engine() or hashlib.sha256(payload).digest() != sum_:
        return {}
    held: dict[str, Any] = pickle.loads(payload)
    return held
