"""Separation in DAGs and Markov graphs, each answer with a witness that a reader can check.

The search is Bayes ball in the form of reachability over (node, whether it was entered along an arrow)
(Koller & Friedman 2009, algorithm 3.1), breadth first, so that the active trail found is a shortest one.
Cost: O(n + edges), the witness included; only listing trails, for display, costs more and is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from dgm.graphs import persian
from dgm.graphs.dag import DAG, known, walk_back
from dgm.graphs.markov import MarkovGraph
from dgm.graphs.statement import Statement
from dgm.graphs.trail import Evidence, Graph, Role, Step, Trail, TrailList, annotate, evidence, list_trails, step

Nodes: TypeAlias = str | Collection[str]
_State: TypeAlias = tuple[str, bool]        # a node, and whether it was entered along an arrow
_Place: TypeAlias = tuple[str, Role]


@dataclass(frozen=True)
class Separation:
    """Whether ``graph`` separates ``x`` from ``y`` given ``given``, and why.

    When it does not, ``active`` is a shortest active trail. When it does, ``active`` is None and
    ``barriers`` sorts the trails into classes by where they are stopped: every trail between the two sides
    is stopped at one of these places, influence from ``x`` gets as far as each of them, and a walk from
    ``y`` comes as far without meeting another one. In a Markov graph they are a part of ``given`` that
    already separates and that no node can be spared from. Without any trail there are none.
    """

    graph: Graph = field(repr=False)
    statement: Statement
    active: Trail | None
    barriers: tuple[Step, ...]
    reproved: bool = False      # whether a second algorithm agreed, see `dgm.graphs.moralization`

    @property
    def holds(self) -> bool:
        """Whether the graph asserts the independence."""
        return self.active is None

    @property
    def witness(self) -> Trail | tuple[Step, ...]:
        """The active trail, or all the places where trails are stopped."""
        return self.barriers if self.active is None else self.active

    @cached_property
    def listing(self) -> TrailList:
        """Trails between the two sides one by one, for display; on a large graph not all of them."""
        shown = evidence(self.graph, self.statement.given)
        return list_trails(self.graph, self.statement.x, self.statement.y, shown)

    @cached_property
    def example(self) -> Trail | None:
        """A shortest path between the two sides, whether open or not; None when there is none."""
        nodes = _ball(self.graph, self.statement, lambda node, role: False).path
        return annotate(self.graph, nodes, evidence(self.graph, self.statement.given)) if nodes else None

    def explain(self) -> str:
        """Why, in one or two Persian sentences (Markdown with LaTeX names), read off the witness."""
        if self.active is not None:
            return persian.active_text(self.active, self.statement)
        if self.example is None:
            return persian.apart_text(self.statement)
        if isinstance(self.graph, MarkovGraph):
            return persian.cut_text(self.statement, self.barriers, self.example)
        few = self.listing.complete and len(self.listing.trails) <= persian.MOST_LISTED
        return (persian.blocked_text(self.statement, self.listing.trails) if few
                else persian.barriers_text(self.statement, self.barriers))


def d_separation(dag: DAG, x: Nodes, y: Nodes, given: Nodes = ()) -> Separation:
    """Does ``given`` d-separate ``x`` from ``y``?

    >>> room = DAG(("O", "A", "T"), (("O", "T"), ("A", "T")))
    >>> d_separation(room, "O", "A").holds
    True
    >>> print(d_separation(room, "O", "A", "T").witness)
    O → T ← A
    """
    return answer(dag, Statement(_tuple(x), _tuple(y), _tuple(given)))


def separation(graph: MarkovGraph, x: Nodes, y: Nodes, given: Nodes = ()) -> Separation:
    """Does every path between ``x`` and ``y`` pass through ``given``?

    >>> chain = MarkovGraph(("A", "B", "C"), (("A", "B"), ("B", "C")))
    >>> [stop.node for stop in separation(chain, "A", "C", "B").witness]
    ['B']
    """
    return answer(graph, Statement(_tuple(x), _tuple(y), _tuple(given)))


def asserts(graph: Graph, statement: Statement) -> bool:
    """Whether the graph asserts the independence, without the reasons."""
    return not _from_x(graph, statement, _shown(graph, statement)).path


def answer(graph: Graph, statement: Statement) -> Separation:
    """Whether the graph asserts the independence, with its witness."""
    shown = _shown(graph, statement)
    forth = _from_x(graph, statement, shown)
    if forth.path:
        return Separation(graph, statement, annotate(graph, forth.path, shown), ())
    # A trail's last place in forth.stops is met from y before any other one: going back finds it.
    swapped = Statement(statement.y, statement.x, statement.given)
    back = _ball(graph, swapped, lambda node, role: (node, role) in forth.stops)
    barriers = tuple(step(*place, shown) for place in forth.stops if place in back.stops)
    return Separation(graph, statement, None, barriers)


@dataclass(frozen=True)
class _Reach:
    path: tuple[str, ...]           # a shortest way to the other side, empty when there is none
    stops: dict[_Place, None]       # where the ball was stopped with a way on; a dict is an ordered set


def _shown(graph: Graph, statement: Statement) -> Evidence:
    for node in (*statement.x, *statement.y, *statement.given):
        known(node, graph.position)
    return evidence(graph, statement.given)


def _from_x(graph: Graph, statement: Statement, shown: Evidence) -> _Reach:
    """Let the ball run from ``x`` by the rules of active trails."""
    def stopped(node: str, role: Role) -> bool:
        observed = shown.get(node)
        return observed is None if role is Role.COLLIDER else observed == node

    return _ball(graph, statement, stopped)


def _ball(graph: Graph, statement: Statement, stopped: Callable[[str, Role], bool]) -> _Reach:
    """Walk from ``x`` wherever ``stopped`` allows until ``y`` is met.

    A shortest walk that may collide within An(given) never visits a node twice, because cutting the loop
    out leaves a walk that is still allowed; so the path found is a trail.
    """
    ends = frozenset(statement.y)
    before: dict[_State, _State | None] = {(node, along): None for node in statement.x for along in (False, True)}
    waiting = [(node, False) for node in statement.x]
    stops: dict[_Place, None] = {}
    for state in waiting:
        if state[0] in ends:
            return _Reach(tuple(node for node, _ in walk_back(before, state)), stops)
        for role, along, ahead in _ways(graph, *state):
            if len(ahead) <= (before[state] is not None and role is not Role.CHAIN):
                continue  # nothing ahead, or only the node that the walk came from
            if stopped(state[0], role):
                stops[state[0], role] = None
                continue
            for node in ahead:
                if (node, along) not in before:
                    before[node, along] = state
                    waiting.append((node, along))
    return _Reach((), stops)


def _ways(graph: Graph, node: str, along: bool) -> tuple[tuple[Role, bool, tuple[str, ...]], ...]:
    """Roles that ``node`` can play on a walk that entered it, each with the direction and the nodes ahead."""
    if isinstance(graph, MarkovGraph):
        return ((Role.LINK, False, graph.neighbours(node)),)
    up, down = (Role.COLLIDER, Role.CHAIN) if along else (Role.CHAIN, Role.FORK)
    return (up, False, graph.parents(node)), (down, True, graph.children(node))


def _tuple(nodes: Nodes) -> tuple[str, ...]:
    return (nodes,) if isinstance(nodes, str) else tuple(sorted(nodes) if isinstance(nodes, set) else nodes)
