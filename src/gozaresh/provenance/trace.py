"""Traces every result of the executed chapters back to its cell, its code, its parameters and its data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from nbformat import NotebookNode

from gozaresh.common.digests import digest
from gozaresh.common.environment import cuda_present
from gozaresh.export.document import cells_with_values, to_document
from gozaresh.provenance.record import Literal, Origin, Provenance, Run
from gozaresh.source import inline
from gozaresh.source.markup import CODE, DEFINED, blanked
from gozaresh.source.notebook import code_of, is_injected, is_values, metadata, options_of, place_of
from gozaresh.source.parameters import Parameter

FLOAT = re.compile(r"\{\.gz-float #([\w-]+)")


@dataclass(frozen=True)
class Chapter:
    """An executed chapter and the parameters that its script declares."""

    name: str
    parameters: Sequence[Parameter]
    executed: NotebookNode

    @property
    def values(self) -> Mapping[str, Literal]:
        """What each parameter was in this run."""
        given = metadata(self.executed).get("parameters", {})
        return {parameter.name: given.get(parameter.name, parameter.default) for parameter in self.parameters}


def trace(chapters: Sequence[Chapter], profile: str) -> Provenance:
    """Where each result of the chapters comes from."""
    device = "cuda" if cuda_present() else "cpu"
    return Provenance(profile, [_run(chapter, device) for chapter in chapters],
                      [origin for chapter in chapters for origin in _origins(chapter)])


def _run(chapter: Chapter, device: str) -> Run:
    record = metadata(chapter.executed)
    values = chapter.values
    return Run(
        chapter=chapter.name, file=_file(chapter.executed), data=dict(sorted(record.get("files", {}).items())),
        parameters={p.name: values[p.name] for p in chapter.parameters if values[p.name] != p.default},
        seeds={name: value for name, value in values.items() if name == "seed" or name.endswith("_seed")},
        device=record.get("device", device), date=record.get("finished", ""), key=record.get("key", ""))


def _file(notebook: NotebookNode) -> str:
    return next((place_of(cell).file for cell in notebook.cells if "gozaresh" in cell.metadata), "notebook")


def _origins(chapter: Chapter) -> list[Origin]:
    """A chapter's results by line; of one line first what the cell made, then the values in its caption."""
    found = [*_labelled(chapter), *_values(chapter)]
    return sorted(found, key=lambda origin: (origin.line, origin.is_value))


def _labelled(chapter: Chapter) -> Iterator[Origin]:
    codes = _codes(chapter.executed)
    values = {id(cell): found for cell, found in cells_with_values(chapter.executed.cells)}
    document = to_document(chapter.executed, "")
    for number in document.pieces:
        cell = chapter.executed.cells[number]
        text = blanked(CODE, document.of_cell(number))  # in code nothing is a label
        labels = [*FLOAT.findall(text), *(found[1] or found[2] for found in DEFINED.finditer(text))]
        for label in dict.fromkeys(labels):
            if cell.cell_type == "markdown":
                line = _line_of(cell, f"#{label}", f"{{{label}}}")
                yield Origin(label, chapter.name, line, line)
            else:
                first = place_of(cell).line
                yield Origin(label, chapter.name, first, first + cell.source.count("\n"), codes[id(cell)],
                             _caption(cell, label, values[id(cell)]))


def _caption(cell: NotebookNode, label: str, values: Mapping[str, str]) -> str:
    options = options_of(cell)
    own = options.lst_cap if label == options.lst_label or options.kind == "lst" else options.caption
    return inline.fill(own, values, place_of(cell)) if label in (options.label, options.lst_label) else ""


def _values(chapter: Chapter) -> Iterator[Origin]:
    """Every computed value, as often as it is written."""
    codes = _codes(chapter.executed)
    for cell, values in cells_with_values(chapter.executed.cells):
        for line, group in groupby(sorted(_written(cell, values), key=_line), key=_line):
            found = [expression for _, expression in group]
            code = digest([codes[id(cell)], *found])
            for expression in found:
                yield Origin(expression, chapter.name, line, line, code, values[expression], is_value=True)


def _line(written: tuple[int, str]) -> int:
    return written[0]


def _written(cell: NotebookNode, values: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """The line and the expression of each value of a cell."""
    if cell.cell_type == "markdown":
        for found in inline.VALUE.finditer(cell.source):
            if found[1] in values:
                yield place_of(cell, cell.source.count("\n", 0, found.start()) + 1).line, found[1]
    else:  # YAML may write an expression otherwise than the cell's line
        yield from ((_line_of(cell, expression), expression) for expression in values)


def _line_of(cell: NotebookNode, *needles: str) -> int:
    """The line of the first of the needles that the cell holds, or its first line."""
    at = next((at for needle in needles if (at := cell.source.find(needle)) >= 0), 0)
    return place_of(cell, cell.source.count("\n", 0, at) + 1).line


def _codes(notebook: NotebookNode) -> dict[int, str]:
    """For each cell the digest of its code and of all code above it."""
    codes: dict[int, str] = {}
    above = ""
    for cell in notebook.cells:
        if cell.cell_type == "code" and not (is_values(cell) or is_injected(cell)):
            above = digest([above, code_of(cell)])
        codes[id(cell)] = above
    return codes
