"""Read and write the files that the steps hand to each other, whole or not at all; lock a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

import nbformat
import psutil
from filelock import FileLock, Timeout
from nbformat import NotebookNode

from gozaresh.common.progress import say


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook of any version as the newest one."""
    notebook: NotebookNode = nbformat.read(path, as_version=4)
    return notebook


def written_notebook(path: Path) -> NotebookNode:
    """A notebook that an earlier step wrote, and so has checked, read once; whoever has it must not change it."""
    about = path.stat()
    return _written(path, about.st_mtime_ns, about.st_size, about.st_ino)


@lru_cache(maxsize=64)
def _written(path: Path, saved: int, size: int, number: int) -> NotebookNode:
    return read_written(path)


def read_written(path: Path) -> NotebookNode:
    """The same, read anew, to be changed as one likes."""
    notebook: NotebookNode = nbformat.v4.reads(path.read_text(encoding="utf-8"))
    return notebook


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook atomically, so that a reader never sees half of one."""
    write_text(notebook_text(notebook), path)


def notebook_text(notebook: NotebookNode) -> str:
    """The text of a notebook's file."""
    return str(nbformat.writes(notebook)) + "\n"


def write_text(text: str, path: Path) -> None:
    """Write a text file atomically (:func:`write_bytes`)."""
    write_bytes(text.encode("utf-8"), path)


def write_bytes(data: bytes, path: Path, *, durable: bool = True) -> None:
    """Write a file atomically, so that a reader, or a crash, finds the old one or the new one whole.

    One that holds just that is left as it is. ``durable=False`` saves the wait for the disk where a torn file is known
    by its digest.

    Raises:
        OSError: with the file's name, as when the disk is full.
    """
    with suppress(OSError):
        if path.stat().st_size == len(data) and path.read_bytes() == data:
            return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("wb") as stream:
            stream.write(data)
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        partial.replace(path)
    except OSError as error:  # a full disk does not say of which file
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        partial.unlink(missing_ok=True)


def remove_torn(folder: Path) -> None:
    """Remove what :func:`write_bytes` left half written in a folder, where its process was killed."""
    for path in folder.glob(".*.*"):
        number = path.name.rpartition(".")[2]
        if number.isdecimal() and not psutil.pid_exists(int(number)):
            path.unlink(missing_ok=True)


@contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Hold the lock ``path`` for the block; while another process holds it, wait, and say so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"{what}: another build is at work on it; waiting")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()  # the end of the process does so too
