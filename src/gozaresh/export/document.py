"""Step 3a: an executed notebook becomes one pandoc-Markdown text and the figures that it shows.

Floats (figures, tables, listings) are fenced divs ``{.gz-float #label kind=…}`` with their caption in an inner div;
one without label and caption has no number. HTML stands in raw blocks, which :mod:`gozaresh.export.reading` reads.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from nbformat import NotebookNode

from gozaresh.common.errors import Problem, SourceError, raise_problems
from gozaresh.export import outputs
from gozaresh.export.outputs import Equation, Form, Html, OutputError, Picture, Printed, Prose
from gozaresh.export.pandoc import marker
from gozaresh.source import inline
from gozaresh.source.cells import Options
from gozaresh.source.notebook import code_of, is_injected, is_values, options_of, place_of

FENCED = re.compile(r"^(?P<fence>`{3,})(?P<lang>\w*)\n(?P<code>.*)\n(?P=fence)\s*$", re.S)
CAPTION = "::::::: {.gz-caption}"  # the line before a float's caption
BLOCK_MARK = re.compile(r"^(\s*(?:[0-9]+(?=[.)]\s))?)([.)#>*+-])(?=\s)")
DATA = re.compile(r"data:image/(?P<kind>png|jpeg|gif|webp|svg\+xml);base64,(?P<data>[\w+/=\s]+)")
SUFFIXES = {"jpeg": "jpg", "svg+xml": "svg"}
NO_ALT = "تصویری که برنامه رسم کرده است"  # said of a picture that has neither alternative text nor caption


@dataclass(frozen=True)
class Figure:
    """An image file that a chapter shows."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Piece:
    """Markdown of one cell, perhaps with figures; a cell gives none, one or several."""

    markdown: str
    figures: tuple[Figure, ...] = ()
    bare: str = ""  # the kind, ``fig`` or ``tbl``, of a figure or table without label


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
        return tuple(figure for pieces in self.pieces.values() for piece in pieces for figure in piece.figures)

    @property
    def bare(self) -> list[tuple[int, str]]:
        """The figures and tables without label: the cell's number, and the kind."""
        return [(number, piece.bare) for number, pieces in self.pieces.items() for piece in pieces if piece.bare]

    def of_cell(self, number: int) -> str:
        """The Markdown of one cell."""
        return "\n\n".join(piece.markdown for piece in self.pieces[number])


