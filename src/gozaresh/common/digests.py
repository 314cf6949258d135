"""SHA-256 of values and of files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path


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
