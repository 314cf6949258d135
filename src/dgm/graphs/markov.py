"""Markov graphs: undirected, and made from a DAG by marrying parents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from dgm.errors import GraphError
from dgm.graphs.dag import (
    DAG,
    Edge,
    Neighbours,
    check_nodes_and_edges,
    first_repeated,
    gather,
    known,
    positions,
    remove_edge,
    sort_edges,
)
from dgm.graphs.names import latex_list


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
        ordered = tuple(sort_edges((self.ordered(*edge) for edge in self.edges), self.position))
        repeated = first_repeated(ordered)
        if repeated:
            raise GraphError(f"edge {repeated[0]} - {repeated[1]} is given twice")
        object.__setattr__(self, "edges", ordered)

    @cached_property
    def position(self) -> dict[str, int]:
        """Each node's place in ``nodes``."""
        return positions(self.nodes)

    @cached_property
    def _neighbours(self) -> Neighbours:
        both_ways = ((*self.edges, *((v, u) for u, v in self.edges)))
        return gather(self.nodes, sort_edges(both_ways, self.position))

    @cached_property
    def _edge_set(self) -> frozenset[Edge]:
        return frozenset(self.edges)

    def ordered(self, u: str, v: str) -> Edge:
        """The pair with the node that the graph lists first in front."""
        return (u, v) if self.position[u] < self.position[v] else (v, u)

    def neighbours(self, node: str) -> tuple[str, ...]:
        """Nodes that share an edge with ``node``."""
        return self._neighbours[known(node, self.position)]

    def adjacent(self, u: str, v: str) -> bool:
        """Whether an edge joins ``u`` and ``v``."""
        return (u, v) in self._edge_set or (v, u) in self._edge_set

    def without_edge(self, edge: Edge) -> MarkovGraph:
        """The same nodes with one edge fewer."""
        return MarkovGraph(self.nodes, remove_edge(self.edges, self.ordered(*edge)))

    def in_order(self, nodes: Iterable[str]) -> tuple[str, ...]:
        """``nodes`` in the order of the graph."""
        return tuple(sorted(set(nodes), key=self.position.__getitem__))

    def maximal_cliques(self) -> tuple[tuple[str, ...], ...]:
        """Every complete set of nodes that lies in no larger one (Bron & Kerbosch 1973, with pivots).

        There may be 3^(n/3) of them (Moon & Moser 1965).

        >>> MarkovGraph(tuple("ABCD"), (("A", "B"), ("A", "C"), ("B", "C"), ("C", "D"))).maximal_cliques()
        (('A', 'B', 'C'), ('C', 'D'))
        """
        around = {node: frozenset(others) for node, others in self._neighbours.items()}
        found = (self.in_order(clique) for clique in _cliques(frozenset(), set(self.nodes), set(), around))
        return tuple(sorted(found, key=lambda clique: [self.position[node] for node in clique]))

    def factorization(self) -> str:
        r"""LaTeX of the joint distribution: one potential for every maximal clique.

        >>> MarkovGraph(tuple("ABC"), (("A", "B"), ("B", "C"))).factorization()
        'P(A, B, C) \\propto \\phi_{1}(A, B)\\, \\phi_{2}(B, C)'
        """
        factors = (rf"\phi_{{{k}}}({latex_list(clique)})" for k, clique in enumerate(self.maximal_cliques(), 1))
        return rf"P({latex_list(self.nodes)}) \propto " + r"\, ".join(factors)


@dataclass(frozen=True)
class MarkovBlanket:
    """The nodes that shield ``node`` from all others, by why they are in (Pearl 1988, cor. 3.6)."""

    node: str
    parents: tuple[str, ...]
    children: tuple[str, ...]
    coparents: tuple[str, ...]      # other parents of the children that are not already above
    nodes: tuple[str, ...]          # the three together, in the graph's order
    outside: tuple[str, ...]        # what the blanket shields from


def moral_graph(graph: DAG) -> MarkovGraph:
    """The graph with parents of a common child joined and the directions dropped.

    The smallest Markov graph that is an I-map of the network (Koller & Friedman 2009, sec. 4.5.1).
    """
    return MarkovGraph(graph.nodes, (*graph.edges, *marriages(graph)))


def marriages(graph: DAG) -> tuple[Edge, ...]:
    """Edges that the moral graph has and the network lacks: parents of a common child, not adjacent."""
    pairs = {pair for child in graph.nodes for pair in combinations(graph.parents(child), 2)}
    return tuple(sort_edges((pair for pair in pairs if not graph.adjacent(*pair)), graph.position))


def markov_blanket(graph: DAG, node: str) -> MarkovBlanket:
    """Parents, children and the children's other parents of ``node``."""
    parents, children = graph.parents(node), graph.children(node)
    around = {other for child in children for other in graph.parents(child)} - {node}
    coparents = graph.in_order(around - {*parents, *children})
    nodes = graph.in_order({*parents, *children, *coparents})
    outside = graph.in_order(set(graph.nodes) - {node, *nodes})
    return MarkovBlanket(node, parents, children, coparents, nodes, outside)


def _cliques(
    clique: frozenset[str], candidates: set[str], done: set[str], around: dict[str, frozenset[str]],
) -> Iterator[frozenset[str]]:
    """Maximal cliques that hold ``clique``, some of ``candidates`` and none of ``done``."""
    if not candidates and not done:
        yield clique
        return
    pivot = max(candidates | done, key=lambda node: len(around[node] & candidates))
    for node in candidates - around[pivot]:
        yield from _cliques(clique | {node}, candidates & around[node], done & around[node], around)
        candidates.remove(node)
        done.add(node)
