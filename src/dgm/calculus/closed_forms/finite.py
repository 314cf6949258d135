r"""Exact information quantities of finite tables with rational entries.

Every such quantity is :math:`\sum_i r_i\log t_i` with rational r and t; factoring t into primes writes it
uniquely as :math:`\sum_p c_p\log p`, because logarithms of primes are linearly independent over the
rationals (unique factorisation).  Two quantities are therefore equal exactly when their coefficients are:
no rounding enters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import mpmath
import numpy as np
from sympy import factorint

from dgm.errors import CalculusError

Point = tuple[int, ...]
Dist = dict[Point, Fraction]


@dataclass(frozen=True)
class LogSum:
    """An exact real number ``sum of c_p log p`` over primes p, zero coefficients left out."""

    coefficients: tuple[tuple[int, Fraction], ...]

    @classmethod
    def of(cls, terms: Iterable[tuple[Fraction, Fraction]]) -> LogSum:
        """``sum of r log t`` over pairs (r, t); t must be positive.

        >>> LogSum.of([(Fraction(1, 2), Fraction(4, 3)), (Fraction(1, 2), Fraction(3))])
        LogSum(coefficients=((2, Fraction(1, 1)),))
        """
        total: dict[int, Fraction] = defaultdict(Fraction)
        for r, t in terms:
            for number, sign in ((t.numerator, 1), (t.denominator, -1)):
                for prime, power in factorint(number).items():
                    total[int(prime)] += sign * power * r
        return cls(tuple(sorted((p, c) for p, c in total.items() if c)))

    def __add__(self, other: LogSum) -> LogSum:
        total: dict[int, Fraction] = defaultdict(Fraction)
        for p, c in (*self.coefficients, *other.coefficients):
            total[p] += c
        return LogSum(tuple(sorted((p, c) for p, c in total.items() if c)))

    def __neg__(self) -> LogSum:
        return LogSum(tuple((p, -c) for p, c in self.coefficients))

    def __sub__(self, other: LogSum) -> LogSum:
        return self + (-other)

    def __float__(self) -> float:
        with mpmath.workdps(50):
            parts = (mpmath.mpf(c.numerator) / c.denominator * mpmath.log(p) for p, c in self.coefficients)
            return float(mpmath.fsum(parts))


def kl(q: Dist, p: Dist) -> LogSum:
    """``KL(q || p)``, exact.

    Raises:
        CalculusError: p gives no mass to a point where q does (the divergence is infinite).
    """
    support = [z for z in q if q[z]]
    missing = [z for z in support if not p.get(z)]
    if missing:
        raise CalculusError(f"the divergence is infinite: p has no mass at {missing[0]}")
    return LogSum.of((q[z], q[z] / p[z]) for z in support)


def marginals(q: Dist) -> list[Dist]:
    """The one-coordinate marginals of a distribution over tuples."""
    out: list[Dist] = [defaultdict(Fraction) for _ in next(iter(q))]
    for z, mass in q.items():
        for j, value in enumerate(z):
            out[j][(value,)] += mass
    return [dict(m) for m in out]


def independent(factors: list[Dist]) -> Dist:
    """The product distribution of one-coordinate factors."""
    out: Dist = {}
    for combo in product(*(f.items() for f in factors)):
        mass = Fraction(1)
        for _, m in combo:
            mass *= m
        out[tuple(z[0] for z, _ in combo)] = mass
    return out


@dataclass(frozen=True)
class Encoder:
    """Data ``p(x)``, encoder ``q(z|x)`` one row a datum, and a factorised prior by its factors."""

    data: tuple[Fraction, ...]
    rows: tuple[Dist, ...]
    prior: tuple[Dist, ...]

    @property
    def aggregate(self) -> Dist:
        """``q(z) = sum_x p(x) q(z|x)``."""
        out: Dist = defaultdict(Fraction)
        for mass, row in zip(self.data, self.rows, strict=True):
            for z, m in row.items():
                out[z] += mass * m
        return dict(out)


@dataclass(frozen=True)
class Parts:
    """The averaged divergence from the prior and the quantities that it splits into, each from its own
    definition."""

    averaged: LogSum
    information: LogSum
    aggregate: LogSum
    correlation: LogSum
    marginals: LogSum


def average(weights: Iterable[Fraction], values: Iterable[LogSum]) -> LogSum:
    """``sum of w_i v_i``."""
    total = LogSum(())
    for w, v in zip(weights, values, strict=True):
        total += LogSum(tuple((p, w * c) for p, c in v.coefficients if w))
    return total


def parts(encoder: Encoder) -> Parts:
    """Compute every part (Kim & Mnih 2018, section 2; Hoffman & Johnson 2016).

    ``information`` is taken from its definition, the divergence of the joint q(x, z) from p(x) q(z).
    """
    q, prior = encoder.aggregate, independent(list(encoder.prior))
    joint = {(i, *z): w * m for i, (w, row) in enumerate(zip(encoder.data, encoder.rows, strict=True))
             for z, m in row.items()}
    apart = {(i, *z): w * m for i, w in enumerate(encoder.data) for z, m in q.items()}
    single = marginals(q)
    return Parts(
        averaged=average(encoder.data, (kl(row, prior) for row in encoder.rows)),
        information=kl(joint, apart),
        aggregate=kl(q, prior),
        correlation=kl(q, independent(single)),
        marginals=average([Fraction(1)] * len(single), map(kl, single, encoder.prior)),
    )


def random_dist(points: list[Point], rng: np.random.Generator, grain: int = 9) -> Dist:
    """A random rational distribution with integer weights 1 … ``grain``."""
    weights = [int(w) for w in rng.integers(1, grain + 1, len(points))]
    return {z: Fraction(w, sum(weights)) for z, w in zip(points, weights, strict=True)}


def random_encoder(data: int, sizes: tuple[int, ...], seed: int) -> Encoder:
    """A random encoder of ``data`` points into a latent table of shape ``sizes``.

    >>> p = parts(random_encoder(3, (2, 3), seed=0))
    >>> p.averaged == p.information + p.aggregate == p.information + p.correlation + p.marginals
    True
    """
    rng = np.random.default_rng(seed)
    grid = list(product(*(range(n) for n in sizes)))
    return Encoder(
        data=tuple(random_dist([(i,) for i in range(data)], rng).values()),
        rows=tuple(random_dist(grid, rng) for _ in range(data)),
        prior=tuple(random_dist([(v,) for v in range(n)], rng) for n in sizes),
    )
