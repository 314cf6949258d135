"""All labelled graphs on a few nodes, for checking a claim about graphs without exception."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

from dgm.errors import GraphError
from dgm.graphs.dag import BayesianNetwork
from dgm.graphs.markov import MarkovGraph


def every_network(n: int) -> Iterator[BayesianNetwork]:
    """Every directed acyclic graph on ``n`` labelled nodes: 1, 3, 25, 543, … (Robinson 1973; OEIS A003024).

    >>> sum(1 for _ in every_network(3))
    25
    """
    nodes = _names(n)
    pairs = list(combinations(nodes, 2))
    for choice in product((None, False, True), repeat=len(pairs)):
        chosen = [(pair, back) for pair, back in zip(pairs, choice, strict=True) if back is not None]
        edges = tuple((v, u) if back else (u, v) for (u, v), back in chosen)
        try:
            yield BayesianNetwork(nodes, edges)
        except GraphError:  # a cycle: not one of them
            continue


def every_markov_graph(n: int) -> Iterator[MarkovGraph]:
    """Every undirected graph on ``n`` labelled nodes: 2^(n(n-1)/2) of them."""
    nodes = _names(n)
    pairs = list(combinations(nodes, 2))
    for choice in product((False, True), repeat=len(pairs)):
        yield MarkovGraph(nodes, tuple(pair for pair, there in zip(pairs, choice, strict=True) if there))


def _names(n: int) -> tuple[str, ...]:
    return tuple(f"v{i}" for i in range(1, n + 1))
