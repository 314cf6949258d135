r"""A small language of probability expressions: what is written here is both printed and checked.

An expression is a tree that keeps the form in which it was written.  ``notation`` prints it as LaTeX,
``reduction`` brings it to a normal form in SymPy (a proof for all densities), ``worlds`` and
``gaussian_worlds`` evaluate it on models.  So what a reader sees is what was checked.

Variables are names of random quantities: ``x`` the datum, ``z`` the latent vector, ``z_j`` one of its
coordinates inside a :class:`SumOver`.  A *law* is the name of a joint distribution over x and z; every
density of it is a marginal or a conditional of that joint.  All logarithms are natural.

>>> q = Density("q", ("z",), ("x",))
>>> p = Density("p", ("x", "z"))
>>> bound = Expectation(q, log(p / q))
>>> type(bound).__name__
'Expectation'
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import lru_cache

from dgm.errors import CalculusError


class Expr:
    """Any expression; the operators build trees and simplify nothing."""

    def __add__(self, other: Operand) -> Expr:
        return Sum((*_terms(self), *_terms(as_expr(other))))

    def __radd__(self, other: Operand) -> Expr:
        return as_expr(other) + self

    def __sub__(self, other: Operand) -> Expr:
        return Sum((*_terms(self), Negative(as_expr(other))))

    def __rsub__(self, other: Operand) -> Expr:
        return as_expr(other) - self

    def __mul__(self, other: Operand) -> Expr:
        if isinstance(self, Negative):  # -a b is -(a b), as it is read
            return Negative(self.body * other)
        return Product((*_factors(self), *_factors(as_expr(other))))

    def __rmul__(self, other: Operand) -> Expr:
        return as_expr(other) * self

    def __truediv__(self, other: Operand) -> Expr:
        return Negative(self.body / other) if isinstance(self, Negative) else Quotient(self, as_expr(other))

    def __rtruediv__(self, other: Operand) -> Expr:
        return Quotient(as_expr(other), self)

    def __pow__(self, other: Operand) -> Expr:
        return Power(self, as_expr(other))

    def __neg__(self) -> Expr:
        return Negative(self)

    def children(self) -> Iterator[Expr]:
        """The expressions directly inside this one."""
        for field in fields(self):  # type: ignore[arg-type]  # every subclass is a dataclass
            value = getattr(self, field.name)
            yield from (part for part in (value if isinstance(value, tuple) else (value,))
                        if isinstance(part, Expr))

    def walk(self) -> Iterator[Expr]:
        """This expression and all inside it, outermost first."""
        yield self
        for child in self.children():
            yield from child.walk()


Operand = Expr | int | Fraction


@dataclass(frozen=True)
class Number(Expr):
    """A rational number."""

    value: Fraction


@dataclass(frozen=True)
class Symbol(Expr):
    """A number without randomness, by its LaTeX name.

    A ``positive`` one may stand under a logarithm; a ``unit`` one lies between 0 and 1.
    """

    name: str
    positive: bool = False
    unit: bool = False


@dataclass(frozen=True)
class Constant(Expr):
    r"""One of the numbers ``\pi`` and ``e``."""

    name: str


@dataclass(frozen=True)
class Sum(Expr):
    """``a + b + …``; a subtracted term is a :class:`Negative`."""

    terms: tuple[Expr, ...]


@dataclass(frozen=True)
class Negative(Expr):
    """``-a``."""

    body: Expr


@dataclass(frozen=True)
class Product(Expr):
    """``a b …``."""

    factors: tuple[Expr, ...]


@dataclass(frozen=True)
class Quotient(Expr):
    """``a / b``, set as a fraction."""

    top: Expr
    bottom: Expr


@dataclass(frozen=True)
class Power(Expr):
    """``a ** n``."""

    base: Expr
    exponent: Expr


@dataclass(frozen=True)
class Call(Expr):
    """One of the functions ``log``, ``exp``, ``sqrt``, ``abs`` of one argument."""

    function: str
    argument: Expr


@dataclass(frozen=True)
class Density(Expr):
    r"""``law(of | given)``; ``bar`` means the product of the marginals of its coordinates, :math:`\prod_j`.

    ``symbol`` is how the law is printed, where that differs from its name (:math:`p_\theta` for ``p``,
    :math:`p_{\mathcal D}` for the data's side of ``q``).
    """

    law: str
    of: tuple[str, ...]
    given: tuple[str, ...] = ()
    symbol: str = ""
    bar: bool = False

    def __post_init__(self) -> None:
        if not self.of or set(self.of) & set(self.given):
            raise CalculusError(f"{self.law} needs variables that are not also given: {self.of} | {self.given}")
        if self.bar and (self.of != ("z",) or self.given):
            raise CalculusError(f"only the marginals of z are multiplied, not of {self.of} given {self.given}")


@dataclass(frozen=True)
class Unknown(Expr):
    """An arbitrary function with values in (0, 1), such as a discriminator D(z)."""

    name: str
    of: tuple[str, ...]


@dataclass(frozen=True)
class Expectation(Expr):
    """The mean of ``body`` over the variables that ``density`` is of."""

    density: Density
    body: Expr


@dataclass(frozen=True)
class Integral(Expr):
    """The integral (on tables: the sum) of ``body`` over one variable."""

    variable: str
    body: Expr


@dataclass(frozen=True)
class SumOver(Expr):
    """``body``, which speaks of ``z_j``, summed over the coordinates j of z."""

    body: Expr


@dataclass(frozen=True)
class Divergence(Expr):
    """Kullback-Leibler divergence from ``q`` to ``p``, in nats."""

    q: Density
    p: Expr


@dataclass(frozen=True)
class Entropy(Expr):
    """``-E[log density]`` in nats."""

    density: Density


@dataclass(frozen=True)
class Information(Expr):
    """Mutual information of two variables under a law, in nats."""

    law: str
    left: str
    right: str


@dataclass(frozen=True)
class TotalCorrelation(Expr):
    """Divergence of ``law(z)`` from the product of its marginals (Watanabe 1960), in nats."""

    law: str


@dataclass(frozen=True)
class Named(Expr):
    """``body`` printed under a name; with ``brace`` it is printed in full over its name."""

    body: Expr
    name: str
    brace: bool = False


@dataclass(frozen=True)
class Normal(Expr):
    """The Gaussian law of the symbol ``of``, by its mean and its standard deviation."""

    of: Symbol
    mean: Expr
    deviation: Expr


@dataclass(frozen=True)
class Laplace(Expr):
    """The Laplace law of the symbol ``of``, by its location and its scale."""

    of: Symbol
    location: Expr
    scale: Expr


@dataclass(frozen=True)
class Mean(Expr):
    """The mean of ``body`` when its symbol follows an explicit law; ``name`` is printed below the E."""

    law: Normal | Laplace
    body: Expr
    name: str = "q"


@dataclass(frozen=True)
class Derivative(Expr):
    """The partial derivative of ``body`` by a symbol."""

    body: Expr
    by: Symbol


def as_expr(value: Operand) -> Expr:
    """A number as an expression; an expression as it is."""
    if isinstance(value, Expr):
        return value
    return Number(Fraction(value)) if value >= 0 else Negative(Number(-Fraction(value)))


def log(argument: Operand) -> Expr:
    """Natural logarithm."""
    return Call("log", as_expr(argument))


def exp(argument: Operand) -> Expr:
    """Exponential."""
    return Call("exp", as_expr(argument))


def sqrt(argument: Operand) -> Expr:
    """Square root."""
    return Call("sqrt", as_expr(argument))


def absolute(argument: Operand) -> Expr:
    """Absolute value."""
    return Call("abs", as_expr(argument))


def substitute(e: Expr, values: Mapping[Symbol, Expr]) -> Expr:
    """``e`` with symbols replaced, nothing simplified.

    >>> a = Symbol("a")
    >>> substitute(a + 1, {a: Symbol("b")}) == Symbol("b") + 1
    True
    """
    if isinstance(e, Symbol):
        return values.get(e, e)
    changed = {field.name: _substituted(getattr(e, field.name), values) for field in fields(e)}  # type: ignore[arg-type]
    return replace(e, **changed)  # type: ignore[type-var]


def _substituted(value: object, values: Mapping[Symbol, Expr]) -> object:
    if isinstance(value, tuple):
        return tuple(_substituted(part, values) for part in value)
    return substitute(value, values) if isinstance(value, Expr) else value


def definition(e: Expr) -> Expr:
    """What a named quantity stands for, one level down; other expressions come back as they are.

    >>> definition(TotalCorrelation("q")) == Divergence(Density("q", ("z",)), Density("q", ("z",), bar=True))
    True
    """
    match e:
        case Divergence(q, p):
            return Expectation(q, log(q / p))
        case Entropy(density):
            return Negative(Expectation(density, log(density)))
        case Information(law, left, right):
            both = Density(law, (left, right))
            return Divergence(both, Density(law, (left,)) * Density(law, (right,)))
        case TotalCorrelation(law):
            return Divergence(Density(law, ("z",)), Density(law, ("z",), bar=True))
        case Named(body):
            return body
        case Integral(variable, Sum(terms)):
            return Sum(tuple(Negative(Integral(variable, t.body)) if isinstance(t, Negative) else Integral(variable, t)
                             for t in terms))
        case Integral(variable, Product(factors)):
            return _as_expectation(variable, factors) or e
        case _:
            return e


def _as_expectation(variable: str, factors: tuple[Expr, ...]) -> Expr | None:
    """An integral whose first factor is a density of the variable, as an expectation."""
    first, *rest = factors
    if isinstance(first, Density) and first.of == (variable,) and rest:
        return Expectation(first, rest[0] if len(rest) == 1 else Product(tuple(rest)))
    return None


@lru_cache(maxsize=4096)
def free_variables(e: Expr) -> frozenset[str]:
    """The random variables that ``e`` is a function of.

    >>> sorted(free_variables(Expectation(Density("q", ("z",), ("x",)), Density("p", ("x", "z")))))
    ['x']
    """
    match e:
        case Density(_, of, given):
            return frozenset((*of, *given))
        case Unknown(_, of):
            return frozenset(of)
        case Expectation(density, body):
            return (free_variables(body) - set(density.of)) | set(density.given)
        case Integral(variable, body):
            return free_variables(body) - {variable}
        case SumOver(body):
            return free_variables(body) - {"z_j"}
        case Divergence(q, p):
            return free_variables(definition(e)) | (free_variables(p) & set(q.given))
        case _:
            inner = definition(e)
            parts = [inner] if inner is not e else list(e.children())
            return frozenset().union(*map(free_variables, parts))


def is_scalar(e: Expr) -> bool:
    """Whether nothing random stands in ``e``: it is made of numbers and symbols."""
    random = (Density, Unknown, Expectation, Integral, Divergence, Entropy, Information, TotalCorrelation)
    return not any(isinstance(part, random) for part in e.walk())


def _terms(e: Expr) -> tuple[Expr, ...]:
    return e.terms if isinstance(e, Sum) else (e,)


def _factors(e: Expr) -> tuple[Expr, ...]:
    return e.factors if isinstance(e, Product) else (e,)
