"""Adversarial models: histogram densities and extreme numbers, on which a false statement shows itself.

A model is a joint histogram of each law over x and the coordinates of z.  Its cells have a width, so that densities
take values above 1 as well as masses; its laws are flat, peaked, equal, nearly equal, products, copies or parities.
Models refute: a statement that holds on all of them is not thereby accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from typing import Any

import mpmath
import numpy as np

from dgm.calculus.checking.arithmetic import RefusalError
from dgm.calculus.checking.judgements import Judge
from dgm.calculus.checking.kernel import names_of_laws
from dgm.calculus.language.expression import (
    Call,
    Constant,
    Density,
    Expectation,
    Expr,
    Integral,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    SumOver,
    Symbol,
    Unknown,
    bare,
    definition,
    free_variables,
)

DIGITS, CLOSE = 60, mpmath.mpf(10) ** -25
MOST_POINTS = 6
Point = tuple[int, ...]
Values = Mapping[int, int]  # the cell at each axis of the histogram; under COORDINATE the j that a sum has reached
COORDINATE = -1


class UndefinedError(Exception):
    """An expression has no real value at a point of a model."""


@dataclass(frozen=True)
class HistogramModel:
    """Joint histograms over (x, z_1 … z_d) by law; cells of one width on every axis; numbers and function values."""

    name: str
    sizes: Point
    width: mpmath.mpf
    masses: Mapping[str, Mapping[Point, Any]]
    numbers: Mapping[tuple[Symbol, int], Any]
    functions: Mapping[tuple[str, Point], Any]
    _kept: dict[tuple[str, Point], dict[Point, Any]] = field(default_factory=dict, compare=False)

    def axes(self, variables: Iterable[str], at: Values) -> Point:
        """The axes that variables stand for; ``z_j`` is the coordinate that ``at`` has reached, or the first."""
        own = {"x": (0,), "z": tuple(range(1, len(self.sizes))), "z_j": (at.get(COORDINATE, 1),)}
        return tuple(axis for v in variables for axis in own[v])

    def around(self, variables: Iterable[str], at: Values) -> Iterator[Values]:
        """``at`` with every assignment of cells to variables."""
        axes = self.axes(variables, at)
        for cells in product(*(range(self.sizes[axis]) for axis in axes)):
            yield {**at, **dict(zip(axes, cells, strict=True))}

    def density(self, e: Density, at: Values) -> Any:
        """The value of a marginal or conditional density at a point."""
        if e.bar:
            return mpmath.fprod(self._marginal(e.law, (axis,), at) for axis in self.axes(e.of, at))
        joint = self._marginal(e.law, self.axes((*e.of, *e.given), at), at)
        return joint / self._marginal(e.law, self.axes(e.given, at), at) if e.given else joint

    def _marginal(self, law: str, axes: Point, at: Values) -> Any:
        if (law, axes) not in self._kept:
            table: dict[Point, Any] = {}
            for point, mass in self.masses[law].items():
                short = tuple(point[axis] for axis in axes)
                table[short] = table.get(short, 0) + mass
            self._kept[law, axes] = table
        return self._kept[law, axes][tuple(at[axis] for axis in axes)] / self.width ** len(axes)

    def value(self, e: Expr, at: Values) -> Any:
        """The value of ``e`` at a point.

        Raises:
            UndefinedError: it divides by zero there, or is not real.
        """
        match e:
            case Density():
                return self.density(e, at)
            case Unknown(name, of):
                return self.functions[name, tuple(at[axis] for axis in self.axes(of, at))]
            case Symbol():
                return self.numbers[e, at.get(COORDINATE, 1) if e.indexed else 0]
            case Expectation(density, body):
                volume = self.width ** len(self.axes(density.of, at))
                return mpmath.fsum(
                    self.density(density, p) * volume * self.value(body, p) for p in self.around(density.of, at)
                )
            case Integral(variable, body):
                volume = self.width ** len(self.axes((variable,), at))
                return mpmath.fsum(volume * self.value(body, p) for p in self.around((variable,), at))
            case SumOver(body):
                return mpmath.fsum(self.value(body, {**at, COORDINATE: j}) for j in range(1, len(self.sizes)))
            case _:
                return elementary(e, lambda part: self.value(part, at))


def elementary(e: Expr, value: Callable[[Expr], Any]) -> Any:
    """The value of a sum, product, function … from the values of its parts.

    Raises:
        UndefinedError: it has none, or none that is real.
    """
    match e:
        case Number(fraction):
            return mpmath.mpf(fraction.numerator) / fraction.denominator
        case Constant(name):
            return +mpmath.e if name == "e" else +mpmath.pi
        case Sum(terms):
            return mpmath.fsum(map(value, terms))
        case Negative(body):
            return -value(body)
        case Product(factors):
            return mpmath.fprod(map(value, factors))
        case Quotient(top, bottom):
            return _real(lambda: value(top) / value(bottom))
        case Power(base, Number(value=whole)):
            return _real(lambda: value(base) ** _exponent(whole))
        case Power(base, exponent):
            return _real(lambda: value(base) ** value(exponent))
        case Call(name, argument):
            functions = {"log": mpmath.log, "exp": mpmath.exp, "sqrt": mpmath.sqrt, "abs": abs}
            return _real(lambda: functions[name](value(argument)))
        case _:
            inner = definition(e)
            if inner == e:
                raise UndefinedError(type(e).__name__)
            return value(inner)


def _exponent(value: Fraction) -> Any:
    return value.numerator if value.denominator == 1 else mpmath.mpf(value.numerator) / value.denominator


def _real(compute: Callable[[], Any]) -> Any:
    try:
        found = compute()
    except (ZeroDivisionError, ValueError, OverflowError):
        raise UndefinedError("a division by zero") from None
    if isinstance(found, mpmath.mpc) or not mpmath.isfinite(found):
        raise UndefinedError("not a real number")
    return found


# ---- models

SHAPES: tuple[Point, ...] = ((2, 2), (2, 2, 2), (4, 3), (1, 2), (10, 3), (3, 2, 2, 2))
WIDTHS = (1, Fraction(1, 100), 50)
KINDS = ("flat", "mild", "peaked", "equal", "nearly equal", "product", "copies", "parity")


def models(laws: Iterable[str], symbols: Iterable[Symbol], functions: Iterable[str]) -> Iterator[HistogramModel]:
    """Models of every kind, shape and width, with numbers from the edges of their sorts to 10 to the ±6."""
    names, numbers, unknown = sorted(laws), sorted(symbols, key=lambda s: s.name), sorted(functions)
    random = bool(names or unknown)
    for seed, (kind, shape) in enumerate(
        product(KINDS, SHAPES) if random else (("numbers", (1, *[1] * d)) for d in range(1, 90))
    ):
        rng = np.random.default_rng(seed)
        width = mpmath.mpf(WIDTHS[seed % 3].numerator) / WIDTHS[seed % 3].denominator
        yield HistogramModel(
            f"{kind} histograms {'x'.join(map(str, shape))}, cells of width {mpmath.nstr(width, 3)}",
            shape,
            width,
            _masses(kind, names, shape, rng),
            _numbers(numbers, min(len(shape), 6), rng),
            _function_values(unknown, shape, rng),
        )


def _masses(kind: str, laws: list[str], shape: Point, rng: np.random.Generator) -> dict[str, dict[Point, Any]]:
    if kind in ("equal", "nearly equal"):
        first = _law("mild", shape, rng)
        slant = mpmath.mpf(10) ** -5 if kind == "nearly equal" else mpmath.mpf(0)
        return {
            law: _normalised({p: m * (1 + slant * sum(p) * k) for p, m in first.items()}) for k, law in enumerate(laws)
        }
    return {law: _law(kind, shape, rng) for law in laws}


def _law(kind: str, shape: Point, rng: np.random.Generator) -> dict[Point, Any]:
    points = list(product(*map(range, shape)))
    tiny = mpmath.mpf(10) ** -12
    match kind:
        case "flat":
            weights = {p: mpmath.mpf(1) for p in points}
        case "peaked":
            weights = {p: mpmath.mpf(10) ** -float(rng.uniform(0, 12)) for p in points}
        case "copies":
            weights = {p: mpmath.mpf(1 if len({min(c, 1) for c in p}) == 1 else tiny) for p in points}
        case "parity":
            weights = {p: mpmath.mpf(1 if sum(p) % 2 == 0 else tiny) for p in points}
        case "product":
            rows = [[mpmath.mpf(float(rng.uniform(0.1, 1))) for _ in range(n)] for n in shape]
            weights = {p: mpmath.fprod(row[c] for row, c in zip(rows, p, strict=True)) for p in points}
        case _:
            weights = {p: mpmath.mpf(float(rng.uniform(0.05, 1))) for p in points}
    return _normalised(weights)


def _normalised(weights: dict[Point, Any]) -> dict[Point, Any]:
    total = mpmath.fsum(weights.values())
    return {p: w / total for p, w in weights.items()}


def _numbers(symbols: list[Symbol], coordinates: int, rng: np.random.Generator) -> dict[tuple[Symbol, int], Any]:
    return {(s, j): _number(s, rng) for s in symbols for j in range(max(coordinates, 2))}


def _number(symbol: Symbol, rng: np.random.Generator) -> Any:
    """A number near an edge of its sort, or of any size from 10^-6 to 10^6; now and then a small whole one for ties."""
    size = mpmath.mpf(10) ** float(rng.choice([rng.uniform(-6, 6), rng.uniform(-1, 1)]))
    if symbol.unit:
        return size / (1 + size)
    if rng.random() < 0.2:
        size = mpmath.mpf(int(rng.integers(0 if not symbol.positive else 1, 4)))
    return size if symbol.positive or rng.random() < 0.5 else -size


def _function_values(names: list[str], shape: Point, rng: np.random.Generator) -> dict[tuple[str, Point], Any]:
    cells = {point[:n] for n in range(1, len(shape) + 1) for point in product(range(max(shape)), repeat=len(shape))}
    return {(name, cell): mpmath.mpf(float(rng.uniform(0.001, 0.999))) for name in names for cell in sorted(cells)}


def counterexample(left: Expr, relation: str, right: Expr) -> str | None:
    """The first model on which a relation fails, in words; None where none is found."""
    try:
        sides = tuple(bare(Judge().closed(bare(e))) for e in (left, right))
    except RefusalError:
        return None  # no closed form: the models have nothing to say
    parts = [part for e in sides for part in e.walk()]
    symbols = {part for part in parts if isinstance(part, Symbol)}
    functions = {part.name for part in parts if isinstance(part, Unknown)}
    free = frozenset[str]().union(*map(free_variables, sides))
    with mpmath.workdps(DIGITS):
        for model in models(names_of_laws(Sum(sides)), symbols, functions):
            for k, at in enumerate(model.around(sorted(free), {})):
                found = _failure(model, sides, relation, at)
                if found or k >= MOST_POINTS:
                    break
            if found:
                return f"fails on {model.name}{_shown(model)}: {found}"
    return None


def _failure(model: HistogramModel, sides: tuple[Expr, ...], relation: str, at: Values) -> str:
    try:
        a, b = (model.value(side, at) for side in sides)
    except UndefinedError as reason:
        return f"undefined ({reason})"
    gap = {"=": abs(a - b), ">=": b - a, "<=": a - b, ">": b - a}[relation]
    good = gap <= CLOSE * max(1, abs(a), abs(b))
    return "" if good else f"the left is {mpmath.nstr(a, 8)}, the right {mpmath.nstr(b, 8)}"


def _shown(model: HistogramModel) -> str:
    numbers = {s.name: value for (s, j), value in model.numbers.items() if j <= 1}
    return "" if not numbers else " (" + ", ".join(f"{n} = {mpmath.nstr(v, 4)}" for n, v in numbers.items()) + ")"
