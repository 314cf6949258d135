"""An embedded font of a PDF whose codes can be given other characters, and new codes added.

Terms (ISO 32000-2, 9.7): a *code* is the two-byte number in the content stream, a *glyph* is its outline in the font
program, ``ToUnicode`` maps a code to the characters a reader extracts, ``CIDToGIDMap`` maps it to the glyph it draws.
Several codes may draw one glyph and say different characters; that is all the repair of the text layer needs.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pikepdf
from fontTools.pens.basePen import BasePen
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables._g_l_y_f import Glyph as TrueTypeGlyph
from pikepdf import Array, ContentStreamInstruction, Dictionary, Operator, Stream

# Direction controls shape a run; they are not part of the text a reader wants (UAX #9).
CONTROLS = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]")
RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\u200c\u200d\u200f\ufb1d-\ufdff\ufe70-\ufefc]")
BLANK = "gozaresh.blank"
SPREAD = 8192  # codes among which the added ones are strewn
HEX = r"<([0-9A-Fa-f]+)>"
Request = tuple[int | None, str, int]  # a glyph (None: the blank one), what it says, how much wider it is


def without_controls(text: str) -> str:
    """The text without direction controls; text of controls alone stays, for a code must say something."""
    return CONTROLS.sub("", text) or text


class Font:
    """A Type0 font of the PDF.

    ``editable`` is true for TrueType programs with an identity map, which is how Typst embeds Persian fonts; the others
    (CFF: the Latin and the maths fonts) hold one character a glyph already.
    """

    def __init__(self, font: pikepdf.Object) -> None:
        self._font = font
        self._descendant = font["/DescendantFonts"][0] if "/DescendantFonts" in font else Dictionary()
        self._said = parse_to_unicode(font["/ToUnicode"].read_bytes()) if "/ToUnicode" in font else {}
        self._visual = _added_codes(self._descendant.get("/CIDToGIDMap"))
        self.editable = bool(self._said) and self._descendant.get("/CIDToGIDMap") == "/Identity"
        self._plain: dict[int, str] = {}
        self._added: dict[tuple[int, str, int], int] = {}
        self.asked: dict[Request, int] = {}  # the codes given since someone emptied it, in order
        self._widths = dict(parse_widths(self._descendant.get("/W", Array())))
        if self.editable:
            program = self._descendant["/FontDescriptor"]["/FontFile2"].read_bytes()
            self._program = TTFont(io.BytesIO(program), recalcBBoxes=False, recalcTimestamp=False)
            self._blank = int(self._program["maxp"].numGlyphs)  # the glyph that write() appends

    def text(self, code: int) -> str:
        """The characters of a code in logical order; codes added for Persian hold them in visual order."""
        said = self._said.get(code, "")
        return said[::-1] if code in self._visual and RIGHT_TO_LEFT.search(said) else said

    def plain(self, code: int) -> str:
        """The same without direction controls."""
        if code not in self._plain:
            self._plain[code] = without_controls(self.text(code))
        return self._plain[code]

    def width(self, code: int | None) -> float:
        """The advance of a code, in ems; nothing has none."""
        return 0.0 if code is None else self._widths.get(code, 0.0) / 1000

    def code(self, glyph: int | None, text: str, wider: int = 0) -> int:
        """A code that draws ``glyph`` (None: nothing) and says ``text``: the old one where it fits, else a new one.

        New codes have whole widths, for pdfium (Chrome) drops the fractions and letters of a long run would drift;
        PDF/A allows the thousandth of an em by which a width may then differ from the font program's. ``wider`` is
        added to the width, in thousandths of an em.
        """
        request = (glyph, text, wider)
        if request not in self.asked:
            self.asked[request] = self._code(*request)
        return self.asked[request]

    def _code(self, glyph: int | None, text: str, wider: int) -> int:
        glyph = self._blank if glyph is None else glyph
        width = self._widths.get(glyph, 0.0)
        if self.plain(glyph) == text and width == round(width) and not wider:
            return glyph
        if (glyph, text, wider) not in self._added:
            code = self._free((glyph, text, wider))
            self._added[glyph, text, wider] = code
            self._widths[code] = round(width) + wider
        return self._added[glyph, text, wider]

    def _free(self, request: Request) -> int:
        """A code that is not yet given, nearly always the same for the same request whatever else is asked for.

        So a word more on one page leaves the codes of all other pages as they were.
        """
        first = int.from_bytes(hashlib.sha256(repr(request).encode()).digest()[:4], "big")
        given = set(self._added.values())
        return next(code for step in range(SPREAD)
                    if (code := self._blank + 1 + (first + step) % SPREAD) not in given)

    def outline(self, glyph: int, size: float, x: float, y: float) -> list[ContentStreamInstruction]:
        """The filled outline of a glyph at (x, y), y growing downwards."""
        glyphs = self._program.getGlyphSet()
        pen = _PathPen(glyphs, size / self._program["head"].unitsPerEm, x, y)
        glyphs[self._program.getGlyphName(glyph)].draw(pen)
        return [*pen.path, instruction("f")] if pen.path else []

    def write(self, pdf: pikepdf.Pdf) -> None:
        """Put the added codes into the PDF; a font that has some already is left alone."""
        if self._visual:
            return
        said = {code: without_controls(text) for code, text in self._said.items()}
        said |= {code: text for (_, text, _), code in self._added.items()}
        if said != self._said:
            self._font["/ToUnicode"] = Stream(pdf, to_unicode(said))
        if self._added:
            self._write_map(pdf, self._write_program(pdf))

    def _write_program(self, pdf: pikepdf.Pdf) -> dict[tuple[int, int], int]:
        """Append the blank glyph, and the glyphs that are wider than others; return the ids of the latter.

        No space glyph would do for the blank one: PDF/A wants the program's widths to be the PDF's.
        """
        program = self._program
        wide = sorted({(glyph, wider) for glyph, _, wider in self._added if wider})
        names = [BLANK, *(f"gozaresh.{glyph}.{wider}" for glyph, wider in wide)]
        old = program.getGlyphOrder()
        program.setGlyphOrder([*old, *names])
        blank = TrueTypeGlyph()
        blank.numberOfContours = 0
        shapes, metrics = program["glyf"].glyphs, program["hmtx"].metrics
        shapes[BLANK], metrics[BLANK] = blank, (0, 0)
        for (glyph, wider), name in zip(wide, names[1:], strict=True):
            like = BLANK if glyph == self._blank else old[glyph]
            width = (round(self._widths.get(glyph, 0.0)) + wider) / 1000 * program["head"].unitsPerEm
            shapes[name], metrics[name] = shapes[like], (round(width), metrics[like][1])
        program["glyf"].glyphOrder = program.getGlyphOrder()
        file = io.BytesIO()
        program.save(file, reorderTables=None)
        descriptor = self._descendant["/FontDescriptor"]
        descriptor["/FontFile2"] = Stream(pdf, file.getvalue(), Length1=len(file.getvalue()))
        if "/CIDSet" in descriptor:
            del descriptor["/CIDSet"]  # would have to list the new codes; optional since PDF/A-2
        return {key: self._blank + 1 + at for at, key in enumerate(wide)}

    def _write_map(self, pdf: pikepdf.Pdf, wide: Mapping[tuple[int, int], int]) -> None:
        added = {code: wide[glyph, wider] if wider else glyph for (glyph, _, wider), code in self._added.items()}
        glyphs = [*range(self._blank + 1), *(added.get(code, 0) for code in range(self._blank + 1, max(added) + 1))]
        self._descendant["/CIDToGIDMap"] = Stream(pdf, b"".join(glyph.to_bytes(2, "big") for glyph in glyphs))
        widths = [entry for code in (self._blank, *sorted(added))
                  for entry in (code, Array([number(self._widths.get(code, 0.0))]))]
        self._descendant["/W"] = Array([*self._descendant.get("/W", Array()), *widths])


def _added_codes(glyph_map: pikepdf.Object | None) -> set[int]:
    """The codes that an earlier repair added: those that do not stand for the glyph of their own number."""
    if not isinstance(glyph_map, Stream):
        return set()
    raw = glyph_map.read_bytes()
    return {at // 2 for at in range(0, len(raw), 2) if int.from_bytes(raw[at:at + 2], "big") != at // 2}


class _PathPen(BasePen):  # type: ignore[misc]  # fontTools ships no types
    """Collects an outline as PDF path operators; BasePen turns TrueType's quadratic curves into cubic ones."""

    def __init__(self, glyphs: object, scale: float, x: float, y: float) -> None:
        super().__init__(glyphs)
        self._scale, self._x, self._y = scale, x, y
        self.path: list[ContentStreamInstruction] = []

    def _add(self, operator: str, *points: tuple[float, float]) -> None:
        placed = [value for px, py in points for value in (self._x + px * self._scale, self._y - py * self._scale)]
        self.path.append(instruction(operator, *map(number, placed)))

    def _moveTo(self, point: tuple[float, float]) -> None:  # noqa: N802  # fontTools' name
        self._add("m", point)

    def _lineTo(self, point: tuple[float, float]) -> None:  # noqa: N802
        self._add("l", point)

    def _curveToOne(self, *points: tuple[float, float]) -> None:  # noqa: N802
        self._add("c", *points)

    def _closePath(self) -> None:  # noqa: N802
        self._add("h")


