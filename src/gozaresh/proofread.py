"""Step 5: read the finished PDF back and hold it against the sources, word by word.

Terms: a *token* is a Persian word, a Latin word or a number. Persian words must stand in the PDF in the source's order.
Latin words and numbers need only stand near it, for pdfium puts those of a Persian line from right to left.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from gozaresh.errors import Place
from gozaresh.pdftext import MARKS, Page, clean, missing_glyphs, read_pages

PERSIAN_WORD = f"[\u0620-\u064a\u066e-\u06d3\u06d5\u06fa-\u06ff][\u0620-\u06d3\u06d5\u06fa-\u06ff{MARKS}\u200c]*"
NUMBER = "[\u06f0-\u06f9]+(?:[٫٬][\u06f0-\u06f9]+)*|[0-9]+"
TOKEN = re.compile(f"(?P<persian>{PERSIAN_WORD})|{NUMBER}|[^\\W\\d_\u0600-\u06ff]+")
LEADER = re.compile(r"(?:\.\s*){5,}")  # the dots of a table of contents
CAPTION = re.compile(r"(شکل|جدول|برنامهٔ)\s*(?::\s*([۰-۹]+)|([۰-۹]+)\s*:)")  # pdfium may put the colon first
FAULTS = {
    "an unresolved reference": re.compile(r"\?\?|؟؟"),
    "an unreadable character (U+FFFD)": re.compile("\ufffd"),
    "an Arabic yeh or kaf": re.compile("[\u0643\u064a]"),
}
NEAR = 6  # tokens that may stand inside a source's text on the page: a reference's noun, a formula's words
FURNITURE = 120  # tokens that a page's end may put there: footnotes, running head
CANDIDATES = 12  # places that are looked at for one rare word


@dataclass(frozen=True)
class SourceText:
    """A piece of a source, a paragraph or a caption, as its words in order, and where it begins."""

    words: tuple[str, ...]
    file: str
    line: int


@dataclass(frozen=True, order=True)
class Missing:
    """A word of a source that the PDF does not hold where it should."""

    place: Place
    word: str

    def __str__(self) -> str:
        return f"{self.place}: «{self.word}» is not in the PDF"


@dataclass(frozen=True, order=True)
class Fault:
    """Something that no PDF of ours may hold."""

    page: int
    what: str

    def __str__(self) -> str:
        return f"page {self.page}: {self.what}"


@dataclass(frozen=True)
class Proof:
    """What was compared, and what was found wrong; sound if nothing was."""

    words: int
    sources: int
    pages: int
    missing: tuple[Missing, ...]
    faults: tuple[Fault, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is missing and nothing is wrong."""
        return not self.missing and not self.faults


@dataclass(frozen=True)
class Token:
    """A word or number; ``ordered`` if its place among its neighbours can be relied on."""

    text: str
    persian: bool
    ordered: bool = True
    page: int = 0

    @property
    def loose(self) -> str:
        """What is compared where order is not: without marks, which pdfium may part from their letter."""
        return "".join(char for char in self.text if not unicodedata.combining(char))


def proofread(pdf: Path, sources: Sequence[SourceText]) -> Proof:
    """Hold the PDF against the sources, which come in the order in which they are typeset."""
    pages = read_pages(pdf)
    text = _PdfText(list(_pdf_tokens(pages)))
    missing = [Missing(Place(source.file, source.line), word) for source in sources for word in text.take(source)]
    glyphs = [Fault(found.page, f"{found.count} characters without a glyph in {found.font}")
              for found in missing_glyphs(pdf)]
    faults = [*_faults(pages), *_caption_faults(pages), *glyphs]
    return Proof(sum(len(tokens(source.words)) for source in sources), len(sources), len(pages), tuple(missing),
                 tuple(sorted(faults)))


def tokens(words: Sequence[str]) -> list[Token]:
    """The tokens of a source's words.

    >>> [token.text for token in tokens(["«داده‌ها»،", "β-VAE", "(۰٫۵)", "Conv2d"])]
    ['داده\\u200cها', 'β', 'VAE', '۰٫۵', 'Conv', '2', 'd']
    """
    return [Token(found[0].strip("\u200c"), found["persian"] is not None)
            for word in words for found in TOKEN.finditer(clean(word))]


def _pdf_tokens(pages: Sequence[Page]) -> Iterator[Token]:
    heads = Counter(page.text.partition("\n")[0].strip() for page in pages)
    for page in pages:
        for number, line in enumerate(page.text.split("\n")):
            running_head = number == 0 and heads[line.strip()] > 2
            if not running_head and not LEADER.search(line):
                yield from _line_tokens(line, page.number)