def to_document(notebook: NotebookNode, figure_path: str) -> Document:
    """Read an executed notebook as a document; images are referred to below ``figure_path``.

    Raises:
        SourceError: all outputs that cannot be set, labels whose kind a cell does not show, values never computed.
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
    writer = _OutputWriter(cell, options, values, figure_path)
    if options.echo:
        yield writer.listing(fence(code_of(cell), "python"))
    if not options.output:
        return
    try:
        forms = outputs.forms(cell)
    except OutputError as error:
        label = f"{options.label}: " if options.label else ""
        raise SourceError(label + error.text, place_of(cell)) from None
    yield from writer.pieces(forms)


@dataclass(frozen=True)
class _OutputWriter:
    """Writes what one executed cell shows as Markdown."""

    cell: NotebookNode
    options: Options
    values: Mapping[str, str]
    figure_path: str

    def pieces(self, forms: Sequence[Form]) -> Iterator[Piece]:
        """The outputs in order; all pictures, or all tables, that share the cell's label stand in one float.

        Raises:
            SourceError: the label promises what the cell does not show.
        """
        labelled = [form for form in forms if _kind(form) == self.options.kind and self.options.kind in SHOWN]
        if self.options.kind in SHOWN and not labelled:
            promised = f"{self.options.label} is the label of {SHOWN[self.options.kind]}"
            raise SourceError(f"{promised}, and the cell shows {_listed(forms)}", place_of(self.cell))
        for form in forms:
            if form not in labelled:
                yield self.bare(form)
            elif form is labelled[0]:
                yield self.numbered(labelled)

    def bare(self, form: Form) -> Piece:
        """An output without number and caption."""
        if isinstance(form, Picture):
            figure = Figure(f"figure-{sha256(form.data).hexdigest()[:12]}.{form.suffix}", form.data)
            return Piece(self.float("fig", "", "", self.image(figure)), (figure,), "fig")
        if isinstance(form, Prose):
            code = FENCED.match(form.markdown.strip())
            return (self.listing(fence(code["code"], code["lang"])) if code else
                    Piece(form.markdown, bare=_kind(form)))
        if isinstance(form, Html):
            return replace(self.html(form), bare=_kind(form))
        return Piece(f"$$\n{form.tex}\n$$" if isinstance(form, Equation) else fence(form.text, "text"))

    def numbered(self, forms: Sequence[Form]) -> Piece:
        """The outputs that the cell's label names."""
        kind, label = self.options.kind, self.options.label
        if kind == "eq":
            return Piece("\n\n".join(f"{self.bare(form).markdown} {{#{label}}}" for form in forms[:1])
                         + "".join(f"\n\n{self.bare(form).markdown}" for form in forms[1:]))
        if not self.options.caption:
            raise SourceError(f"{label} needs '#| {kind}-cap: …'", place_of(self.cell))
        pictures = [form for form in forms if isinstance(form, Picture)]
        figures = [Figure(f"{label}{f'-{at}' if at else ''}.{picture.suffix}", picture.data)
                   for at, picture in enumerate(pictures)]
        bodies = [Piece(self.image(figure), (figure,)) for figure in figures] or [self.bare(form) for form in forms]
        body = "\n\n".join(piece.markdown for piece in bodies)
        return Piece(self.float(kind, label, self.options.caption, body),
                     tuple(figure for piece in bodies for figure in piece.figures))

    def listing(self, code: str) -> Piece:
        """Code, as a numbered listing if the cell has a label for one."""
        label = self.options.label if self.options.kind == "lst" else self.options.lst_label
        return Piece(self.float("lst", label, self.options.lst_cap, code) if label else code)

    def image(self, figure: Figure) -> str:
        """The Markdown of a picture."""
        return f"![]({self.figure_path}/{figure.name})"

    def html(self, form: Html) -> Piece:
        """HTML, the pictures that it holds as files."""
        figures: list[Figure] = []

        def kept(found: re.Match[str]) -> str:
            data = base64.b64decode(found["data"])
            suffix = SUFFIXES.get(found["kind"], found["kind"])
            figures.append(Figure(f"figure-{sha256(data).hexdigest()[:12]}.{suffix}", data))
            return f"{self.figure_path}/{figures[-1].name}"

        return Piece(fence(DATA.sub(kept, form.html), "{=html}"), tuple(figures))

    def float(self, kind: str, label: str, caption: str, body: str) -> str:
        """A figure, table or listing with its caption, both with their computed values."""
        place = place_of(self.cell)
        filled = inline.fill(caption, self.values, place)
        alt = inline.fill(self.options.fig_alt, self.values, place) or (NO_ALT if kind == "fig" and not label else "")
        attributes = {"kind": kind, "alt": alt, "width": self.options.fig_width}
        pairs = [f'{key}="{html.escape(value)}"' for key, value in attributes.items() if value]
        return floated(" ".join([*([f"#{label}"] if label else []), *pairs]), body, filled)


SHOWN = {"fig": "a figure", "tbl": "a table", "eq": "an equation"}
NAMES: Mapping[type[Form], str] = {Printed: "text", Prose: "Markdown", Equation: "a formula", Html: "HTML",
                                   Picture: "a picture"}


def _kind(form: Form) -> str:
    """The kind of label that an output can have."""
    if isinstance(form, Prose):
        return "tbl" if form.markdown.lstrip().startswith(("|", "+-")) else ""
    if isinstance(form, Html):
        return "tbl" if re.search(r"<table\b", form.html, re.I) else ""
    return {Picture: "fig", Equation: "eq"}.get(type(form), "")


def _listed(forms: Sequence[Form]) -> str:
    return " and ".join(dict.fromkeys(NAMES[type(form)] for form in forms)) or "nothing"


def floated(attributes: str, body: str, caption: str) -> str:
    """A figure, table or listing with its caption, as :mod:`gozaresh.export.typst_writer` reads it."""
    said = BLOCK_MARK.sub(r"\1\\\2", caption)  # a caption is text, not a list or a heading
    return f":::::::: {{.gz-float {attributes}}}\n{body}\n\n{CAPTION}\n{said}\n:::::::\n::::::::"


def fence(code: str, language: str) -> str:
    """A fenced code block whose fence is longer than any run of backticks in ``code``."""
    longest = max((len(run) for run in re.findall("`+", code)), default=0)
    marks = "`" * max(3, longest + 1)
    return f"{marks}{language}\n{code}\n{marks}"


