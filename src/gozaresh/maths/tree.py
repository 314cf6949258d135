r"""A LaTeX formula as a tree of its parts, frozen.

What is set (:mod:`gozaresh.maths.typst`) and what is spoken (:mod:`gozaresh.maths.speech`) come from this one tree,
which :mod:`gozaresh.maths.parser` reads, so neither can say what the other does not.
"""

from __future__ import annotations

from dataclasses import dataclass

from gozaresh.maths.symbols import ALIGNMENTS


class Node:
    """A part of a formula."""


@dataclass(frozen=True)
class Row(Node):
    """Parts that stand side by side; an empty row is nothing."""

    items: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Symbol(Node):
    r"""A letter, number, mark, delimiter or symbol, as it is written: ``x``, ``12.5``, ``+``, ``\alpha``, ``\{``."""

    token: str


@dataclass(frozen=True)
class Word(Node):
    r"""A word set as a word: the KL of ``\mathrm{KL}``; the empty word is an empty base."""

    text: str


@dataclass(frozen=True)
class Space(Node):
    """A width in em, or in an absolute unit."""

    amount: float
    unit: str = "em"


@dataclass(frozen=True)
class Dots(Node):
    r"""``\dots``, raised between operators."""

    raised: bool


@dataclass(frozen=True)
class Group(Node):
    """A group in braces, which TeX treats as one ordinary symbol."""

    body: Row


@dataclass(frozen=True)
class Operator(Node):
    r"""A function's name: ``\log``, ``\operatorname{…}``; with limits its scripts stand under and over it."""

    body: Node
    limits: bool


@dataclass(frozen=True)
class Styled(Node):
    """An accent, a font, a class or a frame round one argument."""

    name: str
    body: Node


@dataclass(frozen=True)
class Switched(Node):
    """The rest of a group after a command that holds until the group's end."""

    name: str
    body: Row


@dataclass(frozen=True)
class Pair(Node):
    """A command of two arguments, of which a fraction is one."""

    name: str
    first: Node
    second: Node


@dataclass(frozen=True)
class Stack(Node):
    r"""One thing over another in delimiters, with or without a bar: ``\genfrac``, ``\atop``, ``\brace``."""

    opening: str
    closing: str
    has_bar: bool
    style: str  # the command's name, such as displaystyle, or nothing
    first: Node
    second: Node


@dataclass(frozen=True)
class Coloured(Node):
    """What has a colour, a ground or a frame of its own, each as hexadecimal digits or nothing."""

    body: Node
    ink: str = ""
    ground: str = ""
    frame: str = ""


@dataclass(frozen=True)
class Raised(Node):
    """What stands higher than its line, by a length in em or in an absolute unit."""

    body: Node
    by: Space


@dataclass(frozen=True)
class Rule(Node):
    r"""A filled rectangle, ``\rule``."""

    width: Space
    height: Space
    by: Space


@dataclass(frozen=True)
class Root(Node):
    """A root with its degree."""

    body: Node
    degree: Node | None


@dataclass(frozen=True)
class Negated(Node):
    r"""``\not`` before a relation."""

    body: Node


@dataclass(frozen=True)
class Arrow(Node):
    """An arrow as long as what stands over and under it."""

    name: str
    above: Node
    below: Node | None


@dataclass(frozen=True)
class Brace(Node):
    """A brace over or under its argument, with its note."""

    name: str
    body: Node
    note: Node | None


@dataclass(frozen=True)
class Big(Node):
    r"""A delimiter of a fixed size: the size's name and the suffix (l, m, r or nothing) of ``\bigl(``."""

    size: str
    side: str
    delimiter: str


@dataclass(frozen=True)
class Middle(Node):
    r"""``\middle|`` inside a fence."""

    delimiter: str


@dataclass(frozen=True)
class Fence(Node):
    r"""``\left( … \right)``; the delimiter ``.`` is none."""

    opening: str
    body: Row
    closing: str


@dataclass(frozen=True)
class Text(Node):
    """Text, its formulas and its fonts; Persian text with such parts runs from the right."""

    parts: tuple[str | Node, ...]
    font: str  # the command's name
    from_right: bool = False


@dataclass(frozen=True)
class Scripts(Node):
    r"""A base with what is attached to it; ``limits`` is the command ``limits``, ``nolimits`` or empty."""

    base: Node
    primes: int = 0
    below: Node | None = None
    above: Node | None = None
    limits: str = ""


@dataclass(frozen=True)
class Marks(Node):
    r"""The label and the tag of a formula or of one of its lines; ``\tag*`` is set without parentheses."""

    label: str | None = None
    tag: Text | None = None
    bare: bool = False


@dataclass(frozen=True)
class Line(Node):
    r"""The cells of one row, its label and tag, and the text (``\intertext``) before it."""

    cells: tuple[Row, ...]
    marks: Marks = Marks()
    lead: Text | None = None


@dataclass(frozen=True)
class Table(Node):
    """An environment of rows; arrays, and matrices with a star, have columns (``c|c``), both may have rules."""

    name: str
    lines: tuple[Line, ...]
    columns: str = ""
    rules: tuple[int, ...] = ()  # the rows before which one stands

    @property
    def is_alignment(self) -> bool:
        """Whether the rows are lines of a formula rather than cells of a table."""
        return self.name.rstrip("*") in ALIGNMENTS

    @property
    def is_by_line(self) -> bool:
        """Whether its lines stand alone, because they have numbers of their own or text between them."""
        return any(line.lead or line.marks != Marks() for line in self.lines)


@dataclass(frozen=True)
class Tree:
    """A formula: what it shows and how it is named."""

    body: Node
    marks: Marks
