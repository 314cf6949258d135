"""The densities of a latent-variable model and its encoder, as the report writes them."""

from __future__ import annotations

from fractions import Fraction

from dgm.calculus.language.expression import Density, Divergence, Expectation, Named, Number, log

X, Z, Z_J, X_Z = ("x",), ("z",), ("z_j",), ("x", "z")
HALF = Number(Fraction(1, 2))

# the model: p(x, z) = p(z) p(x|z)
MODEL = Density("p", X_Z, symbol=r"p_\theta")
EVIDENCE = Density("p", X, symbol=r"p_\theta")
LIKELIHOOD = Density("p", X, Z, symbol=r"p_\theta")
POSTERIOR = Density("p", Z, X, symbol=r"p_\theta")
PRIOR = Density("p", Z)
PRIOR_J = Density("p", Z_J)

# the encoder's side: q(x, z) = p_D(x) q(z|x)
ENCODER = Density("q", Z, X, symbol=r"q_\phi")
DATA = Density("q", X, symbol=r"p_{\mathcal{D}}")
JOINT = Density("q", X_Z)
DECODING = Density("q", X, Z)
AGGREGATE = Density("q", Z)
MARGINAL_J = Density("q", Z_J)
MARGINALS = Density("q", Z, bar=True)

RECONSTRUCTION = Expectation(ENCODER, log(LIKELIHOOD))
RATE = Divergence(ENCODER, PRIOR)
BOUND = RECONSTRUCTION - RATE
ELBO = Named(BOUND, r"\mathcal{L}(\theta,\phi;x)")
GAP = Divergence(ENCODER, POSTERIOR)
