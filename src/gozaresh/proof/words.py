"""The words that a chapter's prose and captions promise to the reader, with the places they come from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nbformat import NotebookNode

from gozaresh.common.errors import Place
from gozaresh.export.document import cells_with_values
from gozaresh.pdf.text import MARKS, clean
from gozaresh.source import inline
from gozaresh.source.markup import NOT_WORDS, blanked
from gozaresh.source.notebook import options_of, place_of

PERSIAN = re.compile(f"[\u0620-\u064a\u066e-\u06d3\u06d5\u06fa-\u06ff][\u0620-\u06d3\u06d5\u06fa-\u06ff{MARKS}\u200c]*")
WORD = re.compile(f"{PERSIAN.pattern}|[\u06f0-\u06f9]+(?:[٫٬][\u06f0-\u06f9]+)*|[0-9]+|[A-Za-z\u00c0-\u03ff]+")


@dataclass(frozen=True)
class SourceText:
    """A piece of a source, a paragraph or a caption, as its words in order, and where it begins."""

    words: tuple[str, ...]
    file: str
    line: int

    @property
    def place(self) -> Place:
        """Where it begins."""
        return Place(self.file, self.line)


def tokens(text: str) -> list[str]:
    """The words and numbers of a text; letters and digits apart, for readers do not keep them in one order.

    >>> tokens("«داده‌ها»، β-VAE (۰٫۵) Conv2d")
    ['داده\\u200cها', 'β', 'VAE', '۰٫۵', 'Conv', '2', 'd']
    """
    return [found.strip("\u200c") for found in WORD.findall(clean(text))]


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
