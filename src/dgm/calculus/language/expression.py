r"""Probability expressions: what is written here is both printed and proved.

An expression is a tree that keeps the form in which it was written.  ``notation`` prints it as LaTeX, ``reading``
reads the LaTeX back, and ``checking.kernel`` proves relations between expressions, without translating them.

Variables are names of random quantities: ``x`` the datum, ``z`` the latent vector, ``z_j`` one of its coordinates.
A *law* is the name of a joint distribution over x and z; every density of it is a marginal or a conditional of that
joint.  All logarithms are natural.

>>> q = Density("q", ("z",), ("x",))
>>> p = Density("p", ("x", "z"))
>>> bound = Expectation(q, log(p / q))
>>> type(bound).__name__
'Expectation'
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import lru_cache

from dgm.errors import CalculusError


class Expr:
    """Any expression; the operators build trees and simplify nothing.

    Two expressions are equal when they have one form.  The hash is kept, since a proof looks up large trees often.
    """

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(self) is not type(other) or hash(self) != hash(other):
            return False
        return bool(self.__dict__["_values"] == other.__dict__["_values"])

    def __hash__(self) -> int:
        kept: int | None = self.__dict__.get("_hash")
        if kept is None:
            values = tuple(getattr(self, name) for name in self.__dataclass_fields__)  # type: ignore[attr-defined]
            kept = hash((type(self).__name__, values))
            self.__dict__.update(_hash=kept, _values=values)
        return kept

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
VARIABLES = ("x", "z", "z_j")
_SYMBOL = re.compile(r"(?P<accent>\\(?:bar|hat|tilde)\{)?(?:[A-Za-z]|\\[A-Za-z]+)(?(accent)\})'*"
                     r"(?:_(?:[A-Za-z0-9]|\\[A-Za-z]+|\{[A-Za-z0-9]+'*\}))?'*")
_OPERATORS = (r"\log", r"\exp", r"\int", r"\sum", r"\frac", r"\sqrt", r"\partial", r"\mid", r"\le", r"\ge", r"\neq",
              r"\cdot", r"\pi", r"\infty", r"\prod", r"\sin", r"\max", r"\min", r"\pm", r"\to", r"\in", r"\bar",
              r"\hat",
              r"\times", r"\quad", r"\qquad", r"\Vert", r"\approx", r"\equiv", r"\sim", r"\propto", r"\text")


def _require(good: object, message: str) -> None:
    if not good:
        raise CalculusError(message)


def _require_variables(variables: tuple[str, ...], owner: str) -> None:
    """Refuse unknown or repeated variables, and z beside its own coordinate."""
    for name in variables:
        _require(name in VARIABLES, f"{owner}: {name!r} is no variable; valid: {', '.join(VARIABLES)}")
    overlap = len(set(variables)) != len(variables) or {"z", "z_j"} <= set(variables)
    _require(not overlap, f"{owner}: the variables {', '.join(variables)} overlap")


@dataclass(frozen=True, eq=False)
class Number(Expr):
    """A rational number."""

    value: Fraction


@dataclass(frozen=True, eq=False)
class Symbol(Expr):
    """A real number without randomness, by its LaTeX name; ``_j`` in the name makes it one number a coordinate.

    A ``positive`` one is greater than 0; a ``unit`` one lies between 0 and 1.

    Raises:
        CalculusError: the name is more than one letter with an accent, a subscript or primes.
    """

    name: str
    positive: bool = False
    unit: bool = False

    def __post_init__(self) -> None:
        good = _SYMBOL.fullmatch(self.name) and self.name not in _OPERATORS
        _require(good, f"{self.name!r} is not the name of one number")

    @property
    def indexed(self) -> bool:
        """True for a number that differs from coordinate to coordinate."""
        return "_j" in self.name


@dataclass(frozen=True, eq=False)
class Constant(Expr):
    r"""One of the numbers ``\pi`` and ``e``."""

    name: str

    def __post_init__(self) -> None:
        _require(self.name in (r"\pi", "e"), f"{self.name!r} is no constant; valid: \\pi, e")


@dataclass(frozen=True, eq=False)
class Sum(Expr):
    """``a + b + …``; a subtracted term is a :class:`Negative`."""

    terms: tuple[Expr, ...]


@dataclass(frozen=True, eq=False)
class Negative(Expr):
    """``-a``."""

    body: Expr


@dataclass(frozen=True, eq=False)
class Product(Expr):
    """``a b …``."""

    factors: tuple[Expr, ...]


@dataclass(frozen=True, eq=False)
class Quotient(Expr):
    """``a / b``, set as a fraction."""

    top: Expr
    bottom: Expr


@dataclass(frozen=True, eq=False)
class Power(Expr):
    """``a ** n``."""

    base: Expr
    exponent: Expr


@dataclass(frozen=True, eq=False)
class Call(Expr):
    """One of the functions ``log``, ``exp``, ``sqrt``, ``abs`` of one argument."""

    function: str
    argument: Expr


@dataclass(frozen=True, eq=False)
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
        _require(re.fullmatch(r"[a-z]'?", self.law), f"{self.law!r} is no name of a law: one small letter")
        _require(self.of, f"a density of {self.law} needs a variable")
        _require_variables((*self.of, *self.given), f"a density of {self.law}")
        if self.bar:
            _require(self.of == ("z",) and not self.given, "only marginals of z are multiplied")


@dataclass(frozen=True, eq=False)
class Unknown(Expr):
    """An arbitrary function with values in (0, 1), such as a discriminator D(z)."""

    name: str
    of: tuple[str, ...]

    def __post_init__(self) -> None:
        _require(re.fullmatch(r"[A-Z]", self.name), f"{self.name!r} is no name of a function: one capital letter")
        _require(self.of, f"the function {self.name} needs a variable")
        _require_variables(self.of, f"the function {self.name}")


@dataclass(frozen=True, eq=False)
class Expectation(Expr):
    """The mean of ``body`` over the variables that ``density`` is of."""

    density: Density
    body: Expr

    def __post_init__(self) -> None:
        _require(isinstance(self.density, Density), "an expectation is taken under a density")


@dataclass(frozen=True, eq=False)
class Integral(Expr):
    """The integral (on tables: the sum) of ``body`` over one variable."""

    variable: str
    body: Expr

    def __post_init__(self) -> None:
        _require_variables((self.variable,), "an integral")


@dataclass(frozen=True, eq=False)
class SumOver(Expr):
    """``body``, which speaks of ``z_j``, summed over the coordinates j of z."""

    body: Expr


@dataclass(frozen=True, eq=False)
class Divergence(Expr):
    """Kullback-Leibler divergence from ``q`` to ``p``, in nats; both densities, or both explicit laws."""

    q: Expr
    p: Expr

    def __post_init__(self) -> None:
        _require(isinstance(self.q, Density | Normal | Laplace), "a divergence is taken from a density")


@dataclass(frozen=True, eq=False)
class Entropy(Expr):
    """``-E[log density]`` in nats."""

    density: Density


@dataclass(frozen=True, eq=False)
class MutualInformation(Expr):
    """Mutual information of two variables under a law, in nats."""

    law: str
    left: str
    right: str

    def __post_init__(self) -> None:
        _require_variables((self.left, self.right), "mutual information")


@dataclass(frozen=True, eq=False)
class TotalCorrelation(Expr):
    """Divergence of ``law(z)`` from the product of its marginals (Watanabe 1960), in nats."""

    law: str


@dataclass(frozen=True, eq=False)
class Named(Expr):
    """``body`` printed under a name; with ``brace`` it is printed in full over its name."""

    body: Expr
    name: str
    brace: bool = False


@dataclass(frozen=True, eq=False)
class Normal(Expr):
    """The Gaussian law of the symbol ``of``, by its mean and its standard deviation; as a value, its density."""

    of: Symbol
    mean: Expr
    deviation: Expr

    def __post_init__(self) -> None:
        _require_real(self)


@dataclass(frozen=True, eq=False)
class Laplace(Expr):
    """The Laplace law of the symbol ``of``, by its location and its scale; as a value, its density."""

    of: Symbol
    location: Expr
    scale: Expr

    def __post_init__(self) -> None:
        _require_real(self)


def _require_real(law: Normal | Laplace) -> None:
    """Refuse a law whose variable is not a plain real number, or stands in its own parameters."""
    of = law.of
    _require(isinstance(of, Symbol) and not (of.positive or of.unit), "the variable of a law has no sign")
    inside = any(of == part for child in list(law.children())[1:] for part in child.walk())
    _require(not inside, f"the parameters of a law of {of.name} speak of {of.name}")


@dataclass(frozen=True, eq=False)
class Mean(Expr):
    """The mean of ``body`` when its symbol follows an explicit law; ``name`` is printed below the E."""

    law: Normal | Laplace
    body: Expr
    name: str = "q"

    def __post_init__(self) -> None:
        _require(isinstance(self.law, Normal | Laplace), "a mean is taken under an explicit law")


@dataclass(frozen=True, eq=False)
class Derivative(Expr):
    """The partial derivative of ``body`` by a symbol."""

    body: Expr
    by: Symbol

    def __post_init__(self) -> None:
        _require(isinstance(self.by, Symbol), "a derivative is taken by a symbol")


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

    Raises:
        CalculusError: a value would be captured: it speaks of a variable that ``e`` binds.

    >>> a = Symbol("a")
    >>> substitute(a + 1, {a: Symbol("b")}) == Symbol("b") + 1
    True
    """
    _refuse_capture(e, values)
    return _replaced(e, values)


