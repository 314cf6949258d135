r"""LaTeX formulas to Typst, for the exporter.

A formula comes in as an author writes it in a chapter and goes out ready for `math.equation`: what is set
(:mod:`gozaresh.maths.typst`) and what is read aloud in its place (:mod:`gozaresh.maths.speech`) come from one tree
(:mod:`gozaresh.maths.parser`).

Pandoc's own conversion is not used for formulas: on the course's derivations it lost the sizes of
``\left. … \right|``, flattened arrays that stand beside other symbols, and wrote symbol names that
Typst 0.15 no longer knows, all without a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from gozaresh.common.errors import MathsError
from gozaresh.maths.macros import expand
from gozaresh.maths.parser import parse
from gozaresh.maths.speech import spoken, spoken_line, tidy
from gozaresh.maths.tree import Line, Marks, Table, Text
from gozaresh.maths.typst import formula, line_cells, prose, string


@dataclass(frozen=True)
class Formula:
    """A formula as its author wrote it, without the dollars."""

    tex: str
    display: bool


@dataclass(frozen=True)
class TypstLine:
    """One line of an alignment whose lines are numbered, or parted by text."""

    cells: tuple[str, ...]  # without dollars
    number: str | None  # from \tag{…}, Typst code
    label: str | None
    alt: str
    lead: str  # the text before the line, Typst markup


@dataclass(frozen=True)
class TypstFormula:
    """A formula ready for ``#math.equation(alt: …, block: …, body)``, or for one equation a line."""

    body: str  # with its dollars
    number: str | None  # from \tag{…}, Typst code
    label: str | None  # from \label{…}
    alt: str  # the Persian reading
    lines: tuple[TypstLine, ...] = ()  # where the lines stand alone


def to_typst(formulas: Iterable[Formula]) -> dict[Formula, TypstFormula]:
    r"""Translate each formula once.

    >>> formula = Formula(r"x \odot y \label{eq-xy}", display=True)
    >>> to_typst([formula])[formula]
    TypstFormula(body='$ x⊙y $', number=None, label='eq-xy', alt='ایکس ضرب درایه‌ای در وای', lines=())

    Raises:
        MathsError: one line that names the formula and what is not understood in it.
    """
    return {formula: _one(formula) for formula in dict.fromkeys(formulas)}


@lru_cache(maxsize=4096)
def _one(given: Formula) -> TypstFormula:
    """Translate one formula and say which it is where that fails."""
    try:
        tree = parse(expand(given.tex))
        body, alt = formula(tree.body), tidy(f"{spoken(tree.body)}{_spoken_tag(tree.marks)}")
        lines = _lines(tree.body, tree.marks, display=given.display)
    except MathsError as error:
        raise MathsError(f"in the formula {_one_line(given.tex)!r}: {error}", given.tex) from None
    inside = f"$ {body} $" if given.display else f"${body}$"
    return TypstFormula(inside, _number(tree.marks), tree.marks.label, alt, lines)


def _lines(body: object, whole: Marks, *, display: bool) -> tuple[TypstLine, ...]:
    """The lines of an alignment if they stand alone."""
    if not isinstance(body, Table) or not body.is_by_line:
        return ()
    if whole != Marks() or not display:
        raise MathsError("lines are numbered only in a displayed formula without a label or tag of its own")
    width = max(len(line.cells) for line in body.lines)
    return tuple(_line(body, line, width, first=not at) for at, line in enumerate(body.lines))


def _line(table: Table, line: Line, width: int, *, first: bool) -> TypstLine:
    cells = line_cells(table, line)
    alt = tidy(f"{spoken_line(line, first=first)}{_spoken_tag(line.marks)}")
    return TypstLine((*cells, *[""] * (width - len(cells))), _number(line.marks), line.marks.label, alt,
                     prose(line.lead, spoken) if line.lead else "")


def _number(marks: Marks) -> str | None:
    r"""A tag as Typst content; ``\tag*`` has no parentheses."""
    if marks.tag is None:
        return None
    left, right = ("", "") if marks.bare else ("(", ")")
    return f"[{_markup(left)}{prose(marks.tag, spoken)}{_markup(right)}]"


def _markup(mark: str) -> str:
    return f"#{string(mark)}" if mark else ""


def _spoken_tag(marks: Marks) -> str:
    return f"؛ برچسب {spoken(marks.tag)}" if isinstance(marks.tag, Text) else ""


def _one_line(tex: str) -> str:
    """A formula's TeX without comments and with single blanks."""
    return " ".join(re.sub(r"(?<!\\)%.*", "", tex).split())
