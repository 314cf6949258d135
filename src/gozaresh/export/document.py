"""Step 3a: an executed notebook becomes one pandoc-Markdown text and the figures that it shows.

Floats (figures, tables, listings) are fenced divs ``{.gz-float #label kind=…}`` with their caption in an inner div.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nbconvert.filters import strip_ansi
from nbformat import NotebookNode

from gozaresh.common.errors import Problem, SourceError, raise_problems
from gozaresh.export.pandoc import marker
from gozaresh.source import inline
from gozaresh.source.cells import Options
from gozaresh.source.notebook import code_of, is_injected, is_values, options_of, place_of

IMAGES = {"image/svg+xml": "svg", "image/png": "png"}
FENCED = re.compile(r"^(?P<fence>`{3,})(?P<lang>\w*)\n(?P<code>.*)\n(?P=fence)\s*$", re.S)
CAPTION = "::::::: {.gz-caption}"  # the line before a float's caption


@dataclass(frozen=True)
class Figure:
    """An image file that a chapter shows."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Piece:
    """Markdown of one cell, perhaps with a figure; a cell gives none, one or several."""

    markdown: str
    figure: Figure | None = None


@dataclass(frozen=True)
class Document:
    """A chapter as the pieces of its cells, by the cells' numbers in the notebook."""

    pieces: Mapping[int, tuple[Piece, ...]]

    @property
    def markdown(self) -> str:
        """The Markdown of all cells, each after a marker with its number (:func:`gozaresh.export.pandoc.marker`)."""
        return "\n\n".join(text for number in self.pieces for text in (marker(number), self.of_cell(number)))

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The figures of all cells."""
        return tuple(piece.figure for pieces in self.pieces.values() for piece in pieces if piece.figure)

    def of_cell(self, number: int) -> str:
        """The Markdown of one cell."""
        return "\n\n".join(piece.markdown for piece in self.pieces[number])


def to_document(notebook: NotebookNode, figure_path: str) -> Document:
    """Read an executed notebook as a document; images are referred to below ``figure_path``.

    Raises:
        SourceError: all images or tables without label or caption, two images in one cell, a value never computed.
    """
    pieces: dict[int, tuple[Piece, ...]] = {}
    problems: list[Problem] = []
    numbers = {id(cell): number for number, cell in enumerate(notebook.cells)}
    for cell, values in cells_with_values(notebook.cells):
        try:
            pieces[numbers[id(cell)]] = tuple(_pieces(cell, values, figure_path))
        except SourceError as error:
            problems += error.problems
    raise_problems(problems)
    return Document(pieces)


def cells_with_values(cells: Sequence[NotebookNode]) -> Iterator[tuple[NotebookNode, Mapping[str, str]]]:
    """Each cell of the author's with the values of its expressions: from the cell before prose, after code."""
    for number, cell in enumerate(cells):
        if is_values(cell) or is_injected(cell):
            continue
        beside = number - 1 if cell.cell_type == "markdown" else number + 1
        neighbour = cells[beside] if 0 <= beside < len(cells) else None
        values = inline.collect(neighbour.outputs) if neighbour is not None and is_values(neighbour) else {}
        yield cell, values


def _pieces(cell: NotebookNode, values: Mapping[str, str], figure_path: str) -> Iterator[Piece]:
    if cell.cell_type == "markdown":
        yield Piece(inline.fill(cell.source, values, place_of(cell)))
    elif cell.cell_type == "code":
        yield from _code_pieces(cell, values, figure_path)


def _code_pieces(cell: NotebookNode, values: Mapping[str, str], figure_path: str) -> Iterator[Piece]:
    options = options_of(cell)
    if options.echo:
        yield _listing_of_code(cell, options, values)
    outputs = list(_outputs(cell)) if options.output else []
    images = [output for output in outputs if output[0] in IMAGES]
    if len(images) > 1:
        raise SourceError(f"a cell shows {len(images)} images; one figure a cell", place_of(cell))
    for mime, content in outputs:
        yield _output(cell, options, values, mime, content, figure_path)


def _listing_of_code(cell: NotebookNode, options: Options, values: Mapping[str, str]) -> Piece:
    code = fence(code_of(cell), "python")
    label = options.label if options.kind == "lst" else options.lst_label
    return Piece(_float("lst", label, options, options.lst_cap, code, values, cell) if label else code)


