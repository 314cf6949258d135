"""The record of what was checked: for each step of each displayed equation, how, and on what evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import sympy as sp

from dgm.digits import persian_digits
from dgm.errors import CalculusError

How = Literal["proved", "tested", "stated"]
FEWEST_CASES = 100  # a claim that was tried on fewer models is not called tested

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Step:
    """One claim that an equation makes.

    ``how`` is ``proved`` (SymPy reduced the difference of the two sides to zero, or the slack of an inequality
    to a form known to be non-negative), ``tested`` (held on ``cases`` random models, worst ``residual``) or
    ``stated`` (a definition, an assumption, a cited theorem: ``claim`` says which).  A proved step may have been
    tested as well.  ``label`` names the displayed equation.
    """

    label: str
    claim: str
    how: How
    residual: float = 0.0
    cases: int = 0
    exact: bool = False


def is_zero(difference: sp.Expr) -> bool:
    """Whether SymPy reduces an expression to 0; that it does not know is no proof.

    >>> t = sp.Symbol("t", positive=True)
    >>> is_zero(sp.log(t**2) - 2 * sp.log(t))
    True
    """
    if difference == 0 or sp.expand(sp.expand_log(sp.expand(difference), force=True)) == 0:
        return True
    reduced = sp.simplify(sp.expand_log(sp.expand(sp.simplify(difference)), force=True))
    return bool(reduced == 0)


def prove(label: str, claim: str, left: sp.Expr, right: sp.Expr) -> Step:
    """Prove ``left = right`` symbolically.

    Raises:
        CalculusError: SymPy does not reduce the difference to zero; the step may be false or out of its reach.

    >>> t = sp.Symbol("t", positive=True)
    >>> prove("eq-square", "log of a square", sp.log(t**2), 2 * sp.log(t)).how
    'proved'
    >>> prove("eq-wrong", "wrong", t, 2 * t)
    Traceback (most recent call last):
    dgm.errors.CalculusError: eq-wrong: step 'wrong' is not proved: left - right = -t
    """
    if not is_zero(left - right):
        raise CalculusError(f"{label}: step '{claim}' is not proved: left - right = {sp.simplify(left - right)}")
    return Step(label, claim, "proved")


def compare(label: str, claim: str, left: Sequence[object], right: Sequence[object]) -> Step:
    """Test ``left = right`` on exact values (integers, fractions, :class:`dgm.calculus.closed_forms.finite.LogSum`).

    Raises:
        CalculusError: fewer than ``FEWEST_CASES`` cases, or one in which the two differ.
    """
    _check_cases(label, claim, len(left))
    unequal = [k for k, (a, b) in enumerate(zip(left, right, strict=True)) if a != b]
    if unequal:
        raise CalculusError(f"{label}: step '{claim}' fails in {len(unequal)} of {len(left)} exact cases, first in "
                            f"case {unequal[0]}: {left[unequal[0]]} is not {right[unequal[0]]}")
    return Step(label, claim, "tested", 0.0, len(left), exact=True)


def measure(label: str, claim: str, left: Sequence[float], right: Sequence[float], tolerance: float) -> Step:
    """Test ``left = right`` case by case, within an absolute ``tolerance``.

    Raises:
        CalculusError: fewer than ``FEWEST_CASES`` cases, or a residual above ``tolerance`` (a NaN counts as one).
    """
    residuals = np.abs(np.asarray(left, float) - np.asarray(right, float))  # (cases,)
    _check_cases(label, claim, residuals.size)
    bad = np.flatnonzero(~(residuals <= tolerance))
    if bad.size:
        k = int(bad[0])
        raise CalculusError(f"{label}: step '{claim}' fails its test in case {k}: {left[k]!r} against {right[k]!r}, "
                            f"tolerance {tolerance:g}")
    return Step(label, claim, "tested", float(residuals.max()), int(residuals.size))


def state(label: str, claim: str) -> Step:
    """Mark what is not checked: a definition, an assumption, a cited theorem; ``claim`` says which and why."""
    return Step(label, claim, "stated")


def _check_cases(label: str, claim: str, cases: int) -> None:
    if cases < FEWEST_CASES:
        raise CalculusError(f"{label}: step '{claim}' was tried on {cases} cases; at least {FEWEST_CASES} are needed")


def entries(steps: Sequence[Step]) -> list[dict[str, str]]:
    r"""The steps as plain records for a report's ledger: label, claim, how, evidence (Persian).

    >>> entries([Step("eq-a", "الف", "tested", 2e-13, 120)])[0]["evidence"]
    '۱۲۰ مدل، اختلاف ۲٫۰×۱۰⁻¹³'
    """
    return [{"label": s.label, "claim": s.claim, "how": s.how, "evidence": _evidence(s)} for s in steps]


def _evidence(step: Step) -> str:
    tried = f"{persian_digits(step.cases)} مدل"
    if step.how == "stated":
        return "—"
    if step.how == "proved":
        return f"نمادین، و {tried}" if step.cases else "نمادین"
    if step.exact:
        return f"{persian_digits(f'{step.cases:,}')} مورد، دقیق"
    return f"{tried}، اختلاف {_scientific(step.residual)}"


def _scientific(value: float) -> str:
    if value == 0:
        return "صفر"
    digits, power = f"{value:.1e}".split("e")
    return f"{persian_digits(digits)}×۱۰{str(int(power)).translate(_SUPERSCRIPTS)}"
