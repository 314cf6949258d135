"""Text of a PDF as a reader's program finds it: pages, words, outline."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pypdfium2

from gozaresh.common.digests import digest
from gozaresh.common.store import Store

CONTROLS = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufffe]")
MARKS = "\u064b-\u065f\u0670"
WORD = re.compile(f"\\w(?:[\\w{MARKS}\u200c٫٬]*[\\w{MARKS}])?")


@dataclass(frozen=True)
class Page:
    """A page's number from 1 and its text, NFC, without direction marks."""

    number: int
    text: str


def read_pages(path: Path, store: Store | None = None, keys: Sequence[str] = ()) -> list[Page]:
    """The text of each page as pdfium (the reader of Chrome) gives it.

    Letters, marks and half-spaces are the source's. pdfium itself puts Latin words of a Persian line from right to
    left and mirrors brackets, whatever the PDF says; whoever compares must bear that.

    ``store`` holds what was read of pages of the same digest; ``keys`` are the pages' (:mod:`gozaresh.pdf.digest`).
    """
    known: list[str | None] = [store.find(digest("copied", key), str) for key in keys] if store else []
    if not known or None in known:
        with pypdfium2.PdfDocument(path) as pdf:
            known = known or [None] * len(pdf)
            known = [_copied(pdf[at]) if text is None else text for at, text in enumerate(known)]
        for key, text in zip(keys, known, strict=bool(store)):
            if store:
                store.keep(digest("copied", key), str(text), str)
    return [Page(number, str(text)) for number, text in enumerate(known, 1)]


def _copied(page: pypdfium2.PdfPage) -> str:
    return clean(page.get_textpage().get_text_range())


def clean(text: str) -> str:
    """Text without direction marks and in NFC, so that it can be compared with a source."""
    return unicodedata.normalize("NFC", CONTROLS.sub("", text)).replace("\r\n", "\n")


def words(text: str) -> list[str]:
    """The words and numbers of a text without the punctuation round them; half-spaces and marks are kept.

    >>> words("«داده‌ها» (۰٫۰۲۵)، β-VAE و مثلاً…")
    ['داده\\u200cها', '۰٫۰۲۵', 'β', 'VAE', 'و', 'مثلاً']
    """
    return WORD.findall(clean(text))


def outline(path: Path) -> list[str]:
    """The titles of the PDF's bookmarks, in order."""
    with pypdfium2.PdfDocument(path) as pdf:
        return [clean(mark.get_title()) for mark in pdf.get_toc()]

def heading_pages(pdf: Path) -> Mapping[str, int]:
    """Pages, from 1, by label, as the PDF's named destinations tell; none if there is no readable PDF."""
    import pikepdf

    if not pdf.is_file():
        return {}
    try:
        with pikepdf.open(pdf) as document:
            numbers = {page.obj.objgen: number for number, page in enumerate(document.pages, 1)}
            named = pikepdf.NameTree(document.Root.Names.Dests)
            return {str(name): numbers[place[0].objgen] for name, place in named.items()}
    except (pikepdf.PdfError, AttributeError, KeyError):
        return {}
