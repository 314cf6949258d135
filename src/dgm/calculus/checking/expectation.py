"""Symbolic expectations, so that SymPy integrates what the text integrates."""

from __future__ import annotations

from functools import cache

import sympy as sp

_T = sp.Symbol("t", positive=True)


def laplace_mean(g: sp.Expr, z: sp.Symbol, mu: sp.Expr, b: sp.Expr) -> sp.Expr:
    r"""``E[g(z)]`` under a Laplace density, after :math:`z=\mu\pm bt` on its two halves.

    >>> z, mu = sp.symbols("z mu", real=True)
    >>> b = sp.Symbol("b", positive=True)
    >>> laplace_mean((z - mu)**2, z, mu, b)
    2*b**2
    """
    halves = g.subs(z, mu + b * _T) + g.subs(z, mu - b * _T)
    return sp.simplify(sp.integrate(sp.expand(sp.simplify(halves) * sp.exp(-_T) / 2), (_T, 0, sp.oo)))


def normal_mean(g: sp.Expr, z: sp.Symbol, mean: sp.Expr, sd: sp.Expr) -> sp.Expr:
    r"""``E[g(z)]`` under a Gaussian, after :math:`z=m+st`; g is a sum of polynomials times exponentials.

    By completing the square, :math:`E[P(t)e^{at}]=e^{a^2/2}E[P(t+a)]` for a standard normal t.

    >>> z, m = sp.symbols("z m", real=True)
    >>> s = sp.Symbol("s", positive=True)
    >>> sp.expand(normal_mean(z**2, z, m, s))
    m**2 + s**2
    >>> normal_mean(sp.exp(z), z, sp.Integer(0), sp.Integer(1))
    exp(1/2)
    """
    terms = sp.Add.make_args(sp.expand(g.subs(z, mean + sd * _T), power_exp=False))
    return sp.expand(sp.Add(*map(_standard_mean, terms)))


def _standard_mean(term: sp.Expr) -> sp.Expr:
    exponent = sp.Add(*(f.exp for f in sp.Mul.make_args(term) if isinstance(f, sp.exp)))
    rate = sp.expand(exponent).coeff(_T, 1)
    rest = sp.powsimp(term * sp.exp(-rate * _T)) if rate != 0 else term
    polynomial = sp.Poly(sp.expand(rest.subs(_T, _T + rate)), _T)
    moments = sum(c * _moment(int(k)) for (k,), c in polynomial.terms())
    return sp.exp(rate**2 / 2) * moments


@cache
def _moment(k: int) -> sp.Expr:
    """``E[t**k]`` of a standard normal, by SymPy's integral (k is small: each is integrated once)."""
    t = sp.Symbol("t", real=True)
    return sp.integrate(t**k * sp.exp(-t**2 / 2) / sp.sqrt(2 * sp.pi), (t, -sp.oo, sp.oo))
