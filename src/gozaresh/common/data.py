"""What a report's data may be: regular files, and folders of them, of a size that can be read again at each build."""

from __future__ import annotations

import os
from pathlib import Path

from gozaresh.common.text import kind_of, printable

LARGEST = 64 * 2**30  # bytes of all data together


def check_data(path: Path) -> None:
    """See that a file or folder of data can be read whole, without reading it.

    Raises:
        OSError: something is not there, or a link leads to itself.
        ValueError: a FIFO, a socket or a device is among it, or it is too large; which one.
    """
    total = 0
    for entry in _entries(path):
        kind = kind_of(entry)
        if kind not in ("a file", "a folder"):
            raise ValueError(f"{printable(str(entry))} is {kind}; data are regular files")
        total += entry.stat().st_size if kind == "a file" else 0
        if total > LARGEST:
            raise ValueError(f"more than {LARGEST // 2**30} GiB of data")


def _entries(path: Path) -> list[Path]:
    inside = [Path(folder, name) for folder, _, names in os.walk(path) for name in names] if path.is_dir() else []
    return [path, *sorted(inside)]
