"""The one error tree of :mod:`gozaresh`; each message is one line that names value, place and nearest valid choice.

* GozareshError

  * SettingsError   -- report.toml or a parameter given on the command line is wrong
  * SourceError     -- a chapter breaks the conventions (labels, options, captions)
  * ExecutionError  -- a cell raised, or its kernel died
  * MathsError      -- a formula that cannot be converted without loss
  * TypesetError    -- Typst or pandoc could not set the page
  * ProofError      -- the finished PDF does not hold what the sources say
  * BundleError     -- the hand-in cannot be made, or is not complete
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path


class GozareshError(Exception):
    """Base of every error that the engine raises on purpose."""


class SettingsError(GozareshError):
    """report.toml or a parameter given on the command line is wrong."""


class SourceError(GozareshError):
    """A chapter breaks the conventions."""


class ExecutionError(GozareshError):
    """A cell raised, or its kernel died."""


class MathsError(GozareshError):
    """A formula cannot be converted without loss; ``tex`` is the formula, by which its place can be found."""

    def __init__(self, message: str, tex: str = "") -> None:
        super().__init__(message)
        self.tex = tex


class TypesetError(GozareshError):
    """Typst or pandoc could not set the page."""


class ProofError(GozareshError):
    """The finished PDF does not hold what the sources say."""


class BundleError(GozareshError):
    """The hand-in cannot be made, or is not complete."""


@dataclass(frozen=True, order=True)
class Place:
    """A line of a source file, printed as ``notebooks/04_vae.py:143``."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def nearest(value: str, valid: Iterable[str]) -> str:
    """Say which valid choice lies nearest to ``value``, as the end of an error's line.

    >>> nearest("epoch", ["beta", "epochs"])
    'nearest: epochs'
    >>> nearest("zzz", ["beta", "epochs"])
    'valid: beta, epochs'
    """
    choices = sorted({choice if choice.isprintable() else repr(choice) for choice in valid})
    close = get_close_matches(value, choices, n=1)
    return f"nearest: {close[0]}" if close else f"valid: {', '.join(choices) or 'none'}"

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


@dataclass(frozen=True, order=True)
class Problem:
    """One breach of the conventions."""

    place: Place
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"
