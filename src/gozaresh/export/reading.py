"""Read the cells of an executed chapter as one settled tree, which the writer sets and the proof holds the PDF against.

pandoc reads a chapter's cells together, in one call, since a footnote or a link's address may stand in another cell.
Each cell's HTML is then read by itself (:mod:`gozaresh.export.html`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from nbformat import NotebookNode

from gozaresh.common.errors import Place, TypesetError
from gozaresh.common.findings import Finding
from gozaresh.common.memo import Memo, key
from gozaresh.export.commonmark import Lines, for_pandoc
from gozaresh.export.document import cell_documents
from gozaresh.export.html import Html, Untold
from gozaresh.export.pandoc import Node, read
from gozaresh.export.resolve import Conventions, addresses, settle
from gozaresh.source.markup import defined, undefined
from gozaresh.source.notebook import place_of

MARKER = "GOZARESHCELL"
MARK = re.compile(r"// cell ([0-9]+)")
AT_LINE = re.compile(r" at line ([0-9]+)(?: column [0-9]+)?")
WARNED = re.compile(r"\[WARNING\] | Failing because there were warnings\.")


@dataclass(frozen=True)
class Part:
    """A cell of the author's, the Markdown that it gives to its chapter, and the settled blocks of that."""

    place: Place
    source: str
    markdown: str
    blocks: Sequence[Node]
    is_code: bool = False

    def place_at(self, line: int) -> Place:
        """The place of a line (from 1) of the Markdown; code has only its cell's place."""
        return self.place if self.is_code else Place(self.place.file, self.place.line + line - 1)

    def place_in_source(self, index: int) -> Place:
        """The place of a character of the source."""
        return Place(self.place.file, self.place.line + self.source.count("\n", 0, index))


@dataclass(frozen=True)
class Reading:
    """A chapter as it is read: its cells in order, its pictures by file name, what is to be told."""

    parts: Sequence[Part]
    pictures: dict[str, bytes]
    findings: Sequence[Finding]

    @property
    def blocks(self) -> list[Node]:
        """The blocks of all the cells, those of each below a comment that says which it is."""
        return [block for at, part in enumerate(self.parts) if part.blocks
                for block in ({"t": "RawBlock", "c": ["typst", f"// cell {at}"]}, *part.blocks)]


class PartError(TypesetError):
    """A text that pandoc cannot read: the number of the text and the line in it (from 1; 0: not known)."""

    def __init__(self, message: str, part: int, line: int) -> None:
        super().__init__(message)
        self.part, self.line = part, line


def read_chapter(notebook: NotebookNode, conventions: Conventions | None = None) -> Reading:
    """Read an executed chapter.

    Raises:
        TypesetError: pandoc cannot read a cell, or a footnote is not written; with its line.
    """
    return read_kept(notebook, conventions or Conventions(), Memo(), "")


def read_kept(notebook: NotebookNode, conventions: Conventions, memo: Memo, digest: str) -> Reading:
    """The same; ``memo`` holds what was read of the notebook of a ``digest``, and what pictures of the same bytes gave.

    Raises:
        TypesetError: see :func:`read_chapter`.
    """
    cells = list(cell_documents(notebook, conventions.own))
    parts = [Part(place_of(cell), cell.source, document.markdown, [], cell.cell_type == "code")
             for cell, document in cells]
    missing = _footnotes(parts)
    if missing and not conventions.bare:
        raise TypesetError("\n".join(f"{found.place}: {found.text}" for found in missing))
    name = key("tree", digest, conventions.own)
    trees = memo.get(name, lambda: _trees(parts))
    files = [conventions.gallery.state(address) for blocks, _ in trees for address in addresses(blocks)]
    settled = memo.get(key(name, conventions, files), lambda: settle(
        [blocks for blocks, _ in trees], [cell for cell, _ in cells], conventions, [untold for _, untold in trees]))
    whole = [replace(part, blocks=blocks) for part, blocks in zip(parts, settled.cells, strict=True)]
    return Reading(whole, settled.pictures, [*missing, *settled.findings])


def _trees(parts: Sequence[Part]) -> list[tuple[list[Node], list[Untold]]]:
    try:
        return read_parts([part.markdown for part in parts])
    except PartError as error:
        part = parts[error.part]
        place = part.place_at(error.line) if error.line else _place_of_name(part, str(error))
        raise TypesetError(f"{place}: {error}") from None


def read_parts(texts: Sequence[str]) -> list[tuple[list[Node], list[Untold]]]:
    """The blocks of each of some texts that belong together, and the HTML elements of it that leave nothing on paper.

    Raises:
        PartError: pandoc cannot read a text, or warns of it.
    """
    written = [for_pandoc(unicodedata.normalize("NFC", text)) for text in texts]
    try:
        tree = read("".join(f"{MARKER}{at}\n\n{lines.text}\n\n" for at, lines in enumerate(written)))
    except TypesetError as error:
        raise _in_part(str(error), written) from None
    blocks: list[list[Node]] = [[] for _ in texts]
    at = 0
    for block in tree["blocks"]:
        marker = _marker(block)
        if marker is None:
            blocks[at].append(_unmarked(block))
        else:
            at = marker
    return [_structured(found) for found in blocks]


def _structured(blocks: list[Node]) -> tuple[list[Node], list[Untold]]:
    reader = Html()
    return reader.blocks(blocks), reader.unseen


def _marker(block: Node) -> int | None:
    """The number of the text that begins after a paragraph."""
    first = block["c"][0] if block["t"] in ("Para", "Plain") and len(block["c"]) == 1 else None
    text = first["c"] if first and first["t"] == "Str" else ""
    number = text.removeprefix(MARKER)
    return int(number) if text.startswith(MARKER) and number.isdecimal() else None


def _unmarked(block: Node) -> Node:
    """A block without markers inside, as where a fenced div of one cell ends in another."""
    if block["t"] != "Div":
        return block
    attributes, inner = block["c"]
    return {"t": "Div", "c": [attributes, [_unmarked(one) for one in inner if _marker(one) is None]]}


def _in_part(message: str, written: Sequence[Lines]) -> PartError:
    """The error with the text and the line in it that pandoc's line stands for."""
    found = AT_LINE.search(message)
    told = " ".join(WARNED.sub("", AT_LINE.sub("", message)).split())
    line = int(found[1]) if found else 0
    for at, lines in enumerate(written):
        rows = len(lines.origin)
        if found and line <= rows + 2:
            return PartError(told, at, lines.line(line - 2))
        line -= rows + 3
    return PartError(told, _first_refused(written), 0)


def _first_refused(written: Sequence[Lines]) -> int:
    """The number of the first text up to which pandoc refuses the texts."""
    for at in range(len(written)):
        try:
            read("\n\n".join(lines.text for lines in written[:at + 1]))
        except TypesetError:
            return at
    return 0


def _place_of_name(part: Part, message: str) -> Place:
    """The line of a part's source that holds what a message names."""
    for name in re.findall(r"'([^']+)'", message):
        at = part.source.find(name)
        if at >= 0:
            return part.place_in_source(at)
    return part.place


def _footnotes(parts: Sequence[Part]) -> list[Finding]:
    """References to footnotes that no cell of the chapter writes."""
    names = {name for part in parts for name in defined(part.markdown)}
    found = []
    for part in parts:
        for at, problem in undefined(part.markdown, names):
            if part.is_code:
                place = _place_of_name(part, problem)
            else:
                place = part.place_at(part.markdown.count("\n", 0, at) + 1)
            found.append(Finding(place, "footnote that is not written, set as it stands", problem))
    return found
