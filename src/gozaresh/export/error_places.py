"""Places of errors in a chapter: the line of a cell, found by number or by words, and Typst's line brought home to it.

The number of each cell stands in the Markdown and in the Typst markup (:func:`gozaresh.export.pandoc.marker`), so the
cell of a line is found by looking upward.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from gozaresh.common.errors import GozareshError, Place, Problem
from gozaresh.export.pandoc import cell_at
from gozaresh.source.markup import MENTIONED
from gozaresh.source.notebook import place_of

UNDER = re.compile(r'"[^"]*"|[\w-]+|.')


def place_in(notebook: NotebookNode, cell: int, line: int = 0, needles: Sequence[str] = ()) -> Place:
    """The place of a line of a Markdown cell, else of the first needle that a cell holds, else of the cell."""
    node = notebook.cells[cell]
    if line and node.cell_type == "markdown":
        return place_of(node, min(line, node.source.count("\n") + 1))
    for needle in filter(None, needles):
        found = re.search(rf"(?<!\w){re.escape(needle)}(?!\w)", node.source)
        at = found.start() if found else node.source.find(needle)
        if at >= 0:
            return place_of(node, node.source.count("\n", 0, at) + 1)
    return place_of(node)


@dataclass(frozen=True)
class Chapters:
    """The executed chapters by name, the report's folder, and the theme's folder as seen from there."""

    root: Path
    executed: Mapping[str, NotebookNode]
    theme: str


def locate_typst_error(error: GozareshError, chapters: Chapters) -> GozareshError:
    """The error with every place in generated markup replaced by that of the chapter's or theme's line."""
    found = [Problem(problem.place and _located(problem.place, chapters), problem.text) for problem in error.problems]
    return type(error)(problems=found)


def _located(place: Place, chapters: Chapters) -> Place:
    file = Path(place.file)
    if file.parts[:2] == ("build", "theme"):
        return Place("/".join((chapters.theme, *file.parts[2:])), place.line)
    if file.parent != Path("build/chapters") or file.stem not in chapters.executed:
        return place
    markup = (chapters.root / file).read_text(encoding="utf-8")
    cell = cell_at(markup, place.line)
    line = markup.split("\n")[place.line - 1]
    return place_in(chapters.executed[file.stem], cell[0], 0, [*_needles(line, place.column)]) if cell else place


def _needles(line: str, column: int) -> Iterable[str]:
    """The word at a column of a line of markup, then labels, the nearest first."""
    under = UNDER.match(line, column)
    named = under[0].strip('"') if under else ""
    before, after = MENTIONED.findall(line[:column]), MENTIONED.findall(line[column:])
    return [named, *MENTIONED.findall(named), *reversed(before), *after]
