"""On which page of a finished PDF each labelled heading stands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


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
