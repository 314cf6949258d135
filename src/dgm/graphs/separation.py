"""Separation in Bayesian and Markov graphs, each answer with a witness that a reader can check by eye.

*Trail*: a path that may run against the arrows. An inner node of a trail is a *collider* when both arrows
point into it, a *fork* when both point away, else a *chain*. A trail is active given Z when every collider
on it is in Z or has a descendant in Z, and no other inner node is in Z (Pearl 1988, sec. 3.3.1; Koller &
Friedman 2009, def. 3.6). In a Markov graph a path is open when no inner node is in Z (ibid., def. 4.8).

Complexity: a yes or no costs O(n + edges) (ibid., algorithm 3.1); listing trails may be exponential, so no
more than ``TRAIL_LIMIT`` are listed and the record says whether these are all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import islice, pairwise
from typing import TypeAlias

from dgm.graphs.dag import BayesianNetwork, known
from dgm.graphs.markov import MarkovGraph, moral_graph
from dgm.graphs.statement import Statement

TRAIL_LIMIT = 64

Graph: TypeAlias = BayesianNetwork | MarkovGraph
Nodes: TypeAlias = str | Collection[str]
_State: TypeAlias = tuple[str, bool]   # a node, and whether the trail came into it along an arrow


class Role(Enum):
    """What an inner node is on its trail."""

    CHAIN = "chain"
    FORK = "fork"
    COLLIDER = "collider"
    LINK = "link"       # in a Markov graph, which has no directions


@dataclass(frozen=True)
class Step:
    """One inner node of a trail and why it does, or does not, let influence through."""

    node: str
    role: Role
    passes: bool
    evidence: tuple[str, ...]   # a blocking node: itself; an open collider: directed path to an observed node


@dataclass(frozen=True)
class Trail:
    """A path with the direction of each of its edges and the state of each of its inner nodes."""

    nodes: tuple[str, ...]      # (length + 1,)
    signs: tuple[str, ...]      # (length,), each "→", "←" or "—"
    steps: tuple[Step, ...]     # (length - 1,)

    @property
    def active(self) -> bool:
        """Whether influence gets from one end to the other."""
        return all(step.passes for step in self.steps)

    @property
    def blockers(self) -> tuple[Step, ...]:
        """The inner nodes that stop it."""
        return tuple(step for step in self.steps if not step.passes)

    def __str__(self) -> str:
        return self.nodes[0] + "".join(f" {s} {v}" for s, v in zip(self.signs, self.nodes[1:], strict=True))


@dataclass(frozen=True)
class Separation:
    """Whether a graph separates ``x`` from ``y`` given ``given``, and why.

    Not separated: ``active`` is a shortest active trail. Separated: ``active`` is None, ``blocked`` holds
    the trails between the two sides, each with a blocking node (``complete``: all of them), and ``cut``
    is a part of ``given`` that already separates, none of which can be spared, in the graph itself or,
    for a Bayesian network, in the moral graph of the ancestral set (Lauritzen 1996, prop. 3.25).
    """

    statement: Statement
    active: Trail | None
    blocked: tuple[Trail, ...]
    complete: bool
    cut: tuple[str, ...]

    @property
    def separated(self) -> bool:
        """Whether the graph asserts the independence."""
        return self.active is None


def d_separation(graph: BayesianNetwork, x: Nodes, y: Nodes, given: Nodes = ()) -> Separation:
    """Does ``given`` d-separate ``x`` from ``y``?

    >>> room = BayesianNetwork(("O", "A", "T"), (("O", "T"), ("A", "T")))
    >>> d_separation(room, "O", "A").separated
    True
    >>> print(d_separation(room, "O", "A", "T").active)
    O → T ← A
    """
    return explain(graph, Statement(_tuple(x), _tuple(y), _tuple(given)))


def separation(graph: MarkovGraph, x: Nodes, y: Nodes, given: Nodes = ()) -> Separation:
    """Does every path between ``x`` and ``y`` pass through ``given``?

    >>> chain = MarkovGraph(("A", "B", "C"), (("A", "B"), ("B", "C")))
    >>> separation(chain, "A", "C", "B").cut
    ('B',)
    """
    return explain(graph, Statement(_tuple(x), _tuple(y), _tuple(given)))


def asserts(graph: Graph, statement: Statement) -> bool:
    """Whether the graph asserts the independence, without the reasons: linear time."""
    _check(graph, statement)
    if isinstance(graph, MarkovGraph):
        return not graph.component(statement.x, statement.given) & set(statement.y)
    return _open_trail(graph, statement) is None


def explain(graph: Graph, statement: Statement) -> Separation:
    """Whether the graph asserts the independence, with its witness."""
    _check(graph, statement)
    nodes = _open_trail(graph, statement)
    if nodes:
        return Separation(statement, annotate(graph, nodes, statement.given), (), False, ())
    found = tuple(islice(trails(graph, statement), TRAIL_LIMIT + 1))
    blocked = tuple(annotate(graph, nodes, statement.given) for nodes in found[:TRAIL_LIMIT])
    cut = _cut(_undirected(graph, statement), statement)
    return Separation(statement, None, blocked, len(found) <= TRAIL_LIMIT, cut)


def trails(graph: Graph, statement: Statement) -> Iterator[tuple[str, ...]]:
    """Every simple path from ``x`` to ``y`` with no inner node in either, in the graph's order of nodes.

    A trail with an inner node in ``x`` or ``y`` holds a shorter one that is active if it is: none is missed.
    """
    ends = set(statement.y)
    waiting: list[tuple[str, ...]] = [(start,) for start in reversed(statement.x)]
    while waiting:
        path = waiting.pop()
        if path[-1] in ends:
            yield path
            continue
        onward = [v for v in graph.neighbours(path[-1]) if v not in path and v not in statement.x]
        waiting.extend((*path, v) for v in reversed(onward))


def annotate(graph: Graph, nodes: tuple[str, ...], given: Collection[str]) -> Trail:
    """Name the role of every inner node and whether it passes influence given ``given``."""
    signs = tuple(_sign(graph, u, v) for u, v in pairwise(nodes))
    inner = zip(nodes[1:-1], pairwise(signs), strict=True)
    return Trail(nodes, signs, tuple(_step(graph, node, _role(*arrows), given) for node, arrows in inner))


def _step(graph: Graph, node: str, role: Role, given: Collection[str]) -> Step:
    if role is Role.COLLIDER and isinstance(graph, BayesianNetwork):
        evidence = graph.directed_path(node, frozenset(given))
        return Step(node, role, bool(evidence), evidence)
    observed = node in given
    return Step(node, role, not observed, (node,) if observed else ())


def _role(before: str, after: str) -> Role:
    roles = {"→←": Role.COLLIDER, "←→": Role.FORK, "——": Role.LINK}
    return roles.get(before + after, Role.CHAIN)


def _sign(graph: Graph, u: str, v: str) -> str:
    if isinstance(graph, MarkovGraph):
        return "—"
    return "→" if v in graph.children(u) else "←"


def _open_trail(graph: Graph, statement: Statement) -> tuple[str, ...] | None:
    return _open_path(graph, statement) if isinstance(graph, MarkovGraph) else _active_trail(graph, statement)


def _active_trail(graph: BayesianNetwork, statement: Statement) -> tuple[str, ...] | None:
    """A shortest active trail by breadth-first search over (node, came along an arrow).

    A collider passes when it is in An(given). A shortest such walk never visits a node twice, because
    cutting the loop out leaves a walk that is still active; so what is found is a trail.
    """
    given = frozenset(statement.given)
    openable = graph.ancestors(given)
    ends = set(statement.y)
    before: dict[_State, _State | None] = {(node, False): None for node in statement.x}
    waiting = list(before)
    for state in waiting:
        if state[0] in ends:
            return _walk_back(before, state)
        for following in _moves(graph, state, given, openable):
            if following not in before:
                before[following] = state
                waiting.append(following)
    return None


def _moves(
    graph: BayesianNetwork, state: _State, given: frozenset[str], openable: frozenset[str],
) -> Iterator[_State]:
    node, along = state
    up_passes = node in openable if along else node not in given
    if up_passes:
        yield from ((parent, False) for parent in graph.parents(node))
    if node not in given:
        yield from ((child, True) for child in graph.children(node))


def _walk_back(before: dict[_State, _State | None], end: _State) -> tuple[str, ...]:
    walk: list[str] = []
    state: _State | None = end
    while state is not None:
        walk.append(state[0])
        state = before[state]
    return tuple(reversed(walk))


def _open_path(graph: MarkovGraph, statement: Statement) -> tuple[str, ...] | None:
    """A shortest path that avoids ``given``."""
    ends = set(statement.y)
    seen = {*statement.x, *statement.given}
    paths: list[tuple[str, ...]] = [(node,) for node in statement.x]
    for path in paths:
        if path[-1] in ends:
            return path
        fresh = [node for node in graph.neighbours(path[-1]) if node not in seen]
        seen.update(fresh)
        paths.extend((*path, node) for node in fresh)
    return None


def _undirected(graph: Graph, statement: Statement) -> MarkovGraph:
    """The graph itself, or the moral graph of the ancestral set: plain separation there is d-separation."""
    if isinstance(graph, MarkovGraph):
        return graph
    return moral_graph(graph.subgraph(graph.ancestors((*statement.x, *statement.y, *statement.given))))


def _cut(graph: MarkovGraph, statement: Statement) -> tuple[str, ...]:
    """Drop nodes of ``given`` as long as the rest still separates."""
    cut = list(statement.given)
    for node in statement.given:
        smaller = [other for other in cut if other != node]
        if not graph.component(statement.x, smaller) & set(statement.y):
            cut = smaller
    return tuple(cut)


def _check(graph: Graph, statement: Statement) -> None:
    for node in (*statement.x, *statement.y, *statement.given):
        known(node, graph.nodes)


def _tuple(nodes: Nodes) -> tuple[str, ...]:
    return (nodes,) if isinstance(nodes, str) else tuple(sorted(nodes) if isinstance(nodes, set) else nodes)
