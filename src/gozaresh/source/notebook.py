"""Cells become a notebook that Papermill runs whole: each cell carries its place, computed values their own cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import nbformat
from nbformat import NotebookNode

from gozaresh.common.errors import Place
from gozaresh.source import inline
from gozaresh.source.cells import Cell, Options

KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


RAISES, SKIPPED = "raises-exception", "skip-execution"  # Jupyter's tags: may raise, is not run


def to_notebook(cells: Sequence[Cell], *, keep: bool = False) -> NotebookNode:
    """The chapter as a notebook; a cell's ``metadata.gozaresh`` holds file, line and options.

    With ``keep`` the code cells have the outputs that their source keeps, and no values are computed.
    """
    about = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    notebook: NotebookNode = nbformat.v4.new_notebook(metadata=about)
    notebook.cells = [node for cell in cells for node in ([_kept(cell)] if keep else _nodes(cell))]
    for number, node in enumerate(notebook.cells):
        node["id"] = f"cell-{number:03d}"  # nbformat draws ids at random, which would make no two builds alike
    return notebook


def _nodes(cell: Cell) -> Iterator[NotebookNode]:
    caption = " ".join((cell.options.fig_cap, cell.options.tbl_cap, cell.options.lst_cap, cell.options.fig_alt))
    text = cell.source if cell.kind == "markdown" else caption
    values = list(_values(cell, text))
    node = _node(cell)
    if cell.kind == "markdown":
        yield from [*values, node]
    else:
        yield from [node, *values]


def _kept(cell: Cell) -> NotebookNode:
    node = _node(cell)
    if cell.kind == "code":
        node.outputs = [nbformat.from_dict(dict(output)) for output in cell.outputs]
        node.execution_count = 1 if cell.ran else None
    return node


def _node(cell: Cell) -> NotebookNode:
    meta: dict[str, Any] = {"file": cell.file, "line": cell.line}
    if cell.kind != "code":
        made: Any = nbformat.v4.new_markdown_cell if cell.kind == "markdown" else nbformat.v4.new_raw_cell
        prose: NotebookNode = made(cell.source, metadata={"gozaresh": meta})
        if cell.attachments:
            prose.attachments = nbformat.from_dict({name: dict(forms) for name, forms in cell.attachments.items()})
        return prose
    meta |= {"options": asdict(cell.options), "option_lines": cell.option_lines}
    code: NotebookNode = nbformat.v4.new_code_cell(cell.source, metadata={"tags": _tags(cell), "gozaresh": meta})
    return code


def _tags(cell: Cell) -> list[str]:
    """The tags, those among them that Jupyter has for the options ``error`` and ``eval``."""
    wanted = [RAISES] * cell.options.error + [SKIPPED] * (not cell.options.eval)
    return list(dict.fromkeys((*cell.tags, *wanted)))


def _values(cell: Cell, text: str) -> Iterator[NotebookNode]:
    found = dict.fromkeys(inline.expressions(text))
    if not found:
        return
    places = [cell.place_of(expression) for expression in found]
    for expression, place in zip(found, places, strict=True):
        inline.check_expression(expression, place)
    meta = {"file": cell.file, "line": cell.line, "lines": [place.line for place in places]}
    yield nbformat.v4.new_code_cell(inline.values_code(found), metadata={"tags": [inline.TAG], "gozaresh": meta})


def options_of(node: NotebookNode) -> Options:
    """The options that a notebook's code cell carries; none for a cell that is not a chapter's."""
    return Options(**node.metadata.get("gozaresh", {}).get("options", {}))


def code_of(node: NotebookNode) -> str:
    """The code of a notebook's cell without its option lines."""
    skip = node.metadata.get("gozaresh", {}).get("option_lines", 0)
    return "\n".join(node.source.splitlines()[skip:]).strip()


def place_of(node: NotebookNode, line: int = 1) -> Place:
    """The place of the ``line``-th line of a notebook's cell in its percent script."""
    meta = node.metadata.get("gozaresh", {"file": "notebook", "line": 1})
    if "lines" in meta:  # a cell of computed values: its expressions start on its third line
        return Place(meta["file"], meta["lines"][min(max(line - 3, 0), len(meta["lines"]) - 1)])
    return Place(meta["file"], meta["line"] + line - 1)


def is_injected(cell: NotebookNode) -> bool:
    """Test if Papermill put a cell in to set the parameters."""
    return "injected-parameters" in cell.metadata.get("tags", ())


def is_values(cell: NotebookNode) -> bool:
    """Test if a cell was put in to compute inline values."""
    return inline.TAG in cell.metadata.get("tags", ())


def metadata(notebook: NotebookNode) -> dict[str, Any]:
    """The engine's own record in an executed notebook's metadata."""
    found: dict[str, Any] = notebook.metadata.get("gozaresh", {})
    return found


def option_lines(cell: NotebookNode) -> int:
    """How many lines of options stand above a cell's code."""
    lines: int = cell.metadata.get("gozaresh", {}).get("option_lines", 0)
    return lines
