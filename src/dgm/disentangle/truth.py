"""The known factors of some data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dgm.errors import DataError

Array = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Truth:
    """Values (N, K) and for each factor its number of classes, 0 if it is continuous; classes count from 0.

    Raises:
        DataError: the shapes do not agree, or a class is out of its range.
    """

    values: Array
    classes: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != len(self.classes):
            raise DataError(f"factors of shape {self.values.shape} for {len(self.classes)} kinds; nearest: "
                            f"(N, {len(self.classes)})")
        for number, classes in enumerate(self.classes):
            column = self.values[:, number]
            if classes and not (np.isin(column, np.arange(classes)).all()):
                raise DataError(f"factor {number} has values that are none of its {classes} classes 0 to {classes - 1}")

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: slice) -> Truth:
        return Truth(self.values[rows], self.classes)

    def targets(self, factor: int) -> Array:  # (N, C)
        """What a regression predicts: the factor scaled to unit variance, or one column a class, 1 or 0."""
        column, classes = self.values[:, factor], self.classes[factor]
        if classes:
            return np.asarray(column[:, None] == np.arange(classes), dtype=np.float64)
        return np.asarray((column - column.mean()) / max(float(column.std()), 1e-12))[:, None]


def require_pairs(codes: Array, truth: Truth) -> None:
    """Raise a :class:`DataError` unless there is one code for each row of factors."""
    if codes.ndim != 2 or len(codes) != len(truth):
        raise DataError(f"codes of shape {codes.shape} for {len(truth)} rows of factors; nearest: ({len(truth)}, D)")
