"""The one error tree of :mod:`gozaresh`: errors are objects that carry their place.

* GozareshError

  * SettingsError   -- report.toml or a parameter given on the command line is wrong
  * SourceError     -- a chapter breaks the conventions (labels, options, captions)
  * ExecutionError  -- a cell raised, or its kernel died
  * MathsError      -- a formula that cannot be converted without loss
  * TypesetError    -- Typst or pandoc could not set the page
  * ProofError      -- the finished PDF does not hold what the sources say
  * BundleError     -- the hand-in cannot be made, or is not complete

One fault: ``raise SourceError(text, place)``. Several at once: ``raise_problems([Problem(place, text), …])``.
A text is one line that names value and nearest valid choice (:func:`nearest`), never its place.
Errors of libraries: ``with map_exceptions(TypesetError, pikepdf.PdfError, tool="text layer"): …``.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

LONGEST = 160  # characters of a source line that are shown
LARGEST = 16 * 2**20  # bytes of a file that a line is shown of
ALSO = 5  # further places of one problem that are named


@dataclass(frozen=True, order=True)
class Place:
    """A line, from 1, of a source file, printed as ``notebooks/04_vae.py:143``; line 0 is the file as a whole."""

    file: str
    line: int = 0
    column: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, order=True)
class Problem:
    """One fault, in one line, and its place if it has one."""

    place: Place | None
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}" if self.place else self.text


class GozareshError(Exception):
    """Base of every error that the engine raises on purpose; ``problems`` has all of them, one at least."""

    def __init__(self, text: str = "", place: Place | None = None, problems: Iterable[Problem] = ()) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems) or (Problem(place, text),)
        super().__init__(text, place, self.problems)

    @property
    def text(self) -> str:
        """The first problem without its place."""
        return self.problems[0].text

    @property
    def place(self) -> Place | None:
        """The place of the first problem."""
        return self.problems[0].place

    def __str__(self) -> str:
        return "\n".join(grouped(self.problems))


class SettingsError(GozareshError):
    """report.toml or a parameter given on the command line is wrong."""


class SourceError(GozareshError):
    """A chapter breaks the conventions."""


class ExecutionError(GozareshError):
    """A cell raised, or its kernel died."""


class MathsError(GozareshError):
    """A formula cannot be converted without loss; ``tex`` is the formula, by which its place can be found."""

    def __init__(self, text: str, tex: str = "") -> None:
        super().__init__(text)
        self.tex = tex


class TypesetError(GozareshError):
    """Typst or pandoc could not set the page."""


class ProofError(GozareshError):
    """The finished PDF does not hold what the sources say."""


class BundleError(GozareshError):
    """The hand-in cannot be made, or is not complete."""


def raise_problems(problems: Iterable[Problem], kind: type[GozareshError] = SourceError) -> None:
    """Raise all problems as one error; nothing happens if there are none."""
    found = tuple(problems)
    if found:
        raise kind(problems=found)


@contextmanager
def map_exceptions(ours: type[GozareshError], *theirs: type[Exception], tool: str = "",
                   place: Place | None = None) -> Iterator[None]:
    """Raise a library's exceptions as an error of ours, with the message on one line after the tool's name."""
    try:
        yield
    except theirs as error:
        raise ours(f"{tool}: {one_line(error)}" if tool else one_line(error), place) from None


KEPT = "what was computed is kept in build/"
FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the quota of the disk is used up",
        errno.EFBIG: "no file may become so large here (see 'ulimit -f')"}


def reason(error: OSError) -> str:
    """Why a file could not be used, in words.

    >>> reason(FileNotFoundError(2, "No such file or directory"))
    'no such file or directory'
    """
    words = error.strerror or str(error) or type(error).__name__
    return words[:1].lower() + words[1:]


def from_os_error(error: OSError, root: Path) -> GozareshError:
    """An error of the operating system as one of ours: the file, seen from the report's folder, and what is wrong."""
    file = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes | os.PathLike) else None
    nowhere = "disk" if error.errno in FULL else "the system"
    where = str(file.relative_to(root)) if file and file.is_relative_to(root) else str(file or nowhere)
    full = FULL.get(error.errno or 0)
    return GozareshError(f"{full}; {KEPT}" if full else reason(error), Place(where))


def one_line(message: object, longest: int = 600) -> str:
    """A message of many lines as one, never empty.

    >>> one_line("a\\n  b"), one_line("")
    ('a b', 'no message')
    """
    return " ".join(str(message).split())[:longest] or "no message"


def first_line(message: object) -> str:
    """The first line of a message that says anything; never empty.

    >>> first_line("\\n a\\nb"), first_line("")
    ('a', 'no message')
    """
    return next((line.strip() for line in str(message).splitlines() if line.strip()), "no message")


def nearest(value: str, valid: Iterable[str]) -> str:
    """The valid choice nearest to ``value``, as the end of an error's line.

    >>> nearest("epoch", ["beta", "epochs"])
    'nearest: epochs'
    >>> nearest("zzz", ["beta", "epochs"])
    'valid: beta, epochs'
    """
    choices = sorted({choice if choice.isprintable() else repr(choice) for choice in valid})
    close = get_close_matches(value, choices, n=1)
    return f"nearest: {close[0]}" if close else f"valid: {', '.join(choices) or 'none'}"


def grouped(problems: Iterable[Problem]) -> list[str]:
    """A line for each kind of problem; one that is met again is told once, with its further places.

    >>> grouped([Problem(Place("a.py", 1), "no x"), Problem(None, "no y"), Problem(Place("a.py", 3), "no x")])
    ['a.py:1: no x (also at a.py:3)', 'no y']
    """
    return [line for line, _ in _groups(problems)]


def _groups(problems: Iterable[Problem]) -> Iterator[tuple[str, Place | None]]:
    places: dict[str, list[Place | None]] = {}
    for problem in problems:
        places.setdefault(problem.text, []).append(problem.place)
    for text, (first, *others) in places.items():
        further = [str(place) for place in dict.fromkeys(others) if place and place != first]
        more = f" and {len(further) - ALSO} more" if len(further) > ALSO else ""
        also = f" (also at {', '.join(further[:ALSO])}{more})" if further else ""
        yield str(Problem(first, text + also)), first


def quoted(error: GozareshError, root: Path) -> Iterator[str]:
    """The lines that a user is shown: each kind of problem, and below it the source line at its place."""
    for line, place in _groups(error.problems):
        yield f"error: {line}"
        yield from excerpt(place, root) if place else ()


def excerpt(place: Place, root: Path) -> Sequence[str]:
    """The source line of a place as ``  143 | code``; nothing where there is no such line.

    >>> excerpt(Place("nowhere.py", 3), Path())
    []
    """
    path = root / place.file
    try:
        if not place.line or not path.is_file() or path.stat().st_size > LARGEST:
            return []
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
        line = lines[place.line - 1].rstrip()
    except (OSError, IndexError):
        return []
    return [f"  {place.line} | {line if len(line) <= LONGEST else line[:LONGEST] + '…'}"] if line.strip() else []
