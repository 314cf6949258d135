"""The one store: results kept by the digest of all that they were made from, in a folder and in memory.

    store = Store(folder)
    pages = store.get(digest(text, macros), lambda: read(text), tuple[str, ...])

A file holds the SHA-256 of its payload, and the payload: JSON of the type that is asked for. Nothing is ever unpickled.
What is damaged, or of another type, counts as none and is made anew. A value must not be changed once it is kept.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import ConfigDict, TypeAdapter
from pydantic_core import PydanticSerializationError

from gozaresh.common.digests import digest, file_digest
from gozaresh.common.environment import version
from gozaresh.common.files import write_bytes
from gozaresh.common.paths import ENGINE

TOOLS = ("fonttools", "pikepdf", "pypandoc_binary", "pypdfium2", "typst", "nbformat", "nbconvert")
SPARE = 3  # files are kept up to so many times the size of those in use, so that an edit can be taken back
Value = TypeVar("Value")


class Store:
    """Values by name, mostly a digest; without a folder, or with one that must not be written, in memory alone."""

    def __init__(self, folder: Path | None = None, *, writes: bool = True, durable: bool = False,
                 inside: Path | None = None) -> None:
        """``durable`` waits for the disk; without it a crash of the machine may cost the last values.

        Nothing is written while the folder ``inside`` is not there, as where no build has begun.
        """
        self._folder, self._writes, self._durable, self._inside = folder, writes, durable, inside
        self._held: dict[str, Any] = {}
        self._asked: set[str] = set()  # since the last pruning

    def find(self, name: str, kind: type[Value]) -> Value | None:
        """The value kept under a name, or None where there is none that is whole and of this type."""
        if name not in self._held and self._folder is not None:
            try:
                payload = _checked((self._folder / name).read_bytes())
                self._held[name] = _adapter(kind).validate_json(payload)[0]
                if self._writes:
                    os.utime(self._folder / name)  # it is in use: see prune()
            except (OSError, ValueError):
                return None
        self._asked.add(name)
        found: Value | None = self._held.get(name)
        return found

    def keep(self, name: str, value: Value, kind: type[Value]) -> None:
        """Keep a value.

        Raises:
            OSError: it cannot be written.
        """
        self._held[name] = value
        self._asked.add(name)
        if self._folder is not None and self._writes and (self._inside is None or self._inside.is_dir()):
            try:
                payload = _adapter(kind).dump_json((value,))
            except PydanticSerializationError:  # a damaged character, which no JSON can hold
                return
            checked = hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload
            write_bytes(checked, self._folder / name, durable=self._durable)

    def get(self, name: str, make: Callable[[], Value], kind: type[Value]) -> Value:
        """The value kept under a name, else what ``make`` gives, which is kept from now on."""
        found = self.find(name, kind)
        if found is None:
            found = make()
            self.keep(name, found, kind)
        return found

    def names(self) -> Iterator[str]:
        """The names of the files."""
        if self._folder is not None and self._folder.is_dir():
            yield from sorted(name for name in os.listdir(self._folder) if not name.startswith("."))

    def drop(self, name: str) -> None:
        """Forget a value."""
        self._held.pop(name, None)
        if self._folder is not None:
            (self._folder / name).unlink(missing_ok=True)

    def prune(self) -> None:
        """Drop what was longest not asked for: files beyond the spare room, and from memory all but what was used."""
        self._held = {name: self._held[name] for name in self._asked & self._held.keys()}
        if self._folder is not None and self._folder.is_dir():
            files = [(entry.stat().st_mtime_ns, entry.stat().st_size, entry.name) for entry in os.scandir(self._folder)]
            room = SPARE * sum(size for _, size, name in files if name in self._asked)
            for _, size, name in sorted(files, reverse=True):
                room -= size
                if room < 0 and name not in self._asked:
                    self.drop(name)
        self._asked.clear()


@cache
def store_of(folder: Path, *, writes: bool = True) -> Store:
    """The store of this engine's results in a folder, one a process; those of other engines are dropped from it."""
    own = folder / _engine()[:16]
    for other in folder.iterdir() if writes and folder.is_dir() else ():
        if other != own:
            shutil.rmtree(other, ignore_errors=True)
    return Store(own, writes=writes, inside=folder.parent)


@cache
def _engine() -> str:
    """The digest of the engine's code and of the tools that it calls."""
    code = {path.relative_to(ENGINE).as_posix(): file_digest(path) for path in ENGINE.rglob("*.py")}
    return digest(platform.python_version(), code, [version(name) for name in TOOLS])


def _checked(data: bytes) -> bytes:
    sum_, _, payload = data.partition(b"\n")
    if hashlib.sha256(payload).hexdigest().encode() != sum_:
        raise ValueError("not the bytes that were written")
    return payload


@cast(Callable[[Callable[[Any], Any]], Callable[[Any], Any]], cache)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """The reader and writer of a type, inside a tuple, since a dataclass itself takes no configuration."""
    return TypeAdapter(tuple[kind], config=ConfigDict(ser_json_bytes="base64", val_json_bytes="base64"))
