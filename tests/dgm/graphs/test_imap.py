"""I-maps by brute force over all statements, their theorems, and the bonus proposition on every small graph."""

from __future__ import annotations

from itertools import combinations, product

import networkx as nx
import numpy as np
import pytest
from hypothesis import given

from dgm.errors import GraphError
from dgm.graphs.dag import DAG
from dgm.graphs.imap import (
    Difference,
    Immorality,
    immoralities,
    independencies,
    is_i_map,
    is_minimal_i_map,
    is_perfect_map,
    markov_equivalent,
    remove,
)
from dgm.graphs.markov import MarkovGraph, marriages, moral_graph
from dgm.graphs.separation import asserts
from dgm.graphs.small import census_of_dags, census_of_markov_graphs, every_markov_graph, forward_dags, labellings
from dgm.graphs.statement import Statement, pair_statements
from dgm.graphs.trail import Graph
from tests.dgm.graphs.test_separation import as_networkx, networks


def every_dag(n: int) -> list[DAG]:
    """Every DAG on ``n`` labelled nodes, by trying all sets of arrows."""
    nodes = tuple(f"v{i}" for i in range(1, n + 1))
    pairs = list(combinations(nodes, 2))
    dags = []
    for choice in product((None, False, True), repeat=len(pairs)):
        chosen = [(pair, back) for pair, back in zip(pairs, choice, strict=True) if back is not None]
        try:
            dags.append(DAG(nodes, tuple(pair[::-1] if back else pair for pair, back in chosen)))
        except GraphError:
            continue
    return dags


SMALL: list[Graph] = [*every_dag(3), *every_markov_graph(3)]


