r"""Random finite models on which an expression has a value to fifty digits.

A world holds one joint table for each law over a datum x and the coordinates of z.  Its entries are
multiprecision numbers, so that two sides that agree to forty digits on a hundred worlds of varying size
agree by no accident.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import mpmath
import numpy as np
import sympy as sp

from dgm.calculus.checking.numbers import EXACT, MULTIPRECISION, Field, arithmetic
from dgm.calculus.language.derivation import WorldKind
from dgm.calculus.language.expression import (
    Density,
    Expectation,
    Expr,
    Integral,
    SumOver,
    Symbol,
    Unknown,
    free_variables,
)

Point = tuple[int, ...]
Table = Mapping[Point, Any]  # entries of the world's field
Values = Mapping[int, int]  # the value at each axis of the table; under COORDINATE the j that a sum has reached
COORDINATE = -1


@dataclass(frozen=True)
class TableWorld:
    """Joint tables over (x, z_1 … z_d), by law, with numbers for the symbols and for unknown functions."""

    sizes: Point  # number of values of x, then of each coordinate of z
    tables: Mapping[str, Table]
    number: Callable[[Symbol], Any]
    unknown: Callable[[str, Point], Any]
    field: Field = MULTIPRECISION

    def __str__(self) -> str:
        return f"a table with {self.sizes[0]} values of x and {'x'.join(map(str, self.sizes[1:]))} of z"

    @cached_property
    def _marginals(self) -> dict[tuple[str, Point], dict[Point, Any]]:
        return {}

    @cached_property
    def _integrals(self) -> dict[tuple[Integral, tuple[Point, ...]], Any]:
        return {}

    @cached_property
    def _axes(self) -> dict[str, Point]:
        return {"x": (0,), "z": tuple(range(1, len(self.sizes)))}

    def points(self, free: Iterable[str]) -> Iterator[Values]:
        """Every assignment of values to the variables ``free``."""
        return self._around(tuple(sorted(free)), {})

    def axes(self, variables: tuple[str, ...], at: Values) -> Point:
        """The table's axes that variables stand for; ``z_j`` is the coordinate that ``at`` has reached."""
        if variables == ("z_j",):
            return (at.get(COORDINATE, 1),)
        return tuple(axis for v in variables for axis in (self._axes[v] if v != "z_j" else (at.get(COORDINATE, 1),)))

    def density(self, e: Density, at: Values) -> Any:
        """A marginal or conditional probability at a point."""
        if e.bar:
            return self.field.product(self._mass(e.law, (axis,), at) for axis in self.axes(e.of, at))
        joint = self._mass(e.law, self.axes((*e.of, *e.given), at), at)
        return joint / self._mass(e.law, self.axes(e.given, at), at) if e.given else joint

    def _mass(self, law: str, axes: tuple[int, ...], at: Values) -> Any:
        key = (law, axes)
        if key not in self._marginals:
            total: dict[Point, Any] = {}
            for point, mass in self.tables[law].items():
                short = tuple(point[axis] for axis in axes)
                total[short] = total.get(short, 0) + mass
            self._marginals[key] = total
        return self._marginals[key][tuple(at[axis] for axis in axes)]

    def value(self, e: Expr, at: Values) -> Any:
        """The value of ``e`` at a point.

        Raises:
            CalculusError: a construct that has no value on a table.
        """
        match e:
            case Density():
                return self.density(e, at)
            case Unknown(name, of):
                return self.unknown(name, tuple(at[axis] for axis in self.axes(of, at)))
            case Expectation(density, body):
                return self.field.total(self.density(density, point) * self.value(body, point)
                                        for point in self._around(density.of, at))
            case Integral():
                return self._integral(e, at)
            case SumOver(body):
                return self.field.total(self.value(body, {**at, COORDINATE: j}) for j in range(1, len(self.sizes)))
            case Symbol():
                return self.number(e)
            case _:
                return arithmetic(e, lambda part: self.value(part, at), self.field)

    def _integral(self, e: Integral, at: Values) -> Any:
        """An integral once for each value of its free variables: a partition function stands in many places."""
        outside = {axis for v in free_variables(e) for axis in self.axes((v,), at)}
        key = (e, tuple(sorted((axis, at[axis]) for axis in outside)))
        if key not in self._integrals:
            points = self._around((e.variable,), at)
            self._integrals[key] = self.field.total(self.value(e.body, point) for point in points)
        return self._integrals[key]

    def _around(self, variables: tuple[str, ...], at: Values) -> Iterator[Values]:
        axes = self.axes(variables, at)
        for values in product(*(range(self.sizes[axis]) for axis in axes)):
            yield {**at, **dict(zip(axes, values, strict=True))}


