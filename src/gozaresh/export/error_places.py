"""Brings errors of pandoc and Typst, which know only what they were given, home to the chapter's own line.

This runs only after a failure, so it may take its time: pandoc is asked which cell it was that it refused, and Typst's
line is looked up in the markup of one cell after the other.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from gozaresh.common.errors import GozareshError, Place, SourceError, TypesetError
from gozaresh.export.document import cell_documents
from gozaresh.export.typst_writer import to_typst
from gozaresh.source.markup import MENTIONED
from gozaresh.source.notebook import place_of

AT_LINE = re.compile(r" at line ([0-9]+)(?: column [0-9]+)?")
WARNED = re.compile(r"\[WARNING\] | Failing because there were warnings\.")
NAMED = re.compile(r"'([^']+)'")
WHERE = re.compile(r"┌─ (?P<file>[^\s:]+):(?P<line>[0-9]+):(?P<column>[0-9]+)")
UNDER = re.compile(r'"[^"]*"|[\w-]+|.')
COMPUTED = re.compile(r"([^:]+): computed text refers to '([^']+)'")
MARKER = "GOZARESHCELL"


@dataclass(frozen=True)
class _Part:
    """What one cell gives to its chapter's Markdown."""

    cell: NotebookNode
    markdown: str


def _parts(notebook: NotebookNode, figure_path: str) -> list[_Part]:
    return [_Part(cell, document.markdown) for cell, document in cell_documents(notebook, figure_path)]


# --- pandoc ----------------------------------------------------------------------------------------------------------
def locate_pandoc_error(error: TypesetError, notebook: NotebookNode, macros: str = "") -> TypesetError:
    """The error that a chapter's conversion raised, with the line of the cell that is to blame."""
    parts = _parts(notebook, "")
    at = bisect_left(range(1, len(parts) + 1), True, key=lambda n: _refused(parts[:n], macros) is not None)
    if at == len(parts):
        return error  # only the whole chapter fails
    part = parts[at]
    alone = _refused([part], macros) or error
    return TypesetError(f"{_line_in(part, str(alone), macros)}: {WARNED.sub('', AT_LINE.sub('', str(alone)))}")


def _refused(parts: Sequence[_Part], macros: str) -> TypesetError | None:
    try:
        to_typst("\n\n".join(part.markdown for part in parts), macros)
    except TypesetError as error:
        return error
    except Exception:  # another fault, which is reported by itself once this one is mended
        return None
    return None


def _line_in(part: _Part, message: str, macros: str) -> Place:
    """The line of a cell that a message speaks of: by its number, by what it names, or by the paragraph that fails."""
    cell = part.cell
    number, named = AT_LINE.search(message), NAMED.findall(message)
    if cell.cell_type == "code" or (named and not number):
        return _first_holding(cell, named)
    if number:
        return place_of(cell, min(int(number[1]), cell.source.count("\n") + 1))
    lines = part.markdown.split("\n")
    ends = [at for at, line in enumerate(lines) if at and not line.strip() and lines[at - 1].strip()]
    whole = [_Part(cell, "\n".join(lines[:end])) for end in ends]
    at = bisect_left(whole, True, key=lambda upto: str(_refused([upto], macros)) == message)
    before = [0, *ends][at]
    return place_of(cell, next(at for at, line in enumerate(lines) if at >= before and line.strip()) + 1)


def _first_holding(cell: NotebookNode, needles: Sequence[str]) -> Place:
    """The first line of a cell that holds the first of the needles to be found there; else the cell's first line."""
    for needle in needles:
        found = re.search(rf"(?<!\w){re.escape(needle)}(?!\w)", cell.source) if needle else None
        if found:
            return place_of(cell, cell.source.count("\n", 0, found.start()) + 1)
    return place_of(cell)


# --- Typst -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Chapters:
    """Where to look for what Typst complains of: the sheets it read, the executed chapters, the theme's own folder."""

    root: Path
    executed: Mapping[str, NotebookNode]
    theme: str
    macros: str = ""


def locate_typst_error(error: GozareshError, chapters: Chapters) -> GozareshError:
    """An error met in the sheets, with the line of the chapter, theme or bibliography that is to blame."""
    computed = COMPUTED.match(str(error))
    if computed:
        place = _home_of_text(computed[2], chapters.executed[computed[1]])
        return SourceError(f"{place}: {str(error)[computed.end(1) + 2:]}")
    where = WHERE.search(str(error))
    if where is None:
        return error
    message = re.split(r" (?:error|warning): |:? ┌─", str(error))[0]
    return TypesetError(f"{_home(where, chapters)}: {message}")


def _home_of_text(label: str, notebook: NotebookNode) -> Place:
    """The cell whose computed text refers to a label that there is not."""
    cells = [part.cell for part in _parts(notebook, "") if f"@{label}" in part.markdown]
    return _first_holding(cells[0], [label]) if cells else place_of(notebook.cells[0])


def _home(where: re.Match[str], chapters: Chapters) -> Place:
    file, number, column = where["file"].lstrip("/"), int(where["line"]), int(where["column"])
    sheet = Path(file)
    if sheet.parts[:2] == ("build", "theme"):
        return Place("/".join((chapters.theme, *sheet.parts[2:])), number)
    if sheet.parent != Path("build/chapters") or sheet.stem not in chapters.executed:
        return Place(file, number)
    lines = (chapters.root / sheet).read_text(encoding="utf-8").split("\n")
    line = lines[number - 1]
    cell = _cell_of(line, lines[:number].count(line), chapters.executed[sheet.stem], chapters.macros)
    under = UNDER.match(line, column)
    named = under[0].strip('"') if under else ""
    before, after = MENTIONED.findall(line[:column]), MENTIONED.findall(line[column:])
    needles = [named, *MENTIONED.findall(named), *reversed(before), *after]
    return _first_holding(cell, needles) if cell is not None else Place(file, number)


def _cell_of(line: str, nth: int, notebook: NotebookNode, macros: str) -> NotebookNode | None:
    """The cell from which the ``nth`` line of a sheet that reads ``line`` was set."""
    parts = _parts(notebook, "/figures")
    text = "\n\n".join(f"{MARKER}{at}\n\n{part.markdown}" for at, part in enumerate(parts))
    same = [at for at, found in _lines(to_typst(text, macros)) if found == line]
    return parts[same[min(nth, len(same)) - 1]].cell if same else None


def _lines(marked: str) -> Iterator[tuple[int, str]]:
    """Each line of the marked markup with the number of the cell that it comes from."""
    at = 0
    for line in marked.split("\n"):
        marker = re.search(rf"{MARKER}([0-9]+)", line)
        at = int(marker[1]) if marker else at
        yield at, line
