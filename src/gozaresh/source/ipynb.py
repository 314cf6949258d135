"""A Jupyter notebook as cells that know the line of the file they stand on, with the outputs that it keeps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from gozaresh.common.errors import Place, Problem, SourceError, one_line, raise_problems
from gozaresh.common.text import read_text
from gozaresh.source.cells import Cell, Options, code_cell
from gozaresh.source.front_matter import FrontMatter, read_front_matter

LARGEST = 256 * 2**20  # bytes of a notebook, its pictures among them
HIDING = {"hide-input": "echo", "hide_input": "echo", "remove-input": "echo", "remove_input": "echo",
          "hide-output": "output", "hide_output": "output", "remove-output": "output", "remove_output": "output"}
GONE = {"remove-cell", "remove_cell", "hide-cell", "hide_cell"}


def read_notebook(path: Path, name: str) -> tuple[tuple[Cell, ...], FrontMatter]:
    """Read a notebook of any version, called ``name`` in messages, as cells, and its YAML head if it has one.

    Raises:
        SourceError: it is not a notebook, or a cell's options are wrong (with file and line).
    """
    text = read_text(path, name, SourceError, largest=LARGEST)
    notebook = _parsed(text, name)
    lines = _Lines(text)
    head = FrontMatter()
    cells: list[Cell] = []
    problems: list[Problem] = []
    for node in notebook.cells:
        source = str(node.source).strip("\n")
        first = lines.of(str(node.source))
        if node.cell_type == "raw" and not cells and source.startswith("---"):
            head = read_front_matter(source + "\n", name)
        elif source.strip():
            cells.append(_cell(node, source, name, first, head, problems))
    raise_problems(problems)
    return tuple(cells), head


def _parsed(text: str, name: str) -> NotebookNode:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        place = Place(name, getattr(error, "lineno", 1))
        raise SourceError(f"not a notebook: {getattr(error, 'msg', 'not JSON')}", place) from None
    if not isinstance(told, dict) or not ("cells" in told or "worksheets" in told):
        raise SourceError("not a notebook: there are no cells in it", Place(name, 1))
    try:
        notebook: NotebookNode = nbformat.convert(nbformat.from_dict(_joined(told)), 4)
    except Exception as error:  # what nbformat's own converters raise depends on what is wrong
        told = f"not a notebook of a version that nbformat knows: {one_line(error)}"
        raise SourceError(told, Place(name, 1)) from None
    return notebook


def _joined(told: Any) -> Any:
    """The notebook with texts for the lists of lines that its file has."""
    from nbformat.v4.rwbase import rejoin_lines

    return rejoin_lines(nbformat.from_dict(told)) if "cells" in told else told


def _cell(node: NotebookNode, source: str, name: str, line: int, head: FrontMatter,
          problems: list[Problem]) -> Cell:
    if node.cell_type != "code":
        return Cell(node.cell_type, source, name, line, attachments=dict(node.get("attachments", {})))
    tags = tuple(str(tag) for tag in node.metadata.get("tags", ()))
    hidden = {HIDING[tag]: False for tag in tags if tag in HIDING}
    if GONE & set(tags):
        hidden = {"echo": False, "output": False}
    told: dict[str, bool] = {**head.options, **hidden}
    options = replace(Options(echo=True), **told)  # type: ignore[arg-type]
    cell = code_cell(source, name, line, problems, tags, options)
    return replace(cell, outputs=tuple(node.get("outputs", ())), ran=node.get("execution_count") is not None)


class _Lines:
    """Finds, going down the file, the line on which a cell's text begins."""

    def __init__(self, text: str) -> None:
        self._text, self._at, self._line = text, 0, 1

    def of(self, source: str) -> int:
        """The line of the file on which a cell's first line that is not empty stands."""
        lines = [line for line in source.split("\n") if line.strip()]
        for line in islice(lines, 1):
            places = [at for form in _forms(line) if (at := self._text.find(form, self._at)) >= 0]
            if places:
                self._line += self._text.count("\n", self._at, min(places))
                self._at = min(places)
        return self._line


def _forms(line: str) -> Iterator[str]:
    """How JSON writes a line, with and without escapes for what is not ASCII."""
    for ascii_only in (False, True):
        yield json.dumps(line, ensure_ascii=ascii_only)[1:-1]
