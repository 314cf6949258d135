"""One build at a time where two would write the same files; a killed one leaves no lock behind."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gozaresh.progress import say


@contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Hold the lock ``path`` for the block; while another process holds it, wait, and say so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{what}: another build is at work on it; waiting")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield  # closing the file gives the lock back, and so does the end of the process
