r"""The two gradients of an expectation: through the path and through the score.

The test function is :math:`f(z)=e^{sz}` with an arbitrary s, in one dimension: what holds for it holds, by
differentiating in s at 0, for every polynomial.
"""

from __future__ import annotations

from dgm.calculus.identities.vocabulary import HALF
from dgm.calculus.language.derivation import Derivation
from dgm.calculus.language.expression import Derivative, Expr, Mean, Named, Normal, Symbol, as_expr, exp

z, eps, mu, k = Symbol("z"), Symbol(r"\epsilon"), Symbol(r"\mu"), Symbol("k")
s, sigma = Symbol("s", unit=True), Symbol(r"\sigma", positive=True)
NOISE = Normal(eps, as_expr(0), as_expr(1))
LAW = Normal(z, mu, sigma)
PATH = mu + sigma * eps
f_of_z, f_of_path = exp(s * z), exp(s * (mu + sigma * eps))

TRICK = (
    Derivation("eq-reparam-trick", Mean(NOISE, PATH, r"\epsilon")).equals(mu, "میانگین $z$"),
    Derivation("eq-reparam-trick", Mean(NOISE, (PATH - mu) ** 2, r"\epsilon")).equals(sigma**2, "واریانس $z$"),
    Derivation("eq-reparam-trick", Mean(NOISE, f_of_path, r"\epsilon")).equals(
        Mean(LAW, f_of_z), "برابری تابع‌های مولد گشتاور، پس برابری توزیع‌ها"),
)

_score = {mu: (z - mu) / sigma**2, sigma: ((z - mu) ** 2 / sigma**2 - 1) / sigma}
PROBLEM = tuple(
    Derivation("eq-reparam-problem", Derivative(Mean(LAW, f_of_z), by)).equals(
        Mean(LAW, f_of_z * score), f"$\\int f\\,\\nabla q\\,dz$ نسبت به ${by.name}$ برای $f(z)=e^{{sz}}$")
    for by, score in _score.items())
NOT_ZERO = s * exp(s * mu + HALF * s**2 * sigma**2)
SIZE = Derivation("eq-reparam-problem", Derivative(Mean(LAW, f_of_z), mu)).equals(
    NOT_ZERO, "مقدار گرادیان نسبت به $\\mu$")

GRADIENT = tuple(
    Derivation("eq-reparam-gradient", Derivative(Mean(LAW, f_of_z), by)).equals(
        Mean(NOISE, Derivative(f_of_path, by), r"\epsilon"), f"امید مسیر نسبت به ${by.name}$ برای $f(z)=e^{{sz}}$")
    for by in (mu, sigma))

SCORE = tuple(
    Derivation("eq-reparam-score", Derivative(Mean(LAW, f_of_z), by)).equals(
        Mean(LAW, (f_of_z - k) * score), f"امید امتیاز نسبت به ${by.name}$ با هر $k$ برای $f(z)=e^{{sz}}$")
    for by, score in _score.items())

mu_j, sigma_j, eps_j = Symbol(r"\mu_j"), Symbol(r"\sigma_j", positive=True), Symbol(r"\epsilon_j")
log_variance = Symbol(r"\ell_j")  # the logarithm of the variance, which the network gives
Z_J = Named(mu_j + sigma_j * eps_j, "z_j")
_sigma_of = Named(exp(HALF * log_variance), r"\sigma_j")
JACOBIAN = (
    Derivation("eq-reparam-jacobian", Derivative(Z_J, mu_j)).equals(1, "مشتق نسبت به $\\mu_j$"),
    Derivation("eq-reparam-jacobian", Derivative(Z_J, sigma_j)).equals(eps_j, "مشتق نسبت به $\\sigma_j$"),
    Derivation("eq-reparam-jacobian", Derivative(Named(mu_j + _sigma_of * eps_j, "z_j"), log_variance)).equals(
        HALF * _sigma_of * eps_j, "مشتق نسبت به $\\ell_j$"),
)

delta = Symbol(r"\delta")
PATH_VARIANCE = Derivation(
    "eq-reparam-variance", Mean(NOISE, (2 * (delta + sigma * eps)) ** 2, r"\epsilon") - (2 * delta) ** 2,
).equals(4 * sigma**2, "واریانس برآوردگر مسیر")

# by the moments of the chi-square law with d degrees of freedom; the mean of (sum eps)^2 eps_1^2 is d + 2
d, A = Symbol("d", positive=True), Symbol("A")
_SECOND, _THIRD = d * (d + 2), d * (d + 2) * (d + 4)


def _score_variance(offset: Expr) -> Expr:
    square = offset**2 + 2 * offset * sigma**2 * _SECOND / d + sigma**4 * _THIRD / d + 4 * delta**2 * sigma**2 * (d + 2)
    return square / sigma**2 - 4 * delta**2


SCORE_VARIANCE = (
    Derivation("eq-reparam-variance", _score_variance(A)).equals(
        A**2 / sigma**2 + 2 * A * (d + 2) + sigma**2 * (d + 2) * (d + 4) + 4 * delta**2 * (d + 1),
        "امتیاز با هر $k$ و $\\delta$، در هر بُعد $d$"),
    Derivation("eq-reparam-variance", _score_variance(-d * sigma**2)).equals(
        sigma**2 * (2 * d + 8) + 4 * delta**2 * (d + 1), "امتیاز با خط مبنای $\\mathbb{E}_q[f]$، در هر بُعد $d$"),
)

DERIVATIONS = (*PROBLEM, SIZE, *TRICK, *GRADIENT, *JACOBIAN, *SCORE, PATH_VARIANCE, *SCORE_VARIANCE)
