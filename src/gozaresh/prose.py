"""The words that a chapter's prose and captions promise to the reader, with the places they come from."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nbformat import NotebookNode

from gozaresh import inline
from gozaresh.document import cells_with_values
from gozaresh.errors import Place
from gozaresh.lint import blanked
from gozaresh.notebook import options_of, place_of
from gozaresh.proofread import SourceText, tokens

# maths, code, labels, references, addresses and list marks are set, but not as these words
NOT_WORDS = re.compile(r"\$\$.*?\$\$|```.*?```|`[^`\n]*`|\$[^$\n]*\$|\{#[^}]*\}|\[\^\w+\]:?|-?@[A-Za-z][\w:-]*"
                       r"|https?://\S+|^\s*(?:\d+\.|[-*+])\s|^#+ ", re.S | re.M)


def source_texts(notebook: NotebookNode) -> Iterator[SourceText]:
    """Every paragraph and caption of an executed chapter, in order, its computed values filled in."""
    for cell, values in cells_with_values(notebook.cells):
        place = place_of(cell)
        if cell.cell_type == "markdown":
            yield from _paragraphs(inline.fill(cell.source, values, place), place)
        elif cell.outputs or options_of(cell).echo:
            yield from _paragraphs(inline.fill(options_of(cell).caption, values, place), place)


def _paragraphs(text: str, place: Place) -> Iterator[SourceText]:
    plain = blanked(NOT_WORDS, text)
    line = place.line
    for paragraph in re.split(r"(\n[ \t]*\n)", plain):
        words = tuple(tokens(paragraph))
        if words:
            lead = paragraph[: len(paragraph) - len(paragraph.lstrip())].count("\n")
            yield SourceText(words, place.file, line + lead)
        line += paragraph.count("\n")
