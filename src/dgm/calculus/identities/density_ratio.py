r"""The optimal discriminator and the total correlation that it gives (Sugiyama et al. 2012; Kim & Mnih 2018)."""

from __future__ import annotations

from dgm.calculus.identities.vocabulary import AGGREGATE, HALF, MARGINALS
from dgm.calculus.language.derivation import Derivation
from dgm.calculus.language.expression import (
    Derivative,
    Expectation,
    Expr,
    Integral,
    Mean,
    Named,
    Normal,
    Symbol,
    TotalCorrelation,
    Unknown,
    as_expr,
    log,
    sqrt,
)

DISCRIMINATOR = Unknown("D", ("z",))

_value = Expectation(AGGREGATE, log(DISCRIMINATOR)) + Expectation(MARGINALS, log(1 - DISCRIMINATOR))
OBJECTIVE = (
    Derivation("eq-estimate-discriminator", Named(_value, "V(D)"))
    .defines()
    .equals(Integral("z", AGGREGATE * log(DISCRIMINATOR) + MARGINALS * log(1 - DISCRIMINATOR)), "امید به‌صورت انتگرال")
)

D = Symbol("D", unit=True)
q, q_bar = Symbol("q", positive=True), Symbol(r"\bar{q}", positive=True)
POINTWISE = q * log(D) + q_bar * log(1 - D)
BEST = q / (q + q_bar)

SLOPE = Derivation("eq-estimate-optimum", Derivative(POINTWISE, D)).equals(q / D - q_bar / (1 - D), "مشتق نخست")
STATIONARY = Derivation("eq-estimate-optimum", q / BEST - q_bar / (1 - BEST)).equals(0, "ایستایی در $D^\\star$")
CURVATURE = (
    Derivation("eq-estimate-optimum", Derivative(Derivative(POINTWISE, D), D))
    .equals(-(q / D**2) - q_bar / (1 - D) ** 2, "مشتق دوم")
    .at_most(0, "منفی بودن مشتق دوم", q / D**2 + q_bar / (1 - D) ** 2)
)
LOGIT = Derivation("eq-estimate-optimum", log(BEST / (1 - BEST))).equals(log(q / q_bar), "لاجیت متمایزگر بهینه")

OPTIMUM = AGGREGATE / (AGGREGATE + MARGINALS)
_optimum = Named(OPTIMUM, r"D^\star(z)")
BEST_NAME = Derivation("eq-estimate-optimum", _optimum).defines()
OPTIMAL_POINT = ((D, BEST),)
LOG_RATIO = Derivation("eq-estimate-optimum", log(_optimum / (1 - _optimum))).equals(
    log(AGGREGATE / MARGINALS), "لاجیت آن در هر $z$، برای چگالی‌ها")
ESTIMATE = (
    Derivation("eq-estimate-tc", TotalCorrelation("q"))
    .equals(Expectation(AGGREGATE, log(AGGREGATE / MARGINALS)), "تعریف همبستگی کل", together=True)
    .equals(Expectation(AGGREGATE, log(_optimum / (1 - _optimum))), "لاجیت متمایزگر بهینه")
)

# two standard normal coordinates of correlation rho: z_1 = u, z_2 = rho u + sqrt(1 - rho^2) v
rho, u, v = Symbol(r"\rho", unit=True), Symbol("u"), Symbol("v")
_first, _second, _root = u, rho * u + sqrt(1 - rho**2) * v, sqrt(1 - rho**2)
_NOISE = tuple(Normal(noise, as_expr(0), as_expr(1)) for noise in (u, v))
_TC_VALUE = -HALF * log(1 - rho**2)
_log_ratio = _TC_VALUE - (_first**2 - 2 * rho * _first * _second + _second**2) / (2 * (1 - rho**2)) + (
    _first**2 + _second**2) / 2
_path_slope = (_second - (_second - rho * _first) / (1 - rho**2)) * (u - rho * v / _root)


def _average(e: Expr) -> Expr:
    return Mean(_NOISE[0], Mean(_NOISE[1], e, "v"), "u")


GAUSSIAN = Derivation("eq-estimate-tc", _average(_log_ratio)).equals(
    _TC_VALUE, "مقدار آن برای گاوسی با همبستگی $\\rho$")
GAUSSIAN_SLOPE = Derivation("eq-estimate-gradient", _average(_path_slope)).equals(
    Derivative(_TC_VALUE, rho), "گرادیان مسیر برابر $d\\,\\mathrm{TC}/d\\rho$ برای گاوسی")

DERIVATIONS = (OBJECTIVE, SLOPE, STATIONARY, CURVATURE, LOGIT, LOG_RATIO, ESTIMATE, GAUSSIAN, GAUSSIAN_SLOPE)
