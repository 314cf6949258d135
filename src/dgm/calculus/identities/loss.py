"""The terms of the VAE's loss as the training computes them."""

from __future__ import annotations

from dataclasses import replace

from dgm.calculus.identities.elbo import GAUSS_COORDINATES, GAUSS_SUM
from dgm.calculus.identities.gradient import TRICK
from dgm.calculus.identities.vocabulary import HALF
from dgm.calculus.language.derivation import Derivation
from dgm.calculus.language.expression import Constant, Normal, SumOver, Symbol, log

x, x_hat = Symbol("x_j"), Symbol(r"\hat{x}_j")
s, v, error = Symbol("s", positive=True), Symbol("v", positive=True), Symbol(r"\bar{e}", positive=True)
pi = Constant(r"\pi")

SAMPLE = tuple(replace(step, label="eq-vae-sample") for step in TRICK)
KL = tuple(replace(part, label="eq-vae-kl") for part in (GAUSS_COORDINATES, GAUSS_SUM))
PIXELS = Derivation("eq-vae-nll", SumOver(-log(Normal(x, x_hat, s)))).equals(
    SumOver(HALF * log(2 * pi * s**2) + (x - x_hat) ** 2 / (2 * s**2)), "جمع روی عددهای تصویر، که به شرط $z$ مستقل‌اند")

# by the variance v, for a mean squared error, up to a factor
BY_VARIANCE = HALF * log(2 * pi * v) + error / (2 * v)
BEST_VARIANCE = ((v, error),)

# along one direction, of a law with mean a and variance e, to a Gaussian prior with mean m and variance v
prior_mean, own_mean = Symbol("m"), Symbol("a")
CROSS_ENTROPY = HALF * log(2 * pi * v) + (error + (own_mean - prior_mean) ** 2) / (2 * v)
BEST_PRIOR = ((prior_mean, own_mean), (v, error))

DERIVATIONS = (*SAMPLE, *KL, PIXELS)
