r"""LaTeX formulas to Typst, for the exporter.

A formula comes in as an author writes it in a chapter and goes out ready for `math.equation`. The
translation itself is in :mod:`gozaresh.mathtext`, the symbols are in :mod:`gozaresh.mathsymbols`.

Pandoc's own conversion is not used for formulas: on the course's derivations it lost the sizes of
``\left. … \right|``, flattened arrays that stand beside other symbols, and wrote symbol names that
Typst 0.15 no longer knows, all without a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gozaresh.errors import MathsError
from gozaresh.mathmacros import expand
from gozaresh.mathtext import text_of, translate

LABEL = re.compile(r"\\label\s*\{([^{}]*)\}")
TAG = re.compile(r"\\tag\*?\s*\{((?:[^{}]|\{[^{}]*\})*)\}")


@dataclass(frozen=True)
class Formula:
    """A formula as its author wrote it, without the dollars."""

    tex: str
    display: bool


@dataclass(frozen=True)
class TypstFormula:
    """A formula ready for ``#math.equation(alt: …, block: …, body)``."""

    body: str  # with its dollars
    tag: str | None  # from \tag{…}, without parentheses
    label: str | None  # from \label{…}
    alt: str  # the TeX in one line


def to_typst(formulas: Iterable[Formula]) -> dict[Formula, TypstFormula]:
    r"""Translate each formula once.

    >>> formula = Formula(r"x \odot y \label{eq-xy}", display=True)
    >>> to_typst([formula])[formula]
    TypstFormula(body='$ x⊙y $', tag=None, label='eq-xy', alt='x \\odot y')

    Raises:
        MathsError: one line that names the formula and what is not understood in it.
    """
    return {formula: _one(formula) for formula in dict.fromkeys(formulas)}


def _one(formula: Formula) -> TypstFormula:
    """Translate one formula and say which it is where that fails."""
    try:
        tex, label = _cut(LABEL, expand(formula.tex))
        tex, tag = _cut(TAG, tex)
        body = translate(tex)
        tag = text_of(tag).strip("()$ ") if tag is not None else None
    except MathsError as error:
        raise MathsError(f"in the formula {_one_line(formula.tex)!r}: {error}") from None
    return TypstFormula(f"$ {body} $" if formula.display else f"${body}$", tag, label, _one_line(tex))


def _cut(pattern: re.Pattern[str], tex: str) -> tuple[str, str | None]:
    """Take the one match of a pattern out of a formula."""
    found = pattern.findall(tex)
    if len(found) > 1:
        raise MathsError(f"two of {', '.join(found)}; a formula takes one")
    return pattern.sub("", tex), found[0] if found else None


def _one_line(tex: str) -> str:
    """A formula's TeX without comments and with single blanks."""
    return " ".join(re.sub(r"(?<!\\)%.*", "", tex).split())
