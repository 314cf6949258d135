"""What the single checks let through and what they refuse."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest
import sympy as sp
from dgm.calculus.checking.expectation import laplace_mean, normal_mean

from dgm.calculus.closed_forms.quadrature import integral
from dgm.calculus.language import ledger
from dgm.errors import CalculusError

z, m = sp.symbols("z m", real=True)
s = sp.Symbol("s", positive=True)


@pytest.mark.parametrize("wrong", [m + s, m**2, -m, m + sp.Rational(1, 10**9)])
def test_a_false_step_is_never_proved(wrong: sp.Expr) -> None:
    with pytest.raises(CalculusError, match="not proved"):
        ledger.prove("eq-a", "mean", normal_mean(z, z, m, s), wrong)


def test_what_sympy_does_not_know_is_no_proof() -> None:
    unknown = sp.Function("f")(z)
    assert not ledger.is_zero(unknown - sp.Function("g")(z))
    assert not ledger.is_zero(sp.Symbol("c"))


def test_few_cases_a_nan_or_a_difference_are_no_test() -> None:
    ones = [1.0] * 100
    for left, right in (([float("nan")] * 100, ones), ([], []), (ones[1:], ones[1:]), (ones, [1.1] * 100)):
        with pytest.raises(CalculusError):
            ledger.measure("eq-a", "step", left, right, 1e-6)
    thirds = [Fraction(1, 3)] * 100
    for left_exact, right_exact in (([], []), (thirds, [Fraction(333, 1000)] * 100), (thirds[1:], thirds[1:])):
        with pytest.raises(CalculusError):
            ledger.compare("eq-a", "step", left_exact, right_exact)


def test_the_evidence_tells_the_ways_apart() -> None:
    steps = [ledger.prove("eq-a", "", z, z), ledger.compare("eq-b", "", [1] * 100, [1] * 100),
             ledger.measure("eq-c", "", [1.0] * 100, [1.0] * 100, 0.0), ledger.state("eq-d", "تعریف")]
    rows = ledger.entries(steps)
    assert [row["how"] for row in rows] == ["proved", "tested", "tested", "stated"]
    assert len({row["evidence"] for row in rows}) == 4


@pytest.mark.parametrize("k", range(7))
def test_symbolic_moments_agree_with_quadrature(k: int) -> None:
    normal = normal_mean(z**k, z, sp.Rational(1, 2), sp.Integer(2))
    by_sum = integral(lambda t: t**k * mpmath.npdf(t, 0.5, 2), breaks=(0.5,), scale=2.0, reach=20)
    assert float(normal) == pytest.approx(by_sum, rel=1e-10)
    laplace = laplace_mean(z**k, z, sp.Rational(1, 2), sp.Integer(2))
    by_sum = integral(lambda t: t**k * mpmath.exp(-abs(t - 0.5) / 2) / 4, breaks=(0.5,), scale=2.0)
    assert float(laplace) == pytest.approx(by_sum, rel=1e-10)


@pytest.mark.parametrize("rate", [-1, 0, 2])
def test_exponentials_are_integrated_too(rate: int) -> None:
    by_rule = normal_mean(z**2 * sp.exp(rate * z), z, sp.Rational(1, 3), sp.Rational(1, 2))
    by_sum = integral(lambda t: t**2 * mpmath.exp(rate * t) * mpmath.npdf(t, mpmath.mpf(1) / 3, 0.5), breaks=(0.3,),
                      scale=1.0, reach=20)
    assert float(by_rule) == pytest.approx(by_sum, rel=1e-10)
