"""Checking a derivation: every step is proved, tested or openly stated; a false one stops everything.

A step is first tried on random models, tables of varying size and Gaussians in closed form; one on which it
fails is its refutation.  Then SymPy tries to reduce the difference of the normal forms to zero, or the slack
of an inequality to a form that is known to be non-negative.  Without that the step counts as tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import mpmath
import numpy as np
import sympy as sp

from dgm.calculus.checking.gaussian_worlds import GaussianWorld, random_gaussian_world
from dgm.calculus.checking.normal_form import Assumptions, laws, reduce, scalar
from dgm.calculus.checking.numbers import DIGITS, number
from dgm.calculus.checking.worlds import TableWorld, random_number, random_table_world
from dgm.calculus.language.derivation import Derivation, Link, WorldKind
from dgm.calculus.language.expression import (
    Call,
    Density,
    Divergence,
    Expectation,
    Expr,
    Information,
    Integral,
    Named,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    SumOver,
    Symbol,
    TotalCorrelation,
    free_variables,
    is_scalar,
)
from dgm.calculus.language.ledger import FEWEST_CASES, Step, is_zero
from dgm.calculus.language.notation import latex
from dgm.errors import CalculusError

TABLES, GAUSSIANS, NUMBERS = 100, 20, 100
TOLERANCE = mpmath.mpf(10) ** -30


def verify(derivation: Derivation) -> tuple[Step, ...]:
    """Check every step of a chain; one record a step.

    Raises:
        CalculusError: a step is false on a model, which is named with the values of both sides, or an
        inequality has no slack that is known to be non-negative and was tried on too few models.

    >>> from dgm.calculus.language.expression import Density, log
    >>> p, joint, rest = Density("p", ("x",)), Density("p", ("x", "z")), Density("p", ("z",), ("x",))
    >>> verify(Derivation("eq-bayes", log(p)).equals(log(joint / rest), "قاعدهٔ بیز"))[0].how
    'proved'
    """
    with mpmath.workdps(DIGITS):
        models = _Models(derivation)
        return tuple(_checked(derivation, k, models) for k in range(len(derivation.links)))


def _checked(derivation: Derivation, k: int, models: _Models) -> Step:
    left, link = derivation.sides[k], derivation.links[k]
    if link.stated:
        return Step(derivation.label, f"{link.reason} ({link.stated})", "stated")
    place = f"step {k + 1} of {derivation.label}"
    tried, worst = _tried(left, link, models, place)
    if _proved(derivation, left, link):
        return Step(derivation.label, link.reason, "proved", worst, tried)
    if tried < FEWEST_CASES:
        raise CalculusError(f"{place} ({link.reason}) is neither proved nor tried on {FEWEST_CASES} models")
    return Step(derivation.label, link.reason, "tested", worst, tried)


def _proved(derivation: Derivation, left: Expr, link: Link) -> bool:
    assumptions = assumed(derivation.kind)
    try:
        difference = reduce(left, assumptions) - reduce(link.side, assumptions)
        zeros = [reduce(zero, assumptions) for zero in link.given]
        if link.relation == "=":
            return any(is_zero(difference - sign * zero) for zero in [0, *zeros] for sign in (1, -1))
        slack = difference if link.relation == ">=" else -difference
        return link.slack is not None and nonnegative(link.slack) and is_zero(slack - reduce(link.slack, assumptions))
    except CalculusError:  # a construct without a rule: the models decide
        return False


def assumed(kind: WorldKind) -> Assumptions:
    """The independences that every model of a kind has."""
    priors = [(law, ("z",), ()) for law in kind.factorised]
    encoders = [(law, ("z",), ("x",)) for law in kind.encoders]
    return Assumptions((*priors, *encoders))


def nonnegative(e: Expr) -> bool:
    """Whether the form of ``e`` shows that it is never negative.

    Divergences between densities (Gibbs' inequality), their means and sums, squares, products of positive
    symbols, and u - 1 - log u for a positive u.

    >>> nonnegative(Divergence(Density("q", ("z",)), Density("p", ("z",))))
    True
    >>> nonnegative(Symbol("a"))
    False
    """
    match e:
        case Divergence(q, p):
            return _normalised(p, q)
        case Information() | TotalCorrelation():
            return True
        case Number(value):
            return value >= 0
        case Symbol() | Call("exp", _):
            return positive(e)
        case Expectation(_, body) | SumOver(body) | Named(body):
            return nonnegative(body)
        case Power(base, Number(value)):
            return value % 2 == 0 or nonnegative(base)
        case Sum((u, Negative(Number(one)), Negative(Call("log", v)))) if u == v and one == 1:
            return positive(u)
        case Sum(parts) | Product(parts):
            return all(map(nonnegative, parts))
        case Quotient(top, bottom):
            return nonnegative(top) and nonnegative(bottom)
        case _:
            return False


def positive(e: Expr) -> bool:
    """Whether the form of ``e`` shows that it is greater than zero."""
    match e:
        case Number(value):
            return value > 0
        case Symbol():
            return e.positive or e.unit
        case Call("exp", _):
            return True
        case Named(body):
            return positive(body)
        case Power(base, _):
            return positive(base)
        case Product(factors):
            return all(map(positive, factors))
        case Quotient(top, bottom):
            return positive(top) and positive(bottom)
        case Sum(terms):
            return all(map(nonnegative, terms)) and any(map(positive, terms))
        case _:
            return False


def _normalised(p: Expr, q: Density) -> bool:
    """Whether ``p`` is a density over the variables of ``q``: a density, a product of such, or f / ∫f."""
    match p:
        case Density():
            return p.of == q.of and set(p.given) <= {*q.given, *q.of}
        case Product(factors) if all(isinstance(f, Density) for f in factors):
            over = [v for f in factors if isinstance(f, Density) for v in f.of]
            return sorted(over) == sorted(q.of)
        case Quotient(top, Named(Integral(variable, body))):
            return body == top and q.of == (variable,)
        case Named(body):
            return _normalised(body, q)
        case _:
            return False


def _tried(left: Expr, link: Link, models: _Models, place: str) -> tuple[int, float]:
    """Try a step on random models: how many there were, and the worst relative difference of an equality."""
    tried, worst = 0, mpmath.mpf(0)
    for model in range(models.count):
        lefts, rights = models.values(left, model), models.values(link.side, model)
        if lefts is None or rights is None:  # no closed form on this Gaussian, as for an unknown function
            continue
        tried += 1
        for a, b in zip(lefts, rights, strict=True):
            worst = max(worst, _fault(a, b, link))
            if not worst <= TOLERANCE:
                raise CalculusError(
                    f"{place} is false: {latex(left)} {link.relation} {latex(link.side)} on {models.name(model)}: "
                    f"the left is {mpmath.nstr(a, 12)}, the right {mpmath.nstr(b, 12)}")
    return tried, float(worst)


def _fault(left: mpmath.mpf, right: mpmath.mpf, link: Link) -> mpmath.mpf:
    difference = right - left
    size = 1 + abs(left)
    if link.relation == "=":
        return abs(difference) / size
    return max(mpmath.mpf(0), mpmath.re(difference if link.relation == ">=" else -difference)) / size


class _Models:
    """The random models of a chain, and the values of its sides on each, computed once."""

    def __init__(self, derivation: Derivation) -> None:
        sides = derivation.sides
        self.free = frozenset().union(*map(free_variables, sides))
        self.symbols = sorted({s for side in sides for s in side.walk() if isinstance(s, Symbol)}, key=lambda s: s.name)
        self.kind = derivation.kind
        self.scalar = all(map(is_scalar, sides))
        self.count = NUMBERS if self.scalar else TABLES + GAUSSIANS
        self._known: dict[tuple[Expr, int], tuple[mpmath.mpf, ...] | None] = {}

    def name(self, model: int) -> str:
        """What a reader needs to find a model again."""
        if self.scalar:
            shown = ", ".join(f"{name} = {mpmath.nstr(value, 4)}" for name, value in self._numbers(model).items())
            return f"numbers {model} ({shown})"
        worlds = [*_tables(self.kind), *_gaussians(self.kind)]
        return f"{worlds[model]}, number {model}"

    def values(self, e: Expr, model: int) -> tuple[mpmath.mpf, ...] | None:
        """The values of ``e`` at points of a model; None where it has no closed form.

        Raises:
            CalculusError: ``e`` divides by zero.
        """
        if (e, model) not in self._known:
            try:
                self._known[e, model] = self._evaluated(e, model)
            except ZeroDivisionError:
                raise CalculusError(f"{latex(e)} is false: it divides by zero on {self.name(model)}") from None
        return self._known[e, model]

    def _evaluated(self, e: Expr, model: int) -> tuple[mpmath.mpf, ...] | None:
        if self.scalar:
            return (number(e, self._numbers(model)),)
        if model < TABLES:
            world = _tables(self.kind)[model]
            return tuple(world.value(e, point) for point in world.points(self.free))
        return _gaussian_values(_gaussians(self.kind)[model - TABLES], e, model)

    def _numbers(self, model: int) -> dict[str, mpmath.mpf]:
        rng = np.random.default_rng(model)
        return {s.name: random_number(s, rng) for s in self.symbols}


def _gaussian_values(world: GaussianWorld, e: Expr, seed: int) -> tuple[mpmath.mpf, ...] | None:
    try:
        value = world.value(e)
    except CalculusError:
        return None
    rng = np.random.default_rng(seed)
    points = [mpmath.matrix(rng.standard_normal((world.size, 1)).tolist()) for _ in range(3)]
    return tuple(value.at(y) for y in points)


@lru_cache(maxsize=8)
def _tables(kind: WorldKind) -> tuple[TableWorld, ...]:
    return tuple(random_table_world(kind, seed) for seed in range(TABLES))


@lru_cache(maxsize=8)
def _gaussians(kind: WorldKind) -> tuple[GaussianWorld, ...]:
    return tuple(random_gaussian_world(kind, seed) for seed in range(GAUSSIANS))


def prove_independent(label: str, claim: str, e: Expr, law: str) -> Step:
    """Prove that the value of ``e`` does not depend on a law.

    Raises:
        CalculusError: the normal form speaks of it.
    """
    if law in laws(e):
        raise CalculusError(f"{label}: step '{claim}' is not proved: {latex(e)} depends on {law}")
    return Step(label, claim, "proved")


def prove_positive(label: str, claim: str, *expressions: Expr) -> Step:
    """Prove that expressions are greater than zero, by their form.

    Raises:
        CalculusError: the form of one does not show it.
    """
    for e in expressions:
        if not positive(e):
            raise CalculusError(f"{label}: step '{claim}' is not proved: {latex(e)} need not be positive")
    return Step(label, claim, "proved")


def prove_stationary(label: str, claim: str, f: Expr, point: Sequence[tuple[Symbol, Expr]]) -> Step:
    """Prove that a scalar function has one stationary point and that it is ``point``: SymPy solves for it.

    Raises:
        CalculusError: SymPy finds none, several, or another.

    >>> a, b = Symbol("a"), Symbol("b")
    >>> prove_stationary("eq-square", "lowest point", (a - b) ** 2, [(a, b)]).how
    'proved'
    """
    unknowns = [scalar(symbol) for symbol, _ in point]
    found = sp.solve([sp.diff(scalar(f), unknown) for unknown in unknowns], unknowns, dict=True)
    good = len(found) == 1 and all(is_zero(found[0][u] - scalar(e)) for u, (_, e) in zip(unknowns, point, strict=True))
    if not good:
        raise CalculusError(f"{label}: step '{claim}' is not proved: the stationary points are {found}")
    return Step(label, claim, "proved")
