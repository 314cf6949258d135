"""SHA-256 of values and of files; the one way in which keys are made."""

from __future__ import annotations

import hashlib
import json
from dataclasses import is_dataclass
from pathlib import Path


def digest(*values: object) -> str:
    """SHA-256 of a value that JSON can write, or of several as one list.

    Dataclasses, sets, bytes and paths are written too; a tuple is as good as a list.
    """
    value = values[0] if len(values) == 1 else values
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=_plain)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return {"sha256": hashlib.sha256(value).hexdigest()}
    if is_dataclass(value):
        return {type(value).__name__: {name: getattr(value, name) for name in value.__dataclass_fields__}}
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"no digest of a {type(value).__name__}")


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, or of the names and bytes of all files in a folder."""
    if path.is_dir():
        files = sorted(entry for entry in path.rglob("*") if entry.is_file())
        return digest([(entry.relative_to(path).as_posix(), file_digest(entry)) for entry in files])
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
