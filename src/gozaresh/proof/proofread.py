"""Step 5: read the finished PDF back and hold it against the sources.

The PDF is read three times over. Its tags, passage by passage, are held against the passages that the executed chapters
promise (:mod:`gozaresh.proof.expected`, :mod:`gozaresh.proof.actual`, :mod:`gozaresh.proof.comparison`). Each page's
words are held against those that pdfium, the reader of Chrome, copies from it. And the pages are looked through for
what none may hold
(:mod:`gozaresh.proof.page_checks`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pikepdf

from gozaresh.common.errors import Problem
from gozaresh.common.store import Store
from gozaresh.export.bibliography import Entry, plain_words
from gozaresh.pdf.digest import page_digests
from gozaresh.pdf.tags import PageContent, tagged
from gozaresh.pdf.text import MARKS, Page, read_pages
from gozaresh.proof.actual import actual_passages, bibliography_entries
from gozaresh.proof.comparison import Fault, Missing, compare
from gozaresh.proof.page_checks import Margins, page_faults, text_faults, unembedded_fonts
from gozaresh.proof.passage import Passage

MARK = re.compile(f"[{MARKS}]")
PERSIAN = re.compile(f"[\u0620-\u064a\u066e-\u06d3\u06d5\u06fa-\u06ff][\u0620-\u06d3\u06d5\u06fa-\u06ff{MARKS}\u200c]*")


@dataclass(frozen=True)
class Proof:
    """What was compared, and what was found wrong; sound if nothing was."""

    words: int
    passages: Counter[str]  # how many of each kind
    pages: int
    missing: tuple[Missing, ...]
    faults: tuple[Fault, ...]

    @property
    def sound(self) -> bool:
        """Test if nothing is missing and nothing is wrong."""
        return not self.missing and not self.faults

    @property
    def problems(self) -> list[Problem]:
        """All that is wrong, for an error."""
        return [*(Problem(lost.place, f"{lost.what} {lost.how}") for lost in self.missing),
                *(Problem(None, str(fault)) for fault in self.faults)]


def proofread(pdf: Path, promises: Sequence[Passage],
              margins: Margins | None = None, entries: Mapping[str, Entry] | None = None,
              store: Store | None = None, *, strict: bool = True) -> Proof:
    """Hold the PDF, whose text layer is repaired, against the promised passages, and these against the sources' words.

    ``margins`` are those of the theme's pages; without them text may reach to the page's edge. ``entries`` are those of
    the .bib files by their keys. ``store`` holds what was read of pages of the very same content; what they say is
    compared anew. Without ``strict`` Latin digits and Arabic letters in Persian text are no faults (:func:`style`).
    """
    with pikepdf.open(pdf) as document:
        keys = page_digests(document) if store else []
        read, loose = tagged(document, store or Store()), [*unembedded_fonts(document)]
    copied = read_pages(pdf, store, keys)
    missing, faults = compare(promises, actual_passages(read.root))
    shown = bibliography_entries(read.root)
    missing += [*_sources(promises, shown, entries or {})]
    written = {passage.source for passage in promises}
    faults += [*page_faults(read, margins or Margins()), *text_faults(copied, written, strict=strict), *loose,
               *_copy_faults(read.pages, copied), *_bibliography(promises, shown)]
    count = sum(len(passage.words()) for passage in promises)
    return Proof(count, Counter(passage.kind for passage in promises), len(copied), tuple(sorted(missing)),
                 tuple(sorted(set(faults))))


def _bibliography(promises: Sequence[Passage], shown: Sequence[str]) -> Iterator[Fault]:
    cited = {key for passage in promises for key in passage.cites}
    if len(cited) != len(shown):
        yield Fault(0, f"{len(cited)} sources are cited, but the bibliography has {len(shown)}")


def _sources(promises: Sequence[Passage], shown: Sequence[str], entries: Mapping[str, Entry]) -> Iterator[Missing]:
    """Words of a cited source's title, or its year, that no entry of the bibliography holds all together."""
    texts = ["".join(plain_words(text.replace("\u00ad", ""))) for text in shown]
    places = {key: passage.place for passage in reversed(promises) for key in passage.cites}
    for key, place in sorted(places.items()):
        lost = min((_lost(entries[key], text) for text in texts), key=len, default=[]) if key in entries else []
        if lost:
            yield Missing(place, f"«{' '.join(lost)}» of the source {key}", "is not in the bibliography")


def _lost(entry: Entry, text: str) -> list[str]:
    return [word for word in entry.words if word not in text]


def _copy_faults(written: Sequence[PageContent], copied: Sequence[Page]) -> Iterator[Fault]:
    """Persian words whose parts pdfium does not give as they are written.

    Parts between half-spaces, without marks: in a line that is mostly Latin pdfium puts the parts from left to right.
    """
    for ours, theirs in zip(written, copied, strict=True):
        there = Counter(_parts(theirs.text))
        for word, count in sorted(Counter(PERSIAN.findall(ours.text)).items()):
            if any(there[part] < count for part in _parts(word)):
                yield Fault(ours.number, f"«{word}» is not copied as it is written")


def _parts(text: str) -> Iterator[str]:
    return (part for word in PERSIAN.findall(MARK.sub("", text)) for part in word.split("\u200c"))


@dataclass(frozen=True)
class Expectations:
    """What the PDF must hold."""

    passages: Sequence[Passage]
    margins: Margins
