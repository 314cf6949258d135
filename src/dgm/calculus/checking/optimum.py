"""Slacks that prove a global optimum: gaps of logarithms to their tangents, and squares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from dgm.calculus.checking.arithmetic import ONE, RefusalError
from dgm.calculus.checking.judgements import Judge
from dgm.calculus.language.expression import (
    Call,
    Expr,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    bare,
    substitute,
)


def gaps(f: Expr, best: Expr, relation: str, point: Mapping[Symbol, Expr]) -> Iterator[Expr]:
    """Guesses of nonnegative quantities equal to ``f - best`` (for a maximum ``best - f``), none of them trusted.

    Every logarithm ``c log u`` of the normal form is met by its tangent at the optimum, ``u/u* - 1 - log(u/u*)``; the
    rest is taken as it is, or as a sum of squares around the point.
    """
    side = 1 if relation == ">=" else -1
    difference = Sum((f, Negative(best))) if side == 1 else Sum((best, Negative(f)))
    yield difference
    judge = Judge()
    try:
        tangents = [_tangent(judge, c, u, point) for c, u in _logarithms(judge, bare(f), side)]
        if tangents:
            whole = tangents[0] if len(tangents) == 1 else Sum(tuple(tangents))
            yield whole
            rest = judge.simplified(Sum((bare(difference), Negative(whole))))
            yield from (Sum((*tangents, square)) for square in _squares(judge, rest, point))
        yield from _squares(judge, judge.simplified(bare(difference)), point)
    except RefusalError:
        return


def _logarithms(judge: Judge, f: Expr, side: int) -> list[tuple[Expr, Expr]]:
    """The terms ``c log u`` of the normal form of ``f``, as (c, u)."""
    found = []
    for m, c in judge.normal(f).numerator.items():
        for e, n in m:
            if isinstance(e, Call) and e.function == "log" and n == 1:
                rest = tuple(pair for pair in m if pair[0] != e)
                found.append((judge.term(type(judge.normal(f))({rest: side * c}, {})), e.argument))
    return found


def _tangent(judge: Judge, c: Expr, u: Expr, point: Mapping[Symbol, Expr]) -> Expr:
    """``|c|`` times the gap of ``log u`` to its tangent, from below for negative c, from above for positive c."""
    at = bare(substitute(u, point))
    negative = judge.simplified(Negative(c))
    ratio, weight = (Quotient(u, at), negative) if judge.sign(negative) else (Quotient(at, u), c)
    return Product((weight, Sum((ratio, Negative(ONE), Negative(Call("log", ratio))))))


def _squares(judge: Judge, rest: Expr, point: Mapping[Symbol, Expr]) -> Iterator[Expr]:
    """``c (s - s*)^2`` for one symbol of the point, where ``rest`` has a square of the symbol with coefficient c."""
    for symbol, value in point.items():
        for m, c in judge.normal(rest).numerator.items():
            if dict(m).get(symbol) == 2:
                others = tuple(pair for pair in m if pair[0] != symbol)
                factor = judge.term(type(judge.normal(rest))({others: c}, judge.normal(rest).factors))
                yield Product((factor, Power(Sum((symbol, Negative(bare(value)))), Number(Fraction(2)))))
