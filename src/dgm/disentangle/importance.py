"""Disentanglement, completeness and informativeness (Eastwood & Williams 2018, section 2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dgm.disentangle import trees
from dgm.disentangle.truth import Array, Truth, require_pairs


@dataclass(frozen=True)
class Importance:
    """How much each code matters for the prediction of each factor, (D, K), every column summing to 1.

    ``informativeness`` is the mean over factors of how well they are predicted from all codes on data not fitted: R²
    of a continuous factor, the share that is right of a class, never below 0.
    """

    table: Array
    informativeness: float

    @property
    def disentanglement(self) -> float:
        """1 minus the entropy of a code's row in units of log K, weighted by what the codes matter in all."""
        mass = self.table.sum(1)
        return float((_concentration(self.table) * mass).sum() / max(float(mass.sum()), 1e-300))

    @property
    def completeness(self) -> float:
        """1 minus the entropy of a factor's column in units of log D, averaged over factors."""
        return float(_concentration(self.table.T).mean())


def importance(codes: Array, truth: Truth, boosting: trees.Boosting | None = None) -> Importance:
    """Fit boosted trees to every factor on the first half of the data, and score them on the second.

    Raises:
        DataError: codes and factors are not of the same data.
    """
    require_pairs(codes, truth)
    half = len(codes) // 2
    columns, scores = [], []
    for factor in range(len(truth.classes)):
        targets = truth.targets(factor)
        fitted = trees.fit(codes[:half], targets[:half], boosting)
        columns.append(fitted.importance)
        scores.append(_score(fitted.predict(codes[half:]), targets[half:]))
    return Importance(np.stack(columns, 1), float(np.mean(scores)))


def _score(predicted: Array, targets: Array) -> float:
    if targets.shape[1] > 1:
        return float((predicted.argmax(1) == targets.argmax(1)).mean())
    left = float(((predicted - targets) ** 2).mean())
    return max(1 - left / max(float(targets.var()), 1e-12), 0.0)


def _concentration(table: Array) -> Array:  # (A, B) -> (A,)
    """1 minus each row's entropy in units of that of a flat row; 0 for an empty row."""
    if table.shape[1] == 1:
        return np.ones(len(table))
    mass = table.sum(1, keepdims=True)
    p = table / np.maximum(mass, 1e-300)
    entropy = -(p * np.log(np.where(p > 0, p, 1.0))).sum(1) / np.log(table.shape[1])
    return np.where(mass[:, 0] > 0, 1 - entropy, 0.0)
