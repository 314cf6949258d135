r"""From the constrained problem to the objective of the β-VAE, and β as the price of a nat."""

from __future__ import annotations

from dgm.calculus.identities.vocabulary import DATA, ENCODER, HALF, LIKELIHOOD, PRIOR, RATE, RECONSTRUCTION
from dgm.calculus.language.derivation import Assumptions, Derivation
from dgm.calculus.language.expression import (
    Constant,
    Derivative,
    Divergence,
    Expectation,
    Expr,
    Integral,
    Mean,
    Named,
    Normal,
    Symbol,
    as_expr,
    exp,
    log,
    sqrt,
    substitute,
)

beta, epsilon = Symbol(r"\beta", positive=True), Symbol(r"\varepsilon", positive=True)
F = Named(Expectation(DATA, RECONSTRUCTION), r"F(\theta,\phi)")
R = Named(Expectation(DATA, RATE), r"R(\phi)")
L_BETA = Named(RECONSTRUCTION - beta * RATE, r"L_\beta")
LAGRANGIAN_VALUE = Named(F + beta * (epsilon - R), r"\mathcal{F}(\theta,\phi,\beta)")

LAGRANGIAN = (
    Derivation("eq-beta-lagrangian", LAGRANGIAN_VALUE)
    .defines()
    .equals(Expectation(DATA, RECONSTRUCTION - beta * RATE) + beta * epsilon, "خطی بودن امید")
)

DEFINITION = Derivation("eq-beta-loss", L_BETA).defines()
LOSS = Derivation("eq-beta-loss", Expectation(DATA, L_BETA)).equals(
    LAGRANGIAN_VALUE - beta * epsilon, "کنار گذاشتن جمله‌ای که به $\\theta$ و $\\phi$ بستگی ندارد")

_tempered = PRIOR * LIKELIHOOD ** (1 / beta)
Z_BETA = Named(Integral("z", _tempered), r"Z_\beta(x)")
TEMPERED_POSTERIOR = _tempered / Z_BETA

TEMPERED = (
    Derivation("eq-beta-tempered", L_BETA)
    .equals(beta * log(Z_BETA) - beta * Divergence(ENCODER, TEMPERED_POSTERIOR), "تعریف $Z_\\beta$ و بازآرایی")
    .at_most(beta * log(Z_BETA), "نامنفی بودن واگرایی KL", beta * Divergence(ENCODER, TEMPERED_POSTERIOR))
)

# the toy: x ~ N(0, 1), encoder N(a x, s^2), prior N(0, 1), decoder N(w z, tau^2)
x, z = Symbol("x"), Symbol("z")
a, w = Symbol("a"), Symbol("w")
s, tau = Symbol("s", positive=True), Symbol(r"\tau", positive=True)
V = Named(a**2 + s**2, "v")
D = Named(s**2 / V, "D")
DATA_LAW, CODE, STANDARD = Normal(x, as_expr(0), as_expr(1)), Normal(z, a * x, s), Normal(z, as_expr(0), as_expr(1))
ERROR = (1 - w * a) ** 2 + w**2 * s**2
AVERAGE_RATE = HALF * (a**2 + s**2 - 1 - log(s**2))

ERROR_FLOOR = (
    Derivation("eq-beta-error", Mean(DATA_LAW, Mean(CODE, (x - w * z) ** 2, "z"), "x"))
    .equals(D + V * (w - a / V) ** 2, "گشتاورهای گاوسی و کامل کردن مربع نسبت به $w$")
    .at_least(D, "نامنفی بودن مربع", (a**2 + s**2) * (w - a / V) ** 2, together=True)
)

RATE_FLOOR = (
    Derivation("eq-beta-rate", Mean(DATA_LAW, Divergence(CODE, STANDARD), "x"))
    .equals(AVERAGE_RATE, "واگرایی دو گاوسی و میانگین روی داده")
    .equals(HALF * (V - 1 - log(V)) - HALF * log(D), "جانشانی $v$ و $D$")
    .at_least(-HALF * log(D), "نامنفی بودن $v-1-\\log v$",
              HALF * (V - 1 - log(V)), together=True)
)


def reconstruction(error: Expr) -> Expr:
    """``E[log p(x|z)]`` of a decoder with fixed noise, from its mean squared error; nats."""
    return -HALF * log(2 * Constant(r"\pi") * tau**2) - error / (2 * tau**2)


CURVE = reconstruction(exp(-2 * epsilon))

