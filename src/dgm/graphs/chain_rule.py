"""The chain rule of Bayesian networks, tried on distributions: is a joint the product of its conditionals?"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from dgm.graphs.dag import DAG
from dgm.graphs.tables import Table, random_joint


def chain_rule_residuals(graph: DAG, models: int, seed: int) -> list[float]:
    """How far random joints of a network are from the product of their own P(node | parents), at worst entry.

    The conditionals are taken from the joint table alone, by summing it out, so that the displayed factorisation is
    tested and not the way in which the joint was made.

    >>> room = DAG(("O", "T"), (("O", "T"),))
    >>> max(chain_rule_residuals(room, 5, 0)) < 1e-12
    True
    """
    rng = np.random.default_rng(seed)
    return [_residual(random_joint(graph, rng), graph) for _ in range(models)]


def _residual(joint: Table, graph: DAG) -> float:
    product = np.ones_like(joint)  # (2,) * n
    for node in graph.nodes:
        parents = graph.parents(node)
        product = product * _marginal(joint, graph, (*parents, node)) / _marginal(joint, graph, parents)
    return float(np.abs(product - joint).max())


def _marginal(joint: Table, graph: DAG, keep: Collection[str]) -> Table:
    """The marginal over ``keep``, with axes of length 1 elsewhere."""
    away = tuple(axis for axis, node in enumerate(graph.nodes) if node not in keep)
    return np.asarray(joint.sum(axis=away, keepdims=True))
