"""One checked step of an equation, as chapters record it and the engine reads it back."""

from __future__ import annotations

from dataclasses import dataclass

MIME = "application/vnd.gozaresh.ledger+json"
WAYS = ("proved", "tested", "stated")  # from the strongest to the weakest
PERSIAN = {"proved": "اثبات‌شده", "tested": "آزموده", "stated": "بیان‌شده"}
SIGNS = {"proved": "✓", "tested": "≈", "stated": "○"}
# the same in running text: as maths, since a sign of another font upsets the order of a Persian line
MATHS = {"proved": r"$\checkmark$", "tested": r"$\approx$", "stated": r"$\circ$"}


@dataclass(frozen=True)
class Check:
    """One step of the equation ``label``: what it claims, how that was checked, and on what evidence."""

    label: str
    claim: str
    how: str
    evidence: str
