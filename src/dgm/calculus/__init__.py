"""The mathematics of the report: closed forms, and the checks that hold each displayed step to them.

One module a subject; all logarithms are natural, so every divergence is in nats.

* ``expression`` -- densities, expectations, divergences …: the language in which the report's equations are written
* ``notation`` -- their LaTeX; ``reduction`` -- their normal form in SymPy; ``numbers``, ``worlds``,
  ``gaussian_worlds`` -- their values on random models
* ``derivation``, ``verification`` -- chains of steps, and whether each is proved, tested or stated
* ``ledger``, ``proofs`` -- the record of the checks, and those kept from earlier runs
* ``identities`` -- the derivations that the report displays
* ``expectation`` -- symbolic expectations under the two families
* ``quadrature`` -- expectations by adaptive quadrature, the independent witness of closed forms
* ``gaussian``, ``laplace`` -- divergences between densities, and the variational posterior of the Laplace
family
* ``linear`` -- the scalar linear-Gaussian latent-variable model, its evidence and its bound
* ``estimators`` -- the score-function and the pathwise gradient
* ``rate`` -- the rate-distortion curve whose slope is the multiplier beta
* ``finite`` -- exact information quantities of rational tables
* ``density_ratio`` -- samples of q(z) and of its product of marginals, and their divergence by a classifier
"""
