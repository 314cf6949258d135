"""Every rule of the kernel and of the checker on thousands of random terms, deeper than those of the ordinary tests."""

from __future__ import annotations

import pytest

from tests.dgm.calculus.terms import differ, well_formed
from tests.dgm.calculus.test_rules import checker_faults, checker_sign, kernel_faults, kernel_sign, sign_faults

TERMS = 300


@pytest.mark.parametrize("seed", range(10, 20))
def test_no_rule_changes_a_value_and_no_sign_is_wrong(seed: int) -> None:
    terms = well_formed(seed, TERMS, depth=4)
    assert not list(kernel_faults(terms))
    assert not list(checker_faults(terms))
    assert not list(sign_faults(terms, kernel_sign))
    assert not list(sign_faults(terms, checker_sign))
    assert not [found for e in terms if "well-formed" in (found := differ(e, e))]
