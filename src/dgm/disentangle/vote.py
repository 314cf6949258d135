"""The metric of Kim & Mnih 2018 (arXiv 1802.05983, section 4): which dimension varies least while a factor stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dgm.disentangle.truth import Array, Whole
from dgm.errors import DataError


@dataclass(frozen=True)
class Votes:
    """Codes (V, L, D) of V groups, each of L images that have the factor ``fixed`` (V,) in common, and no other."""

    codes: Array
    fixed: Whole

    def __post_init__(self) -> None:
        if self.codes.ndim != 3 or len(self.codes) != len(self.fixed) or len(self.fixed) < 2:
            raise DataError(f"votes of shape {self.codes.shape} for {len(self.fixed)} fixed factors; nearest: "
                            f"({max(len(self.fixed), 2)}, L, D)")


def factor_metric(votes: Votes, deviation: Array, active: Array) -> float:
    """The accuracy of the classifier that names the factor by the dimension of least variance in a group.

    Variances are measured in units of the data's, ``deviation`` (D,) squared, over the dimensions ``active`` (D,) bool
    alone. The classifier is the majority of the first half of the votes; the second half is told. A guess is right
    once in as many times as there are factors.
    """
    if not active.any():
        return _told(np.zeros_like(votes.fixed), votes.fixed)
    least = (votes.codes[:, :, active] / deviation[active]).var(1).argmin(1)  # (V,)
    return _told(least, votes.fixed)


def _told(least: Whole, fixed: Whole) -> float:
    half = len(fixed) // 2
    table = np.zeros((least.max() + 1, fixed.max() + 1))  # how often a dimension was least while a factor stood
    np.add.at(table, (least[:half], fixed[:half]), 1.0)
    return float((table.argmax(1)[least[half:]] == fixed[half:]).mean())
