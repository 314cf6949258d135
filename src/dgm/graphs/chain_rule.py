"""The chain rule of Bayesian networks, tried on distributions: is a joint the product of its conditionals?"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from dgm.graphs.dag import DAG
from dgm.graphs.tables import Table, random_joint


def joint_and_product(graph: DAG, models: int, seed: int) -> tuple[list[float], list[float]]:
    """Random joints of a network and the products of their own P(node | parents), each at the entry that differs most.

    The conditionals are taken from the joint table alone, by summing it out, so that the displayed factorisation is
    tested and not the way in which the joint was made.

    >>> room = DAG(("O", "T"), (("O", "T"),))
    >>> joint, product = joint_and_product(room, 5, 0)
    >>> max(abs(a - b) for a, b in zip(joint, product, strict=True)) < 1e-12
    True
    """
    rng = np.random.default_rng(seed)
    joints, products = zip(*(_entries(random_joint(graph, rng), graph) for _ in range(models)), strict=True)
    return list(joints), list(products)


def _entries(joint: Table, graph: DAG) -> tuple[float, float]:
    product = np.ones_like(joint)  # (2,) * n
    for node in graph.nodes:
        parents = graph.parents(node)
        product = product * _marginal(joint, graph, (*parents, node)) / _marginal(joint, graph, parents)
    worst = np.abs(product - joint).argmax()
    return float(joint.flat[worst]), float(product.flat[worst])


def _marginal(joint: Table, graph: DAG, keep: Collection[str]) -> Table:
    """The marginal over ``keep``, with axes of length 1 elsewhere."""
    away = tuple(axis for axis, node in enumerate(graph.nodes) if node not in keep)
    return np.asarray(joint.sum(axis=away, keepdims=True))
