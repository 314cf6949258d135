"""The source line that an error names, printed below it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

PLACE = re.compile(r"(?:^|\()(?P<file>[^\s:()]+\.(?:py|toml|bib|typ)):(?P<line>[0-9]+)(?:\)$|:)")
LONGEST = 160  # characters of a line that are shown


def quoted(message: str, root: Path) -> Iterator[str]:
    """The lines of an error's message, each that names a place with the line that stands there below it."""
    for text in message.splitlines():
        yield f"error: {text}"
        yield from shown(text, root)


def shown(text: str, root: Path) -> Iterator[str]:
    """The source line whose place ``text`` begins with, or ends with in brackets, as ``  143 | code``.

    Nothing where there is no place, or no such line.

    >>> list(shown("no place", Path()))
    []
    """
    place = PLACE.search(text)
    if place is None:
        return
    try:
        lines = (root / place["file"]).read_text(encoding="utf-8", errors="replace").split("\n")
        line = lines[int(place["line"]) - 1].rstrip()
    except (OSError, IndexError):
        return
    if line.strip():
        yield f"  {place['line']} | {line if len(line) <= LONGEST else line[:LONGEST] + '…'}"
