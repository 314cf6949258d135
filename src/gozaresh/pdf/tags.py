"""A tagged PDF, read once: the tree of its tags with the text that each shows, and what stands where on its pages.

Terms (ISO 32000-2, 14.6 to 14.8): pieces of a page's content are *marked* with a number, which a *structure element*
(here: a tag) names; what is marked as an *artifact*, a running head, belongs to no tag.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pikepdf
from pikepdf import Array, ContentStreamInstruction, Dictionary, Matrix

from gozaresh.common.digests import digest
from gozaresh.common.store import Store
from gozaresh.pdf.content import Run, find_runs
from gozaresh.pdf.digest import Digests
from gozaresh.pdf.font import Font
from gozaresh.pdf.text import clean

PAINTING = {"f", "f*", "F", "S", "s", "B", "B*", "b", "b*", "Do", "sh"}
Spot = tuple[int, int]  # a page's number from 1 and the number of marked content on it


@dataclass(frozen=True)
class Shown:
    """What a piece of marked content shows: its text, and whether anything at all is painted."""

    text: str
    page: int
    painted: bool


@dataclass(frozen=True)
class Tag:
    """A structure element: its standard type without the slash (``P``, ``Figure``) and what it holds, in order."""

    kind: str
    alt: str
    kids: tuple[Tag | Shown, ...]

    def tags(self) -> Iterator[Tag]:
        """This tag and all below it, in order."""
        yield self
        for kid in self.kids:
            if isinstance(kid, Tag):
                yield from kid.tags()

    def shown(self) -> Iterator[Shown]:
        """What it and all below it show, in order."""
        for kid in self.kids:
            if isinstance(kid, Tag):
                yield from kid.shown()
            else:
                yield kid

    @property
    def text(self) -> str:
        """All its text."""
        return "".join(shown.text for shown in self.shown())

    @property
    def page(self) -> int:
        """The page that it begins on; 0 if it shows nothing."""
        return next((shown.page for shown in self.shown()), 0)


@dataclass(frozen=True)
class Placed:
    """A run of text between two points of its page, in points from the lower left corner."""

    text: str
    start: tuple[float, float]
    end: tuple[float, float]
    size: float
    artifact: bool


@dataclass(frozen=True)
class PageContent:
    """A page: its text in logical order, where each run stands, and the glyphs that its fonts have not."""

    number: int
    width: float
    height: float
    text: str
    runs: tuple[Placed, ...]
    missing_glyphs: Mapping[str, int]
    loose: int  # runs of text that are neither tagged nor artifacts


@dataclass(frozen=True)
class TaggedPdf:
    """The whole document."""

    root: Tag
    pages: tuple[PageContent, ...]


def read_tagged(path: Path, store: Store | None = None) -> TaggedPdf:
    """Read the tags and pages of a PDF that Typst set; ``store`` holds what was read of pages of the same content."""
    with pikepdf.open(path) as pdf:
        return tagged(pdf, store or Store())


def tagged(pdf: pikepdf.Pdf, store: Store) -> TaggedPdf:
    """The same of a PDF that is open."""
    fonts: dict[tuple[int, int], Font] = {}
    pages = [_read_page(page, fonts, store) for page in pdf.pages]
    spots = {(number, mark): Shown(text, number, painted) for number, (_, marked) in enumerate(pages, 1)
             for mark, (text, painted) in marked.items()}
    numbers = {page.obj.objgen: number for number, page in enumerate(pdf.pages, 1)}
    tree = pdf.Root.get("/StructTreeRoot", Dictionary())
    return TaggedPdf(_Tree(spots, numbers).tag(tree, 0),
                     tuple(replace(content, number=number) for number, (content, _) in enumerate(pages, 1)))


def _read_page(page: pikepdf.Page, fonts: dict[tuple[int, int], Font], store: Store) -> _ReadPage:
    """Read a page, or take what was read of one with the same content whose fonts said the same of its codes."""
    digests, entries = Digests(), dict(page.resources.get("/Font", Dictionary()).items())
    known = {name: _font(font, fonts) for name, font in entries.items()}
    bases = {name: str(font.get("/BaseFont", name)) for name, font in entries.items()}
    name = digest("read", digests.of(page.obj["/Contents"]), digests.of(page.mediabox), bases)
    kept = store.find(name, _Kept)
    if kept is not None and kept.said == _said(kept.codes, known):
        return kept.page
    reader = _PageReader(page, known, bases)
    done, codes = reader.read(), {font: tuple(sorted(used)) for font, used in sorted(reader.codes.items())}
    store.keep(name, _Kept(codes, _said(codes, known), done), _Kept)
    return done


def _said(codes: Mapping[str, Sequence[int]], fonts: Mapping[str, Font]) -> str:
    """All that reading a page asks of its fonts: what the codes say and how wide they are."""
    return digest([[(fonts[name].plain(code), fonts[name].width(code)) for code in used]
                   for name, used in codes.items()])


@dataclass(frozen=True)
class _Tree:
    """Reads structure elements; knows what every piece of marked content shows."""

    spots: Mapping[Spot, Shown]
    numbers: Mapping[tuple[int, int], int]

    def tag(self, element: pikepdf.Object, page: int) -> Tag:
        own, kids = element.get("/Pg"), element.get("/K", Array())
        page = page if own is None else self.numbers[own.objgen]
        found = [self.kid(kid, page) for kid in (kids.as_list() if isinstance(kids, Array) else [kids])]
        return Tag(str(element.get("/S", "/Root"))[1:], str(element.get("/Alt", "")),
                   tuple(kid for kid in found if kid is not None))

    def kid(self, kid: object, page: int) -> Tag | Shown | None:
        if not isinstance(kid, Dictionary):
            return self.spots.get((page, kid if isinstance(kid, int) else int(str(kid))))
        if "/S" in kid:
            return self.tag(kid, page)
        if kid.get("/Type") == "/MCR":
            return self.spots.get((self.numbers[kid["/Pg"].objgen] if "/Pg" in kid else page, int(kid["/MCID"])))
        return None


_ReadPage = tuple[PageContent, dict[int, tuple[str, bool]]]  # numbered 0; what each numbered piece shows


@dataclass(frozen=True)
class _Kept:
    """A page as it was read, the codes of each font on it, and the digest of what the fonts said of these."""

    codes: dict[str, tuple[int, ...]]
    said: str
    page: _ReadPage


@dataclass
class _Piece:
    """Marked content while it is read."""

    runs: list[str] = field(default_factory=list)
    painted: bool = False


class _PageReader:
    """Goes through one page's content stream."""

    def __init__(self, page: pikepdf.Page, known: Mapping[str, Font], bases: Mapping[str, str]) -> None:
        self.codes: dict[str, set[int]] = defaultdict(set)  # those that each font was asked about
        self._box = [float(side) for side in page.mediabox.as_list()]
        self._open: list[int | str] = []  # marked content: its number, or its tag
        self._pieces: dict[int, _Piece] = {}
        self._text: list[str] = []
        self._runs: list[Placed] = []
        self._glyphs: Counter[str] = Counter()
        self._loose = 0
        self._last: Run | None = None
        self._turns = [Matrix()]
        self._names = {id(known[name]): base for name, base in bases.items()}
        code = [item for item in pikepdf.parse_content_stream(page) if isinstance(item, ContentStreamInstruction)]
        for token in find_runs(code, known):
            if isinstance(token, Run):
                self.codes[str(token.font_name)].update(glyph.code for glyph in token.glyphs)
                self._show(token)
            else:
                self._follow(token)

    def read(self) -> _ReadPage:
        """The page as a whole, and what each numbered piece shows: its text, and whether it paints."""
        return self._content(), {mark: ("".join(piece.runs), piece.painted) for mark, piece in self._pieces.items()}

    def _content(self) -> PageContent:
        return PageContent(0, self._box[2] - self._box[0], self._box[3] - self._box[1],
                           clean("".join(self._text)), tuple(self._runs), dict(self._glyphs), self._loose)

    def _follow(self, item: ContentStreamInstruction) -> None:
        operator = str(item.operator)
        if operator == "q":
            self._turns.append(self._turns[-1])
        elif operator == "Q":
            self._turns.pop()
        elif operator == "cm":
            self._turns[-1] = Matrix(*map(float, item.operands)) @ self._turns[-1]
        elif operator in ("BMC", "BDC"):
            self._begin(item)
        elif operator == "EMC":
            self._open.pop()
        elif operator in PAINTING:
            self._paint()

    def _begin(self, item: ContentStreamInstruction) -> None:
        properties = item.operands[1] if len(item.operands) > 1 else None
        if isinstance(properties, Dictionary) and "/MCID" in properties:
            mark = int(properties["/MCID"])
            self._pieces.setdefault(mark, _Piece())
            self._open.append(mark)
        else:
            self._open.append(str(item.operands[0]))

    def _piece(self) -> _Piece | None:
        return next((self._pieces[mark] for mark in reversed(self._open) if isinstance(mark, int)), None)

    def _paint(self) -> None:
        piece = self._piece()
        if piece is not None:
            piece.painted = True

    def _show(self, run: Run) -> None:
        artifact, piece = "/Artifact" in self._open, self._piece()
        matrix = run.matrix @ self._turns[-1]
        inked = [glyph for cluster in run.clusters if cluster.text.strip() for glyph in cluster.glyphs]
        if inked:  # blanks may hang into a margin
            first, last = inked[0], inked[-1]
            end = last.x + run.font.width(last.code) * run.size
            self._runs.append(Placed(clean(run.text), matrix.transform((first.x, first.y)),
                                     matrix.transform((end, first.y)), run.size, artifact))
        self._count_missing(run)
        if not artifact:
            gap = _between(self._last, run)
            self._text += [gap, run.text]
            self._last = run
        if piece is not None:
            piece.runs.append(run.text)
            piece.painted = True
        elif not artifact:
            self._loose += 1

    def _count_missing(self, run: Run) -> None:
        """Code 0 is the glyph («tofu») that a font shows for what it does not know."""
        zeros = sum(glyph.code == 0 for glyph in run.glyphs)
        if zeros:
            self._glyphs[self._names[id(run.font)]] += zeros


def _font(font: pikepdf.Object, fonts: dict[tuple[int, int], Font]) -> Font:
    if font.objgen not in fonts:
        fonts[font.objgen] = Font(font)
    return fonts[font.objgen]


def _between(last: Run | None, run: Run) -> str:
    """Nothing between runs that stand on one line and touch, else a line's end."""
    if last is None or abs(last.matrix.f - run.matrix.f) > 0.1:
        return "\n"
    gap = max(last.matrix.e, run.matrix.e) - min(last.matrix.e + last.end, run.matrix.e + run.end)
    return "" if gap < run.size / 10 else "\n"
