r"""Random Gaussian models, on which expectations and integrals are taken in closed form.

Every law is a joint Gaussian over (x, z_1 … z_d).  A linear expression is then a quadratic function of its
free variables, and so is the logarithm of a positive one; both are kept as coefficients
:math:`y^\top Ay+b^\top y+c` to fifty digits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import mpmath
import numpy as np

from dgm.calculus.checking.numbers import number
from dgm.calculus.checking.worlds import random_number
from dgm.calculus.language.derivation import WorldKind
from dgm.calculus.language.expression import (
    Call,
    Density,
    Expectation,
    Expr,
    Integral,
    Named,
    Negative,
    Power,
    Product,
    Quotient,
    Sum,
    SumOver,
    Symbol,
    definition,
    is_scalar,
)
from dgm.errors import CalculusError

Axes = tuple[int, ...]


@dataclass(frozen=True)
class Quadratic:
    """``y' A y + b' y + c`` with A symmetric (n, n) and b (n, 1)."""

    A: mpmath.matrix
    b: mpmath.matrix
    c: mpmath.mpf

    def __add__(self, other: Quadratic) -> Quadratic:
        return Quadratic(self.A + other.A, self.b + other.b, self.c + other.c)

    def scaled(self, factor: mpmath.mpf) -> Quadratic:
        """``factor`` times the function."""
        return Quadratic(self.A * factor, self.b * factor, self.c * factor)

    def at(self, y: mpmath.matrix) -> mpmath.mpf:
        """The value at y (n, 1)."""
        return (y.T * self.A * y)[0] + (self.b.T * y)[0] + self.c


@dataclass(frozen=True)
class Gaussian:
    """A joint law: mean (n, 1) and covariance (n, n)."""

    mean: mpmath.matrix
    covariance: mpmath.matrix


@dataclass(frozen=True)
class GaussianWorld:
    """Gaussian laws over x (axis 0) and the coordinates of z, with numbers for the symbols."""

    size: int  # 1 + the number of coordinates of z
    laws: Mapping[str, Gaussian]
    number: Callable[[Symbol], mpmath.mpf]

    def __str__(self) -> str:
        return f"a Gaussian model with {self.size - 1} coordinates of z"

    @cached_property
    def _logs(self) -> dict[tuple[str, Axes], Quadratic]:
        return {}

    def axes(self, variables: Sequence[str], j: int) -> Axes:
        """The axes that variables stand for."""
        every = {"x": (0,), "z": tuple(range(1, self.size)), "z_j": (j,)}
        return tuple(axis for variable in variables for axis in every[variable])

    def value(self, e: Expr, j: int = 1) -> Quadratic:
        """A linear expression as a quadratic function of its free variables.

        Raises:
            CalculusError: ``e`` has no such form.
        """
        if is_scalar(e):
            return self._constant(e)
        match e:
            case Sum(terms):
                return reduce(Quadratic.__add__, (self.value(term, j) for term in terms))
            case Negative(body):
                return self.value(body, j).scaled(mpmath.mpf(-1))
            case Product(factors) if sum(not is_scalar(f) for f in factors) == 1:
                (inner,) = (f for f in factors if not is_scalar(f))
                return self.value(inner, j).scaled(mpmath.fprod(self._number(f) for f in factors if is_scalar(f)))
            case Quotient(top, bottom) if is_scalar(bottom):
                return self.value(top, j).scaled(1 / self._number(bottom))
            case Call("log", argument):
                return self.logarithm(argument, j)
            case Expectation(density, body):
                return self._average(density, self.value(body, j), j)
            case SumOver(body):
                return reduce(Quadratic.__add__, (self.value(body, k) for k in range(1, self.size)))
            case _:
                return self.value(self._inner(e), j)

    def logarithm(self, e: Expr, j: int) -> Quadratic:
        """The logarithm of a positive expression."""
        if is_scalar(e):
            return self._constant(Call("log", e))
        match e:
            case Density():
                return self._log_density(e, j)
            case Product(factors):
                return reduce(Quadratic.__add__, (self.logarithm(f, j) for f in factors))
            case Quotient(top, bottom):
                return self.logarithm(top, j) + self.logarithm(bottom, j).scaled(mpmath.mpf(-1))
            case Power(base, exponent):
                return self.logarithm(base, j).scaled(self._number(exponent))
            case Integral(variable, body):
                return _integrated(self.logarithm(body, j), self.axes((variable,), j))
            case Named(body):
                return self.logarithm(body, j)
            case _:
                return self.logarithm(self._inner(e), j)

    def _inner(self, e: Expr) -> Expr:
        inner = definition(e)
        if inner is e:
            raise CalculusError(f"{type(e).__name__} has no closed form on a Gaussian model")
        return inner

    def _number(self, e: Expr) -> mpmath.mpf:
        return number(e, {s.name: self.number(s) for s in e.walk() if isinstance(s, Symbol)})

    def _constant(self, e: Expr) -> Quadratic:
        return Quadratic(mpmath.zeros(self.size), mpmath.zeros(self.size, 1), self._number(e))

    def _log_density(self, e: Density, j: int) -> Quadratic:
        if e.bar:
            return reduce(Quadratic.__add__, (self._log_marginal(e.law, (k,)) for k in range(1, self.size)))
        joint = self._log_marginal(e.law, self.axes((*e.of, *e.given), j))
        if not e.given:
            return joint
        return joint + self._log_marginal(e.law, self.axes(e.given, j)).scaled(mpmath.mpf(-1))

    def _log_marginal(self, law: str, axes: Axes) -> Quadratic:
        key = (law, tuple(sorted(axes)))
        if key not in self._logs:
            self._logs[key] = _log_normal(self.laws[law], key[1], self.size)
        return self._logs[key]

    def _average(self, density: Density, body: Quadratic, j: int) -> Quadratic:
        """The mean over ``density``'s variables: y becomes ``T y + t`` plus noise on those axes."""
        of, given = self.axes(density.of, j), self.axes(density.given, j)
        law = self.laws[density.law]
        T, t, noise = _conditional(law, of, given, density.bar)
        A = T.T * body.A * T
        b = T.T * (2 * (body.A * t) + body.b)
        return Quadratic(A, b, body.at(t) + _trace(body.A * noise))


