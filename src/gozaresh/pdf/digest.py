"""Digests of the parts of a PDF: an object with all that it refers to, whatever its number."""

from __future__ import annotations

import hashlib

import pikepdf
from pikepdf import Array, Dictionary, Stream

UP_OR_ASIDE = {"/Parent", "/Annots", "/StructParents"}  # of a page: the tree above it, its links, a number


class Digests:
    """Digests of one document's objects; each indirect object is read once, as it is when first asked for."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], str] = {}

    def of(self, value: object) -> str:
        """The digest of an object and of everything below it."""
        indirect = isinstance(value, pikepdf.Object) and value.is_indirect
        if not (isinstance(value, pikepdf.Object) and indirect):
            return self._made(value)
        if value.objgen not in self._known:
            self._known[value.objgen] = ""  # an object that refers to itself adds nothing by that
            self._known[value.objgen] = self._made(value)
        return self._known[value.objgen]

    def page(self, page: pikepdf.Page) -> str:
        """The digest of all that a page shows and of the fonts that it is shown in."""
        own = {name: self.of(part) for name, part in page.obj.items() if name not in UP_OR_ASIDE}
        return _digest(repr((sorted(own.items()), self.of(page.resources), self.of(page.mediabox))).encode())

    def _made(self, value: object) -> str:
        if isinstance(value, Stream):
            below = [(name, self.of(part)) for name, part in sorted(value.stream_dict.items())]
            return _digest(b"stream", repr(below).encode(), bytes(value.read_raw_bytes()))
        if isinstance(value, Dictionary):
            below = [(name, self.of(part)) for name, part in sorted(value.items())]
            return _digest(b"dictionary", repr(below).encode())
        if isinstance(value, Array):
            return _digest(b"array", repr([self.of(part) for part in value.as_list()]).encode())
        return _digest(value.unparse() if isinstance(value, pikepdf.Object) else repr(value).encode())


def page_digests(pdf: pikepdf.Pdf) -> list[str]:
    """A digest for each page, of all that decides how a reader's program reads it."""
    digests = Digests()
    whole = "".join(digests.of(pdf.Root.get(name)) for name in ("/ViewerPreferences", "/Lang", "/MarkInfo"))
    return [_digest(whole.encode(), digests.page(page).encode()) for page in pdf.pages]


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
