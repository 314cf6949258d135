"""Regression by boosted trees, small and exact enough to say which inputs matter.

Friedman 2001, algorithm 1, for squared error: each tree fits what the ones before left over. The inputs are cut into
equally full bins once, so that a tree's level costs one pass of counting. Several outputs share a tree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dgm.disentangle.truth import Array, Whole

BINS = 32
LEAST = 5  # samples in a leaf


@dataclass(frozen=True)
class Boosting:
    """``rounds`` trees of ``depth`` levels, each taken with the weight ``rate``."""

    rounds: int = 60
    depth: int = 3
    rate: float = 0.3


@dataclass(frozen=True)
class Tree:
    """``feature`` and ``cut`` (2^depth - 1,) of the inner nodes, level by level; the leaves' values (2^depth, C)."""

    feature: Whole
    cut: Whole
    leaves: Array

    def predict(self, binned: Whole) -> Array:  # (N, D) -> (N, C)
        """The value of the leaf that each sample falls into."""
        node = np.zeros(len(binned), dtype=np.int64)
        for _ in range((len(self.leaves)).bit_length() - 1):
            right = binned[np.arange(len(binned)), self.feature[node]] > self.cut[node]
            node = 2 * node + 1 + right
        return np.asarray(self.leaves[node - len(self.feature)])


@dataclass(frozen=True)
class Ensemble:
    """Fitted trees; ``importance`` (D,) is the squared error that the cuts in each input took away, summing to 1."""

    edges: Array  # (D, BINS - 1)
    start: Array  # (C,)
    trees: tuple[Tree, ...]
    rate: float
    importance: Array

    def predict(self, x: Array) -> Array:  # (N, D) -> (N, C)
        """The sum over the trees."""
        binned = _binned(x, self.edges)
        return np.asarray(self.start + sum(self.rate * tree.predict(binned) for tree in self.trees))


def fit(x: Array, y: Array, boosting: Boosting | None = None) -> Ensemble:
    """Fit y (N, C) by x (N, D)."""
    chosen = boosting or Boosting()
    edges = np.quantile(x, np.arange(1, BINS) / BINS, axis=0).T  # (D, BINS - 1)
    binned, start = _binned(x, edges), y.mean(0)
    rest, gains, trees = y - start, np.zeros(x.shape[1]), []
    for _ in range(chosen.rounds):
        tree = _grow(binned, rest, chosen.depth, gains)
        rest = rest - chosen.rate * tree.predict(binned)
        trees.append(tree)
    return Ensemble(edges, start, tuple(trees), chosen.rate, gains / max(float(gains.sum()), 1e-300))


def _binned(x: Array, edges: Array) -> Whole:
    return np.stack([np.searchsorted(cuts, column, side="left") for cuts, column in zip(edges, x.T, strict=True)], 1)


def _grow(binned: Whole, rest: Array, depth: int, gains: Array) -> Tree:
    """One tree, level by level; what its cuts gain is added to ``gains`` (D,)."""
    node = np.zeros(len(binned), dtype=np.int64)  # within the level
    features, cuts = [], []
    for level in range(depth):
        feature, cut, gain = _best_cuts(binned, rest, node, 2**level)
        np.add.at(gains, feature, gain)
        features.append(feature)
        cuts.append(cut)
        node = 2 * node + (binned[np.arange(len(binned)), feature[node]] > cut[node])
    count = np.bincount(node, minlength=2**depth)
    sums = np.stack([np.bincount(node, weights=column, minlength=2**depth) for column in rest.T], 1)  # (leaves, C)
    return Tree(np.concatenate(features), np.concatenate(cuts), sums / np.maximum(count, 1)[:, None])


def _best_cuts(binned: Whole, rest: Array, node: Whole, nodes: int) -> tuple[Whole, Whole, Array]:
    """For each node of a level the input and the bin after which to cut, and the squared error that this takes away.

    A node that no cut helps gets the last bin: all its samples go left.
    """
    width = binned.shape[1]
    cell = ((node[:, None] * width + np.arange(width)) * BINS + binned).ravel()
    shape = (nodes, width, BINS)
    left = np.bincount(cell, minlength=nodes * width * BINS).reshape(shape).cumsum(2)  # samples up to each bin
    right = left[:, :, -1:] - left
    gain = np.zeros(shape)
    for column in rest.T:
        sums = np.bincount(cell, weights=np.repeat(column, width), minlength=nodes * width * BINS)
        low = sums.reshape(shape).cumsum(2)
        whole = low[:, :, -1:]
        gain += (low**2 / np.maximum(left, 1) + (whole - low) ** 2 / np.maximum(right, 1)
                 - whole**2 / np.maximum(left[:, :, -1:], 1))
    gain[(left < LEAST) | (right < LEAST)] = 0.0
    best = gain.reshape(nodes, -1).argmax(1)
    most = gain.reshape(nodes, -1)[np.arange(nodes), best]
    feature, cut = np.divmod(best, BINS)
    return feature, np.where(most > 0, cut, BINS - 1), np.maximum(most, 0.0)
