"""The mathematics of the report: proofs of its displayed steps, and closed forms.

All logarithms are natural, so every divergence is in nats.

* ``language`` -- ``expression``, in which the report's equations are written; ``notation`` and ``reading``, their LaTeX
  and back; ``derivation``, chains of relations
* ``checking`` -- ``kernel`` (rules), ``judgements`` (domain and sign) and ``arithmetic`` judge proofs, which ``search``
  finds; ``checker`` replays their certificates by rules of its own; ``store`` keeps them; ``counterexamples`` refutes;
  ``verification`` is called by the chapters, and ``ledger`` records how each step was checked
* ``closed_forms`` -- divergences, posteriors, estimators and exact tables as numbers
* ``identities`` -- the derivations that the report displays, one module a subject
"""