# no code is better than the curve at its own rate, and one of every rate lies on it
CEILING = Derivation("eq-beta-toy", reconstruction(ERROR)).at_most(
    reconstruction(exp(-2 * Named(AVERAGE_RATE, "R"))), "هیچ رمزی از منحنی در نرخ خودش بهتر نیست",
    (V * (w - a / V) ** 2 + s**2 * exp(1 - V) * (exp(V - 1 - log(V)) - 1)) / (2 * tau**2))
_ON_CURVE = {a: sqrt(1 - exp(-2 * epsilon)), w: sqrt(1 - exp(-2 * epsilon)), s: exp(-epsilon)}
ATTAINED = (
    Derivation("eq-beta-toy", substitute(AVERAGE_RATE, _ON_CURVE)).equals(epsilon, "رمزی با نرخ $\\varepsilon$"),
    Derivation("eq-beta-toy", substitute(reconstruction(ERROR), _ON_CURVE)).equals(CURVE, "که روی منحنی است"),
)
BUDGET = -HALF * log(beta * tau**2)

SLOPE = Derivation("eq-beta-toy", Derivative(Named(CURVE, r"F^\star"), epsilon)).equals(
    exp(-2 * epsilon) / tau**2, "مشتق منحنی")

BUDGET_OF_BETA = Derivation("eq-beta-toy", exp(-2 * BUDGET) / tau**2).equals(
    beta, "شیب منحنی در $\\varepsilon(\\beta)$")

_f, _r = Symbol("F"), Symbol("R")
ENVELOPE = (
    Derivation("eq-beta-envelope", Derivative(Named(_f + beta * (epsilon - _r), r"\mathcal{F}"), epsilon))
    .equals(beta, "مشتق صریح لاگرانژین نسبت به $\\varepsilon$")
)

# the KKT conditions at the toy's optimum, where D = beta tau^2
_TOY = Named(reconstruction(ERROR), "F") - beta * Named(AVERAGE_RATE, "R")
_D = beta * tau**2
_OPTIMUM = {a: sqrt(1 - _D), w: sqrt(1 - _D), s: sqrt(_D)}
_BELOW_COLLAPSE = Assumptions(positive=(1 - _D,))
_SLOPES: tuple[tuple[Symbol, Expr], ...] = (
    (a, w * (1 - w * a) / tau**2 - beta * a),
    (w, (a * (1 - w * a) - w * s**2) / tau**2),
    (s, -(w**2 * s) / tau**2 - beta * (s - 1 / s)),
)

SLOPES = tuple(
    Derivation("eq-beta-kkt", Derivative(_TOY, by)).equals(slope, f"مشتق $F-\\beta R$ نسبت به ${by.name}$ در مثال")
    for by, slope in _SLOPES)
STATIONARY = tuple(
    Derivation("eq-beta-kkt", substitute(slope, _OPTIMUM), assuming=_BELOW_COLLAPSE).equals(0,
        f"ایستایی نسبت به ${by.name}$ در نقطهٔ بهینهٔ مثال")
    for by, slope in _SLOPES)

# two optima of distortion + beta rate, for two multipliers: the slope of the line through them
_d1, _d2, _r1, _r2 = (Symbol(name) for name in ("D_1", "D_2", "R_1", "R_2"))
_first, _second = Symbol(r"\beta_1", positive=True), Symbol(r"\beta_2", positive=True)
_SLOPE = (_d2 - _d1) / (_r1 - _r2)
_APART = Assumptions(positive=(_r1 - _r2,))
SECANT = (
    Derivation("eq-measured-price", _SLOPE - _first, assuming=_APART).equals(
        ((_d2 + _first * _r2) - (_d1 + _first * _r1)) / (_r1 - _r2),
        "فاصلهٔ نسبت از $\\beta_1$ برابر کمبود هدف نخست در نقطهٔ خود، بخش بر $R_1-R_2$"),
    Derivation("eq-measured-price", _second - _SLOPE, assuming=_APART).equals(
        ((_d1 + _second * _r1) - (_d2 + _second * _r2)) / (_r1 - _r2),
        "فاصلهٔ $\\beta_2$ از نسبت، به همین گونه با هدف دوم"),
)

DERIVATIONS = (LAGRANGIAN, DEFINITION, LOSS, TEMPERED, ERROR_FLOOR, RATE_FLOOR, CEILING, *ATTAINED, SLOPE,
               BUDGET_OF_BETA, ENVELOPE, *SLOPES, *STATIONARY, *SECANT)