def random_table_world(kind: WorldKind, seed: int) -> TableWorld:
    """A world of random size: 2 to 4 values of x, 1 to 3 coordinates of z with 2 or 3 values each."""
    rng = np.random.default_rng(seed)
    sizes = (int(rng.integers(2, 5)), *(int(n) for n in rng.integers(2, 4, int(rng.integers(1, 4)))))
    tables = {law: _random_law(kind, law, sizes, rng) for law in kind.laws}
    if kind.exact:
        of, to = kind.exact
        tables[to] = _with_posterior(tables[of], tables[to], sizes)
    numbers: dict[str, mpmath.mpf] = {}
    functions: dict[tuple[str, Point], mpmath.mpf] = {}
    return TableWorld(
        sizes, tables,
        number=lambda s: numbers.setdefault(s.name, random_number(s, rng)),
        unknown=lambda name, point: functions.setdefault((name, point), _uniform(rng, 0.05, 0.95)),
    )


def symbolic_table_world(sizes: Point, laws: tuple[str, ...] = ("p", "q")) -> TableWorld:
    """A world whose tables hold a free positive symbol at every entry: what is equal on it is so for every table.

    The entries need not sum to one, so that it suits identities that do not rest on that.

    >>> from dgm.calculus.language.expression import log
    >>> world = symbolic_table_world((2, 2))
    >>> p, joint, rest = Density("p", ("x",)), Density("p", ("x", "z")), Density("p", ("z",), ("x",))
    >>> e = log(p) - log(joint / rest)
    >>> sp.simplify(sp.expand_log(world.value(e, {0: 1, 1: 0}), force=True))
    0
    """
    points = list(product(*map(range, sizes)))
    tables = {law: {point: sp.Symbol(f"{law}_{'_'.join(map(str, point))}", positive=True) for point in points}
              for law in laws}
    return TableWorld(sizes, tables, number=scalar_symbol, field=EXACT,
                      unknown=lambda name, point: sp.Symbol(f"{name}{point}", positive=True))


def scalar_symbol(symbol: Symbol) -> sp.Symbol:
    """The symbol in SymPy, with what is known of its sign."""
    positive = symbol.positive or symbol.unit
    return sp.Symbol(symbol.name, positive=True) if positive else sp.Symbol(symbol.name, real=True)


def random_number(symbol: Symbol, rng: np.random.Generator) -> mpmath.mpf:
    """A value for a symbol: in (0.3, 3), of either sign if the symbol may be negative, or in (0, 1)."""
    if symbol.unit:
        return _uniform(rng, 0.05, 0.95)
    size = _uniform(rng, 0.3, 3.0)
    return size if symbol.positive or rng.random() < 0.5 else -size


def _uniform(rng: np.random.Generator, low: float, high: float) -> mpmath.mpf:
    return mpmath.mpf(float(rng.uniform(low, high)))


def _random_law(kind: WorldKind, law: str, sizes: Point, rng: np.random.Generator) -> Table:
    if law in kind.factorised:  # p(z) = prod p(z_j), p(x|z)
        z = _outer([_random_row(n, rng) for n in sizes[1:]])
        return {(x, *point): mass * m for point, mass in z.items() for x, m in enumerate(_random_row(sizes[0], rng))}
    if law in kind.encoders:  # q(x), q(z|x) = prod q(z_j|x)
        data = _random_row(sizes[0], rng)
        return {(x, *point): data[x] * mass for x in range(sizes[0])
                for point, mass in _outer([_random_row(n, rng) for n in sizes[1:]]).items()}
    every = list(product(*map(range, sizes)))
    return dict(zip(every, _random_row(len(every), rng), strict=True))


def _random_row(n: int, rng: np.random.Generator) -> list[mpmath.mpf]:
    weights = [_uniform(rng, 0.05, 1.0) for _ in range(n)]
    total = mpmath.fsum(weights)
    return [w / total for w in weights]


def _outer(rows: list[list[mpmath.mpf]]) -> dict[Point, mpmath.mpf]:
    return {point: mpmath.fprod(row[v] for row, v in zip(rows, point, strict=True))
            for point in product(*(range(len(row)) for row in rows))}


def _with_posterior(model: Table, encoder: Table, sizes: Point) -> Table:
    """The encoder's data with the model's posterior."""
    def data(table: Table) -> list[mpmath.mpf]:
        return [mpmath.fsum(m for point, m in table.items() if point[0] == x) for x in range(sizes[0])]

    own, other = data(encoder), data(model)
    return {point: own[point[0]] * mass / other[point[0]] for point, mass in model.items()}
