"""A statement of conditional independence, as written on an exercise sheet."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import combinations

from dgm.errors import GraphError
from dgm.graphs.dag import first_repeated
from dgm.graphs.names import latex_list

_PERP = re.compile(r"⊥⊥|⊥|_\|\|_")
_CONDITIONAL = re.compile(r"P\(([^()|]*)\|([^()|]*)\)\s*=\s*P\(([^()|]*)(?:\|([^()|]*))?\)")


@dataclass(frozen=True)
class Statement:
    """``x`` is independent of ``y`` given ``given``; the three share no node.

    ``as_probabilities`` only says how it is written: P(x | y, given) = P(x | given).
    """

    x: tuple[str, ...]
    y: tuple[str, ...]
    given: tuple[str, ...] = ()
    as_probabilities: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        nodes = (*self.x, *self.y, *self.given)
        if not self.x or not self.y:
            raise GraphError(f"an independence needs nodes on both sides, got {self.x} and {self.y}")
        twice = first_repeated(nodes)
        if twice is not None:
            raise GraphError(f"node {twice!r} stands in two places of one independence statement")

    def latex(self) -> str:
        r"""LaTeX as on the sheet.

        >>> Statement.parse("P(B|C,D,F) = P(B|C,D)").latex()
        'P(B \\mid C, D, F) = P(B \\mid C, D)'
        """
        given = latex_list(self.given)
        if self.as_probabilities:
            right = rf"P({latex_list(self.x)} \mid {given})" if given else f"P({latex_list(self.x)})"
            longer = latex_list(sorted((*self.given, *self.y)))
            return rf"P({latex_list(self.x)} \mid {longer}) = {right}"
        return self.latex_perp()

    def latex_perp(self) -> str:
        r"""LaTeX with the independence sign, whichever way the sheet writes it."""
        sides = rf"{latex_list(self.x)} \perp {latex_list(self.y)}"
        return rf"{sides} \mid {latex_list(self.given)}" if self.given else sides

    def __str__(self) -> str:
        sides = f"{', '.join(self.x)} ⊥ {', '.join(self.y)}"
        return f"{sides} | {', '.join(self.given)}" if self.given else sides

    @staticmethod
    def parse(text: str) -> Statement:
        """Read ``A ⊥ B``, ``A ⊥ B | C, D`` (or ``_||_`` for ⊥) or ``P(A | B, C) = P(A | C)``.

        Raises :class:`GraphError` naming the text when it is neither.

        >>> str(Statement.parse("O ⊥ A | M"))
        'O ⊥ A | M'
        """
        equation = _CONDITIONAL.fullmatch(text.strip())
        if equation:
            return _from_probabilities(text, *(_names(part or "") for part in equation.groups()))
        sides = _PERP.split(text)
        if len(sides) != 2:
            raise GraphError(f"cannot read {text!r}; valid: 'A ⊥ B | C' or 'P(A | B, C) = P(A | C)'")
        right, _, given = sides[1].partition("|")
        return Statement(_names(sides[0]), _names(right), _names(given))


def pair_statements(nodes: tuple[str, ...]) -> Iterator[Statement]:
    """Every ``u ⊥ v | Z`` with single ``u`` and ``v``, small ``Z`` first: n(n-1)/2 · 2^(n-2) of them.

    They say all there is: in a graph X ⊥ Y | Z holds just when x ⊥ y | Z does for each pair
    (decomposition and composition).
    """
    for size in range(len(nodes) - 1):
        for u, v in combinations(nodes, 2):
            yield from statements_between(u, v, nodes, size)


def statements_between(u: str, v: str, nodes: Collection[str], size: int) -> Iterator[Statement]:
    """Every ``u ⊥ v | Z`` with ``size`` nodes in ``Z``."""
    rest = [node for node in nodes if node not in (u, v)]
    for given in combinations(rest, size):
        yield Statement((u,), (v,), given)


def _from_probabilities(
    text: str, x: tuple[str, ...], longer: tuple[str, ...], left: tuple[str, ...], given: tuple[str, ...],
) -> Statement:
    if set(x) != set(left) or not set(given) < set(longer):
        raise GraphError(f"{text!r} is no independence; valid: P(A | B, C) = P(A | C)")
    y = tuple(node for node in longer if node not in given)
    return Statement(x, y, given, as_probabilities=True)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
