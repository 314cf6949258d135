"""The graph of a Bayesian network: a directed graph without cycles.

Words used here and in the neighbouring files: ``n`` is the number of nodes, an *edge* ``(u, v)`` of a DAG
points from ``u`` to ``v``, and every answer lists nodes in the order in which the graph was given, so that
equal input gives equal output. Every question costs O(n + edges), up to the logarithm of sorting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from heapq import heappop, heappush
from typing import TypeAlias, TypeVar

from dgm.errors import GraphError, nearest
from dgm.graphs.names import latex, latex_list

Edge: TypeAlias = tuple[str, str]
Neighbours: TypeAlias = dict[str, tuple[str, ...]]
T = TypeVar("T")


@dataclass(frozen=True)
class DAG:
    """A directed acyclic graph; its distribution factorises over it (Koller & Friedman 2009, def. 3.1-3.2).

    Raises :class:`GraphError` for a repeated node or edge, an unknown node, and a cycle, which is named.

    >>> room = DAG(("O", "A", "T"), (("O", "T"), ("A", "T")))
    >>> room.parents("T")
    ('O', 'A')
    """

    nodes: tuple[str, ...]          # (n,)
    edges: tuple[Edge, ...]         # (number of edges,), each (parent, child)

    def __post_init__(self) -> None:
        check_nodes_and_edges(self.nodes, self.edges)
        repeated = first_repeated(self.edges)
        if repeated:
            raise GraphError(f"edge {repeated[0]} -> {repeated[1]} is given twice")
        cycle = self._cycle()
        if cycle:
            raise GraphError(f"a Bayesian network has no cycle, but {' -> '.join(cycle)} is one")

    @cached_property
    def position(self) -> dict[str, int]:
        """Each node's place in ``nodes``."""
        return positions(self.nodes)

    @cached_property
    def _in_order(self) -> list[Edge]:
        return sort_edges(self.edges, self.position)

    @cached_property
    def _parents(self) -> Neighbours:
        return gather(self.nodes, ((v, u) for u, v in self._in_order))

    @cached_property
    def _children(self) -> Neighbours:
        return gather(self.nodes, self._in_order)

    @cached_property
    def _edge_set(self) -> frozenset[Edge]:
        return frozenset(self.edges)

    def parents(self, node: str) -> tuple[str, ...]:
        """Nodes with an edge into ``node``."""
        return self._parents[known(node, self.position)]

    def children(self, node: str) -> tuple[str, ...]:
        """Nodes that ``node`` has an edge to."""
        return self._children[known(node, self.position)]

    def neighbours(self, node: str) -> tuple[str, ...]:
        """Parents and children, the directions forgotten."""
        return self.in_order((*self.parents(node), *self.children(node)))

    def has_edge(self, u: str, v: str) -> bool:
        """Whether an edge points from ``u`` to ``v``."""
        return (u, v) in self._edge_set

    def adjacent(self, u: str, v: str) -> bool:
        """Whether an edge joins ``u`` and ``v``, in either direction."""
        return self.has_edge(u, v) or self.has_edge(v, u)

    def descendants(self, node: str) -> tuple[str, ...]:
        """Nodes that a directed path from ``node`` leads to, ``node`` itself left out."""
        found = _closure((known(node, self.position),), self._children)
        return self.in_order(found - {node})

    def ancestors(self, nodes: Iterable[str]) -> frozenset[str]:
        """``nodes`` and every node with a directed path to one of them: the ancestral set An(nodes)."""
        return frozenset(_closure((known(node, self.position) for node in nodes), self._parents))

    def topological_order(self) -> tuple[str, ...]:
        """Every node after its parents; among the ready ones the first given comes first (Kahn 1962)."""
        return self._order

    @cached_property
    def _order(self) -> tuple[str, ...]:
        """The topological order; nodes in a cycle or below one are left out, as they never get ready."""
        missing = {node: len(parents) for node, parents in self._parents.items()}
        ready = [self.position[node] for node, parents in missing.items() if parents == 0]
        order: list[str] = []
        while ready:
            order.append(self.nodes[heappop(ready)])
            for child in self._children[order[-1]]:
                missing[child] -= 1
                if missing[child] == 0:
                    heappush(ready, self.position[child])
        return tuple(order)

    def directed_path(self, start: str, end: str) -> tuple[str, ...]:
        """A shortest directed path, both ends included; empty when there is none."""
        before: dict[str, str | None] = {known(start, self.position): None}
        waiting = [start]
        for node in waiting:
            if node == end:
                return walk_back(before, end)
            fresh = [child for child in self._children[node] if child not in before]
            before.update(dict.fromkeys(fresh, node))
            waiting.extend(fresh)
        return ()

    def subgraph(self, keep: frozenset[str]) -> DAG:
        """The graph on the nodes of ``keep``, with the edges between them."""
        edges = tuple((u, v) for u, v in self.edges if u in keep and v in keep)
        return DAG(self.in_order(keep), edges)

    def without_edge(self, edge: Edge) -> DAG:
        """The same nodes with one edge fewer; still acyclic, as a removal makes no cycle."""
        return DAG(self.nodes, remove_edge(self.edges, edge))

    def in_order(self, nodes: Iterable[str]) -> tuple[str, ...]:
        """``nodes`` in the order of the graph."""
        return tuple(sorted(set(nodes), key=self.position.__getitem__))

    def factorization(self) -> str:
        r"""LaTeX of the joint distribution, one factor a node in topological order (chain rule for networks).

        >>> DAG(("O", "T"), (("O", "T"),)).factorization()
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
        left = self.position.keys() - self._order
        if not left:
            return ()
        walk = [self.in_order(left)[0]]
        place = {walk[0]: 0}
        while True:  # every node left has a parent left, so walking up must return
            above = next(node for node in self._parents[walk[-1]] if node in left)
            if above in place:
                return (above, *reversed(walk[place[above]:]))
            place[above] = len(walk)
            walk.append(above)


def positions(nodes: tuple[str, ...]) -> dict[str, int]:
    """Each node's place in ``nodes``."""
    return {node: place for place, node in enumerate(nodes)}


