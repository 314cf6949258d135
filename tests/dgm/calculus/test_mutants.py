"""Errors planted in the report's own derivations: every one must be caught."""

from __future__ import annotations

from collections import Counter
from types import ModuleType

import pytest

from dgm.calculus.checking.arithmetic import RefusalError
from dgm.calculus.checking.search import find
from dgm.calculus.checking.verification import hypotheses_of
from dgm.calculus.identities import beta, density_ratio, elbo, gradient, laplace, loss, total_correlation
from dgm.calculus.language.derivation import Derivation
from dgm.errors import CalculusError
from tests.mutation import mutants

MODULES = (elbo, gradient, laplace, loss, beta, total_correlation, density_ratio)
EVERY = [derivation for module in MODULES for derivation in module.DERIVATIONS]


# changed, and true all the same: nothing is there to catch
STILL_TRUE = {
    ("eq-elbo-identity", "lost condition"): 2,   # the mean of log p(x), which no z enters
    ("eq-reparam-gradient", "sign"): 2,          # the noise is symmetric
    ("eq-reparam-score", "sign"): 4,             # any baseline k will do, -k too
    ("eq-reparam-score", "dropped term"): 2,     # and none
}


def survives(derivation: Derivation) -> bool:
    """True if every step of a chain with an error is proved."""
    try:
        for left, link in zip(derivation.sides, derivation.links, strict=False):
            find(left, link.relation, link.side, hypotheses_of(derivation.assuming, link.given), link.slack)  # type: ignore[arg-type]
    except (RefusalError, CalculusError):
        return False
    return True


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_every_planted_error_is_caught(module: ModuleType) -> None:
    planted = [mutant for derivation in module.DERIVATIONS for mutant in mutants(derivation)]
    survivors = Counter((m.derivation.label, m.kind) for m in planted if survives(m.derivation))
    labels = {derivation.label for derivation in module.DERIVATIONS}
    assert survivors == {key: count for key, count in STILL_TRUE.items() if key[0] in labels}


def test_errors_of_every_kind_are_planted() -> None:
    planted = Counter(mutant.kind for derivation in EVERY for mutant in mutants(derivation))
    assert sum(planted.values()) >= 300
    assert all(planted[kind] >= 5 for kind in ("sign", "swapped divergence", "missing logarithm", "dropped term",
                                               "wrong constant", "lost condition", "dropped factor", "direction"))
