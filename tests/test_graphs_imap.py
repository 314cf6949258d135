"""I-maps and equivalence against brute force over every statement, the theorems, and the bonus proposition."""

from __future__ import annotations

from itertools import combinations, product

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgm.errors import GraphError
from dgm.graphs.dag import DAG
from dgm.graphs.imap import (
    Difference,
    immoralities,
    independencies,
    is_i_map,
    is_minimal_i_map,
    is_perfect_map,
    markov_equivalent,
)
from dgm.graphs.markov import MarkovGraph, marriages, moral_graph
from dgm.graphs.separation import asserts
from dgm.graphs.small import census_of_dags, census_of_markov_graphs, every_markov_graph, forward_dags, labellings
from dgm.graphs.statement import pair_statements
from dgm.graphs.trail import Graph
from tests.test_graphs_separation import as_networkx, networks


@st.composite
def graphs(draw: st.DrawFn, most: int = 5) -> Graph:
    network = draw(networks(most=most))
    return network if draw(st.booleans()) else MarkovGraph(network.nodes, network.edges)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Graph, Graph]:
    """Two graphs on the same nodes, of either kind."""
    first = draw(graphs(most=4))
    chosen = tuple(pair for pair in combinations(first.nodes, 2) if draw(st.booleans()))
    return first, DAG(first.nodes, chosen) if draw(st.booleans()) else MarkovGraph(first.nodes, chosen)


def assert_difference(found: Difference, asserting: Graph, denying: Graph) -> None:
    assert asserts(asserting, found.statement)
    assert not asserts(denying, found.statement)
    assert found.asserted.holds
    assert not found.denied.holds
    assert found.explain().endswith(".")


@settings(max_examples=250, deadline=None)
@given(pairs())
def test_maps_are_what_all_statements_together_say(case: tuple[Graph, Graph]) -> None:
    h, g = case
    mine, yours = set(independencies(h)), set(independencies(g))
    included, perfect = is_i_map(h, g), is_perfect_map(h, g)
    assert included.holds is (mine <= yours)
    assert perfect.holds is (mine == yours)
    if included.witness:
        assert_difference(included.witness, h, g)
    if perfect.lost:
        assert_difference(perfect.lost, g, h)


@settings(max_examples=150, deadline=None)
@given(pairs())
def test_minimality_is_what_the_removal_of_each_edge_says(case: tuple[Graph, Graph]) -> None:
    h, g = case
    yours = set(independencies(g))
    smaller = [set(independencies(h.without_edge(edge))) <= yours for edge in h.edges]
    found = is_minimal_i_map(h, g)
    assert found.holds is (set(independencies(h)) <= yours and not any(smaller))
    if found.removals:
        assert [removal.wrong is None for removal in found.removals] == smaller
    for removal in found.removals:
        if removal.wrong:
            assert_difference(removal.wrong, h.without_edge(removal.edge), g)


def test_equivalence_of_every_two_dags_on_three_nodes_is_equality_of_what_they_assert() -> None:
    every = [DAG(tuple("abc"), edges) for edges in all_dags("abc")]
    said = [frozenset(independencies(dag)) for dag in every]
    assert len(every) == 25
    for (first, mine), (second, yours) in product(zip(every, said, strict=True), repeat=2):
        found = markov_equivalent(first, second)
        assert found.holds is (mine == yours)
        if found.statement:
            assert asserts(first, found.statement.statement) is not asserts(second, found.statement.statement)


def all_dags(names: str) -> list[tuple[tuple[str, str], ...]]:
    """Every acyclic set of edges, by brute force."""
    found = []
    for choice in product((0, 1, 2), repeat=len(names) * (len(names) - 1) // 2):
        turned = zip(combinations(names, 2), choice, strict=True)
        edges = tuple((u, v) if way == 1 else (v, u) for (u, v), way in turned if way)
        if nx.is_directed_acyclic_graph(nx.DiGraph(edges)):
            found.append(edges)
    return found


@given(networks(most=6))
def test_the_moral_graph_is_a_minimal_imap_and_perfect_just_without_immoralities(network: DAG) -> None:
    moral = moral_graph(network)
    assert is_minimal_i_map(moral, network).holds
    assert is_perfect_map(moral, network).holds is not bool(immoralities(network))
    assert bool(immoralities(network)) is bool(marriages(network))
    if not immoralities(network):
        assert nx.is_chordal(nx.Graph(moral.edges))


@given(networks(most=6))
def test_the_moral_graph_is_networkxs(network: DAG) -> None:
    oracle = nx.moral_graph(as_networkx(network))
    assert {frozenset(edge) for edge in moral_graph(network).edges} == {frozenset(edge) for edge in oracle.edges}


@given(graphs(most=6))
def test_the_cliques_are_networkxs_and_factorise_the_graph(graph: Graph) -> None:
    plain = graph if isinstance(graph, MarkovGraph) else moral_graph(graph)
    oracle = nx.Graph(plain.edges)
    oracle.add_nodes_from(plain.nodes)
    assert {frozenset(clique) for clique in plain.maximal_cliques()} == {frozenset(c) for c in nx.find_cliques(oracle)}
    assert plain.factorization().count(r"\phi_") == len(plain.maximal_cliques())


def test_an_edge_too_many_is_found() -> None:
    chain = DAG(("a", "b", "c"), (("a", "b"), ("b", "c")))
    complete = MarkovGraph(chain.nodes, tuple(combinations(chain.nodes, 2)))
    found = is_minimal_i_map(complete, chain)
    assert not found.holds
    assert found.witness == ("a", "c")


def test_graphs_on_other_nodes_are_not_compared() -> None:
    with pytest.raises(GraphError, match="one of two alone has 'c'"):
        is_i_map(DAG(("a", "b"), ()), DAG(("a", "c", "b"), ()))


@pytest.mark.parametrize(("n", "count"), [(1, 1), (2, 3), (3, 25), (4, 543)])
def test_all_labelled_dags_are_stood_for(n: int, count: int) -> None:
    every = list(forward_dags(n))
    assert sum(map(labellings, every)) == pytest.approx(count)
    assert len(all_dags("abcd"[:n])) == count
    assert len({graph.edges for graph in every_markov_graph(n)}) == 2 ** (n * (n - 1) // 2)


def test_a_perfect_map_is_minimal() -> None:
    """The bonus question, on every graph of up to four nodes: each removal of an edge has a witness."""
    for n in (2, 3, 4):
        brute = sum(map(len, all_dags("abcd"[:n])))
        for census, removals in ((census_of_dags(n), brute), (census_of_markov_graphs(n), None)):
            assert census.removals == census.witnesses
            assert not census.counterexamples
            assert removals in (None, census.removals)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_pair_statements_are_all_there(n: int) -> None:
    statements = list(pair_statements(tuple("abcde")[:n]))
    assert len(statements) == len(set(statements)) == n * (n - 1) // 2 * 2 ** (n - 2)
    sizes = [len(s.given) for s in statements]
    assert sizes == sorted(sizes)
