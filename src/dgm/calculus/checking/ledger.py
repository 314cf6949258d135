"""The record of what was checked: for each step of each displayed equation, how, and on what evidence."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

from dgm.calculus.checking.certificate import Certificate
from dgm.calculus.checking.checker import InvalidCertificateError, replay
from dgm.calculus.language.encoding import digest
from dgm.digits import persian_digits
from dgm.errors import CalculusError

How = Literal["defined", "proved", "tested", "stated"]
FEWEST_CASES = 100  # a claim that was tried on fewer cases is not called tested
LARGEST_TOLERANCE = 1e-6  # relative to the larger of the two values compared

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Trial:
    """Cases in which a claim held: how many different ones, and the worst difference; ``exact`` compares exactly."""

    cases: int
    residual: float = 0.0
    exact: bool = False

    def __post_init__(self) -> None:
        if self.cases < FEWEST_CASES:
            raise CalculusError(f"tried on {self.cases} different cases; at least {FEWEST_CASES} are needed")


@dataclass(frozen=True)
class Step:
    """One claim that an equation makes; ``label`` names the displayed equation.

    ``how`` is ``proved`` (``certificate`` is a proof, which is replayed here), ``tested`` (``trial`` holds the cases),
    ``defined`` (a name for an expression) or ``stated`` (an assumption, a cited theorem: ``claim`` says which).
    ``conditions`` are the hypotheses of the proof, in Persian; ``about`` is the digest of a relation that is stated.

    Raises:
        CalculusError: a proved step without a certificate that holds, or a tested one without cases.
    """

    label: str
    claim: str
    how: How
    certificate: Certificate | None = None
    trial: Trial | None = None
    conditions: tuple[str, ...] = ()
    about: str = ""

    def __post_init__(self) -> None:
        if (self.how == "proved") != (self.certificate is not None):
            raise CalculusError(
                f"{self.label}: step '{self.claim}' is {self.how}: a certificate goes with proved, and only with it"
            )
        if (self.how == "tested") != (self.trial is not None):
            raise CalculusError(
                f"{self.label}: step '{self.claim}' is {self.how}: cases go with tested, and only with it"
            )
        if self.certificate is not None:
            if not isinstance(self.certificate, Certificate):
                raise CalculusError(f"{self.label}: step '{self.claim}': {self.certificate!r} is no certificate")
            try:
                replay(self.certificate.text)
            except InvalidCertificateError as invalid:
                raise CalculusError(
                    f"{self.label}: step '{self.claim}': its certificate proves nothing: {invalid}"
                ) from None

    @property
    def statement(self) -> str:
        """A digest of the relation that the step proves or states; empty for one in words."""
        if self.certificate is None:
            return self.about
        record = self.certificate.record
        return digest(record["left"], record["relation"], record["right"])


def compare(label: str, claim: str, left: Sequence[Hashable], right: Sequence[Hashable]) -> Step:
    """Test ``left = right`` on exact values (integers, fractions, :class:`dgm.calculus.closed_forms.finite.LogSum`).

    Raises:
        CalculusError: sequences of two lengths, fewer than ``FEWEST_CASES`` different cases, or one in
            which they differ.
    """
    _require_pairs(label, claim, left, right)
    unequal = [k for k, (a, b) in enumerate(zip(left, right, strict=True)) if a != b]
    if unequal:
        raise CalculusError(
            f"{label}: step '{claim}' fails in {len(unequal)} of {len(left)} exact cases, first in "
            f"case {unequal[0]}: {left[unequal[0]]} is not {right[unequal[0]]}"
        )
    return _tested(label, claim, len(set(zip(left, right, strict=True))), 0.0, exact=True)


def measure(label: str, claim: str, left: Sequence[float], right: Sequence[float], tolerance: float) -> Step:
    """Test ``left = right`` case by case, within a ``tolerance`` relative to the larger of the two.

    Raises:
        CalculusError: sequences of two lengths, fewer than ``FEWEST_CASES`` different cases, a tolerance that is no
            number in [0, ``LARGEST_TOLERANCE``], or a case outside it (a NaN or an infinity is one).
    """
    _require_pairs(label, claim, left, right)
    if not 0 <= tolerance <= LARGEST_TOLERANCE:
        raise CalculusError(f"{label}: step '{claim}': a tolerance of {tolerance:g}; valid: 0 to {LARGEST_TOLERANCE:g}")
    residuals = [_relative_difference(float(a), float(b)) for a, b in zip(left, right, strict=True)]
    bad = next((k for k, r in enumerate(residuals) if not r <= tolerance), None)
    if bad is not None:
        raise CalculusError(
            f"{label}: step '{claim}' fails its test in case {bad}: {left[bad]!r} against {right[bad]!r}, "
            f"tolerance {tolerance:g}"
        )
    return _tested(label, claim, len(set(zip(left, right, strict=True))), max(residuals), exact=False)


def _relative_difference(a: float, b: float) -> float:
    if not (math.isfinite(a) and math.isfinite(b)):
        return math.inf
    return 0.0 if a == b else abs(a - b) / max(abs(a), abs(b))


def survey(label: str, claim: str, cases: int, counterexamples: Sequence[object]) -> Step:
    """Record an exhaustive search for counterexamples among ``cases`` different cases, which found none.

    Raises:
        CalculusError: there is a counterexample, or there were fewer than ``FEWEST_CASES`` cases.
    """
    if counterexamples:
        raise CalculusError(f"{label}: step '{claim}' is false: {counterexamples[0]}")
    return _tested(label, claim, cases, 0.0, exact=True)


def state(label: str, claim: str) -> Step:
    """Mark what is not checked: a definition in words, an assumption, a cited theorem; ``claim`` says which and why."""
    return Step(label, claim, "stated")


def _require_pairs(label: str, claim: str, left: Sequence[object], right: Sequence[object]) -> None:
    if len(left) != len(right):
        raise CalculusError(f"{label}: step '{claim}' compares {len(left)} values with {len(right)}")


def _tested(label: str, claim: str, cases: int, residual: float, *, exact: bool) -> Step:
    try:
        return Step(label, claim, "tested", trial=Trial(cases, residual, exact))
    except CalculusError as error:
        raise CalculusError(f"{label}: step '{claim}' was {error}") from None


def entries(steps: Sequence[Step]) -> list[dict[str, str]]:
    r"""The steps as plain records for a report's ledger: label, claim, how, evidence (Persian), proved statement.

    >>> entries([measure("eq-a", "الف", range(120), range(120), 0)])[0]["evidence"]
    '۱۲۰ مورد، اختلاف نسبی صفر'
    """
    return [
        {"label": s.label, "claim": s.claim, "how": s.how, "evidence": _evidence(s), "statement": s.statement}
        for s in steps
    ]


def _evidence(step: Step) -> str:
    if step.certificate is not None:
        length = persian_digits(len(step.certificate.record["steps"]))
        return "؛ ".join([f"گواهی {length} گامی", *step.conditions])
    if step.trial is None:
        return "—"
    tried = f"{persian_digits(f'{step.trial.cases:,}')} مورد"
    return f"{tried}، دقیق" if step.trial.exact else f"{tried}، اختلاف نسبی {_scientific(step.trial.residual)}"


def _scientific(value: float) -> str:
    if value == 0:
        return "صفر"
    digits, power = f"{value:.1e}".split("e")
    return f"{persian_digits(digits)}×۱۰{str(int(power)).translate(_SUPERSCRIPTS)}"
