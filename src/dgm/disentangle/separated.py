"""Separated attribute predictability (Kumar et al. 2018, arXiv 1711.00848, section 3)."""

from __future__ import annotations

import numpy as np

from dgm.disentangle.truth import Array, Truth, require_pairs


def separated_predictability(codes: Array, truth: Truth) -> float:
    """SAP: how much better the best single code predicts a factor than the second, on average over factors.

    A continuous factor's prediction is linear and scored by R²; a class is predicted by the nearest class mean and
    scored by the mean over classes of the share that is right, from 0 for a guess (the paper: 1 in as many as there
    are classes) to 1.

    Raises:
        DataError: codes and factors are not of the same data.
    """
    require_pairs(codes, truth)
    gaps = []
    for factor, classes in enumerate(truth.classes):
        column = truth.values[:, factor]
        scores = [_nearest_mean(code, column) if classes else _r_squared(code, column) for code in codes.T]
        best, second = sorted([0.0, *scores])[:-3:-1]
        gaps.append(best - second)
    return float(np.mean(gaps))


def _r_squared(code: Array, column: Array) -> float:
    spread = float(code.std() * column.std())
    if spread < 1e-12:
        return 0.0
    return float((((code - code.mean()) * (column - column.mean())).mean() / spread) ** 2)


def _nearest_mean(code: Array, column: Array) -> float:
    present = np.unique(column)
    means = np.array([code[column == value].mean() for value in present])
    guess = np.abs(code[:, None] - means).argmin(1)  # (N,)
    right = float(np.mean([(guess[column == value] == number).mean() for number, value in enumerate(present)]))
    chance = 1 / len(present)
    return max((right - chance) / max(1 - chance, 1e-12), 0.0)
