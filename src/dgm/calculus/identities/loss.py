"""The terms of the VAE's loss as the training computes them."""

from __future__ import annotations

from dataclasses import replace

from dgm.calculus.identities.elbo import GAUSS_SUM
from dgm.calculus.identities.gradient import TRICK
from dgm.calculus.identities.vocabulary import HALF
from dgm.calculus.language.derivation import Derivation
from dgm.calculus.language.expression import Constant, Symbol, exp, log, sqrt

x, x_hat = Symbol("x"), Symbol(r"\hat{x}")
s, v, error = Symbol("s", positive=True), Symbol("v", positive=True), Symbol("e", positive=True)
pi = Constant(r"\pi")

SAMPLE = tuple(replace(step, label="eq-vae-sample") for step in TRICK)
KL = replace(GAUSS_SUM, label="eq-vae-kl")
PIXEL = Derivation("eq-vae-nll", -log(exp(-((x - x_hat) ** 2) / (2 * s**2)) / (s * sqrt(2 * pi)))).equals(
    HALF * log(2 * pi * s**2) + (x - x_hat) ** 2 / (2 * s**2), "یک پیکسل؛ پیکسل‌ها به شرط $z$ مستقل‌اند و جمع می‌شوند")

# by the variance v, for a mean squared error e, up to a factor
BY_VARIANCE = HALF * log(2 * pi * v) + error / (2 * v)
BEST_VARIANCE = ((v, error),)

# along one direction, of a law with mean a and variance e, to a Gaussian prior with mean m and variance v
prior_mean, own_mean = Symbol("m"), Symbol("a")
CROSS_ENTROPY = HALF * log(2 * pi * v) + (error + (own_mean - prior_mean) ** 2) / (2 * v)
BEST_PRIOR = ((prior_mean, own_mean), (v, error))

DERIVATIONS = (*SAMPLE, KL, PIXEL)
