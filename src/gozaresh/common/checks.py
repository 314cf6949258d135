"""One checked step of an equation, as chapters record it and the engine reads it back."""

from __future__ import annotations

from dataclasses import dataclass

MIME = "application/vnd.gozaresh.ledger+json"
SHOWN = "application/vnd.gozaresh.relations+json"  # the relations that a displayed equation shows
WAYS = ("defined", "proved", "tested", "stated")  # from the strongest to the weakest; a definition has nothing to prove
PERSIAN = {"defined": "تعریف", "proved": "اثبات‌شده", "tested": "آزموده", "stated": "بیان‌شده"}
SIGNS = {"proved": "✓", "tested": "≈", "stated": "○"}
# the same in running text: as maths, since a sign of another font upsets the order of a Persian line
MATHS = {"defined": "$:=$", "proved": r"$\checkmark$", "tested": r"$\approx$", "stated": r"$\circ$"}


@dataclass(frozen=True)
class Check:
    """One step of the equation ``label``: what it claims, how that was checked, and on what evidence.

    ``statement`` is a digest of the relation that the step is about, by which a displayed relation finds it; empty
    where the chapter gives none.
    """

    label: str
    claim: str
    how: str
    evidence: str
    statement: str = ""
