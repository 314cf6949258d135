"""Markov graphs: undirected, and made from a Bayesian network by marrying parents."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise

from dgm.errors import GraphError
from dgm.graphs.dag import BayesianNetwork, Edge, check_nodes_and_edges, known, remove_edge


@dataclass(frozen=True)
class MarkovGraph:
    """An undirected graph; its distribution is a product over cliques (Koller & Friedman 2009, sec. 4.2).

    An edge is kept in the order of ``nodes``, whichever way round it was given.
    Raises :class:`GraphError` for a repeated node or edge, an unknown node, and a loop.

    >>> MarkovGraph(("A", "B"), (("B", "A"),)).edges
    (('A', 'B'),)
    """

    nodes: tuple[str, ...]          # (n,)
    edges: tuple[Edge, ...]         # (number of edges,)

    def __post_init__(self) -> None:
        check_nodes_and_edges(self.nodes, self.edges)
        ordered = tuple(sorted((self.ordered(*edge) for edge in self.edges), key=self._place))
        repeated = next((a for a, b in pairwise(ordered) if a == b), None)
        if repeated:
            raise GraphError(f"edge {repeated[0]} - {repeated[1]} is given twice")
        object.__setattr__(self, "edges", ordered)

    @cached_property
    def _neighbours(self) -> dict[str, tuple[str, ...]]:
        return {v: tuple(u for u in self.nodes if self.adjacent(u, v)) for v in self.nodes}

    @cached_property
    def _edge_set(self) -> frozenset[Edge]:
        return frozenset(self.edges)

    def _place(self, edge: Edge) -> tuple[int, int]:
        return self.nodes.index(edge[0]), self.nodes.index(edge[1])

    def ordered(self, u: str, v: str) -> Edge:
        """The pair with the node that the graph lists first in front."""
        return (u, v) if self.nodes.index(u) < self.nodes.index(v) else (v, u)

    def neighbours(self, node: str) -> tuple[str, ...]:
        """Nodes that share an edge with ``node``."""
        return self._neighbours[known(node, self.nodes)]

    def adjacent(self, u: str, v: str) -> bool:
        """Whether an edge joins ``u`` and ``v``."""
        return (u, v) in self._edge_set or (v, u) in self._edge_set

    def without_edge(self, edge: Edge) -> MarkovGraph:
        """The same nodes with one edge fewer."""
        return MarkovGraph(self.nodes, remove_edge(self.edges, self.ordered(*edge)))

    def in_order(self, nodes: Collection[str]) -> tuple[str, ...]:
        """``nodes`` in the order of the graph."""
        return tuple(node for node in self.nodes if node in nodes)

    def component(self, start: Collection[str], removed: Collection[str]) -> frozenset[str]:
        """Nodes that a path from ``start`` leads to once ``removed`` is taken out; the start included."""
        found = set(start)
        waiting = list(found)
        while waiting:
            fresh = set(self._neighbours[waiting.pop()]) - found - set(removed)
            found |= fresh
            waiting.extend(fresh)
        return frozenset(found)


@dataclass(frozen=True)
class MarkovBlanket:
    """The nodes that shield ``node`` from all others, by why they are in (Pearl 1988, cor. 3.6)."""

    node: str
    parents: tuple[str, ...]
    children: tuple[str, ...]
    coparents: tuple[str, ...]      # other parents of the children that are not already above
    nodes: tuple[str, ...]          # the three together, in the graph's order
    outside: tuple[str, ...]        # what the blanket shields from


def moral_graph(graph: BayesianNetwork) -> MarkovGraph:
    """The graph with parents of a common child joined and the directions dropped.

    The smallest Markov graph that is an I-map of the network (Koller & Friedman 2009, sec. 4.5.1).
    """
    plain = MarkovGraph(graph.nodes, graph.edges)
    return MarkovGraph(graph.nodes, (*plain.edges, *marriages(graph)))


def marriages(graph: BayesianNetwork) -> tuple[Edge, ...]:
    """Edges that the moral graph has and the network lacks: parents of a common child, not adjacent."""
    return tuple(
        (u, v) for u, v in combinations(graph.nodes, 2)
        if not graph.adjacent(u, v) and set(graph.children(u)) & set(graph.children(v))
    )


def markov_blanket(graph: BayesianNetwork, node: str) -> MarkovBlanket:
    """Parents, children and the children's other parents of ``node``."""
    parents, children = graph.parents(node), graph.children(node)
    around = {other for child in children for other in graph.parents(child)} - {node}
    coparents = graph.in_order(around - {*parents, *children})
    nodes = graph.in_order({*parents, *children, *coparents})
    outside = graph.in_order(set(graph.nodes) - {node, *nodes})
    return MarkovBlanket(node, parents, children, coparents, nodes, outside)