def _refuse_capture(e: Expr, values: Mapping[Symbol, Expr]) -> None:
    inside = {part for value in values.values() for part in value.walk() if isinstance(part, Symbol)} | set(values)
    for part in e.walk():
        bound = part.of if isinstance(part, Normal | Laplace) else part.by if isinstance(part, Derivative) else None
        _require(bound not in inside, f"{bound.name if bound else ''} is bound in the expression it would be put into")
        captured = isinstance(part, SumOver) and any(map(_gains_index, values, values.values()))
        _require(not captured, "a number of one coordinate would be put into a sum over the coordinates")


def _gains_index(symbol: Symbol, value: Expr) -> bool:
    """True if a value carries the index j and the symbol that it replaces does not."""
    return not symbol.indexed and any(isinstance(part, Symbol) and part.indexed for part in value.walk())


def _replaced(e: Expr, values: Mapping[Symbol, Expr]) -> Expr:
    if isinstance(e, Symbol):
        return values.get(e, e)
    changed = {field.name: _substituted(getattr(e, field.name), values) for field in fields(e)}  # type: ignore[arg-type]
    return replace(e, **changed)  # type: ignore[type-var]


def _substituted(value: object, values: Mapping[Symbol, Expr]) -> object:
    if isinstance(value, tuple):
        return tuple(_substituted(part, values) for part in value)
    return _replaced(value, values) if isinstance(value, Expr) else value


