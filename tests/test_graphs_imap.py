"""I-maps: the theorems about moral graphs, and the bonus proposition on every small graph."""

from __future__ import annotations

from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given

from dgm.graphs.dag import BayesianNetwork
from dgm.graphs.imap import compare, edge_removal, immoralities, minimal_map
from dgm.graphs.markov import MarkovGraph, marriages, moral_graph
from dgm.graphs.separation import Graph, asserts
from dgm.graphs.small import every_markov_graph, every_network
from dgm.graphs.statement import pair_statements
from tests.test_graphs_separation import as_networkx, networks


@given(networks(most=6))
def test_the_moral_graph_is_a_minimal_imap(network: BayesianNetwork) -> None:
    moral = moral_graph(network)
    assert compare(network, moral).is_imap
    assert minimal_map(moral, network).is_minimal


@given(networks(most=6))
def test_the_moral_graph_is_perfect_just_without_immoralities(network: BayesianNetwork) -> None:
    comparison = compare(network, moral_graph(network))
    assert comparison.is_perfect is not bool(immoralities(network))
    assert bool(comparison.immoralities) is bool(marriages(network))
    assert (comparison.witness is None) is comparison.is_perfect


@given(networks(most=6))
def test_a_moral_network_has_a_chordal_moral_graph(network: BayesianNetwork) -> None:
    if not immoralities(network):
        assert nx.is_chordal(nx.Graph(moral_graph(network).edges))


@given(networks(most=6))
def test_the_moral_graph_is_networkxs(network: BayesianNetwork) -> None:
    oracle = nx.moral_graph(as_networkx(network))
    assert {frozenset(edge) for edge in moral_graph(network).edges} == {frozenset(edge) for edge in oracle.edges}


@given(networks(most=5))
def test_what_is_lost_and_invented_is_counted(network: BayesianNetwork) -> None:
    """Against a graph that is no I-map in general: the network's own edges, no parents married."""
    plain = MarkovGraph(network.nodes, network.edges)
    comparison = compare(network, plain)
    assert comparison.in_network - len(comparison.lost) == comparison.in_markov - len(comparison.invented)
    assert all(asserts(network, s) and not asserts(plain, s) for s in comparison.lost)
    assert all(asserts(plain, s) and not asserts(network, s) for s in comparison.invented)


def test_an_edge_too_many_is_found() -> None:
    chain = BayesianNetwork(("a", "b", "c"), (("a", "b"), ("b", "c")))
    complete = MarkovGraph(chain.nodes, tuple(combinations(chain.nodes, 2)))
    found = minimal_map(complete, chain)
    assert not found.is_minimal
    assert [removal.edge for removal in found.removals if removal.truth is None] == [("a", "c")]


@given(networks(most=5))
def test_the_ends_of_the_edge_say_all_about_its_removal(network: BayesianNetwork) -> None:
    """The search looks at one pair alone; a search of all pairs finds a false statement just as often."""
    rng = np.random.default_rng(len(network.edges))
    extra = [pair for pair in combinations(network.nodes, 2) if rng.random() < 0.3]
    edges = {*moral_graph(network).edges, *extra}
    imap = MarkovGraph(network.nodes, tuple(sorted(edges)))
    for edge in imap.edges:
        still = compare(network, imap.without_edge(edge)).is_imap
        assert still is (edge_removal(imap, edge, network).truth is None)


@pytest.mark.parametrize(("n", "graphs"), [(1, 1), (2, 3), (3, 25), (4, 543)])
def test_all_labelled_networks_are_counted(n: int, graphs: int) -> None:
    every = list(every_network(n))
    assert len(every) == len({frozenset(network.edges) for network in every}) == graphs


def removals(graphs: list[Graph]) -> list[bool]:
    """Whether the removal of an edge adds a statement that the whole graph does not make, for every edge."""
    return [edge_removal(graph, edge, graph).truth is not None for graph in graphs for edge in graph.edges]


def test_a_perfect_map_is_minimal() -> None:
    """The bonus question, on every graph of up to four nodes: no edge can be spared."""
    found = removals([*every_network(3), *every_network(4), *every_markov_graph(4)])
    assert len(found) == 48 + 2016 + 192     # edges of the 25, 543 and 64 graphs
    assert all(found)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_pair_statements_are_all_there(n: int) -> None:
    statements = list(pair_statements(tuple("abcde")[:n]))
    assert len(statements) == len(set(statements)) == n * (n - 1) // 2 * 2 ** (n - 2)
    sizes = [len(s.given) for s in statements]
    assert sizes == sorted(sizes)
