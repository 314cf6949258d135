"""Step 5: read the finished PDF back and hold it against the sources, word by word.

The PDF is read twice. Its own order (the content stream, as the tags have it) is held against the sources' order.
What pdfium copies from each page is held against that: it must give the same words, though in pdfium's order, which
mixes up Latin words and formulae in Persian lines. A *token* is a Persian word, a Latin word or a number.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import Match, SequenceMatcher
from pathlib import Path

import pikepdf
from pikepdf import Array, ContentStreamInstruction, Dictionary

from gozaresh.errors import Place
from gozaresh.pdffont import Font
from gozaresh.pdfrun import Run, find_runs
from gozaresh.pdftext import MARKS, Page, clean, missing_glyphs, read_pages

PERSIAN = re.compile(f"[\u0620-\u064a\u066e-\u06d3\u06d5\u06fa-\u06ff][\u0620-\u06d3\u06d5\u06fa-\u06ff{MARKS}\u200c]*")
WORD = re.compile(f"{PERSIAN.pattern}|[\u06f0-\u06f9]+(?:[٫٬][\u06f0-\u06f9]+)*|[0-9]+|[A-Za-z\u00c0-\u03ff]+")
MARK = re.compile(f"[{MARKS}]")
CAPTION = re.compile(r"(شکل|جدول|برنامهٔ)\s*([۰-۹]+)\s*:")
FAULTS = {
    "an unresolved reference": re.compile(r"\?\?|؟؟"),
    "an unreadable character (U+FFFD)": re.compile("\ufffd"),
    "an Arabic yeh or kaf": re.compile("[\u0643\u064a]"),
}
NEAR = 12  # tokens that a formula or a reference may put inside a source's text
FURNITURE = 120  # tokens that may stand inside a text in all: formulae, footnotes, a figure
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


def proofread(pdf: Path, sources: Sequence[SourceText]) -> Proof:
    """Hold the PDF, whose text layer is repaired, against the sources in the order in which they are typeset."""
    copied, written = read_pages(pdf), read_in_order(pdf)
    text = _Text([(word, page.number) for page in written for word in tokens(page.text)])
    missing = [Missing(Place(source.file, source.line), word) for source in sources
               for word in text.take([token for word in source.words for token in tokens(word)])]
    glyphs = [Fault(found.page, f"{found.count} characters without a glyph in {found.font}")
              for found in missing_glyphs(pdf)]
    faults = [*_faults(copied), *_copy_faults(written, copied), *_caption_faults(written), *glyphs]
    count = sum(len(tokens(word)) for source in sources for word in source.words)
    return Proof(count, len(sources), len(copied), tuple(missing), tuple(sorted(faults)))


def tokens(text: str) -> list[str]:
    """The words and numbers of a text; letters and digits apart, for readers do not keep them in one order.

    >>> tokens("«داده‌ها»، β-VAE (۰٫۵) Conv2d")
    ['داده\\u200cها', 'β', 'VAE', '۰٫۵', 'Conv', '2', 'd']
    """
    return [found.strip("\u200c") for found in WORD.findall(clean(text))]


# --- reading ---------------------------------------------------------------------------------------------------------
def read_in_order(path: Path) -> list[Page]:
    """The text of each page in logical order, without running heads, page numbers and tables of contents."""
    with pikepdf.open(path) as pdf:
        contents = set(_contents(pdf.Root.get("/StructTreeRoot", Dictionary())))
        fonts: dict[tuple[int, int], Font] = {}
        return [Page(number, clean(_page_text(page, fonts, contents))) for number, page in enumerate(pdf.pages, 1)]


def _contents(element: pikepdf.Object, page: int = 0, inside: bool = False) -> Iterator[tuple[int, int]]:
    """The (page's object number, MCID) of all that stands in a table of contents (TOC, ISO 32000-2, 14.8.4.8)."""
    page = element["/Pg"].objgen[0] if "/Pg" in element else page
    inside = inside or element.get("/S") == "/TOC"
    kids = element.get("/K", Array())
    for kid in kids.as_list() if isinstance(kids, Array) else [kids]:
        if isinstance(kid, Dictionary):
            yield from _contents(kid, page, inside)
        elif inside:
            yield page, int(kid)


def _page_text(page: pikepdf.Page, fonts: dict[tuple[int, int], Font], contents: set[tuple[int, int]]) -> str:
    known = {name: _font(font, fonts) for name, font in dict(page.resources.get("/Font", Dictionary()).items()).items()}
    code = [item for item in pikepdf.parse_content_stream(page) if isinstance(item, ContentStreamInstruction)]
    text: list[str] = []
    left_out: list[bool] = []
    last: Run | None = None
    for token in find_runs(code, known):
        if not isinstance(token, Run):
            _follow(token, left_out, page.obj.objgen[0], contents)
        elif not any(left_out):
            text += [_between(last, token), token.text]
            last = token
    return "".join(text)


def _font(font: pikepdf.Object, fonts: dict[tuple[int, int], Font]) -> Font:
    if font.objgen not in fonts:
        fonts[font.objgen] = Font(font)
    return fonts[font.objgen]


def _follow(item: ContentStreamInstruction, left_out: list[bool], page: int, contents: set[tuple[int, int]]) -> None:
    """Keep the stack of open marked content: whether each is left out."""
    operator = str(item.operator)
    if operator in ("BMC", "BDC"):
        properties = item.operands[1] if operator == "BDC" else Dictionary()
        mcid = properties.get("/MCID") if isinstance(properties, Dictionary) else None
        left_out.append(item.operands[0] == "/Artifact" or (mcid is not None and (page, int(mcid)) in contents))
    elif operator == "EMC" and left_out:
        left_out.pop()


def _between(last: Run | None, run: Run) -> str:
    """Nothing between runs that stand on one line and touch, else a line's end."""
    if last is None or abs(last.matrix.f - run.matrix.f) > 0.1:
        return "\n"
    gap = max(last.matrix.e, run.matrix.e) - min(last.matrix.e + last.end, run.matrix.e + run.end)
    return "" if gap < run.size / 10 else "\n"


# --- comparing -------------------------------------------------------------------------------------------------------
class _Text:
    """The PDF's tokens with their pages, of which each can be taken by one source only."""

    def __init__(self, found: Sequence[tuple[str, int]]) -> None:
        self._found = found
        self._free = [True] * len(found)
        self._after = 0  # where the last source ended
        self._places: dict[str, list[int]] = defaultdict(list)
        for at, (token, _) in enumerate(found):
            self._places[token].append(at)

    def take(self, wanted: Sequence[str]) -> list[str]:
        """Take a source's tokens out of the text and return those that are not there in their order."""
        window = self._window(wanted)
        matcher = SequenceMatcher(None, wanted, [self._found[at][0] for at in window], autojunk=False)
        blocks = [block for block in matcher.get_matching_blocks() if block.size]
        lost = set(range(len(wanted)))
        for before, block, after in zip([None, *blocks], blocks, [*blocks[1:], None], strict=False):
            sure = len(blocks) == 1 or block.size > 2
            if sure or min(self._gap(window, before, block), self._gap(window, block, after)) <= NEAR:
                lost -= set(range(block.a, block.a + block.size))
                self._use(window[block.b:block.b + block.size])
        return [wanted[at] for at in sorted(lost)]

    def _gap(self, window: Sequence[int], left: Match | None, right: Match | None) -> int:
        """How many tokens of one page part two matches; a word or two («است») far from all others are chance."""
        if left is None or right is None:
            return len(self._found)
        last, first = window[left.b + left.size - 1], window[right.b]
        return first - last if self._found[first][1] == self._found[last][1] else 0

    def _use(self, places: Sequence[int]) -> None:
        for at in places:
            self._free[at] = False
        self._after = places[-1]

    def _window(self, wanted: Sequence[str]) -> list[int]:
        """The free places where the source can be: round the place that holds most of its tokens."""
        start = max(self._starts(wanted), key=lambda at: (self._overlap(wanted, at), -abs(at - self._after)))
        return self._free_places(start - FURNITURE, start + len(wanted) + FURNITURE)

    def _free_places(self, start: int, end: int) -> list[int]:
        return [at for at in range(max(0, start), min(len(self._found), end)) if self._free[at]]

    def _starts(self, wanted: Sequence[str]) -> list[int]:
        """Where the source would begin, judged by its rarest tokens; after the last source if it has none."""
        known = sorted((len(self._places[token]), at) for at, token in enumerate(wanted) if token in self._places)
        starts = [self._after]
        for _, at in known[:3]:
            places = sorted(self._places[wanted[at]], key=lambda place: abs(place - self._after))
            starts += [max(0, place - at) for place in places[:CANDIDATES]]
        return starts

    def _overlap(self, wanted: Sequence[str], start: int) -> int:
        there = Counter(self._found[at][0] for at in self._free_places(start, start + len(wanted) + NEAR))
        return (there & Counter(wanted)).total()


def _faults(pages: Sequence[Page]) -> Iterator[Fault]:
    for page in pages:
        for what, pattern in FAULTS.items():
            if pattern.search(page.text):
                yield Fault(page.number, what)


def _copy_faults(written: Sequence[Page], copied: Sequence[Page]) -> Iterator[Fault]:
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


def _caption_faults(pages: Sequence[Page]) -> Iterator[Fault]:
    """Captions of a kind that are not numbered ۱، ۲، ۳ …"""
    last: dict[str, int] = defaultdict(int)
    for page in pages:
        for noun, number in CAPTION.findall(page.text):
            if int(number) != last[noun] + 1:
                yield Fault(page.number, f"caption «{noun} {int(number)}» follows «{noun} {last[noun]}»")
            last[noun] = int(number)