def definition(e: Expr) -> Expr:
    """The definition of a named quantity, one level down; other expressions come back as they are.

    >>> definition(TotalCorrelation("q")) == Divergence(Density("q", ("z",)), Density("q", ("z",), bar=True))
    True
    """
    match e:
        case Divergence(Normal() | Laplace() as q, p):
            return Mean(q, log(q) - log(p), "")
        case Divergence(Density() as q, p):
            return Expectation(q, log(q) - log(p))
        case Entropy(density):
            return Negative(Expectation(density, log(density)))
        case MutualInformation(law, left, right):
            both = Density(law, (left, right))
            return Divergence(both, Density(law, (left,)) * Density(law, (right,)))
        case TotalCorrelation(law):
            return Divergence(Density(law, ("z",)), Density(law, ("z",), bar=True))
        case Normal(of, mean, deviation):
            return exp(-((of - mean) ** 2) / (2 * deviation**2)) / (deviation * sqrt(2 * Constant(r"\pi")))
        case Laplace(of, location, scale):
            return exp(-(absolute(of - location) / scale)) / (2 * scale)
        case Named(body):
            return body
        case _:
            return e


def bare(e: Expr) -> Expr:
    """``e`` without its notation: no names, no printed symbols of laws; variables of a density in order.

    >>> bare(Named(Symbol("a"), "A")) == Symbol("a")
    True
    """
    match e:
        case Named(body):
            return bare(body)
        case Density(law, of, given, _, bar):
            return Density(law, tuple(sorted(of)), tuple(sorted(given)), "", bar)
        case Unknown(name, of):
            return Unknown(name, tuple(sorted(of)))
        case MutualInformation(law, left, right):
            return MutualInformation(law, *sorted((left, right)))
        case Mean(law, body):
            return Mean(bare(law), bare(body), "")  # type: ignore[arg-type]
        case _:
            changed = {name: _bare_value(getattr(e, name)) for name in e.__dataclass_fields__}  # type: ignore[attr-defined]
            return replace(e, **changed)  # type: ignore[type-var]


def _bare_value(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(map(_bare_value, value))
    return bare(value) if isinstance(value, Expr) else value


def closure(variables: Iterable[str]) -> frozenset[str]:
    """Variables, and with z its coordinate."""
    every = frozenset(variables)
    return every | {"z_j"} if "z" in every else every


@lru_cache(maxsize=65536)
def free_variables(e: Expr) -> frozenset[str]:
    """The random variables that ``e`` is a function of; a sum over j of a function of z_j is a function of z.

    >>> sorted(free_variables(Expectation(Density("q", ("z",), ("x",)), Density("p", ("x", "z")))))
    ['x']
    """
    match e:
        case Density(_, of, given):
            return frozenset((*of, *given))
        case Unknown(_, of):
            return frozenset(of)
        case Expectation(density, body):
            return (free_variables(body) - closure(density.of)) | frozenset(density.given)
        case Integral(variable, body):
            return free_variables(body) - closure((variable,))
        case SumOver(body):
            return frozenset("z" if v == "z_j" else v for v in free_variables(body))
        case Divergence(q, p):
            return (free_variables(q) | free_variables(p)) - closure(density_variables(q))
        case Entropy(density):
            return frozenset(density.given)
        case _:
            return frozenset().union(*map(free_variables, e.children()))


def density_variables(e: Expr) -> tuple[str, ...]:
    """The variables that a density is of; none for an explicit law."""
    return e.of if isinstance(e, Density) else ()


def is_scalar(e: Expr) -> bool:
    """True if ``e`` speaks of no random variable: it is made of numbers, symbols and explicit laws."""
    random = (Density, Unknown, Integral, MutualInformation, TotalCorrelation)
    return not any(isinstance(part, random) for part in e.walk())


def _terms(e: Expr) -> tuple[Expr, ...]:
    return e.terms if isinstance(e, Sum) else (e,)


def _factors(e: Expr) -> tuple[Expr, ...]:
    return e.factors if isinstance(e, Product) else (e,)
