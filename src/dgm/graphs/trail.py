"""Trails, and what each inner node of one does.

*Trail*: a path that may run against the arrows. An inner node of a trail is a *collider* when both arrows
point into it, a *fork* when both point away, else a *chain*. A trail is active given Z when every collider
on it is in Z or has a descendant in Z, and no other inner node is in Z (Pearl 1988, sec. 3.3.1; Koller &
Friedman 2009, def. 3.6). In a Markov graph a path is open when no inner node is in Z (ibid., def. 4.8).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import TypeAlias

from dgm.graphs.dag import DAG
from dgm.graphs.markov import MarkovGraph

Graph: TypeAlias = DAG | MarkovGraph
Evidence: TypeAlias = Mapping[str, str]     # node -> an observed node that shows at it, see `evidence`

TRAIL_LIMIT = 64            # trails listed at most
EFFORT_LIMIT = 20_000       # edges tried at most while listing: some hundredths of a second


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
    observed: str | None    # what decides: the node itself, or below a collider a nearest observed descendant

    @property
    def passes(self) -> bool:
        """Whether influence gets through: a collider needs an observation, every other node has to lack it."""
        return (self.observed is not None) is (self.role is Role.COLLIDER)


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
class TrailList:
    """Trails between two sides in the graph's order; ``complete`` says whether these are all."""

    trails: tuple[Trail, ...]
    complete: bool


def evidence(graph: Graph, given: Iterable[str]) -> dict[str, str]:
    """Every node at which an observation shows, with the nearest such observation; an observed node: itself.

    In a DAG these are the nodes of An(given), so that a collider passes just when it is among them.

    >>> evidence(DAG(("O", "T", "M"), (("O", "T"), ("T", "M"))), ["T"])
    {'T': 'T', 'O': 'T'}
    """
    shown = {node: node for node in given}
    if isinstance(graph, DAG):
        waiting = list(shown)
        for node in waiting:
            fresh = [parent for parent in graph.parents(node) if parent not in shown]
            shown.update(dict.fromkeys(fresh, shown[node]))
            waiting.extend(fresh)
    return shown


def step(node: str, role: Role, shown: Evidence) -> Step:
    """The state of ``node`` when it stands as ``role`` on a trail."""
    observed = shown.get(node)
    return Step(node, role, observed if role is Role.COLLIDER or observed == node else None)


def annotate(graph: Graph, nodes: tuple[str, ...], shown: Evidence) -> Trail:
    """Name the role of every inner node and whether it passes influence."""
    signs = tuple(_sign(graph, u, v) for u, v in pairwise(nodes))
    inner = zip(nodes[1:-1], pairwise(signs), strict=True)
    return Trail(nodes, signs, tuple(step(node, _role(*arrows), shown) for node, arrows in inner))


def list_trails(graph: Graph, x: Collection[str], y: Collection[str], shown: Evidence) -> TrailList:
    """Simple paths from ``x`` to ``y`` with no inner node in either, until one of the two limits is reached.

    A trail with an inner node in ``x`` or ``y`` holds a shorter one that is active if it is: none is missed.
    """
    starts, ends = frozenset(x), frozenset(y)
    found: list[Trail] = []
    effort = EFFORT_LIMIT
    for start in x:
        path, ways = {start: None}, [iter(graph.neighbours(start))]     # a dict is an ordered set
        while ways:
            effort -= 1
            if effort < 0 or len(found) > TRAIL_LIMIT:
                return TrailList(tuple(found[:TRAIL_LIMIT]), complete=False)
            node = next(ways[-1], None)
            if node is None:
                ways.pop()
                path.popitem()
            elif node in ends:
                found.append(annotate(graph, (*path, node), shown))
            elif node not in path and node not in starts:
                path[node] = None
                ways.append(iter(graph.neighbours(node)))
    return TrailList(tuple(found[:TRAIL_LIMIT]), complete=len(found) <= TRAIL_LIMIT)


def _role(before: str, after: str) -> Role:
    roles = {"→←": Role.COLLIDER, "←→": Role.FORK, "——": Role.LINK}
    return roles.get(before + after, Role.CHAIN)


def _sign(graph: Graph, u: str, v: str) -> str:
    if isinstance(graph, MarkovGraph):
        return "—"
    return "→" if graph.has_edge(u, v) else "←"
