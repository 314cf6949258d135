"""A second, independent way to separation, which re-proves the answers of the first.

In a DAG, x and y are d-separated by z just when z separates them in the moral graph of the ancestral set
An(x ∪ y ∪ z) (Lauritzen 1996, proposition 3.25). Here no trail is followed: what hangs together once z is
taken out is merged, and the question is whether x and y fell together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from dgm.errors import GraphError
from dgm.graphs.dag import DAG, Edge
from dgm.graphs.separation import Separation
from dgm.graphs.statement import Statement
from dgm.graphs.trail import Graph


@dataclass
class _Merged:
    """Disjoint sets (Galler & Fischer 1964), with path halving."""

    above: dict[str, str] = field(default_factory=dict)

    def root(self, node: str) -> str:
        while (up := self.above.get(node, node)) != node:
            self.above[node] = self.above.get(up, up)
            node = up
        return node

    def merge(self, u: str, v: str) -> None:
        self.above[self.root(u)] = self.root(v)


def separated_by_moralization(graph: Graph, statement: Statement) -> bool:
    """Whether the moral graph of the ancestral set, a Markov graph as it is, separates the two sides.

    >>> room = DAG(("O", "A", "T"), (("O", "T"), ("A", "T")))
    >>> [separated_by_moralization(room, Statement(("O",), ("A",), given)) for given in ((), ("T",))]
    [True, False]
    """
    given = frozenset(statement.given)
    sets = _Merged()
    for u, v in _joined(graph, statement, given) if isinstance(graph, DAG) else graph.edges:
        if u not in given and v not in given:
            sets.merge(u, v)
    return {sets.root(node) for node in statement.x}.isdisjoint({sets.root(node) for node in statement.y})


def reprove(found: Separation) -> Separation:
    """The same answer, marked as proved twice.

    Raises :class:`GraphError` with the statement when the two algorithms disagree.
    """
    if separated_by_moralization(found.graph, found.statement) is not found.holds:
        raise GraphError(f"{found.statement}: search says {found.holds}, the moral graph says {not found.holds}")
    return replace(found, reproved=True)


def _joined(graph: DAG, statement: Statement, given: frozenset[str]) -> Iterator[Edge]:
    """Edges of the moral graph of the ancestral set, as far as they matter to connection without ``given``.

    The parents of a node all marry. That makes a clique, and what a clique joins a path through its nodes
    joins too; so the pairs of neighbours in the list of unobserved parents are enough, and the cost linear.
    """
    for child in graph.ancestors((*statement.x, *statement.y, *statement.given)):
        unobserved = [parent for parent in graph.parents(child) if parent not in given]
        yield from ((parent, child) for parent in unobserved)
        yield from pairwise(unobserved)
