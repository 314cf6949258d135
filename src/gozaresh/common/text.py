"""Text files that an author wrote, read with an error of one line that says why they cannot be read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from gozaresh.common.errors import GozareshError, Place, reason

LARGEST = 16 * 2**20  # bytes of a chapter, a settings file or a bibliography
LONGEST_NAME = 300  # characters of a path that are shown
KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device",
         stat.S_IFBLK: "a device"}


def read_text(path: Path, name: str, error: type[GozareshError], largest: int = LARGEST) -> str:
    """The text of a file, called ``name`` in messages; a byte order mark is left out, line ends become newlines.

    Raises:
        GozareshError: of the type ``error``: missing, unreadable, no regular file, too large, not UTF-8.
    """
    try:
        kind = kind_of(path)
        if kind != "a file":
            raise error(f"{kind}, where a text file is needed", Place(name))
        if path.stat().st_size > largest:
            raise error(f"more than {largest // 2**20} MB, which no text of a report has", Place(name))
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = fault.object.count(b"\n", 0, fault.start) + 1
        raise error(f"not UTF-8 text: {fault.reason} at byte {fault.start}", Place(name, line)) from None
    except OSError as fault:
        raise error(f"cannot be read: {reason(fault)}", Place(name)) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise error("holds a NUL character, as no text does", Place(name, line))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def kind_of(path: Path) -> str:
    """Which kind of thing a path leads to: "a file", "a folder", "a FIFO", "a socket" or "a device".

    Raises:
        OSError: it leads nowhere.
    """
    return KINDS.get(stat.S_IFMT(os.stat(path).st_mode), "a file")


def printable(name: str) -> str:
    """A name that is given in a message: as it is, or escaped and cut where it would not be one line.

    >>> printable("a\\nb")
    "'a\\\\nb'"
    """
    return (name if name.isprintable() else repr(name))[:LONGEST_NAME]