def random_gaussian_world(kind: WorldKind, seed: int) -> GaussianWorld:
    """A world with 1 to 3 coordinates of z."""
    rng = np.random.default_rng(seed)
    size = 1 + int(rng.integers(1, 4))
    laws = {law: _random_law(kind, law, size, rng) for law in kind.laws}
    if kind.exact:
        of, to = kind.exact
        laws[to] = _with_posterior(laws[of], laws[to], size)
    numbers: dict[str, mpmath.mpf] = {}
    return GaussianWorld(size, laws, lambda s: numbers.setdefault(s.name, random_number(s, rng)))


def _random_law(kind: WorldKind, law: str, size: int, rng: np.random.Generator) -> Gaussian:
    """``y = L e + m``; a factorised law leaves the coordinates of z apart, an encoder joins them through x."""
    L = mpmath.matrix(rng.standard_normal((size, size)).tolist()) + mpmath.eye(size)
    for i in range(1, size):
        for k in range(1, size):
            if i != k and law in (*kind.factorised, *kind.encoders):
                L[i, k] = mpmath.mpf(0)
        if law in kind.factorised:
            L[i, 0] = mpmath.mpf(0)
        if law in kind.encoders:
            L[0, i] = mpmath.mpf(0)
    mean = mpmath.matrix(rng.standard_normal((size, 1)).tolist())
    return Gaussian(mean, L * L.T)


def _with_posterior(model: Gaussian, encoder: Gaussian, size: int) -> Gaussian:
    """The encoder's law of x with the model's law of z given x."""
    T, t, noise = _conditional(model, tuple(range(1, size)), (0,), bar=False)
    spread = mpmath.zeros(size)
    spread[0, 0] = encoder.covariance[0, 0]
    centre = mpmath.zeros(size, 1)
    centre[0] = encoder.mean[0]
    return Gaussian(T * centre + t, T * spread * T.T + noise)


def _log_normal(law: Gaussian, axes: Axes, size: int) -> Quadratic:
    precision = mpmath.inverse(_block(law.covariance, axes, axes))
    m = mpmath.matrix([law.mean[axis] for axis in axes])
    A, b = mpmath.zeros(size), mpmath.zeros(size, 1)
    shift = precision * m
    for i, row in enumerate(axes):
        b[row] = shift[i]
        for k, column in enumerate(axes):
            A[row, column] = -precision[i, k] / 2
    c = (mpmath.log(mpmath.det(precision)) - len(axes) * mpmath.log(2 * mpmath.pi) - (m.T * shift)[0]) / 2
    return Quadratic(A, b, c)


def _conditional(law: Gaussian, of: Axes, given: Axes, bar: bool) -> tuple[mpmath.matrix, mpmath.matrix, mpmath.matrix]:
    """``T`` (n, n), ``t`` (n, 1), noise covariance (n, n) of the axes ``of`` given others; the rest stays."""
    size = law.covariance.rows
    T, t, noise = mpmath.eye(size), mpmath.zeros(size, 1), mpmath.zeros(size)
    gain, rest = mpmath.matrix(0, 0), _block(law.covariance, of, of)
    if given:
        cross = _block(law.covariance, of, given)
        gain = cross * mpmath.inverse(_block(law.covariance, given, given))
        rest -= gain * cross.T
    for i, row in enumerate(of):
        T[row, row] = mpmath.mpf(0)
        t[row] = law.mean[row]
        for k, column in enumerate(given):
            T[row, column] = gain[i, k]
            t[row] -= gain[i, k] * law.mean[column]
        for k, column in enumerate(of):
            noise[row, column] = rest[i, k] if not bar or i == k else mpmath.mpf(0)
    return T, t, noise


def _integrated(q: Quadratic, axes: Axes) -> Quadratic:
    """``log`` of the integral of ``exp q`` over some axes, by completing the square."""
    size = q.A.rows
    rest = tuple(axis for axis in range(size) if axis not in axes)
    P = -2 * _block(q.A, axes, axes)  # precision
    if any(value <= 0 for value in mpmath.eigsy(P, eigvals_only=True)):
        raise CalculusError("the integral diverges on this Gaussian model")
    inverse = mpmath.inverse(P)
    b = mpmath.matrix([q.b[axis] for axis in axes])
    A_out, b_out = mpmath.zeros(size), mpmath.zeros(size, 1)
    if rest:
        C = _block(q.A, rest, axes) * 2  # (rest, axes): the linear term in the integrated axes is b + C' y
        A_new, b_new = C * inverse * C.T / 2, C * inverse * b
        for i, row in enumerate(rest):
            b_out[row] = q.b[row] + b_new[i]
            for k, column in enumerate(rest):
                A_out[row, column] = q.A[row, column] + A_new[i, k]
    c = q.c + (b.T * inverse * b)[0] / 2 + (len(axes) * mpmath.log(2 * mpmath.pi) - mpmath.log(mpmath.det(P))) / 2
    return Quadratic(A_out, b_out, c)


def _block(M: mpmath.matrix, rows: Axes, columns: Axes) -> mpmath.matrix:
    return mpmath.matrix([[M[i, k] for k in columns] for i in rows])


def _trace(M: mpmath.matrix) -> mpmath.mpf:
    return mpmath.fsum(M[i, i] for i in range(M.rows))
