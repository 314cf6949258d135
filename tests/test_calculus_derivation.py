"""What the derivations' checks let through and what they refuse."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp

from dgm.calculus import derivation
from dgm.calculus.expectation import laplace_mean, normal_mean
from dgm.calculus.quadrature import integral
from dgm.errors import CalculusError

z, m = sp.symbols("z m", real=True)
s = sp.Symbol("s", positive=True)


@pytest.mark.parametrize("wrong", [m + s, m**2, -m, m + sp.Rational(1, 10**9)])
def test_a_false_step_is_never_proved(wrong: sp.Expr) -> None:
    with pytest.raises(CalculusError, match="not proved"):
        derivation.prove("mean", normal_mean(z, z, m, s), wrong)


def test_a_nan_or_an_empty_comparison_is_no_success() -> None:
    for left, right in (([float("nan")], [0.0]), ([], []), ([1.0], [1.1])):
        with pytest.raises(CalculusError):
            derivation.measure("step", left, right, 1e-6)
    for left_exact, right_exact in (([], []), ([Fraction(1, 3)], [Fraction(333, 1000)])):
        with pytest.raises(CalculusError):
            derivation.compare("step", left_exact, right_exact)


def test_the_ledger_tells_the_four_ways_apart() -> None:
    steps = [derivation.prove("a", z, z), derivation.compare("b", [1], [1]),
             derivation.measure("c", [1.0], [1.0], 0.0), derivation.state("d")]
    assert [row[0] for row in derivation.ledger(steps)] == ["a", "b", "c", "d"]
    assert len({row[1] for row in derivation.ledger(steps)}) == 4


@pytest.mark.parametrize("k", range(7))
def test_symbolic_moments_agree_with_quadrature(k: int) -> None:
    import mpmath

    normal = normal_mean(z**k, z, sp.Rational(1, 2), sp.Integer(2))
    by_sum = integral(lambda t: t**k * mpmath.npdf(t, 0.5, 2), breaks=(0.5,), scale=2.0, reach=20)
    assert float(normal) == pytest.approx(by_sum, rel=1e-10)
    laplace = laplace_mean(z**k, z, sp.Rational(1, 2), sp.Integer(2))
    by_sum = integral(lambda t: t**k * mpmath.exp(-abs(t - 0.5) / 2) / 4, breaks=(0.5,), scale=2.0)
    assert float(laplace) == pytest.approx(by_sum, rel=1e-10)