def check_nodes_and_edges(nodes: tuple[str, ...], edges: Iterable[Edge]) -> None:
    """Raise :class:`GraphError` for a repeated or empty name, an unknown end of an edge, or a loop."""
    repeated = first_repeated(nodes)
    if repeated is not None:
        raise GraphError(f"node {repeated!r} is given twice")
    if not nodes or "" in nodes:
        raise GraphError("a graph needs at least one node, and every node a name")
    there = positions(nodes)
    for u, v in edges:
        known(u, there)
        known(v, there)
        if u == v:
            raise GraphError(f"node {u!r} has an edge to itself")


def known(node: str, nodes: Mapping[str, int]) -> str:
    """``node``, or :class:`GraphError` with the nearest node when the graph has none of that name."""
    if node not in nodes:
        raise GraphError(f"node {node!r} is not in the graph; {nearest(node, nodes)}")
    return node


def remove_edge(edges: tuple[Edge, ...], edge: Edge) -> tuple[Edge, ...]:
    """``edges`` without ``edge``, which must be among them."""
    if edge not in edges:
        raise GraphError(f"edge {edge[0]} - {edge[1]} is not in the graph")
    return tuple(other for other in edges if other != edge)


def first_repeated(items: Iterable[T]) -> T | None:
    """The first item that was there before."""
    seen: set[T] = set()
    for item in items:
        if item in seen:
            return item
        seen.add(item)
    return None


def sort_edges(edges: Iterable[Edge], position: Mapping[str, int]) -> list[Edge]:
    """``edges`` by the place of their first node, then of their second."""
    return sorted(edges, key=lambda edge: (position[edge[0]], position[edge[1]]))


def gather(nodes: Iterable[str], pairs: Iterable[tuple[str, str]]) -> Neighbours:
    """For every node the second members of the pairs that it is first in, in the order of ``pairs``."""
    found: dict[str, list[str]] = {node: [] for node in nodes}
    for node, other in pairs:
        found[node].append(other)
    return {node: tuple(others) for node, others in found.items()}


def walk_back(before: Mapping[T, T | None], end: T) -> tuple[T, ...]:
    """The walk to ``end``, when ``before`` holds what came before each place of it, None at the start."""
    walk: list[T] = []
    place: T | None = end
    while place is not None:
        walk.append(place)
        place = before[place]
    return tuple(reversed(walk))


def _closure(start: Iterable[str], step: Neighbours) -> set[str]:
    """Everything that repeated ``step`` leads to, the start included."""
    found = set(start)
    waiting = list(found)
    while waiting:
        fresh = set(step[waiting.pop()]) - found
        found |= fresh
        waiting.extend(fresh)
    return found
