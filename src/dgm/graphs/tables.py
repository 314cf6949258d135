"""Exact finite distributions over binary nodes: they can refute an independence, or fail to.

A joint table has one axis of length 2 a node, in the graph's order: shape (2,) * n.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dgm.errors import GraphError
from dgm.graphs.dag import DAG
from dgm.graphs.statement import Statement
from dgm.graphs.trail import Graph

Table: TypeAlias = NDArray[np.float64]

MOST_NODES = 16         # 2^16 entries a table: half a megabyte
ROUNDING = 1e-12        # nats; far above the sum's rounding error, far below any dependence met


@dataclass(frozen=True)
class Trial:
    """An independence tried on random models of a graph, numbered from 1 and each made anew from its number.

    ``largest`` is the greatest conditional mutual information met, in nats; rounding alone stays below
    ``ROUNDING``. A large one *proves* that the graph does not imply the independence, and ``model`` names
    the witness: ``random_joint(graph, numbered(seed, model))``. None found proves nothing but agrees with
    separation.
    """

    statement: Statement
    models: int
    seed: int
    model: int          # the number of the model with the largest information
    largest: float      # nats

    @property
    def refuted(self) -> bool:
        """Whether a model was found in which the statement is false."""
        return self.largest > ROUNDING


def trial(graph: Graph, statement: Statement, models: int, seed: int) -> Trial:
    """Make ``models`` random distributions of ``graph`` and measure the dependence that each has."""
    found = [conditional_information(random_joint(graph, numbered(seed, model)), graph.nodes, statement)
             for model in range(1, models + 1)]
    best = int(np.argmax(found))
    return Trial(statement, models, seed, best + 1, found[best])


def numbered(seed: int, model: int) -> np.random.Generator:
    """The generator of one numbered model."""
    return np.random.default_rng((seed, model))


def random_joint(graph: Graph, rng: np.random.Generator) -> Table:
    """A random distribution that factorises over ``graph``.

    DAG: every P(node = 1 | parents) from the arcsine law Beta(1/2, 1/2), which favours strong dependence.
    Markov graph: a potential for every maximal clique, its logarithm normal with variance 9, normalised by
    the exact sum; so the distribution is positive.

    Returns an array of shape (2,) * n that sums to 1. Raises :class:`GraphError` over ``MOST_NODES``.
    """
    n = len(graph.nodes)
    if n > MOST_NODES:
        raise GraphError(f"{n} nodes are too many for an exact table; at most {MOST_NODES}")
    if isinstance(graph, DAG):
        groups = tuple((*graph.parents(node), node) for node in graph.nodes)
        factors = [_conditional(len(group), rng) for group in groups]
    else:
        groups = graph.maximal_cliques()
        factors = [np.exp(3 * rng.standard_normal((2,) * len(group))) for group in groups]
    joint = np.ones((2,) * n)
    for group, factor in zip(groups, factors, strict=True):
        joint = joint * _spread(factor, group, graph.nodes)
    return np.asarray(joint / joint.sum())  # (2,) * n


def conditional_information(joint: Table, nodes: tuple[str, ...], statement: Statement) -> float:
    """I(x; y | given) of a joint table in nats (Cover & Thomas 2006, eq. 2.61): 0 just when independent."""
    x, y, z = (frozenset(part) for part in (statement.x, statement.y, statement.given))
    entropies = [_entropy(joint, nodes, part) for part in (x | z, y | z, x | y | z, z)]
    return max(0.0, entropies[0] + entropies[1] - entropies[2] - entropies[3])


def free_parameters(graph: DAG) -> int:
    """Numbers that the conditional tables need when every node is binary: Σ 2^(number of parents)."""
    return sum(2 ** len(graph.parents(node)) for node in graph.nodes)


def _conditional(axes: int, rng: np.random.Generator) -> Table:
    """P(last axis | the others), each row an arcsine draw: shape (2,) * axes."""
    one = rng.beta(0.5, 0.5, size=(2,) * (axes - 1))
    return np.stack([1 - one, one], axis=-1)


def _spread(factor: Table, group: tuple[str, ...], nodes: tuple[str, ...]) -> Table:
    """Put the factor's axes where the joint table has them, and axes of length 1 elsewhere."""
    places = [nodes.index(node) for node in group]
    in_order = np.transpose(factor, np.argsort(places))
    return in_order.reshape([2 if i in places else 1 for i in range(len(nodes))])


def _entropy(joint: Table, nodes: tuple[str, ...], keep: frozenset[str]) -> float:
    """Entropy in nats of the marginal over ``keep``."""
    marginal = joint.sum(axis=tuple(i for i, node in enumerate(nodes) if node not in keep))
    positive = marginal[marginal > 0]
    return float(-(positive * np.log(positive)).sum())
