"""Read the cells of an executed chapter as one settled tree, which the writer sets and the proof holds the PDF against.

pandoc reads a chapter's cells together, in one call, since a footnote or a link's address may stand in another cell.
Each cell's HTML is then read by itself (:mod:`gozaresh.export.html`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nbformat import NotebookNode

from gozaresh.common.digests import digest
from gozaresh.common.errors import Place, Problem, TypesetError, raise_problems
from gozaresh.common.findings import Finding
from gozaresh.common.store import Store
from gozaresh.export.commonmark import Lines, for_pandoc
from gozaresh.export.document import to_document
from gozaresh.export.error_places import place_in
from gozaresh.export.html import Html, Untold
from gozaresh.export.pandoc import Node, mark, marked, marker, read
from gozaresh.export.resolve import Conventions, Settled, addresses, settle
from gozaresh.source.markup import defined, undefined
from gozaresh.source.notebook import place_of

NOUNS = {"fig": "figure", "tbl": "table"}
MARKER_LINES = 4  # those of a marker, and an empty one


@dataclass(frozen=True)
class Part:
    """A cell of the author's, the Markdown that it gives to its chapter, and the settled blocks of that."""

    place: Place
    source: str
    markdown: str
    blocks: Sequence[Node]
    cell: int = 0  # its number in the notebook


@dataclass(frozen=True)
class Reading:
    """A chapter as it is read: its cells in order, its pictures by file name, what is to be told."""

    parts: Sequence[Part]
    pictures: dict[str, bytes]
    findings: Sequence[Finding]
    files: Sequence[Path] = ()  # that its pictures and links may name

    @property
    def blocks(self) -> list[Node]:
        """The blocks of all the cells, those of each after a marker (:func:`gozaresh.export.pandoc.marker`)."""
        return [block for part in self.parts if part.blocks for block in (mark(part.cell), *part.blocks)]


class PartError(TypesetError):
    """What pandoc finds wrong with texts: for each problem the text's number, its line (0: not known), a message."""

    def __init__(self, found: Sequence[tuple[int, int, str]]) -> None:
        super().__init__(problems=[Problem(None, message) for *_, message in found])
        self.found = found


def read_chapter(notebook: NotebookNode, conventions: Conventions | None = None) -> Reading:
    """Read an executed chapter.

    Raises:
        TypesetError: pandoc cannot read a cell, or a footnote is not written; with its line.
    """
    return read_kept(notebook, conventions or Conventions(), Store(), "")


def read_kept(notebook: NotebookNode, conventions: Conventions, store: Store, executed: str) -> Reading:
    """The same; ``store`` holds what was read of the notebook of the digest ``executed``, and what pictures gave.

    Raises:
        TypesetError: see :func:`read_chapter`.
    """
    document = to_document(notebook, conventions.own)
    parts = [Part(place_of(notebook.cells[at]), notebook.cells[at].source, document.of_cell(at), [], at)
             for at in document.pieces]
    bare = [Finding(place_of(notebook.cells[at]), "figure or table without label, set without number",
                    f"a {NOUNS[kind]} needs '#| label: {kind}-…'") for at, kind in document.bare]
    if conventions.strict:
        raise_problems(Problem(found.place, found.text) for found in bare)
    missing = list(_footnotes(notebook, parts))
    if not conventions.bare:
        raise_problems([Problem(found.place, found.text) for found in missing], TypesetError)
    name = digest("tree", executed, conventions.own)
    trees = store.get(name, lambda: _trees(notebook, parts), list[tuple[list[Node], list[Untold]]])
    files = [conventions.gallery.state(address) for blocks, _ in trees for address in addresses(blocks)]
    cells = [notebook.cells[part.cell] for part in parts]
    settled = store.get(digest("settled", name, conventions, files), lambda: settle(
        [blocks for blocks, _ in trees], cells, conventions, [untold for _, untold in trees]), Settled)
    whole = [replace(part, blocks=blocks) for part, blocks in zip(parts, settled.cells, strict=True)]
    named = {path for blocks, _ in trees for address in addresses(blocks)
             for path in conventions.gallery.candidates(address)}
    return Reading(whole, settled.pictures, [*bare, *missing, *settled.findings], sorted(named))


def _trees(notebook: NotebookNode, parts: Sequence[Part]) -> list[tuple[list[Node], list[Untold]]]:
    try:
        return read_parts([part.markdown for part in parts])
    except PartError as error:
        raise TypesetError(problems=[
            Problem(place_in(notebook, parts[part].cell, line, quotations(message)), message)
            for part, line, message in error.found]) from None


def read_parts(texts: Sequence[str]) -> list[tuple[list[Node], list[Untold]]]:
    """The blocks of each of some texts that belong together, and the HTML elements of it that leave nothing on paper.

    Raises:
        PartError: pandoc cannot read a text, or warns of it.
    """
    written = [for_pandoc(unicodedata.normalize("NFC", text)) for text in texts]
    try:
        tree = read("\n\n".join(f"{marker(at)}\n\n{lines.text}" for at, lines in enumerate(written)))
    except TypesetError as error:
        raise PartError([_in_part(problem, written) for problem in error.problems]) from None
    blocks: list[list[Node]] = [[] for _ in texts]
    at = 0
    for block in tree["blocks"]:
        number = marked(block)
        if number is None:
            blocks[at].append(_unmarked(block))
        else:
            at = number
    return [_structured(found) for found in blocks]


def _structured(blocks: list[Node]) -> tuple[list[Node], list[Untold]]:
    reader = Html()
    return reader.blocks(blocks), reader.unseen


def _unmarked(block: Node) -> Node:
    """A block without markers inside, as where a fenced div of one cell ends in another."""
    if block["t"] != "Div":
        return block
    attributes, inner = block["c"]
    return {"t": "Div", "c": [attributes, [_unmarked(one) for one in inner if marked(one) is None]]}


def _in_part(problem: Problem, written: Sequence[Lines]) -> tuple[int, int, str]:
    """The text that pandoc complains of, the line of it, and the message."""
    line = problem.place.line if problem.place else 0
    begin = 0
    for at, lines in enumerate(written):
        within = line - begin - MARKER_LINES
        if line and within <= len(lines.origin):
            return at, lines.line(within), problem.text
        begin += MARKER_LINES + len(lines.origin) + 1
    return _first_refused(written), 0, problem.text


def _first_refused(written: Sequence[Lines]) -> int:
    """The number of the first text up to which pandoc refuses the texts."""
    for at in range(len(written)):
        try:
            read("\n\n".join(lines.text for lines in written[:at + 1]))
        except TypesetError:
            return at
    return 0


def quotations(message: str) -> list[str]:
    """The words that a message quotes, by which its place can be found."""
    return re.findall(r"'([^']+)'", message)


def _footnotes(notebook: NotebookNode, parts: Sequence[Part]) -> Iterator[Finding]:
    """References to footnotes that no cell of the chapter writes."""
    names = {name for part in parts for name in defined(part.markdown)}
    for part in parts:
        for at, problem in undefined(part.markdown, names):
            line = part.markdown.count("\n", 0, at) + 1
            place = place_in(notebook, part.cell, line, quotations(problem))
            yield Finding(place, "footnote that is not written, set as it stands", problem)
