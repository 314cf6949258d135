"""Make the text of a PDF that Typst set extract as it was written: Persian words whole, in order, with their marks.

What is seen of the page does not change; what a reader copies does. Typst 0.15 writes a right-to-left run in visual
order, which is right, but some of its habits break the words that readers (poppler, pdfium, mupdf, pdf.js) put
together again:

1. One glyph stands for several characters (lam-alef, ZWNJ and the letter after it, letter and mark) and its ToUnicode
   holds them in logical order. A reader that turns the run round character by character swaps them. Here each code says
   one character; the others ride on blank codes of no width, all in visual order. A half-space alone shares the code of
   the letter before it, else pdf.js would drop it.
2. A glyph that stands for different characters in different places is wrapped in an ``ActualText`` span, which readers
   take for the border of a word. Here it gets a code of its own instead.
3. A mark above or below its letter is a piece of text on another baseline and breaks its run into pieces, which follow
   each other in visual order. Here the pieces become one run again; the mark's ink is drawn as a path, and its
   character rides on a blank code beside the letter.
4. Spaces and signs at the edges of a run, and gaps that no space fills, are lost or go astray in one reader or another.
   Here invisible direction marks hold them where they are (:mod:`gozaresh.typeset.reading_order`).
"""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

import pikepdf
from pikepdf import Array, ContentStreamInstruction, Dictionary, Name, Stream, String

from gozaresh.common.digests import digest
from gozaresh.common.errors import TypesetError, map_exceptions
from gozaresh.common.store import Store
from gozaresh.pdf.content import REVERSED, Code, Run, Token, find_runs
from gozaresh.pdf.digest import Digests
from gozaresh.pdf.font import Font, Request, instruction, number, without_controls
from gozaresh.typeset.reading_order import Emission, emit_codes, ink_only, is_neutral

TOLERANCE = Decimal("0.5")  # thousandths of an em that a glyph may stand off its place


def repair(pdf: bytes, store: Store | None = None) -> bytes:
    """A PDF that looks the same and whose Persian text is extracted faithfully; equal bytes give equal bytes.

    ``store`` holds the pages that an earlier repair mended.

    Raises:
        TypesetError: ``pdf`` is not a readable PDF.
    """
    with map_exceptions(TypesetError, pikepdf.PdfError, tool="text layer: the PDF cannot be read"):
        document = pikepdf.open(io.BytesIO(pdf))
    with document:
        _Repair(document, store or Store()).run()
        out = io.BytesIO()
        document.save(out, deterministic_id=True)
    return clear_ends(out.getvalue())


def clear_ends(pdf: bytes) -> bytes:
    """The PDF with no stream that ends in a carriage return.

    The line feed before ``endstream`` would make a line's end of it, and PDF/A wants the stream's length to be right.
    """
    if b"\r\nendstream" not in pdf:
        return pdf
    with pikepdf.open(io.BytesIO(pdf)) as document:
        for stream in (item for item in document.objects if isinstance(item, Stream)):
            raw = stream.read_raw_bytes()
            if raw.endswith(b"\r"):
                _as_text(stream, raw)
        out = io.BytesIO()
        document.save(out, deterministic_id=True, compress_streams=False,
                      stream_decode_level=pikepdf.StreamDecodeLevel.none)
    return out.getvalue()


def _as_text(stream: pikepdf.Object, raw: bytes) -> None:
    """Write a stream's bytes as printable characters, which end in ``~>``."""
    filters, given = ([*item.as_list()] if isinstance(item, Array) else [item] for item in (
        stream.get(key, Array()) for key in ("/Filter", "/DecodeParms")))
    parameters = Array([None, *given]) if given else None
    stream.write(base64.a85encode(raw) + b"~>", filter=Array([Name.ASCII85Decode, *filters]), decode_parms=parameters)


class Mended(NamedTuple):
    """A compressed content stream, and the codes that its fonts gave: name of the font, what was asked, code."""

    asked: tuple[tuple[str, Request, int], ...]
    content: bytes


