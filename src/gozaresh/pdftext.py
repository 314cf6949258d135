"""What a reader's program finds in the finished PDF: text, outline, characters without a glyph."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import pypdfium2

CONTROLS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe]")


@dataclass(frozen=True)
class Page:
    """A page's number from 1 and its text, NFC, without direction marks."""

    number: int
    text: str


def read_pages(path: Path) -> list[Page]:
    """The text of each page as pdfium gives it."""
    with pypdfium2.PdfDocument(path) as pdf:
        return [Page(number, clean(page.get_textpage().get_text_bounded())) for number, page in enumerate(pdf, 1)]


def clean(text: str) -> str:
    """Text without direction marks and in NFC, so that it can be compared with a source."""
    return unicodedata.normalize("NFC", CONTROLS.sub("", text)).replace("\r\n", "\n")


def outline(path: Path) -> list[str]:
    """The titles of the PDF's bookmarks, in order."""
    with pypdfium2.PdfDocument(path) as pdf:
        return [clean(mark.get_title()) for mark in pdf.get_toc()]
