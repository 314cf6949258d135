"""Random well-formed terms of the calculus, and their values on adversarial models."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from itertools import islice

import mpmath

from dgm.calculus.checking.arithmetic import RefusalError
from dgm.calculus.checking.counterexamples import DIGITS, HistogramModel, UndefinedError, models
from dgm.calculus.checking.judgements import Judge
from dgm.calculus.language.expression import (
    Call,
    Density,
    Divergence,
    Entropy,
    Expectation,
    Expr,
    Integral,
    MutualInformation,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    SumOver,
    Symbol,
    TotalCorrelation,
    Unknown,
    bare,
    free_variables,
)
from dgm.errors import CalculusError

SYMBOLS = (Symbol("a"), Symbol("b", positive=True), Symbol("u", unit=True), Symbol("w_j", positive=True), Symbol("m_j"))
LAWS, FUNCTIONS = ("p", "q"), ("D",)
VARIABLES = (("x",), ("z",), ("z_j",), ("x", "z"), ("x", "z_j"))
EXPONENTS = tuple(Number(Fraction(n, d)) for n, d in ((2, 1), (-1, 1), (1, 2), (-1, 2), (3, 1), (0, 1)))
SLIGHT = mpmath.mpf(10) ** -30


def random_density(rng: random.Random) -> Density:
    """A marginal, a conditional, or a product of marginals."""
    if rng.random() < 0.15:
        return Density(rng.choice(LAWS), ("z",), bar=True)
    of, given = rng.choice(VARIABLES), rng.choice(((), (), ("x",), ("z",), ("z_j",)))
    try:
        return Density(rng.choice(LAWS), of, given)
    except CalculusError:
        return random_density(rng)


def random_term(rng: random.Random, depth: int) -> Expr:
    """A term that need not be well formed."""
    if depth == 0:
        return rng.choice(
            (
                *SYMBOLS,
                Number(Fraction(rng.randint(-2, 3))),
                random_density(rng),
                random_density(rng),
                Unknown("D", rng.choice((("x",), ("z",), ("z_j",)))),
            )
        )
    inner = [random_term(rng, rng.randint(0, depth - 1)) for _ in range(rng.choice((2, 2, 3)))]
    density = random_density(rng)
    builders: tuple[Callable[[], Expr], ...] = (
        lambda: Sum(tuple(inner)),
        lambda: Product(tuple(inner)),
        lambda: Negative(inner[0]),
        lambda: Quotient(*inner[:2]),
        lambda: Power(inner[0], rng.choice(EXPONENTS)),
        lambda: Call(rng.choice(("exp", "abs", "sqrt")), inner[0]),
        lambda: Call("log", inner[0]),
        lambda: Call("log", density),
        lambda: Call("log", Product((density, random_density(rng)))),
        lambda: Expectation(density, inner[0]),
        lambda: Expectation(density, Sum(tuple(inner))),
        lambda: Expectation(density, Product(tuple(inner))),
        lambda: Expectation(density, Expectation(random_density(rng), inner[0])),
        lambda: Expectation(density, SumOver(inner[0])),
        lambda: Integral(rng.choice(("x", "z", "z_j")), inner[0]),
        lambda: Integral(rng.choice(("x", "z", "z_j")), Product((density, *inner))),
        lambda: Integral(rng.choice(("x", "z", "z_j")), Sum(tuple(inner))),
        lambda: Integral(rng.choice(("x", "z")), density),
        lambda: SumOver(inner[0]),
        lambda: SumOver(Product(tuple(inner))),
        lambda: SumOver(Sum(tuple(inner))),
        lambda: Divergence(
            density, rng.choice((random_density(rng), Product((random_density(rng), random_density(rng)))))
        ),
        lambda: Entropy(density),
        lambda: MutualInformation("q", "x", rng.choice(("z", "z_j"))),
        lambda: TotalCorrelation("q"),
    )
    return rng.choice(builders)()


@cache
def well_formed(seed: int, count: int, depth: int = 3) -> tuple[Expr, ...]:
    """Random terms that the kernel finds well formed, no two alike."""
    return tuple(islice(_well_formed(random.Random(seed), depth), count))


def _well_formed(rng: random.Random, depth: int) -> Iterator[Expr]:
    seen: set[Expr] = set()
    while True:
        try:
            e = bare(random_term(rng, depth))
            Judge().check(e)
        except (RefusalError, CalculusError):
            continue
        if e not in seen:
            seen.add(e)
            yield e


@cache
def worlds(every: int = 5) -> tuple[HistogramModel, ...]:
    """Every so many of the adversarial models, small ones."""
    with mpmath.workdps(DIGITS):
        found = [m for m in models(LAWS, SYMBOLS, FUNCTIONS) if max(m.sizes) < 5]
    return tuple(found[::every])


def differ(a: Expr, b: Expr, every: int = 5) -> str:
    """The first model on which two terms differ, in words; empty where they agree on all on which both are defined."""
    free = sorted(free_variables(a) | free_variables(b))
    with mpmath.workdps(DIGITS):
        for model in worlds(every):
            for at in islice(model.around(free, {}), 4):
                try:
                    left = model.value(a, at)
                except UndefinedError as reason:
                    return f"{model.name}: {reason} in a well-formed term"
                try:
                    right = model.value(b, at)
                except UndefinedError as reason:
                    return f"{model.name}: {reason} in the result of a rule"
                if abs(left - right) > SLIGHT * max(1, abs(left), abs(right), _size(model, a, at)):
                    return f"{model.name}: {mpmath.nstr(left, 12)} against {mpmath.nstr(right, 12)}"
    return ""


def _size(model: HistogramModel, e: Expr, at: object) -> mpmath.mpf:
    """The largest value among the terms of a sum, to which rounding is relative."""
    parts = e.terms if isinstance(e, Sum) else ()
    return max((abs(model.value(part, at)) for part in parts), default=mpmath.mpf(0))  # type: ignore[arg-type]