def instruction(operator: str, *operands: Any) -> ContentStreamInstruction:
    """One instruction of a content stream."""
    return ContentStreamInstruction(list(operands), Operator(operator))


def number(value: float) -> Decimal:
    """A number as the PDF writes it: four decimals, a ten-thousandth of a point or of a thousandth of an em."""
    return Decimal(f"{value:.4f}").normalize() + 0


def parse_widths(array: pikepdf.Object) -> Iterator[tuple[int, float]]:
    """Read ``/W``: ``first [w w …]`` or ``first last w``, in thousandths of an em."""
    entries = list(array.as_list())
    at = 0
    while at < len(entries):
        first, second = int(entries[at]), entries[at + 1]
        if isinstance(second, Array):
            yield from ((first + step, float(width)) for step, width in enumerate(second.as_list()))
            at += 2
        else:
            yield from ((code, float(entries[at + 2])) for code in range(first, int(second) + 1))
            at += 3


def parse_to_unicode(cmap: bytes) -> dict[int, str]:
    """Read a ToUnicode CMap (ISO 32000-2, 9.10.3) as code → characters."""
    text = cmap.decode("latin-1")
    said: dict[int, str] = {}
    for block in re.findall(r"beginbfchar(.*?)endbfchar", text, re.S):
        said |= {int(code, 16): _utf16(chars) for code, chars in re.findall(rf"{HEX}\s*{HEX}", block)}
    for block in re.findall(r"beginbfrange(.*?)endbfrange", text, re.S):
        for first, last, chars in re.findall(rf"{HEX}\s*{HEX}\s*{HEX}", block):
            start = _utf16(chars)
            for step, code in enumerate(range(int(first, 16), int(last, 16) + 1)):
                said[code] = start[:-1] + chr(ord(start[-1]) + step)
    return said


def _utf16(digits: str) -> str:
    return bytes.fromhex(digits).decode("utf-16-be")


def to_unicode(said: Mapping[int, str]) -> bytes:
    """Write code → characters as a ToUnicode CMap, at most a hundred codes a block."""
    lines = [f"<{code:04X}> <{text.encode('utf-16-be').hex().upper()}>" for code, text in sorted(said.items())]
    blocks = [lines[at:at + 100] for at in range(0, len(lines), 100)]
    body = "\n".join("\n".join([f"{len(block)} beginbfchar", *block, "endbfchar"]) for block in blocks)
    return f"""/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
{body}
endcmap
CMapName currentdict /CMap defineresource pop
end
end
""".encode()
