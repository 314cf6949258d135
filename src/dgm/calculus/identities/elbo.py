"""The evidence lower bound: by Jensen, by the exact identity, and what minimising divergences does."""

from __future__ import annotations

from dgm.calculus.identities.vocabulary import (
    BOUND,
    DATA,
    ELBO,
    ENCODER,
    EVIDENCE,
    GAP,
    HALF,
    JOINT,
    MODEL,
    POSTERIOR,
    PRIOR,
    PRIOR_J,
    RATE,
    RECONSTRUCTION,
    Z_J,
    X,
)
from dgm.calculus.language.derivation import Assumptions, Derivation
from dgm.calculus.language.expression import (
    Density,
    Divergence,
    Entropy,
    Expectation,
    Integral,
    Mean,
    Named,
    Normal,
    SumOver,
    Symbol,
    as_expr,
    log,
)

JENSEN = (
    Derivation("eq-elbo-jensen", log(EVIDENCE))
    .equals(log(Integral("z", ENCODER * (MODEL / ENCODER))), "ضرب و تقسیم بر $q_\\phi$ و حاشیه‌گیری از $z$")
    .at_least(Integral("z", ENCODER * log(MODEL / ENCODER)), "نابرابری ینسن؛ کاستی آن واگرایی تا پسین است", GAP)
    .equals(RECONSTRUCTION + Expectation(ENCODER, log(PRIOR / ENCODER)), "شکستن لگاریتم ضرب")
    .equals(Named(BOUND, r"\mathcal{L}(\theta,\phi;x)=\mathrm{ELBO}", brace=True), "تعریف واگرایی KL")
)

IDENTITY = (
    Derivation("eq-elbo-identity", log(EVIDENCE))
    .equals(Expectation(ENCODER, log(MODEL / POSTERIOR)), "قاعدهٔ بیز زیر امید $q_\\phi$")
    .equals(Expectation(ENCODER, log(MODEL / ENCODER) + log(ENCODER / POSTERIOR)), "ضرب و تقسیم بر $q_\\phi$")
    .equals(ELBO + GAP, "تعریف حد پایین و واگرایی KL")
)

BY_ENCODER = Derivation("eq-elbo-phi", ELBO).equals(log(EVIDENCE) - GAP, "بازآرایی اتحاد دقیق")

_NEXT = r"p_{\theta'}"  # the model after the step
_next_bound = Named(
    Expectation(ENCODER, log(Density("r", X, ("z",), symbol=_NEXT))) - Divergence(ENCODER, Density("r", ("z",))),
    r"\mathcal{L}(\theta',\phi;x)")

ASCENT = (
    Derivation("eq-elbo-ascent", log(Density("r", X, symbol=_NEXT)))
    .at_least(_next_bound, "حد پایین برای $\\theta'$", Divergence(ENCODER, Density("r", ("z",), X, symbol=_NEXT)),
              together=True)
    .at_least(ELBO, "گام $\\theta$", stated="فرض: گام حد را پایین نمی‌آورد", together=True)
    .equals(log(EVIDENCE), "صفر بودن واگرایی پس از گام $\\phi$", given=(GAP,), together=True)
)

JOINT_DIVERGENCE = (
    Derivation("eq-elbo-joint", -Expectation(DATA, ELBO))
    .equals(Entropy(DATA) + Divergence(JOINT, MODEL), "افزودن و کاستن $\\log p_{\\mathcal{D}}(x)$")
    .equals(Entropy(DATA) + Divergence(DATA, EVIDENCE) + Expectation(DATA, GAP), "قاعدهٔ زنجیره‌ای واگرایی KL")
)

z, mu, mu_0 = Symbol("z"), Symbol(r"\mu"), Symbol(r"\mu_0")
sigma, sigma_0 = Symbol(r"\sigma", positive=True), Symbol(r"\sigma_0", positive=True)
_LAW = Normal(z, mu, sigma)


_PRIOR_LAW = Normal(z, as_expr(0), as_expr(1))

GAUSS = (
    Derivation("eq-elbo-gauss", Divergence(_LAW, _PRIOR_LAW))
    .equals(Mean(_LAW, -log(sigma) - (z - mu) ** 2 / (2 * sigma**2) + z**2 / 2), "تفاضل لگاریتم دو چگالی")
    .equals(HALF * (mu**2 + sigma**2 - 1 - log(sigma**2)), "انتگرال زیر $q$")
)

GAUSS_COORDINATES = Derivation(
    "eq-elbo-gauss-d", RATE, assuming=Assumptions(factorised=("p",), encoders=("q",)),
).equals(SumOver(Divergence(Density("q", Z_J, X, symbol=r"q_\phi"), PRIOR_J)),
         "مستقل بودن بُعدها در $q_\\phi$ و در پیشین")

mu_j, sigma_j = Symbol(r"\mu_j"), Symbol(r"\sigma_j", positive=True)
z_j = Symbol("z_j")
GAUSS_SUM = Derivation(
    "eq-elbo-gauss-d", SumOver(Divergence(Normal(z_j, mu_j, sigma_j), Normal(z_j, as_expr(0), as_expr(1)))),
).equals(HALF * SumOver(mu_j**2 + sigma_j**2 - 1 - log(sigma_j**2)), "فرم بستهٔ هر بُعد")

GAUSS_ANY_PRIOR = Derivation("eq-elbo-gauss", Divergence(_LAW, Normal(z, mu_0, sigma_0))).equals(
    log(sigma_0 / sigma) + (sigma**2 + (mu - mu_0) ** 2) / (2 * sigma_0**2) - HALF,
    "همان برای پیشین $\\mathcal{N}(\\mu_0,\\sigma_0^2)$")

DERIVATIONS = (JENSEN, IDENTITY, BY_ENCODER, ASCENT, JOINT_DIVERGENCE, GAUSS, GAUSS_ANY_PRIOR,
               GAUSS_COORDINATES, GAUSS_SUM)