def some_pairs(n: int, many: int) -> list[tuple[Graph, Graph]]:
    """Pairs of graphs on ``n`` nodes; in half of them the one has a few edges more than the other."""
    rng = np.random.default_rng(n)
    every: list[Graph] = [*every_dag(n), *every_markov_graph(n)]
    pairs = [(every[i], every[j]) for i, j in rng.integers(len(every), size=(many // 2, 2))]
    for i in rng.integers(len(every), size=many // 2):
        kept = tuple(edge for edge in every[i].edges if rng.random() < 0.7)
        pairs.append((every[i], type(every[i])(every[i].nodes, kept)))
    return pairs


ALL_AND_SOME = [*product(SMALL, SMALL), *some_pairs(4, 1000)]


def assert_difference(found: Difference | None, h: Graph, g: Graph) -> None:
    """What ``h`` asserts and ``g`` does not; no node can be spared from the condition."""
    assert found is not None
    s = found.statement
    assert found.asserted.holds
    assert not found.denied.holds
    assert (found.asserted.graph, found.denied.graph) == (h, g)
    assert found.explain().endswith(".")
    assert asserts(h, s) > asserts(g, s)
    for node in s.given:
        shorter = Statement(s.x, s.y, tuple(other for other in s.given if other != node))
        assert not asserts(h, shorter) > asserts(g, shorter)


def test_i_maps_and_perfect_maps_are_what_all_statements_say() -> None:
    for h, g in ALL_AND_SOME:
        claims, facts = set(independencies(h)), set(independencies(g))
        found, perfect = is_i_map(h, g), is_perfect_map(h, g)
        assert found.holds is (claims <= facts)
        assert perfect.holds is (claims == facts)
        if not found.holds:
            assert_difference(found.witness, h, g)
            assert perfect.witness == found.witness
        elif not perfect.holds:
            assert_difference(perfect.witness, g, h)


def test_minimal_i_maps_are_what_all_statements_say() -> None:
    for h, g in ALL_AND_SOME:
        facts = set(independencies(g))
        found = is_minimal_i_map(h, g)
        if not set(independencies(h)) <= facts:
            assert not found.holds
            assert_difference(found.wrong, h, g)
            assert found.removals == ()
            continue
        spared = [edge for edge in h.edges if set(independencies(h.without_edge(edge))) <= facts]
        assert [removal.edge for removal in found.removals if removal.wrong is None] == spared
        assert found.holds is not spared
        assert found.witness == (spared[0] if spared else None)
        for removal in found.removals:
            if removal.wrong:
                assert_difference(removal.wrong, h.without_edge(removal.edge), g)
                assert {*removal.wrong.statement.x, *removal.wrong.statement.y} == set(removal.edge)


def test_equivalent_dags_are_those_that_assert_the_same() -> None:
    """All pairs on three nodes, and every DAG on four nodes against its class and against others."""
    rng = np.random.default_rng(4)
    three, four = every_dag(3), every_dag(4)
    said = {dag.edges: frozenset(independencies(dag)) for dag in (*three, *four)}
    alike = [(a, b) for a in four for b in four if said[a.edges] == said[b.edges]]
    others = [(four[i], four[j]) for i, j in rng.integers(len(four), size=(2000, 2))]
    assert len({said[dag.edges] for dag in four}) == 185     # classes on four nodes (Gillispie & Perlman 2002)
    for first, second in [*product(three, repeat=2), *alike, *others]:
        found = markov_equivalent(first, second)
        assert found.holds is (said[first.edges] == said[second.edges])
        if not found.holds:
            assert found.statement is not None
            assert asserts(first, found.statement.statement) is not asserts(second, found.statement.statement)
            owner, other = (first, second) if found.in_first else (second, first)
            assert_only_in(found.witness, owner, other)


def assert_only_in(witness: object, owner: DAG, other: DAG) -> None:
    if isinstance(witness, Immorality):
        assert witness in immoralities(owner)
        assert witness not in immoralities(other)
    else:
        assert isinstance(witness, tuple)
        assert owner.adjacent(*witness) > other.adjacent(*witness)


def test_maps_do_not_depend_on_the_order_of_nodes() -> None:
    one = DAG(tuple("abc"), (("a", "c"), ("b", "c")))
    turned = DAG(tuple("cba"), (("b", "c"), ("a", "c")))
    assert markov_equivalent(one, turned).holds
    assert is_perfect_map(one, turned).holds
    assert is_minimal_i_map(moral_graph(turned), one).holds


def test_only_graphs_on_the_same_nodes_are_compared() -> None:
    one, more = DAG(("a", "b"), ()), DAG(("a", "b", "c"), ())
    for compare in (is_i_map, is_perfect_map, is_minimal_i_map):
        with pytest.raises(GraphError, match=r"only graphs on the same nodes can be compared, but .* has 'c'"):
            compare(one, more)
    with pytest.raises(GraphError, match="has 'c'"):
        markov_equivalent(more, one)


@given(networks(most=6))
def test_the_moral_graph_is_a_minimal_imap(network: DAG) -> None:
    found = is_minimal_i_map(moral_graph(network), network)
    assert found.holds
    assert found.witness is None


@given(networks(most=6))
def test_the_moral_graph_is_perfect_just_without_immoralities(network: DAG) -> None:
    perfect = is_perfect_map(moral_graph(network), network)
    assert perfect.holds is not bool(immoralities(network))
    assert bool(immoralities(network)) is bool(marriages(network))
    assert perfect.wrong is None


@given(networks(most=6))
def test_a_moral_network_has_a_chordal_moral_graph(network: DAG) -> None:
    if not immoralities(network):
        assert nx.is_chordal(nx.Graph(moral_graph(network).edges))


@given(networks(most=6))
def test_the_moral_graph_is_networkxs(network: DAG) -> None:
    oracle = nx.moral_graph(as_networkx(network))
    assert {frozenset(edge) for edge in moral_graph(network).edges} == {frozenset(edge) for edge in oracle.edges}


def test_an_edge_too_many_is_found_and_said() -> None:
    chain = DAG(("a", "b", "c"), (("a", "b"), ("b", "c")))
    complete = MarkovGraph(chain.nodes, tuple(combinations(chain.nodes, 2)))
    assert is_minimal_i_map(complete, chain).witness == ("a", "c")
    assert "زیادی" in remove(complete, ("a", "c"), chain).explain()


@pytest.mark.parametrize(("n", "graphs", "removals"), [(1, 1, 0), (2, 3, 2), (3, 25, 48), (4, 543, 2016)])
def test_forward_dags_stand_for_all_labelled_ones(n: int, graphs: int, removals: int) -> None:
    every = every_dag(n)
    assert len(every) == len({frozenset(dag.edges) for dag in every}) == graphs
    assert sum(labellings(dag) for dag in forward_dags(n)) == pytest.approx(graphs)
    assert sum(len(dag.edges) for dag in every) == removals
    found = census_of_dags(n)
    assert (found.graphs, found.removals) == (graphs, removals)
    assert found.tried == 2 ** (n * (n - 1) // 2)


def test_five_nodes_have_29281_labelled_dags() -> None:
    assert sum(labellings(dag) for dag in forward_dags(5)) == pytest.approx(29281)     # OEIS A003024


def test_a_perfect_map_is_minimal() -> None:
    """The bonus question, on every graph of up to four nodes; chapter 1 goes on to five."""
    for found in (census(n) for n in (2, 3, 4) for census in (census_of_dags, census_of_markov_graphs)):
        assert found.witnesses == found.removals > 0
        assert found.counterexamples == ()


def test_a_perfect_map_is_minimal_on_every_labelled_graph_of_four_nodes() -> None:
    """Without renaming, and with the one statement by which the proof goes."""
    for graph in (*every_dag(4), *every_markov_graph(4)):
        assert is_minimal_i_map(graph, graph).holds


@pytest.mark.parametrize("n", [2, 3, 5])
def test_pair_statements_are_all_there(n: int) -> None:
    statements = list(pair_statements(tuple("abcde")[:n]))
    assert len(statements) == len(set(statements)) == n * (n - 1) // 2 * 2 ** (n - 2)
    sizes = [len(s.given) for s in statements]
    assert sizes == sorted(sizes)
