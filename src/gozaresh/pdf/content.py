"""The pieces of text of a PDF's content stream, as Typst 0.15 writes them (operators: ISO 32000-2, 9.4 and 14.6)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from pikepdf import ContentStreamInstruction, Dictionary, Matrix, Name, String

from gozaresh.pdf.font import Font, without_controls

# letters, marks and joiners; digits and their signs (U+0660…, U+06F0…) are written from the left
RIGHT_TO_LEFT = re.compile("[\u0590-\u060b\u060e-\u061a\u061c-\u061e\u0620-\u065f\u066e-\u06ef\u06fa-\u08ff"
                           "\u200c\u200d\ufb1d-\ufdff\ufe70-\ufeff]")
PUNCTUATION, DIGIT = re.compile("[،؍؛؟]"), re.compile("[0-9۰-۹٠-٩]")  # a comma between digits belongs to their number
REVERSED = Name("/ReversedChars")  # 14.8.2.5.3: the characters stand in reverse order
TEXT_OPERATORS = {"Tr", "Tf", "Tm", "Tj", "TJ", "BMC", "BDC", "EMC"}  # all that Typst writes between BT and ET
INK_OPERATORS = {"m", "l", "c", "h", "f"}  # what the repair draws marks with
Code = Sequence[ContentStreamInstruction]


class Glyph(NamedTuple):
    """A drawn glyph at (x, y) of its run in points; y grows downwards."""

    code: int
    x: float
    y: float


class Cluster(NamedTuple):
    """The glyphs, from left to right, that stand together for some characters in logical order."""

    glyphs: tuple[Glyph, ...]
    text: str


@dataclass(frozen=True)
class Run:
    """A piece of text in one font, which Typst writes as ``q … cm … BT … ET Q``."""

    source: Code = field(repr=False)
    matrix: Matrix
    style: Code  # colours and the like
    mode: Code  # whether glyphs are filled or stroked
    font_name: Name
    font: Font = field(repr=False)
    size: float
    clusters: tuple[Cluster, ...]
    reversed: bool
    spans: bool  # whether ActualText occurs
    origin: float = 0.0  # where its last piece began

    @cached_property
    def glyphs(self) -> list[Glyph]:
        """All glyphs from left to right."""
        return [glyph for cluster in self.clusters for glyph in cluster.glyphs]

    @cached_property
    def letters(self) -> list[Glyph]:
        """The glyphs that have a width, which marks have not."""
        return [glyph for glyph in self.glyphs if self.font.width(glyph.code) > 0]

    @cached_property
    def end(self) -> float:
        """Where the pen stands after the last glyph."""
        return self.glyphs[-1].x + self.font.width(self.glyphs[-1].code) * self.size

    @cached_property
    def right_to_left(self) -> bool:
        """Test if it is written from the right."""
        said = "".join(cluster.text for cluster in self.clusters)
        is_comma = PUNCTUATION.search(said) and not DIGIT.search(said)
        return self.reversed or bool(RIGHT_TO_LEFT.search(said) or is_comma)

    @cached_property
    def text(self) -> str:
        """What it says, in logical order."""
        return "".join(cluster.text for cluster in (self.clusters[::-1] if self.right_to_left else self.clusters))


Token = ContentStreamInstruction | Run


def find_runs(code: Code, fonts: Mapping[str, Font]) -> Iterator[Token]:
    """The content stream with every piece of text as a :class:`Run`; what has another form stays as it is."""
    operators = [str(item.operator) for item in code]
    at = 0
    while at < len(code):
        end = _run_end(operators, at) if operators[at] == "q" else at
        run = _read_run(code[at:end], operators[at:end], fonts) if end > at else None
        yield run or code[at]
        at = end if run else at + 1


def _run_end(operators: Sequence[str], start: int) -> int:
    """The index after the Q of a ``q … BT … ET Q`` that begins at ``start``; ``start`` if none does."""
    for at in range(start + 1, len(operators)):
        operator = operators[at]
        if operator == "Q":
            return at + 1 if _is_text(operators[start:at]) else start
        if operator in ("q", "Do"):
            return start
    return start


def _is_text(operators: Sequence[str]) -> bool:
    """Test if one text object, and perhaps the ink of its marks, is all that is painted."""
    return operators.count("ET") == 1 and set(operators[operators.index("ET") + 1:]) <= INK_OPERATORS


def _read_run(code: Code, operators: Sequence[str], fonts: Mapping[str, Font]) -> Run | None:
    begin, end = operators.index("BT"), operators.index("ET")
    pen = _Pen(fonts)
    inside = zip(operators[begin + 1:end], code[begin + 1:end], strict=True)
    if operators.count("cm") != 1 or not all(pen.follow(*item) for item in inside) or not pen.clusters:
        return None
    matrix = Matrix(*map(float, code[operators.index("cm")].operands))
    style = [code[at] for at in range(1, begin) if operators[at] != "cm"]
    mode = [code[at] for at in range(begin + 1, end) if operators[at] == "Tr"][:1]
    font_name, font, size = pen.fonts[0]
    return Run(code, matrix, style, mode, font_name, font, size, tuple(pen.clusters), pen.reversed, pen.spans)


class _Pen:
    """Follows the instructions between BT and ET and notes where each glyph is drawn and what it says."""

    def __init__(self, fonts: Mapping[str, Font]) -> None:
        self._known = fonts
        self._x = self._y = 0.0
        self._open: list[str | None] = []  # ActualText of the open marked content
        self._actual: str | None = None  # the innermost of them
        self._fresh = False  # an ActualText span has begun and shown nothing yet
        self.fonts: list[tuple[Name, Font, float]] = []
        self.clusters: list[Cluster] = []
        self.reversed = self.spans = False

    def follow(self, operator: str, item: ContentStreamInstruction) -> bool:
        """Follow one instruction; False if a run may not hold it."""
        operands = item.operands
        if operator == "Tm":
            *turn, self._x, self._y = map(float, operands)
            return turn == [1, 0, 0, -1]
        if operator == "Tf":
            return self._take_font(Name(str(operands[0])), float(operands[1]))
        if operator in ("Tj", "TJ"):
            return bool(self.fonts) and self._show(list(operands[0]) if operator == "TJ" else [operands[0]])
        if operator in ("BMC", "BDC"):
            self._begin(list(operands))
        elif operator == "EMC":
            self._open.pop()
            self._actual = next((text for text in reversed(self._open) if text is not None), None)
        return operator in TEXT_OPERATORS

    def _take_font(self, name: Name, size: float) -> bool:
        font = (name, self._known[str(name)], size)
        self.fonts.append(font)
        return font == self.fonts[0]

    def _begin(self, operands: Sequence[Any]) -> None:
        self.reversed |= operands[0] == REVERSED
        properties = operands[1] if len(operands) > 1 else None
        actual = properties.get("/ActualText") if isinstance(properties, Dictionary) else None
        self._open.append(None if actual is None else str(actual))
        if actual is not None:
            self._actual = str(actual)
            self.spans = self._fresh = True

    def _show(self, items: Sequence[Any]) -> bool:
        _, font, size = self.fonts[0]
        for item in items:
            if isinstance(item, String):
                for code in _codes(item):
                    self._add(Glyph(code, self._x, self._y), font)
                    self._x += font.width(code) * size
            else:
                self._x -= float(item) / 1000 * size
        return True

    def _add(self, glyph: Glyph, font: Font) -> None:
        """The first glyph of an ActualText span begins a cluster, the others belong to it."""
        actual = self._actual
        if actual is not None and not self._fresh:
            last = self.clusters[-1]
            self.clusters[-1] = last._replace(glyphs=(*last.glyphs, glyph))
            return
        self._fresh = False
        self.clusters.append(Cluster((glyph,), font.plain(glyph.code) if actual is None else without_controls(actual)))


def _codes(shown: String) -> Iterator[int]:
    raw = bytes(shown)
    return (int.from_bytes(raw[at:at + 2], "big") for at in range(0, len(raw), 2))
