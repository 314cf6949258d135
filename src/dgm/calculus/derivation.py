"""Steps of a derivation, each with the way in which it was checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import sympy as sp

from dgm.digits import persian_digits
from dgm.errors import CalculusError

How = Literal["proved", "exact", "tested", "stated"]

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Step:
    """One claim of a derivation.

    ``how`` is ``proved`` (SymPy reduced left minus right to zero), ``exact`` (equal without rounding on every
    one of ``cases``), ``tested`` (largest residual over ``cases`` numerical cases) or ``stated`` (the text
    alone carries it).  ``residual`` is 0 for the first two, NaN for a statement.
    """

    claim: str
    how: How
    residual: float
    cases: int


def prove(claim: str, left: sp.Expr, right: sp.Expr) -> Step:
    """Prove ``left = right`` symbolically.

    Raises:
        CalculusError: SymPy does not reduce the difference to zero; the step may be false or merely out of
        its reach.

    >>> t = sp.Symbol("t", positive=True)
    >>> prove("log of a square", sp.log(t**2), 2 * sp.log(t)).how
    'proved'
    >>> prove("wrong", t, 2 * t)
    Traceback (most recent call last):
    dgm.errors.CalculusError: step 'wrong' is not proved: left - right = -t
    """
    difference = sp.simplify(sp.expand_log(sp.expand(sp.simplify(left - right)), force=True))
    if difference != 0:
        raise CalculusError(f"step '{claim}' is not proved: left - right = {difference}")
    return Step(claim, "proved", 0.0, 1)


def compare(claim: str, left: Sequence[object], right: Sequence[object]) -> Step:
    """Compare exact values (integers, fractions, :class:`dgm.calculus.finite.LogSum`) case by case.

    Raises:
        CalculusError: nothing to compare, or a case in which the two differ.

    >>> compare("sum", [1 + 1], [2]).how
    'exact'
    """
    unequal = [k for k, (a, b) in enumerate(zip(left, right, strict=True)) if a != b]
    if unequal or not left:
        raise CalculusError(f"step '{claim}' fails in {len(unequal)} of {len(left)} exact cases")
    return Step(claim, "exact", 0.0, len(left))


def measure(claim: str, left: Sequence[float], right: Sequence[float], tolerance: float) -> Step:
    """Test ``left = right`` case by case, within an absolute ``tolerance``.

    Raises:
        CalculusError: nothing to compare, or a residual above ``tolerance`` (a NaN counts as one).

    >>> measure("pi", [3.14159265], [np.pi], 1e-8).cases
    1
    """
    residuals = np.abs(np.asarray(left, float) - np.asarray(right, float))  # (cases,)
    if residuals.size == 0:
        raise CalculusError(f"step '{claim}' has no case to test it on")
    worst = float(np.max(residuals))
    if not worst <= tolerance:
        raise CalculusError(f"step '{claim}' fails its test: residual {worst:.3g} > {tolerance:.3g}")
    return Step(claim, "tested", worst, int(residuals.size))


def state(claim: str) -> Step:
    """Mark a step that only the text argues for."""
    return Step(claim, "stated", float("nan"), 0)


def ledger(steps: Sequence[Step]) -> list[list[str]]:
    r"""Rows for a report's table: the claim, how it was checked, and the evidence, in Persian.

    >>> ledger([measure("الف", [1.0], [1.0 + 2e-13], 1e-9)])[0][2]
    'بیشترین اختلاف در ۱ مورد: ۲٫۰×۱۰⁻¹³'
    """
    ways = {"proved": "اثبات با SymPy", "exact": "آزمون دقیق", "tested": "آزمون عددی",
            "stated": "استدلال در متن"}
    return [[step.claim, ways[step.how], _evidence(step)] for step in steps]


def _evidence(step: Step) -> str:
    if step.how == "proved":
        return "اختلاف نمادین دو طرف صفر است"
    if step.how == "exact":
        return f"برابری بی‌گردکردن در {persian_digits(step.cases)} مورد"
    if step.how == "stated":
        return "—"
    return f"بیشترین اختلاف در {persian_digits(step.cases)} مورد: {_scientific(step.residual)}"


def _scientific(value: float) -> str:
    if value == 0:
        return "صفر"
    digits, power = f"{value:.1e}".split("e")
    return f"{persian_digits(digits)}×۱۰{str(int(power)).translate(_SUPERSCRIPTS)}"
