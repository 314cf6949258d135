"""Values of expressions without randomness of their own, to many digits, without SymPy's rules.

Expectations under an explicit law are sums over Gauss nodes, which are exact for polynomials of degree below
twice their number; derivatives are differences of multiprecision values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import mpmath
import numpy as np
import sympy as sp

from dgm.calculus.language.expression import (
    Call,
    Constant,
    Derivative,
    Expr,
    Laplace,
    Mean,
    Negative,
    Normal,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    SumOver,
    Symbol,
    definition,
)
from dgm.errors import CalculusError

DIGITS = 50
HERMITE, LAGUERRE = 40, 16  # nodes: exponentials are averaged under the Gaussian, polynomials under both
COORDINATES = 3  # of a sum over j whose length is open

Values = Mapping[str, mpmath.mpf]


@dataclass(frozen=True)
class Field:
    """What expressions are evaluated in: numbers of many digits, or SymPy's exact ones with symbols among them."""

    number: Callable[[Fraction], Any]
    total: Callable[[Iterable[Any]], Any]
    product: Callable[[Iterable[Any]], Any]
    functions: Mapping[str, Callable[[Any], Any]]
    constants: Mapping[str, Callable[[], Any]]


MULTIPRECISION = Field(
    lambda q: mpmath.mpf(q.numerator) / q.denominator, mpmath.fsum, mpmath.fprod,
    {"log": mpmath.log, "exp": mpmath.exp, "sqrt": mpmath.sqrt, "abs": abs},
    {r"\pi": lambda: +mpmath.pi, "e": lambda: +mpmath.e})
EXACT = Field(
    lambda q: sp.Rational(q.numerator, q.denominator), lambda terms: sp.Add(*terms), lambda factors: sp.Mul(*factors),
    {"log": sp.log, "exp": sp.exp, "sqrt": sp.sqrt, "abs": sp.Abs}, {r"\pi": lambda: sp.pi, "e": lambda: sp.E})


def arithmetic(e: Expr, value: Callable[[Expr], Any], field: Field = MULTIPRECISION) -> Any:
    """The value of a sum, product, function … from the values of its parts.

    Raises:
        CalculusError: ``e`` is none of these.
    """
    match e:
        case Number(fraction):
            return field.number(fraction)
        case Constant(name):
            return field.constants[name]()
        case Sum(terms):
            return field.total(map(value, terms))
        case Negative(body):
            return -value(body)
        case Product(factors):
            return field.product(map(value, factors))
        case Quotient(top, bottom):
            return value(top) / value(bottom)
        case Power(base, exponent):
            return value(base) ** value(exponent)
        case Call(function, argument):
            return field.functions[function](value(argument))
        case _:
            inner = definition(e)
            if inner is e:
                raise CalculusError(f"{type(e).__name__} has no value here")
            return value(inner)


def number(e: Expr, at: Values) -> mpmath.mpf:
    """The value of ``e`` where its symbols have the values ``at``, by name.

    >>> number(Symbol("a") * 2 + 1, {"a": mpmath.mpf(3)})
    mpf('7.0')
    """
    match e:
        case Symbol(name):
            return at[name]
        case SumOver(body):
            return mpmath.fsum(number(body, _coordinate(at, j)) for j in range(COORDINATES))
        case Derivative(body, by):
            return mpmath.diff(lambda v: number(body, {**at, by.name: v}), at[by.name])
        case Mean(law, body):
            return _mean(law, body, at)
        case _:
            return arithmetic(e, lambda part: number(part, at))


def _coordinate(at: Values, j: int) -> Values:
    """The values with those of symbols indexed by j shifted, so that the coordinates differ."""
    return {name: value / (j + 1) if name.endswith("_j") else value for name, value in at.items()}


def _mean(law: Normal | Laplace, body: Expr, at: Values) -> mpmath.mpf:
    def g(z: mpmath.mpf) -> mpmath.mpf:
        return number(body, {**at, law.of.name: z})

    if isinstance(law, Normal):
        m, s = number(law.mean, at), number(law.deviation, at)
        return mpmath.fsum(w * g(m + s * t) for t, w in hermite_nodes())
    mu, b = number(law.location, at), number(law.scale, at)
    return mpmath.fsum(w * (g(mu + b * t) + g(mu - b * t)) / 2 for t, w in laguerre_nodes())


@cache
def hermite_nodes() -> tuple[tuple[mpmath.mpf, mpmath.mpf], ...]:
    """Nodes and weights for the standard normal law."""
    return _gauss_rule([0.0] * HERMITE, [mpmath.sqrt(k) for k in range(1, HERMITE + 1)])


@cache
def laguerre_nodes() -> tuple[tuple[mpmath.mpf, mpmath.mpf], ...]:
    """Nodes and weights for the standard exponential law."""
    return _gauss_rule([2.0 * k + 1 for k in range(LAGUERRE)], [mpmath.mpf(k) for k in range(1, LAGUERRE + 1)])


def _gauss_rule(diagonal: list[float], beside: list[mpmath.mpf]) -> tuple[tuple[mpmath.mpf, mpmath.mpf], ...]:
    """Gauss rule of the orthogonal polynomials whose Jacobi matrix has this diagonal and this side diagonal.

    The nodes are the matrix's eigenvalues (Golub & Welsch 1969), in double precision, refined by Newton's method on
    the polynomial; the weights are the Christoffel numbers.
    """
    side = np.array([float(b) for b in beside[:-1]])
    rough = np.linalg.eigvalsh(np.diag(diagonal) + np.diag(side, 1) + np.diag(side, -1))
    with mpmath.workdps(2 * DIGITS):
        return tuple(_node(mpmath.mpf(float(x)), diagonal, beside) for x in rough)


def _node(x: mpmath.mpf, diagonal: list[float], beside: list[mpmath.mpf]) -> tuple[mpmath.mpf, mpmath.mpf]:
    for _ in range(5):
        values, slope = _polynomials(x, diagonal, beside)
        x -= values[-1] / slope
    values, _ = _polynomials(x, diagonal, beside)
    return x, 1 / mpmath.fsum(v**2 for v in values[:-1])


def _polynomials(x: mpmath.mpf, diagonal: list[float], beside: list[mpmath.mpf]) -> tuple[list[mpmath.mpf], mpmath.mpf]:
    """The orthonormal polynomials up to the rule's degree at x, and the slope of the last."""
    values, slopes = [mpmath.mpf(1)], [mpmath.mpf(0)]
    for k in range(len(diagonal)):
        before = (beside[k - 1] * values[k - 1], beside[k - 1] * slopes[k - 1]) if k else (0, 0)
        values.append(((x - diagonal[k]) * values[k] - before[0]) / beside[k])
        slopes.append((values[k] + (x - diagonal[k]) * slopes[k] - before[1]) / beside[k])
    return values, slopes[-1]
