"""Every graph on a few nodes, and the bonus proposition tried on each of them without exception."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, combinations, product
from math import factorial

from dgm.graphs.dag import DAG, Edge
from dgm.graphs.markov import MarkovGraph
from dgm.graphs.separation import asserts
from dgm.graphs.statement import pair_statements
from dgm.graphs.trail import Graph


@dataclass(frozen=True)
class Census:
    """What became of the removal of each edge of each graph on ``nodes`` labelled nodes.

    A *witness* is a statement that the graph asserts without the edge and does not assert with it; a removal
    without one would be a counterexample to the proposition that a perfect map is minimal.
    """

    nodes: int
    graphs: int
    tried: int                                          # graphs that stand for all by renaming of nodes
    removals: int
    witnesses: int
    counterexamples: tuple[tuple[Graph, Edge], ...]     # of the graphs tried


def census_of_dags(n: int) -> Census:
    """Remove each edge of each DAG on ``n`` labelled nodes.

    Renaming the nodes changes nothing, and every DAG can be renamed along a topological order; so it is
    enough to try the DAGs whose edges all run forwards, each counted as often as it stands for another.

    >>> census_of_dags(3).graphs, census_of_dags(3).removals
    (25, 48)
    """
    return _census(n, ((dag, labellings(dag)) for dag in forward_dags(n)))


def census_of_markov_graphs(n: int) -> Census:
    """Remove each edge of each undirected graph on ``n`` labelled nodes."""
    return _census(n, ((graph, 1.0) for graph in every_markov_graph(n)))


def forward_dags(n: int) -> Iterator[DAG]:
    """Every DAG on ``n`` nodes whose edges run from earlier to later ones: 2^(n(n-1)/2) of them."""
    return (DAG(_names(n), edges) for edges in _subsets(n))


def every_markov_graph(n: int) -> Iterator[MarkovGraph]:
    """Every undirected graph on ``n`` labelled nodes: 2^(n(n-1)/2) of them."""
    return (MarkovGraph(_names(n), edges) for edges in _subsets(n))


def labellings(dag: DAG) -> float:
    """How many labelled DAGs a forward DAG stands for: n! renamings, shared with the others that reach the same.

    A labelled DAG is reached once from each of its topological orders; so over all forward DAGs the numbers
    sum to the number of labelled DAGs: 1, 3, 25, 543, 29281, … (Robinson 1973; OEIS A003024).
    """
    return factorial(len(dag.nodes)) / _orders(dag, frozenset(dag.nodes))


def _orders(dag: DAG, left: frozenset[str]) -> int:
    """Topological orders of the nodes of ``left``, which holds with a node its descendants."""
    if not left:
        return 1
    return sum(_orders(dag, left - {node}) for node in left if left.isdisjoint(dag.parents(node)))


def _census(n: int, weighted: Iterable[tuple[Graph, float]]) -> Census:
    tried, graphs, removals, witnesses = 0, 0.0, 0.0, 0.0
    counterexamples: list[tuple[Graph, Edge]] = []
    for graph, weight in weighted:
        bare = [edge for edge in graph.edges if not _has_witness(graph, edge)]
        counterexamples.extend((graph, edge) for edge in bare)
        tried += 1
        graphs += weight
        removals += weight * len(graph.edges)
        witnesses += weight * (len(graph.edges) - len(bare))
    return Census(n, round(graphs), tried, round(removals), round(witnesses), tuple(counterexamples))


def _has_witness(graph: Graph, edge: Edge) -> bool:
    """Search all statements about pairs, those about the ends of the edge first; no theory is made use of."""
    smaller = graph.without_edge(edge)
    every = tuple(pair_statements(graph.nodes))
    ends = (s for s in every if {*s.x, *s.y} == set(edge))
    return any(asserts(smaller, s) and not asserts(graph, s) for s in chain(ends, every))


def _subsets(n: int) -> Iterator[tuple[Edge, ...]]:
    pairs = list(combinations(_names(n), 2))
    for choice in product((False, True), repeat=len(pairs)):
        yield tuple(pair for pair, there in zip(pairs, choice, strict=True) if there)


def _names(n: int) -> tuple[str, ...]:
    return tuple(f"v{i}" for i in range(1, n + 1))