def _line_tokens(line: str, page: int) -> Iterator[Token]:
    """A line's tokens; pdfium takes the direction that most of them have for the line's, right or not."""
    found = tokens([line])
    ordered = sum(token.persian for token in found) > len(found) / 2
    for token in found:
        yield Token(token.text, token.persian, token.persian and ordered, page)


class _PdfText:
    """The PDF's tokens, of which each can be taken by one source only."""

    def __init__(self, found: Sequence[Token]) -> None:
        self._tokens = found
        self._free = [True] * len(found)
        self._after = 0  # where the last source ended
        self._places: dict[str, list[int]] = defaultdict(list)
        for at, token in enumerate(found):
            self._places[token.loose].append(at)

    def take(self, source: SourceText) -> list[str]:
        """Take the source's tokens out of the text and return those that are not there."""
        wanted = tokens(source.words)
        window = self._window(wanted)
        taken = self._take_in_order(wanted, window)
        lost = [token.text for at, token in enumerate(wanted)
                if at not in taken and not self._take_anywhere(token, window)]
        self._after = max(taken.values(), default=self._after)
        return lost

    def _window(self, wanted: Sequence[Token]) -> list[int]:
        """The free places where the source can be: round the place that holds most of its tokens."""
        size = len(wanted)
        start = max(self._starts(wanted), key=lambda at: (self._overlap(wanted, at), -abs(at - self._after)))
        return [at for at in range(max(0, start - NEAR), min(len(self._tokens), start + size + FURNITURE))
                if self._free[at]]

    def _starts(self, wanted: Sequence[Token]) -> list[int]:
        """Where the source would begin, judged by its rarest tokens; after the last source if all are rare."""
        known = sorted((len(self._places[token.loose]), at) for at, token in enumerate(wanted)
                       if token.loose in self._places)
        starts = [self._after]
        for _, at in known[:3]:
            places = sorted(self._places[wanted[at].loose], key=lambda place: abs(place - self._after))
            starts += [max(0, place - at) for place in places[:CANDIDATES]]
        return starts

    def _overlap(self, wanted: Sequence[Token], start: int) -> int:
        end = min(len(self._tokens), start + len(wanted) + NEAR)
        there = Counter(self._tokens[at].loose for at in range(start, end)
                        if self._free[at])
        return (there & Counter(token.loose for token in wanted)).total()

    def _take_in_order(self, wanted: Sequence[Token], window: Sequence[int]) -> dict[int, int]:
        """Take the Persian words that stand in the source's order: index in the source → place."""
        own = [at for at, token in enumerate(wanted) if token.persian]
        there = [at for at in window if self._tokens[at].ordered]
        matcher = SequenceMatcher(None, [wanted[at].text for at in own], [self._tokens[at].text for at in there],
                                  autojunk=False)
        taken: dict[int, int] = {}
        end = 0
        for mine, theirs, size in matcher.get_matching_blocks():
            if taken and size <= 2 and size and self._is_astray(there, end, theirs):
                continue  # a word such as «است» that belongs to another text
            taken |= dict(zip(own[mine:mine + size], there[theirs:theirs + size], strict=True))
            end = theirs + size
        for place in taken.values():
            self._free[place] = False
        return taken

    def _is_astray(self, places: Sequence[int], end: int, start: int) -> bool:
        same_page = self._tokens[places[end - 1]].page == self._tokens[places[start]].page
        return same_page and start - end > NEAR

    def _take_anywhere(self, token: Token, window: Sequence[int]) -> bool:
        """Take a token whose order cannot be relied on."""
        for at in window:
            other = self._tokens[at]
            if self._free[at] and not other.ordered and other.loose == token.loose:
                self._free[at] = False
                return True
        return False


def _faults(pages: Sequence[Page]) -> Iterator[Fault]:
    for page in pages:
        for what, pattern in FAULTS.items():
            if pattern.search(page.text):
                yield Fault(page.number, what)


def _caption_faults(pages: Sequence[Page]) -> Iterator[Fault]:
    """Captions of a kind that are not numbered ۱، ۲، ۳ …"""
    last: dict[str, int] = defaultdict(int)
    for page in pages:
        for found in CAPTION.finditer("\n".join(line for line in page.text.split("\n") if not LEADER.search(line))):
            noun, number = found[1], int(found[2] or found[3])
            if number != last[noun] + 1:
                yield Fault(page.number, f"caption «{noun} {number}» follows «{noun} {last[noun]}»")
            last[noun] = number
