"""Scores from mutual information: the gap of Chen et al. 2018 and the modularity of Ridgeway & Mozer 2018."""

from __future__ import annotations

import numpy as np

from dgm.disentangle.truth import Array, Truth, Whole, require_pairs

BINS = 20  # of a variable of more values, equally full; so a monotone map of a code changes nothing
SILENT = 0.05  # nats; a code that tells less of every factor has no factor to be modular about


def ranked(column: Array, bins: int = BINS) -> Whole:  # (N,) -> (N,)
    """The number of the bin that each value is in: one bin a value for at most ``bins`` values, else equally full bins.

    Equally full bins would straddle the values of a code that has few, and lose what it tells.

    >>> ranked(np.array([3.0, 1.0, 1.0, 7.0])).tolist()
    [1, 0, 0, 2]
    """
    values, places = np.unique(column, return_inverse=True)
    if len(values) <= bins:
        return np.asarray(places, dtype=np.int64)
    ranks = np.empty(len(column), dtype=np.int64)
    ranks[np.argsort(column, kind="stable")] = np.arange(len(column))
    return ranks * bins // len(column)


def mutual_information(one: Whole, other: Whole) -> float:
    """I in nats between two discrete variables (N,), with the correction of Miller & Madow 1955 for what chance adds.

    Independent variables with a and b values have a plug-in estimate of about (a - 1)(b - 1) / 2N.
    """
    table = np.zeros((one.max() + 1, other.max() + 1))
    np.add.at(table, (one, other), 1.0)
    rows, columns, cells = table.sum(1), table.sum(0), table[table > 0]
    count = len(one)
    plain = _entropy(rows / count) + _entropy(columns / count) - _entropy(cells / count)
    chance = (len(cells) - (rows > 0).sum() - (columns > 0).sum() + 1) / (2 * count)
    return max(float(plain - chance), 0.0)


def _entropy(p: Array) -> float:
    p = p[p > 0]
    return float(-(p * np.log(p)).sum())


def discrete(truth: Truth, factor: int) -> Whole:  # (N,)
    """A factor as a discrete variable."""
    column = truth.values[:, factor]
    return column.astype(np.int64) if truth.classes[factor] else ranked(column)


def information(codes: Array, truth: Truth) -> Array:  # (N, D) -> (D, K)
    """The mutual information in nats between each code and each factor.

    Raises:
        DataError: codes and factors are not of the same data.
    """
    require_pairs(codes, truth)
    factors = [discrete(truth, factor) for factor in range(len(truth.classes))]
    return np.array([[mutual_information(ranked(code), factor) for factor in factors] for code in codes.T])


def mutual_information_gap(codes: Array, truth: Truth) -> float:
    """MIG: how much more the best code tells of a factor than the second, by the factor's entropy, on average.

    Chen et al. 2018 (arXiv 1802.04942), equation 6. ``codes`` are meant to be samples of q(z|x): the mean of a
    dimension that is all noise may still depend on x by a hair, which ranks would magnify.
    """
    table = np.sort(np.concatenate([np.zeros((2, len(truth.classes))), information(codes, truth)]), axis=0)  # (2+D, K)
    whole = np.array([_itself(discrete(truth, factor)) for factor in range(len(truth.classes))])
    return float(((table[-1] - table[-2]) / np.maximum(whole, 1e-12)).mean())


def _itself(column: Whole) -> float:
    """A variable's entropy, as the estimator of the information sees it, so that a perfect code has a gap of 1."""
    return mutual_information(column, column)


def modularity(codes: Array, truth: Truth) -> float:
    """How near each code comes to telling of one factor alone, over the codes that tell anything; 0 if none does.

    Ridgeway & Mozer 2018 (arXiv 1802.05312), section 2: 1 minus the other factors' squared information over the best
    one's, averaged.
    """
    table = information(codes, truth)
    table = table[table.max(1) > SILENT]
    if not len(table):
        return 0.0
    best = table.max(1) ** 2
    others = (table**2).sum(1) - best
    return float((1 - others / (best * max(len(truth.classes) - 1, 1))).mean())
