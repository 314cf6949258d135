"""A derivation: a chain of =, ≥ and ≤ steps from one expression to the next, each with its reason.

The same chain is typeset (:meth:`Derivation.latex`) and proved (:func:`dgm.calculus.checking.verification.verify`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from dgm.calculus.language.encoding import digest, encode
from dgm.calculus.language.expression import (
    Expr,
    Named,
    Operand,
    as_expr,
)
from dgm.calculus.language.notation import latex
from dgm.errors import CalculusError

Relation = Literal["=", ">=", "<=", ":="]
SIGNS: dict[Relation, str] = {"=": "=", ">=": r"\ge ", "<=": r"\le ", ":=": ":="}


@dataclass(frozen=True)
class Assumptions:
    """Hypotheses of a derivation; a proof prints those that it uses beside its mark.

    ``factorised`` laws have independent coordinates of z, ``encoders`` independent coordinates given x; the
    quantities ``positive`` are greater than 0.
    """

    factorised: tuple[str, ...] = ()
    encoders: tuple[str, ...] = ()
    positive: tuple[Expr, ...] = ()


RelationRecord = dict[str, str]  # of one relation: the digest of its statement, and its LaTeX
SHOWN = "application/vnd.gozaresh.relations+json"
_RELATION = re.compile(r"(?<!:)[=<>]|\\(?:le|ge|leq|geq|neq|ne|succ|prec|approx|equiv|sim|propto|in|to)(?![A-Za-z])")
NOTHING_ASSUMED = Assumptions()


@dataclass(frozen=True)
class Link:
    """One relation and the expression that it leads to.

    ``slack`` is the known non-negative quantity by which an inequality falls short of equality; ``given`` lists
    quantities that are zero by hypothesis; ``stated`` says why a step is taken without a check (an assumption, a cited
    theorem).  ``together`` keeps it on its predecessor's line.
    """

    relation: Relation
    side: Expr
    reason: str
    slack: Expr | None = None
    given: tuple[Expr, ...] = ()
    stated: str = ""
    together: bool = False


@dataclass(frozen=True)
class Derivation:
    """A chain of relations, the label of the equation that displays it, and what is assumed.

    >>> from dgm.calculus.language.expression import Density, log
    >>> p, joint, rest = Density("p", ("x",)), Density("p", ("x", "z")), Density("p", ("z",), ("x",))
    >>> Derivation("eq-bayes", log(p)).equals(log(joint / rest), "قاعدهٔ بیز").latex()
    '\\\\log p(x)=\\\\log \\\\frac{p(x,z)}{p(z\\\\mid x)}'
    """

    label: str
    start: Expr
    links: tuple[Link, ...] = ()
    assuming: Assumptions = NOTHING_ASSUMED

    def equals(self, side: Operand, reason: str, *, given: tuple[Expr, ...] = (), stated: str = "",
               together: bool = False) -> Derivation:
        """The chain with one equality more."""
        return self._with(Link("=", as_expr(side), reason, None, given, stated, together))

    def at_least(self, side: Operand, reason: str, slack: Expr | None = None, *, stated: str = "",
                 together: bool = False) -> Derivation:
        """The chain with one ≥ more."""
        return self._with(Link(">=", as_expr(side), reason, slack, (), stated, together))

    def at_most(self, side: Operand, reason: str, slack: Expr | None = None, *, stated: str = "",
                together: bool = False) -> Derivation:
        """The chain with one ≤ more."""
        return self._with(Link("<=", as_expr(side), reason, slack, (), stated, together))

    def defines(self, *, together: bool = False) -> Derivation:
        """The chain with the definition of the name at its start: ``name := expression``.

        Raises:
            CalculusError: the chain does not consist of one name.
        """
        if self.links or not isinstance(self.start, Named) or self.start.brace:
            raise CalculusError(f"{self.label}: only a name at the start of a chain is defined")
        return self._with(Link(":=", self.start.body, "تعریف", together=together))

    def _with(self, link: Link) -> Derivation:
        return replace(self, links=(*self.links, link))

    @property
    def sides(self) -> tuple[Expr, ...]:
        """The expressions of the chain, (number of links + 1,)."""
        return (self.start, *(link.side for link in self.links))

    def latex(self, *, broken: bool = False) -> str:
        """One line, or, if it has several or is to be ``broken``, a block aligned at its relations.

        Raises:
            CalculusError: an expression is nested too deep.
        """
        try:
            return self._latex(broken)
        except RecursionError:
            raise CalculusError(f"{self.label}: an expression is nested too deep to be printed") from None

    def _latex(self, broken: bool) -> str:
        parts = [f"{SIGNS[link.relation]}{latex(link.side)}" for link in self.links]
        if not broken and all(link.together for link in self.links[1:]):
            return latex(self.start) + "".join(parts)
        first, *rest = parts
        opening = f"&{latex(self.start)}\\\\\n&\\quad" if broken else f"{latex(self.start)}\n&"
        lines = [opening + first]
        for link, part in zip(self.links[1:], rest, strict=True):
            lines.append(part if link.together else f"\\\\\n&{part}")
        return "\\begin{aligned}\n" + "".join(lines) + "\n\\end{aligned}"

    @property
    def relations(self) -> tuple[RelationRecord, ...]:
        """The relations that the chain shows, but for definitions."""
        links = zip(self.sides, self.links, strict=False)
        return tuple({"statement": digest(encode(left), link.relation, encode(link.side)),
                      "shown": latex(left) + SIGNS[link.relation] + latex(link.side)}
                     for left, link in links if link.relation != ":=")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:
        return Displayed(self.latex(), self.relations)._repr_mimebundle_()

    @property
    def broken(self) -> Displayed:
        """The chain with its relations on lines of their own."""
        return Displayed(self.latex(broken=True), self.relations)


@dataclass(frozen=True)
class Displayed:
    """LaTeX that a notebook shows as a displayed equation, and the relations in it."""

    tex: str
    relations: tuple[RelationRecord, ...] = ()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:
        return {"text/latex": f"$${self.tex}$$", SHOWN: list(self.relations)}


def displayed(*parts: Derivation | Expr | str) -> Displayed:
    r"""Derivations, expressions and joining LaTeX, side by side in one displayed equation.

    A relation sign in joining LaTeX is a relation that no proof is about, and is told as such.

    >>> from dgm.calculus.language.expression import Symbol
    >>> shown = displayed("a", "=", Symbol("b"), r"+\cdots")
    >>> shown.tex, len(shown.relations)
    ('a=b+\\cdots', 1)
    """
    texts = [part if isinstance(part, str) else part.latex() if isinstance(part, Derivation) else latex(part)
             for part in parts]
    whole = "".join(texts)
    proved = tuple(r for part in parts if isinstance(part, Derivation) for r in part.relations)
    typed = any(_RELATION.search(part) for part in parts if isinstance(part, str))
    return Displayed(whole, (*proved, {"statement": "", "shown": whole}) if typed else proved)