def _outputs(cell: NotebookNode) -> Iterator[tuple[str, str]]:
    """The richest form of each output, a plot once: the inline backend shows it, and it may be the cell's value too."""
    plotted = any(output.output_type == "display_data" and _is_plot(output) for output in cell.outputs)
    for output in cell.outputs:
        found = _richest(output)
        if found is not None and not (plotted and output.output_type == "execute_result" and _is_plot(output)):
            yield found


def _is_plot(output: NotebookNode) -> bool:
    return str(output.get("data", {}).get("text/plain", "")).startswith("<Figure")


def _richest(output: NotebookNode) -> tuple[str, str] | None:
    if output.output_type == "stream":
        return ("text/plain", strip_ansi(output.text).rstrip()) if output.name == "stdout" else None
    data = output.get("data", {})
    for mime in ("image/svg+xml", "image/png", "text/markdown", "text/latex", "text/plain"):
        if mime in data and inline.MIME not in data:
            return mime, str(data[mime])
    return None


def _output(cell: NotebookNode, options: Options, values: Mapping[str, str], mime: str, content: str,
            figure_path: str) -> Piece:
    if mime in IMAGES:
        return _figure(cell, options, values, mime, content, figure_path)
    if options.kind == "eq" or mime == "text/latex":
        return Piece(_equation(cell, options, mime, content))
    if mime == "text/plain":
        return Piece(fence(content, "text"))
    code = FENCED.match(content.strip())
    if code:
        body = fence(code["code"], code["lang"])
        label = options.label if options.kind == "lst" else options.lst_label
        return Piece(_float("lst", label, options, options.lst_cap, body, values, cell) if label else body)
    if content.lstrip().startswith("|"):
        _demand(cell, options, "tbl", "table")
        return Piece(_float("tbl", options.label, options, options.tbl_cap, content, values, cell))
    return Piece(content)


def _equation(cell: NotebookNode, options: Options, mime: str, content: str) -> str:
    """What an object says of itself in LaTeX, as a displayed equation; its number needs a label."""
    if mime != "text/latex":
        raise SourceError(f"{options.label} needs a value with LaTeX of its own (_repr_latex_)", place_of(cell))
    tex = content.strip().strip("$").removeprefix(r"\displaystyle").strip()
    return f"$$\n{tex}\n$$" + (f" {{#{options.label}}}" if options.label else "")


def _figure(cell: NotebookNode, options: Options, values: Mapping[str, str], mime: str, content: str,
            figure_path: str) -> Piece:
    _demand(cell, options, "fig", "figure")
    suffix = IMAGES[mime]
    data = content.encode() if suffix == "svg" else base64.b64decode(content)
    figure = Figure(f"{options.label}.{suffix}", data)
    body = f"![]({figure_path}/{figure.name})"
    return Piece(_float("fig", options.label, options, options.fig_cap, body, values, cell), figure)


def _demand(cell: NotebookNode, options: Options, kind: str, noun: str) -> None:
    if options.kind != kind:
        raise SourceError(f"a {noun} needs '#| label: {kind}-…'", place_of(cell))
    if not options.caption:
        raise SourceError(f"{noun} {options.label} needs '#| {kind}-cap: …'", place_of(cell))


def _float(kind: str, label: str, options: Options, caption: str, body: str, values: Mapping[str, str],
           cell: NotebookNode) -> str:
    place = place_of(cell)
    filled = inline.fill(caption, values, place)
    attributes = {"kind": kind, "alt": inline.fill(options.fig_alt, values, place), "width": options.fig_width}
    pairs = " ".join(f'{key}="{html.escape(value)}"' for key, value in attributes.items() if value)
    return floated(f"#{label} {pairs}", body, filled)


def floated(attributes: str, body: str, caption: str) -> str:
    """A figure, table or listing with its caption, as :mod:`gozaresh.export.typst_writer` reads it."""
    return f":::::::: {{.gz-float {attributes}}}\n{body}\n\n{CAPTION}\n{caption}\n:::::::\n::::::::"


def fence(code: str, language: str) -> str:
    """A fenced code block whose fence is longer than any run of backticks in ``code``."""
    longest = max((len(run) for run in re.findall("`+", code)), default=0)
    marks = "`" * max(3, longest + 1)
    return f"{marks}{language}\n{code}\n{marks}"


