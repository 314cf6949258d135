r"""The optimal discriminator and the total correlation that it gives (Sugiyama et al. 2012; Kim & Mnih 2018)."""

from __future__ import annotations

from dgm.calculus.identities.vocabulary import AGGREGATE, MARGINALS
from dgm.calculus.language.derivation import Derivation
from dgm.calculus.language.expression import (
    Derivative,
    Expectation,
    Integral,
    Named,
    Symbol,
    TotalCorrelation,
    Unknown,
    log,
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
LOG_RATIO = Derivation("eq-estimate-optimum", log(_optimum / (1 - _optimum))).equals(
    log(AGGREGATE / MARGINALS), "لاجیت آن در هر $z$، برای چگالی‌ها")
ESTIMATE = (
    Derivation("eq-estimate-tc", TotalCorrelation("q"))
    .equals(Expectation(AGGREGATE, log(AGGREGATE / MARGINALS)), "تعریف همبستگی کل", together=True)
    .equals(Expectation(AGGREGATE, log(_optimum / (1 - _optimum))), "لاجیت متمایزگر بهینه")
)

DERIVATIONS = (OBJECTIVE, SLOPE, STATIONARY, CURVATURE, LOGIT, LOG_RATIO, ESTIMATE)