class _Repair:
    """One document under repair, with the fonts and forms met so far."""

    def __init__(self, pdf: pikepdf.Pdf, store: Store) -> None:
        self._pdf, self._store = pdf, store
        self._digests = Digests()
        self._fonts: dict[tuple[int, int], Font] = {}
        self._forms: set[tuple[int, int]] = set()

    def run(self) -> None:
        """Mend every page, then the fonts that the pages were given new codes in."""
        for page in self._pdf.pages:
            content = self._deflated(page, page.obj["/Contents"], page.resources)
            page.obj["/Contents"] = Stream(self._pdf, content, Filter=Name.FlateDecode)
            self._mend_forms(page.resources)
        for font in self._fonts.values():
            font.write(self._pdf)
        self._ask_no_direction()

    def _ask_no_direction(self) -> None:
        """Drop the viewer preference R2L, after which pdfium turns round every line, those of code and maths too.

        It says on which side the first page of a double page stands; the words of a page have their own direction.
        """
        preferences = self._pdf.Root.get("/ViewerPreferences", Dictionary())
        if "/Direction" in preferences:
            del preferences["/Direction"]

    def _mend_forms(self, resources: pikepdf.Object) -> None:
        """Mend the form XObjects (embedded drawings), which hold text of their own."""
        for form in _entries(resources, "/XObject").values():
            if form.get("/Subtype") != "/Form" or form.objgen in self._forms:
                continue
            self._forms.add(form.objgen)
            own = form.get("/Resources", Dictionary())
            if "/Font" in own:
                form.write(self._deflated(form, form, own), filter=Name.FlateDecode)
            self._mend_forms(own)

    def _deflated(self, stream: pikepdf.Page | pikepdf.Object, content: pikepdf.Object,
                  resources: pikepdf.Object) -> bytes:
        """The mended content stream, compressed: the kept one if its fonts would give it the same codes again."""
        names = _entries(resources, "/Font")
        fonts = {name: self._font(font) for name, font in names.items()}
        for font in fonts.values():
            font.asked.clear()
        key = digest("mended", self._digests.of(content), self._digests.of(Dictionary(names)))
        kept = self._store.find(key, Mended)
        if kept and all(fonts[name].code(*request) == code for name, request, code in kept.asked):
            return kept.content
        done = zlib.compress(self._mended(stream, fonts))
        asked = tuple((name, request, code) for name, font in fonts.items() for request, code in font.asked.items())
        self._store.keep(key, Mended(asked, done), Mended)
        return done

    def _mended(self, stream: pikepdf.Page | pikepdf.Object, fonts: Mapping[str, Font]) -> bytes:
        """The content stream with its runs joined and written anew."""
        code = [item for item in pikepdf.parse_content_stream(stream) if isinstance(item, ContentStreamInstruction)]
        written: list[ContentStreamInstruction] = []
        before: Run | None = None
        for token in joined(find_runs(code, fonts)):
            if isinstance(token, Run):
                written += write_run(facing(token, before), spaced=before is not None and is_apart(before, token))
                before = token
            else:
                written.append(token)
        return pikepdf.unparse_content_stream(written)

    def _font(self, font: pikepdf.Object) -> Font:
        if font.objgen not in self._fonts:
            self._fonts[font.objgen] = Font(font)
        return self._fonts[font.objgen]


def _entries(resources: pikepdf.Object, kind: str) -> dict[str, pikepdf.Object]:
    return dict(resources[kind].items()) if kind in resources else {}


# --- joining the pieces of a run that marks broke --------------------------------------------------------------------
def joined(tokens: Iterator[Token]) -> list[Token]:
    """The tokens with the pieces of broken runs joined. Marked content that loses its text to a neighbour stays, empty,
    so that the tags of the document need no change."""
    out: list[Token] = []
    for token in tokens:
        at = _last_run(out) if isinstance(token, Run) else -1
        left = out[at] if out else token
        if isinstance(token, Run) and isinstance(left, Run) and continues(left, token):
            out[at] = join(left, token)
        else:
            out.append(token)
    return out


def _last_run(tokens: Sequence[Token]) -> int:
    """The index of what stands before the latest borders of marked content, and before lines drawn through the text."""
    at = len(tokens) - 1
    while at > 0 and _is_border(tokens[at]):
        at = _before_artifact(tokens, at)
    return at


def _before_artifact(tokens: Sequence[Token], end: int) -> int:
    """The index before an artifact that ends at ``end``; the one before ``end`` if none does."""
    depth = 0
    for at in range(end, 0, -1):
        token = tokens[at]
        if isinstance(token, Run) or (at == end and str(token.operator) != "EMC"):
            break
        depth += {"EMC": 1, "BDC": -1, "BMC": -1}.get(str(token.operator), 0)
        if depth == 0:
            return at - 1 if at < end and token.operands[0] == "/Artifact" else end - 1
    return end - 1


def _is_border(token: Token) -> bool:
    """Test if a token is ``EMC`` or ``/Span <</MCID n>> BDC``, which Typst writes between the pieces."""
    if isinstance(token, Run):
        return False
    operator = str(token.operator)
    return operator == "EMC" or (operator == "BDC" and token.operands[0] == "/Span")


def continues(left: Run, right: Run) -> bool:
    """Test if two pieces of text that follow each other are one right-to-left run.

    Whole runs follow each other in logical order, so on a line a later right-to-left run stands further left; only the
    pieces of a broken run go to the right.
    """
    if left.font is not right.font or left.size != right.size or not left.font.editable:
        return False
    if not (right.right_to_left and (left.right_to_left or is_neutral(left.text))):
        return False
    move = right.matrix @ left.matrix.inverse()
    turned = max(abs(have - want) for have, want in zip(move.shorthand[:4], (1, 0, 0, 1), strict=True))
    beside = left.origin - 0.01 <= move.e <= left.end + 2 * left.size
    return turned < 1e-6 and beside and _same_line(left, right, move.f) and _style(left) == _style(right)


