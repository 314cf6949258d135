"""The variational posterior of the Laplace family for one Gaussian latent and two readings of it."""

from __future__ import annotations

from dgm.calculus.identities.vocabulary import HALF, Z
from dgm.calculus.language.derivation import Derivation
from dgm.calculus.language.expression import (
    Constant,
    Density,
    Derivative,
    Divergence,
    Entropy,
    Expectation,
    Expr,
    Laplace,
    Mean,
    Named,
    Normal,
    Symbol,
    absolute,
    as_expr,
    log,
    sqrt,
)

z, mu, m = Symbol("z"), Symbol(r"\mu"), Symbol("m")
b, lam = Symbol("b", positive=True), Symbol(r"\lambda", positive=True)
x_1, x_2 = Symbol("x_1"), Symbol("x_2")
sigma_1, sigma_2 = Symbol(r"\sigma_1", positive=True), Symbol(r"\sigma_2", positive=True)
pi, e = Constant(r"\pi"), Constant("e")
ZERO = as_expr(0)

PRECISION = 1 + 1 / sigma_1**2 + 1 / sigma_2**2
PULL = x_1 / sigma_1**2 + x_2 / sigma_2**2
LAMBDA = Named(PRECISION, r"\lambda")
CENTRE = 1 / LAMBDA * PULL


JOINT_DENSITY = Named(Normal(z, ZERO, as_expr(1)) * Normal(x_1, z, sigma_1) * Normal(x_2, z, sigma_2), "p(z,x_1,x_2)")
_c1 = Named(-HALF * log(2 * pi) - HALF * log(2 * pi * sigma_1**2) - HALF * log(2 * pi * sigma_2**2), "c_1")
_c2 = Named(_c1 - x_1**2 / (2 * sigma_1**2) - x_2**2 / (2 * sigma_2**2), "c_2")

JOINT = (
    Derivation("eq-laplace-joint", log(JOINT_DENSITY))
    .equals(-(z**2) / 2 - (x_1 - z) ** 2 / (2 * sigma_1**2) - (x_2 - z) ** 2 / (2 * sigma_2**2) + _c1,
            "لگاریتم ضرب سه چگالی گاوسی")
    .equals(-HALF * PRECISION * z**2 + PULL * z + _c2, "گردآوری توان‌های $z$")
)

# the posterior is the joint up to a factor without z: equal slopes of the logarithms make two densities equal
MEAN = Named(CENTRE, "m")
POSTERIOR = Derivation("eq-laplace-posterior", Derivative(log(JOINT_DENSITY), z)).equals(
    Derivative(log(Normal(z, MEAN, 1 / sqrt(LAMBDA))), z),
    "مشتق لگاریتم توأم نسبت به $z$ همان مشتق لگاریتم $\\mathcal{N}(m,1/\\lambda)$ است")
POSTERIOR_PARAMETERS = (Derivation("eq-laplace-posterior", LAMBDA).defines(),
                        Derivation("eq-laplace-posterior", MEAN).defines())

_x = ("x",)
_q = Density("q", Z)
EVIDENCE = Derivation("eq-laplace-evidence", log(Density("p", _x))).equals(
    Named(Expectation(_q, log(Density("p", ("x", "z")))) + Entropy(_q), r"\mathrm{ELBO}(q)", brace=True)
    + Divergence(_q, Density("p", Z, _x)),
    "قاعدهٔ بیز و افزودن و کاستن $\\log q$")

Q = Laplace(z, mu, b)
LOG_Q = log(Named(Q, "q(z)"))
LOG_P = log(Named(Normal(z, m, 1 / sqrt(lam)), r"p(z\mid x_1,x_2)"))

MOMENTS = (
    Derivation("eq-laplace-moments", Mean(Q, absolute(z - mu))).equals(b, "گشتاور مطلق مرکزی"),
    Derivation("eq-laplace-moments", Mean(Q, z)).equals(mu, "میانگین"),
    Derivation("eq-laplace-moments", Mean(Q, (z - mu) ** 2)).equals(2 * b**2, "واریانس"),
)

ENTROPY = (
    Derivation("eq-laplace-entropy", Mean(Q, LOG_Q))
    .equals(-log(2 * b) - 1 / b * Mean(Q, absolute(z - mu)), "خطی بودن امید", together=True)
    .equals(-log(2 * b) - 1, "گشتاور مطلق مرکزی", together=True)
)

CROSS = Derivation("eq-laplace-cross", Mean(Q, LOG_P)).equals(
    -HALF * log(2 * pi / lam) - lam / 2 * ((mu - m) ** 2 + 2 * b**2), "گشتاور دوم پیرامون $m$")


def closed_divergence(location: Expr, scale: Expr) -> Expr:
    """``KL(Laplace(location, scale) || N(m, 1/lambda))`` in closed form, nats."""
    return (-1 - log(2 * scale) + HALF * log(2 * pi / lam) + lam / 2 * (location - m) ** 2 + lam * scale**2)


J = Named(closed_divergence(mu, b), "J")

DIVERGENCE = (
    Derivation("eq-laplace-kl", Named(Mean(Q, LOG_Q - LOG_P), r"J(\mu,b)"))
    .defines(together=True)
    .equals(closed_divergence(mu, b), "انتگرال‌گیری نمادین زیر چگالی لاپلاس")
)

SLOPES = (
    Derivation("eq-laplace-stationary", Derivative(J, mu)).equals(lam * (mu - m), "مشتق نسبت به $\\mu$"),
    Derivation("eq-laplace-stationary", Derivative(J, b)).equals(-(1 / b) + 2 * lam * b, "مشتق نسبت به $b$"),
)

HESSIAN = tuple(
    Derivation("eq-laplace-hessian", Derivative(Derivative(J, first), second)).equals(value, f"درایهٔ {name}")
    for first, second, value, name in (
        (mu, mu, lam, "نخست قطر"), (b, b, 1 / b**2 + 2 * lam, "دوم قطر"), (mu, b, ZERO, "بیرون قطر")))

MINIMUM = (
    Derivation("eq-laplace-minimum", Named(closed_divergence(m, 1 / sqrt(2 * lam)), r"J(\mu^\star,b^\star)"))
    .equals(-1 - HALF * log(2 / lam) + HALF * log(2 * pi / lam) + HALF, "جانشانی نقطهٔ بهینه", together=True)
    .equals(HALF * log(pi / e), "ساده کردن", together=True)
)

OPTIMUM = ((mu, m), (b, 1 / sqrt(2 * lam)))
OPTIMUM_NAMES = (Derivation("eq-laplace-optimum", Named(m, r"\mu^\star")).defines(),
                 Derivation("eq-laplace-optimum", Named(1 / sqrt(2 * lam), r"b^\star")).defines())
BEST = Derivation("eq-laplace-optimum", Named(closed_divergence(mu, b), r"J(\mu,b)")).at_least(
    Named(closed_divergence(m, 1 / sqrt(2 * lam)), r"J(\mu^\star,b^\star)"), "کمینهٔ سراسری، برای هر $\\mu$ و هر $b>0$",
    HALF * (2 * lam * b**2 - 1 - log(2 * lam * b**2)) + HALF * lam * (mu - m) ** 2)
CURVATURES = tuple(entry.links[0].side for entry in HESSIAN[:2])

DERIVATIONS = (JOINT, POSTERIOR, EVIDENCE, *MOMENTS, ENTROPY, CROSS, DIVERGENCE, *SLOPES, BEST, *HESSIAN, MINIMUM)
