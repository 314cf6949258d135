"""Plants one error at a time in a derivation, as a tired author would."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from fractions import Fraction

from dgm.calculus.language.derivation import Derivation, Link
from dgm.calculus.language.expression import (
    Call,
    Density,
    Divergence,
    Expr,
    Named,
    Negative,
    Number,
    Power,
    Product,
    Sum,
    Symbol,
    is_scalar,
)

OTHER_WAY = {">=": "<=", "<=": ">="}


@dataclass(frozen=True)
class Mutant:
    """A derivation with one error; ``kind`` says which."""

    kind: str
    derivation: Derivation


def mutants(derivation: Derivation) -> Iterator[Mutant]:
    """Every one-error version of a chain, cut to the steps that the error touches."""
    for k, link in enumerate(derivation.links):
        if link.stated or link.relation == ":=":
            continue
        before = derivation.sides[k]
        after = derivation.links[k + 1 : k + 2]
        if link.relation in OTHER_WAY:
            turned = replace(link, relation=OTHER_WAY[link.relation])
            yield Mutant("direction", replace(derivation, start=before, links=(turned,)))
        if link.relation in OTHER_WAY and not _checked(after):
            continue  # a looser bound at the end of a chain is no error
        for kind, side in errors(link.side):
            links = (replace(link, side=side), *(after if _checked(after) else ()))
            yield Mutant(kind, replace(derivation, start=before, links=links))


def _checked(after: tuple[Link, ...]) -> bool:
    return bool(after) and not after[0].stated


def errors(e: Expr) -> Iterator[tuple[str, Expr]]:
    """Every expression with one error somewhere inside, with the kind of the error."""
    yield from _here(e)
    for field in fields(e):  # type: ignore[arg-type]
        value = getattr(e, field.name)
        if isinstance(value, Expr):
            for kind, part in errors(value):
                if _fits(e, field.name, part):
                    yield kind, replace(e, **{field.name: part})  # type: ignore[type-var]
        elif isinstance(value, tuple):
            for k, item in enumerate(value):
                if isinstance(item, Expr):
                    for kind, part in errors(item):
                        yield kind, replace(e, **{field.name: (*value[:k], part, *value[k + 1 :])})  # type: ignore[type-var]


def _fits(e: Expr, name: str, part: Expr) -> bool:
    """Whether the changed part may stand where it stood: a density where one is asked for, a number as exponent."""
    if name in ("density", "q"):
        return isinstance(part, Density)
    if name in ("of", "by", "law"):
        return False
    return not (isinstance(e, Power) and name == "exponent") or is_scalar(part)


def _here(e: Expr) -> Iterator[tuple[str, Expr]]:
    match e:
        case Sum(terms):
            for k, term in enumerate(terms):
                flipped = term.body if isinstance(term, Negative) else Negative(term)
                yield "sign", Sum((*terms[:k], flipped, *terms[k + 1 :]))
                rest = (*terms[:k], *terms[k + 1 :])
                yield "dropped term", rest[0] if len(rest) == 1 else Sum(rest)
        case Negative(body):
            yield "sign", body
        case Divergence(q, Density() as p) if not p.bar:
            yield "swapped divergence", Divergence(p, q)
        case Call("log", argument):
            yield "missing logarithm", argument
        case Product(factors) if any(isinstance(f, Symbol | Number) for f in factors):
            for k, factor in enumerate(factors):
                if isinstance(factor, Symbol | Number):
                    rest = (*factors[:k], *factors[k + 1 :])
                    yield "dropped factor", rest[0] if len(rest) == 1 else Product(rest)
        case Number(value):
            yield "wrong constant", Number(value * 2 if value else Fraction(1))
        case Density(_, of, given) if given and len(of) == 1:
            yield "lost condition", replace(e, given=())
        case Named(_, _, False):
            yield "sign", Negative(e)
        case _:
            return
