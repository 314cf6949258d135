r"""The averaged divergence and its parts, and the objective of FactorVAE (Kim & Mnih 2018)."""

from __future__ import annotations

from dgm.calculus.identities.vocabulary import (
    AGGREGATE,
    BOUND,
    DATA,
    DECODING,
    ENCODER,
    JOINT,
    LIKELIHOOD,
    MARGINAL_J,
    MARGINALS,
    PRIOR,
    PRIOR_J,
    RATE,
    RECONSTRUCTION,
)
from dgm.calculus.language.derivation import Assumptions, Derivation
from dgm.calculus.language.expression import (
    Divergence,
    Entropy,
    Expectation,
    MutualInformation,
    Named,
    SumOver,
    Symbol,
    TotalCorrelation,
    log,
)

FACTORISED = Assumptions(factorised=("p",))
gamma = Symbol(r"\gamma", positive=True)
AVERAGED = Expectation(DATA, RATE)
INFORMATION = MutualInformation("q", "x", "z")
TC = TotalCorrelation("q")
COORDINATES = SumOver(Divergence(MARGINAL_J, PRIOR_J))

THEOREM = Derivation("eq-tc-theorem", AVERAGED).equals(
    INFORMATION + Divergence(AGGREGATE, PRIOR), "قضیه")

PROOF = (
    Derivation("eq-tc-proof", AVERAGED)
    .equals(Expectation(JOINT, log(ENCODER / PRIOR)), "تعریف KL و امید تکراری", together=True)
    .equals(Expectation(JOINT, log(ENCODER / AGGREGATE)) + Expectation(JOINT, log(AGGREGATE / PRIOR)),
            "ضرب و تقسیم بر $q(z)$")
    .equals(Expectation(JOINT, log(JOINT / (DATA * AGGREGATE))) + Expectation(AGGREGATE, log(AGGREGATE / PRIOR)),
            "ضرب صورت و مخرج در $p_{\\mathcal{D}}(x)$ و حاشیه‌گیری از $x$")
    .equals(INFORMATION + Divergence(AGGREGATE, PRIOR), "تعریف اطلاعات متقابل و KL")
)

PARTS = (
    Derivation("eq-tc-parts", Divergence(AGGREGATE, PRIOR), assuming=FACTORISED)
    .equals(Expectation(AGGREGATE, log(AGGREGATE / MARGINALS))
            + Expectation(AGGREGATE, SumOver(log(MARGINAL_J / PRIOR_J))), "ضرب و تقسیم بر $\\bar q(z)$")
    .equals(Named(Divergence(AGGREGATE, MARGINALS), r"\mathrm{TC}(z)", brace=True) + COORDINATES,
            "حاشیه‌گیری از بُعدهای دیگر")
)

CEILING = (
    Derivation("eq-tc-ceiling", Expectation(JOINT, log(LIKELIHOOD)))
    .equals(Expectation(JOINT, log(DECODING)) - Expectation(AGGREGATE, Divergence(DECODING, LIKELIHOOD)),
            "افزودن و کاستن $\\log q(x\\mid z)$")
    .at_most(INFORMATION - Entropy(DATA), "نامنفی بودن KL و تعریف اطلاعات متقابل",
             Expectation(AGGREGATE, Divergence(DECODING, LIKELIHOOD)))
)

OBJECTIVE = (
    Derivation("eq-tc-objective", Expectation(DATA, BOUND) - gamma * Divergence(AGGREGATE, MARGINALS),
               assuming=FACTORISED)
    .equals(Expectation(DATA, RECONSTRUCTION) - INFORMATION - (1 + gamma) * TC - COORDINATES,
            "جانشانی قضیه و تجزیهٔ واگرایی تجمیعی")
)

DERIVATIONS = (THEOREM, PROOF, PARTS, CEILING, OBJECTIVE)
