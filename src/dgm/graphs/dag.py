"""The graph of a Bayesian network: a directed graph without cycles.

Words used here and in the neighbouring files: ``n`` is the number of nodes, an *edge* ``(u, v)`` of a
Bayesian network points from ``u`` to ``v``, and every answer lists nodes in the order in which the graph
was given, so that equal input gives equal output.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias, TypeVar

from dgm.errors import GraphError, nearest
from dgm.graphs.names import latex, latex_list

Edge: TypeAlias = tuple[str, str]
T = TypeVar("T")


@dataclass(frozen=True)
class BayesianNetwork:
    """A directed acyclic graph; its distribution factorises over it (Koller & Friedman 2009, def. 3.1-3.2).

    Raises :class:`GraphError` for a repeated node or edge, an unknown node, and a cycle, which is named.

    >>> room = BayesianNetwork(("O", "A", "T"), (("O", "T"), ("A", "T")))
    >>> room.parents("T")
    ('O', 'A')
    """

    nodes: tuple[str, ...]          # (n,)
    edges: tuple[Edge, ...]         # (number of edges,), each (parent, child)

    def __post_init__(self) -> None:
        check_nodes_and_edges(self.nodes, self.edges)
        repeated = _first_repeated(self.edges)
        if repeated:
            raise GraphError(f"edge {repeated[0]} -> {repeated[1]} is given twice")
        cycle = self._cycle()
        if cycle:
            raise GraphError(f"a Bayesian network has no cycle, but {' -> '.join(cycle)} is one")

    @cached_property
    def _parents(self) -> dict[str, tuple[str, ...]]:
        return {v: tuple(u for u in self.nodes if (u, v) in self._edge_set) for v in self.nodes}

    @cached_property
    def _children(self) -> dict[str, tuple[str, ...]]:
        return {u: tuple(v for v in self.nodes if (u, v) in self._edge_set) for u in self.nodes}

    @cached_property
    def _edge_set(self) -> frozenset[Edge]:
        return frozenset(self.edges)

    def parents(self, node: str) -> tuple[str, ...]:
        """Nodes with an edge into ``node``."""
        return self._parents[known(node, self.nodes)]

    def children(self, node: str) -> tuple[str, ...]:
        """Nodes that ``node`` has an edge to."""
        return self._children[known(node, self.nodes)]

    def neighbours(self, node: str) -> tuple[str, ...]:
        """Parents and children, the directions forgotten."""
        around = {*self.parents(node), *self.children(node)}
        return self.in_order(around)

    def adjacent(self, u: str, v: str) -> bool:
        """Whether an edge joins ``u`` and ``v``, in either direction."""
        return (u, v) in self._edge_set or (v, u) in self._edge_set

    def descendants(self, node: str) -> tuple[str, ...]:
        """Nodes that a directed path from ``node`` leads to, ``node`` itself left out."""
        found = _closure((known(node, self.nodes),), self._children)
        return self.in_order(found - {node})

    def ancestors(self, nodes: Iterable[str]) -> frozenset[str]:
        """``nodes`` and every node with a directed path to one of them: the ancestral set An(nodes)."""
        return frozenset(_closure((known(node, self.nodes) for node in nodes), self._parents))

    def topological_order(self) -> tuple[str, ...]:
        """Every node after its parents; among the ready ones the first given comes first."""
        order: list[str] = []
        waiting = list(self.nodes)
        while waiting:
            ready = next(node for node in waiting if set(self._parents[node]) <= set(order))
            waiting.remove(ready)
            order.append(ready)
        return tuple(order)

    def directed_path(self, start: str, ends: frozenset[str]) -> tuple[str, ...]:
        """A shortest directed path from ``start`` to a node of ``ends``; empty when there is none."""
        paths: list[tuple[str, ...]] = [(start,)]
        seen = {start}
        for path in paths:
            if path[-1] in ends:
                return path
            fresh = [child for child in self._children[path[-1]] if child not in seen]
            seen.update(fresh)
            paths.extend((*path, child) for child in fresh)
        return ()

    def subgraph(self, keep: frozenset[str]) -> BayesianNetwork:
        """The graph on the nodes of ``keep``, with the edges between them."""
        edges = tuple((u, v) for u, v in self.edges if u in keep and v in keep)
        return BayesianNetwork(self.in_order(keep), edges)

    def without_edge(self, edge: Edge) -> BayesianNetwork:
        """The same nodes with one edge fewer; still acyclic, as a removal makes no cycle."""
        return BayesianNetwork(self.nodes, remove_edge(self.edges, edge))

    def in_order(self, nodes: Iterable[str]) -> tuple[str, ...]:
        """``nodes`` in the order of the graph."""
        wanted = set(nodes)
        return tuple(node for node in self.nodes if node in wanted)

    def factorization(self) -> str:
        r"""LaTeX of the joint distribution, one factor a node in topological order (chain rule for networks).

        >>> BayesianNetwork(("O", "T"), (("O", "T"),)).factorization()
        'P(O, T) = P(O)\\, P(T \\mid O)'
        """
        joint = f"P({latex_list(self.nodes)})"
        return f"{joint} = " + r"\, ".join(self.factor(node) for node in self.topological_order())

    def factor(self, node: str) -> str:
        r"""LaTeX of ``P(node | parents)``."""
        parents = self.parents(node)
        return rf"P({latex(node)} \mid {latex_list(parents)})" if parents else f"P({latex(node)})"

    def _cycle(self) -> tuple[str, ...]:
        """A directed cycle, its first node repeated at the end; empty when there is none."""
        left = set(self.nodes)
        while roots := [node for node in left if not left & set(self._parents[node])]:
            left.difference_update(roots)
        if not left:
            return ()
        walk = [next(node for node in self.nodes if node in left)]
        while True:  # every node left has a parent left, so walking up must return
            above = next(node for node in self._parents[walk[-1]] if node in left)
            if above in walk:
                return (above, *reversed(walk[walk.index(above) :]))
            walk.append(above)


def check_nodes_and_edges(nodes: tuple[str, ...], edges: Iterable[Edge]) -> None:
    """Raise :class:`GraphError` for a repeated or empty name, an unknown end of an edge, or a loop."""
    repeated = _first_repeated(nodes)
    if repeated is not None:
        raise GraphError(f"node {repeated!r} is given twice")
    if not nodes or "" in nodes:
        raise GraphError("a graph needs at least one node, and every node a name")
    for u, v in edges:
        known(u, nodes)
        known(v, nodes)
        if u == v:
            raise GraphError(f"node {u!r} has an edge to itself")


def known(node: str, nodes: tuple[str, ...]) -> str:
    """``node``, or :class:`GraphError` with the nearest node when the graph has none of that name."""
    if node not in nodes:
        raise GraphError(f"node {node!r} is not in the graph; {nearest(node, nodes)}")
    return node


def remove_edge(edges: tuple[Edge, ...], edge: Edge) -> tuple[Edge, ...]:
    """``edges`` without ``edge``, which must be among them."""
    if edge not in edges:
        raise GraphError(f"edge {edge[0]} - {edge[1]} is not in the graph")
    return tuple(other for other in edges if other != edge)


def _first_repeated(items: Iterable[T]) -> T | None:
    seen: set[T] = set()
    for item in items:
        if item in seen:
            return item
        seen.add(item)
    return None


def _closure(start: Iterable[str], step: dict[str, tuple[str, ...]]) -> set[str]:
    """Everything that repeated ``step`` leads to, the start included."""
    found = set(start)
    waiting = list(found)
    while waiting:
        fresh = set(step[waiting.pop()]) - found
        found |= fresh
        waiting.extend(fresh)
    return found