def _same_line(left: Run, right: Run, down: float) -> bool:
    if left.letters and right.letters:
        return abs(right.letters[0].y + down - left.letters[0].y) < 0.01
    return abs(right.glyphs[0].y + down - left.glyphs[-1].y) < left.size  # a mark has a baseline of its own


def _style(run: Run) -> bytes:
    return pikepdf.unparse_content_stream([*run.style, *run.mode])


def join(left: Run, right: Run) -> Run:
    """One run of two pieces, in the coordinates of the left one."""
    move = right.matrix @ left.matrix.inverse()
    moved = tuple(
        cluster._replace(glyphs=tuple(g._replace(x=g.x + move.e, y=g.y + move.f) for g in cluster.glyphs))
        for cluster in right.clusters)
    return replace(left, clusters=left.clusters + moved, origin=move.e, reversed=left.reversed or right.reversed)


def facing(run: Run, before: Run | None) -> Run:
    """The run, as a right-to-left one if it is a lone space on the left of the run before it."""
    if before is None or run.right_to_left or run.text.strip():
        return run
    return replace(run, reversed=_beside(before, run) and _gap(before, run) > -run.size / 10)


def _beside(before: Run, run: Run) -> bool:
    """Test if two runs stand on one line."""
    return abs(before.matrix.f - run.matrix.f) < run.size / 2


def _gap(before: Run, run: Run) -> float:
    """How far the run ends to the left of the one before it; less than nought if it does not."""
    return before.matrix.e + before.glyphs[0].x - run.matrix.e - run.end


def is_apart(before: Run, run: Run) -> bool:
    """Test if a run stands to the left of the one before it, on its line, with a gap that neither fills with a space.

    Readers see gaps by themselves where text goes on to the right.
    """
    filled = before.text[-1:].isspace() or run.text[:1].isspace()
    return not filled and _beside(before, run) and _gap(before, run) > 0.15 * run.size


# --- writing runs ----------------------------------------------------------------------------------------------------
def write_run(run: Run, spaced: bool = False) -> list[ContentStreamInstruction]:
    """The run as instructions: one code a character, in visual order, and ink for the marks.

    ``spaced``: a gap parts it from the run before it, so a space shall be said.
    """
    simple = all(len(cluster.glyphs) == 1 for cluster in run.clusters)
    if not run.font.editable or not (run.right_to_left or (simple and (run.spans or spaced))):
        return [_without_controls(item) for item in run.source] if run.spans else [*run.source]
    said = emit_codes(run, spaced=spaced)
    if not said:
        return [*run.source]
    return _instructions(run, said, [
        item for glyph in (ink_only(run) if run.right_to_left else ())
        for item in run.font.outline(glyph.code, run.size, glyph.x, glyph.y)])


def _instructions(run: Run, said: Sequence[Emission], ink: Code) -> list[ContentStreamInstruction]:
    """One text object with one TJ: readers take the border of a text object for the border of a word."""
    shown = instruction("TJ", Array(_spaced(run, said)))
    letters = run.letters or run.glyphs
    place = [1, 0, 0, -1, number(said[0].x), number(letters[0].y)]
    text = [*run.mode, instruction("Tf", run.font_name, number(run.size)), instruction("Tm", *place), shown]
    if run.right_to_left:
        text = [instruction("BMC", REVERSED), *text, instruction("EMC")]
    matrix = next(item for item in run.source if str(item.operator) == "cm")
    return [instruction("q"), matrix, *run.style, instruction("BT"), *text, instruction("ET"), *ink, instruction("Q")]


def _spaced(run: Run, said: Sequence[Emission]) -> Iterator[String | Decimal]:
    """The codes as strings, and between them how far the pen goes back, in thousandths of an em."""
    pen = said[0].x
    codes = b""
    for item in said:
        back = number((pen - item.x) / run.size * 1000)
        if abs(back) > TOLERANCE:
            if codes:
                yield String(codes)
            yield back
            pen, codes = item.x, b""
        code = run.font.code(item.glyph, item.text, item.wider)
        codes += code.to_bytes(2, "big")
        pen += run.font.width(code) * run.size
    yield String(codes)


def _without_controls(item: ContentStreamInstruction) -> ContentStreamInstruction:
    """The instruction with an ActualText that holds no direction controls."""
    properties = item.operands[1] if str(item.operator) == "BDC" else None
    if not isinstance(properties, Dictionary) or "/ActualText" not in properties:
        return item
    actual = without_controls(str(properties["/ActualText"]))
    return instruction("BDC", item.operands[0], Dictionary({**dict(properties.items()), "/ActualText": actual}))
