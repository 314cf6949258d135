"""Separation against an oracle, the theorems it obeys, and witnesses that are checked by their definition."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgm.errors import GraphError
from dgm.graphs import tables
from dgm.graphs.dag import DAG
from dgm.graphs.markov import MarkovGraph, markov_blanket, moral_graph
from dgm.graphs.moralization import reprove, separated_by_moralization
from dgm.graphs.separation import Separation, answer, asserts, d_separation, separation
from dgm.graphs.statement import Statement, pair_statements
from dgm.graphs.trail import EFFORT_LIMIT, TRAIL_LIMIT, Role, Step, Trail, annotate, evidence, list_trails

NAMES = tuple("abcdefg")


@st.composite
def networks(draw: st.DrawFn, most: int = 7) -> DAG:
    n = draw(st.integers(2, most))
    order = draw(st.permutations(NAMES[:n]))
    edges = [pair for pair in combinations(order, 2) if draw(st.booleans())]
    return DAG(NAMES[:n], tuple(edges))


@st.composite
def markov_graphs(draw: st.DrawFn) -> MarkovGraph:
    return MarkovGraph((network := draw(networks())).nodes, network.edges)


@st.composite
def questions(draw: st.DrawFn, nodes: tuple[str, ...]) -> Statement:
    """Disjoint sets: every node goes to one of the three or to none."""
    parts = draw(st.lists(st.integers(0, 3), min_size=len(nodes) - 2, max_size=len(nodes) - 2))
    first, second, *rest = draw(st.permutations(nodes))
    sides = [[first], [second], [], []]
    for node, part in zip(rest, parts, strict=True):
        sides[part].append(node)
    return Statement(*(tuple(side) for side in sides[:3]))


@st.composite
def asked(draw: st.DrawFn) -> tuple[DAG, Statement]:
    network = draw(networks())
    return network, draw(questions(network.nodes))


@st.composite
def asked_of_markov(draw: st.DrawFn) -> tuple[MarkovGraph, Statement]:
    graph = draw(markov_graphs())
    return graph, draw(questions(graph.nodes))


def as_networkx(network: DAG) -> nx.DiGraph:
    graph = nx.DiGraph(network.edges)
    graph.add_nodes_from(network.nodes)
    return graph


@given(asked())
def test_d_separation_is_networkx(case: tuple[DAG, Statement]) -> None:
    network, s = case
    oracle = nx.is_d_separator(as_networkx(network), set(s.x), set(s.y), set(s.given))
    assert answer(network, s).holds is asserts(network, s) is oracle


def random_dag(rng: np.random.Generator, n: int, density: float) -> DAG:
    nodes = tuple(f"n{i}" for i in range(n))
    order = rng.permutation(n)
    edges = [(nodes[order[i]], nodes[order[j]]) for i, j in combinations(range(n), 2) if rng.random() < density]
    return DAG(nodes, tuple(edges))


def random_question(rng: np.random.Generator, nodes: tuple[str, ...]) -> Statement:
    """One or two nodes on each side, each other one observed with a chance of its own for the question."""
    mixed = [nodes[i] for i in rng.permutation(len(nodes))]
    ends, rest = rng.integers(1, 3, size=2), rng.random()
    x, y, others = mixed[:ends[0]], mixed[ends[0]:ends.sum()], mixed[ends.sum():]
    return Statement(tuple(x), tuple(y), tuple(node for node in others if rng.random() < rest))


def test_20000_questions_are_answered_as_networkx_and_the_moral_graph_do() -> None:
    rng = np.random.default_rng(11)
    answers = {True: 0, False: 0}
    for _ in range(200):
        dag = random_dag(rng, int(rng.integers(4, 13)), rng.uniform(0.05, 0.5))
        oracle = as_networkx(dag)
        for s in (random_question(rng, dag.nodes) for _ in range(100)):
            found = answer(dag, s).holds
            assert found is nx.is_d_separator(oracle, set(s.x), set(s.y), set(s.given)), f"{s} in {dag}"
            assert found is separated_by_moralization(dag, s), f"{s} in {dag}"
            answers[found] += 1
    assert min(answers.values()) > 4000


@given(asked_of_markov())
def test_the_second_algorithm_agrees_on_markov_graphs(case: tuple[MarkovGraph, Statement]) -> None:
    assert separated_by_moralization(*case) is asserts(*case)
    assert reprove(answer(*case)).reproved


def test_two_algorithms_that_disagree_are_heard_of() -> None:
    chain = DAG(("a", "b", "c"), (("a", "b"), ("b", "c")))
    lie = replace(d_separation(chain, "a", "c"), active=None)
    with pytest.raises(GraphError, match="a ⊥ c: search says True, the moral graph says False"):
        reprove(lie)


def test_a_hundred_thousand_nodes_are_answered() -> None:
    """A chain, whose only trail is as long as the graph, and a web of random parents."""
    n = 100_000
    nodes = tuple(f"n{i}" for i in range(n))
    chain = tuple(pairwise(nodes))
    line = DAG(nodes, chain)
    long = d_separation(line, nodes[0], nodes[-1])
    assert isinstance(long.witness, Trail)
    assert long.witness.nodes == nodes
    middle = nodes[n // 2]
    assert d_separation(line, nodes[0], nodes[-1], middle).witness == (Step(middle, Role.CHAIN, middle),)
    rng = np.random.default_rng(0)
    above = (rng.random(n - 1) * np.arange(1, n)).astype(int)
    web = DAG(nodes, tuple({*chain, *((nodes[u], nodes[v]) for v, u in enumerate(above, 1))}))
    found = reprove(d_separation(web, nodes[0], nodes[-1], nodes[10:-1:3]))
    assert found.explain()
    assert not found.listing.complete


def test_the_moral_graph_is_networkx_and_the_blanket_is_its_neighbourhood() -> None:
    rng = np.random.default_rng(3)
    for _ in range(40):
        order = rng.permutation(NAMES[:6]).tolist()
        edges = tuple(pair for pair in combinations(order, 2) if rng.random() < 0.4)
        network = DAG(NAMES[:6], edges)
        oracle = nx.moral_graph(as_networkx(network))
        assert {frozenset(e) for e in moral_graph(network).edges} == {frozenset(e) for e in oracle.edges}
        for node in network.nodes:
            assert set(markov_blanket(network, node).nodes) == set(oracle.neighbors(node))


@given(asked_of_markov())
def test_markov_separation_is_disconnection(case: tuple[MarkovGraph, Statement]) -> None:
    graph, s = case
    oracle = nx.Graph(graph.edges)
    oracle.add_nodes_from(graph.nodes)
    oracle.remove_nodes_from(s.given)
    joined = any(nx.has_path(oracle, u, v) for u in s.x for v in s.y)
    assert answer(graph, s).holds is asserts(graph, s) is not joined


@given(asked())
def test_separation_is_symmetric(case: tuple[DAG, Statement]) -> None:
    network, s = case
    assert asserts(network, s) is asserts(network, Statement(s.y, s.x, s.given))


@given(asked())
def test_moral_ancestral_criterion(case: tuple[DAG, Statement]) -> None:
    network, s = case
    ancestral = network.subgraph(network.ancestors((*s.x, *s.y, *s.given)))
    assert asserts(network, s) is asserts(moral_graph(ancestral), s)


@given(asked())
def test_sets_separate_just_when_all_their_pairs_do(case: tuple[DAG, Statement]) -> None:
    network, s = case
    assert asserts(network, s) is all(asserts(network, Statement((u,), (v,), s.given)) for u in s.x for v in s.y)


@given(networks())
def test_local_markov_property_and_blanket(network: DAG) -> None:
    for node in network.nodes:
        parents = network.parents(node)
        others = set(network.nodes) - {node, *parents, *network.descendants(node)}
        assert not others or d_separation(network, node, others, parents).holds
        blanket = markov_blanket(network, node)
        assert not blanket.outside or d_separation(network, node, blanket.outside, blanket.nodes).holds
        for needed in blanket.nodes:
            rest = [other for other in blanket.nodes if other != needed]
            assert not d_separation(network, node, needed, rest).holds


def passes_by_definition(network: DAG, trail: Trail, given: tuple[str, ...]) -> bool:
    """Koller & Friedman 2009, definition 3.6, word by word."""
    for before, node, after in zip(trail.nodes, trail.nodes[1:], trail.nodes[2:], strict=False):
        parents = network.parents(node)
        if before in parents and after in parents:
            if not {node, *network.descendants(node)} & set(given):
                return False
        elif node in given:
            return False
    return True


def assert_trail_of(graph: DAG | MarkovGraph, trail: Trail, s: Statement) -> None:
    assert len(set(trail.nodes)) == len(trail.nodes)
    assert trail.nodes[0] in s.x
    assert trail.nodes[-1] in s.y
    assert all(graph.adjacent(u, v) for u, v in pairwise(trail.nodes))


def every_trail(graph: DAG | MarkovGraph, s: Statement) -> list[Trail]:
    """All simple paths, found by networkx, that have no inner node in x or y."""
    plain = nx.Graph(graph.edges)
    plain.add_nodes_from(graph.nodes)
    shown = evidence(graph, s.given)
    paths = [tuple(path) for u in s.x for v in s.y for path in nx.all_simple_paths(plain, u, v)]
    return [annotate(graph, path, shown) for path in paths if not set(path[1:-1]) & {*s.x, *s.y}]


@settings(deadline=None)
@given(asked())
def test_the_witness_of_a_network_holds_by_definition(case: tuple[DAG, Statement]) -> None:
    dag, s = case
    found = answer(dag, s)
    assert found.witness is (found.active if found.active else found.barriers)
    for trail in [found.active] if found.active else found.listing.trails:
        assert_trail_of(dag, trail, s)
        assert trail.active is passes_by_definition(dag, trail, s.given) is not found.holds
        for step in trail.steps:
            assert_observed(dag, step, s.given)


def assert_observed(dag: DAG, step: Step, given: tuple[str, ...]) -> None:
    below = {step.node, *(dag.descendants(step.node) if step.role is Role.COLLIDER else ())}
    assert bool(below & set(given)) is (step.observed is not None)
    if step.observed is not None:
        assert step.observed in below & set(given)
        lengths = [len(dag.directed_path(step.node, seen)) for seen in below & set(given)]
        assert len(dag.directed_path(step.node, step.observed)) == min(lengths)


@settings(deadline=None)
@given(asked())
def test_the_active_trail_is_shortest_and_all_trails_are_listed(case: tuple[DAG, Statement]) -> None:
    dag, s = case
    every = every_trail(dag, s)
    found = answer(dag, s)
    lengths = [len(trail.nodes) for trail in every if trail.active]
    assert (len(found.active.nodes) == min(lengths)) if found.active else not lengths
    assert found.listing.complete is (len(every) <= TRAIL_LIMIT)
    if found.listing.complete:
        assert set(found.listing.trails) == set(every)
    assert (found.example is None) is not every
    if found.example:
        assert len(found.example.nodes) == min(len(trail.nodes) for trail in every)


@settings(deadline=None)
@given(asked())
def test_every_trail_is_stopped_at_a_barrier_and_influence_reaches_every_barrier(case: tuple[DAG, Statement]) -> None:
    dag, s = case
    for graph in (dag, MarkovGraph(dag.nodes, dag.edges)):
        found = answer(graph, s)
        every = every_trail(graph, s)
        if not found.holds:
            assert found.barriers == ()
            continue
        assert bool(found.barriers) >= bool(every)
        assert all(set(trail.steps) & set(found.barriers) for trail in every)
        for barrier in found.barriers:
            assert not barrier.passes
            if isinstance(graph, DAG):
                assert_observed(graph, barrier, s.given)
                assert_reached(graph, barrier, s)


def assert_reached(dag: DAG, barrier: Step, s: Statement) -> None:
    """A collider is stopped below a parent, another node at itself, that is in x or not separated from x."""
    near = {barrier.node} if barrier.role is not Role.COLLIDER else set(dag.parents(barrier.node))
    given = set(s.given) - {barrier.node}
    assert near & set(s.x) or any(
        not nx.is_d_separator(as_networkx(dag), set(s.x), {node}, given) for node in near - given - {*s.x})


def test_barriers_leave_out_dead_ends() -> None:
    """The trail by b is stopped at b; the way by e is stopped too, but nothing behind it leads to y."""
    dag = DAG(tuple("xbyefg"), (("x", "b"), ("b", "y"), ("x", "e"), ("e", "f"), ("g", "f")))
    assert d_separation(dag, "x", "y", ("b", "e")).barriers == (Step("b", Role.CHAIN, "b"),)


@given(asked_of_markov())
def test_the_witness_of_a_markov_graph_holds_by_definition(case: tuple[MarkovGraph, Statement]) -> None:
    graph, s = case
    found = answer(graph, s)
    if found.active:
        assert_trail_of(graph, found.active, s)
        assert not set(found.active.nodes) & set(s.given)
    else:
        assert all(set(trail.nodes) & set(s.given) for trail in found.listing.trails)
        assert_minimal_cut(graph, found)


def assert_minimal_cut(graph: MarkovGraph, found: Separation) -> None:
    s, cut = found.statement, [step.node for step in found.barriers]
    assert set(cut) <= set(s.given)
    assert separation(graph, s.x, s.y, cut).holds
    for node in cut:
        assert not separation(graph, s.x, s.y, [other for other in cut if other != node]).holds


def test_more_trails_than_are_listed_are_owned_up_to() -> None:
    """Between two nodes through a complete graph of seven observed ones run far more trails than the limit."""
    middle = tuple("cdefghi")
    edges = (*combinations(middle, 2), *(("a", m) for m in middle), *((m, "b") for m in middle))
    found = d_separation(DAG(("a", *middle, "b"), edges), "a", "b", middle)
    assert found.holds
    assert len(found.listing.trails) == TRAIL_LIMIT
    assert not found.listing.complete
    assert {step.node for step in found.barriers} == set(middle)


def test_listing_gives_up_where_no_trail_is_to_be_found() -> None:
    """A clique with exponentially many paths, none of which leads to y: the effort is bounded, and owned up to."""
    clique = tuple(f"k{i}" for i in range(25))
    graph = MarkovGraph((*clique, "y"), tuple(combinations(clique, 2)))
    assert EFFORT_LIMIT < 2**25
    found = list_trails(graph, [clique[0]], ["y"], {})
    assert (found.trails, found.complete) == ((), False)


@given(networks(most=5), st.integers(0, 2**20))
def test_separated_means_independent_in_random_models(network: DAG, seed: int) -> None:
    joint = tables.random_joint(network, np.random.default_rng(seed))
    assert joint.sum() == pytest.approx(1)
    for s in pair_statements(network.nodes):
        if asserts(network, s):
            assert tables.conditional_information(joint, network.nodes, s) < tables.ROUNDING


@settings(deadline=None)
@given(networks(most=4))
def test_connected_means_dependent_in_some_model(network: DAG) -> None:
    for s in pair_statements(network.nodes):
        assert tables.trial(network, s, 5, seed=1).refuted is not asserts(network, s)


@given(asked_of_markov())
def test_markov_separation_agrees_with_random_models(case: tuple[MarkovGraph, Statement]) -> None:
    graph, s = case
    assert tables.trial(graph, s, 3, seed=2).refuted is not asserts(graph, s)


def test_information_of_a_copied_coin_is_log_two() -> None:
    joint = np.array([[0.5, 0.0], [0.0, 0.5]])
    assert tables.conditional_information(joint, ("a", "b"), Statement(("a",), ("b",))) == pytest.approx(np.log(2))


def test_the_joint_is_the_product_of_its_conditionals() -> None:
    """In O → T ← A the drawn table must give back independent roots and nothing but normalised rows."""
    network = DAG(("T", "O", "A"), (("O", "T"), ("A", "T")))
    joint = tables.random_joint(network, np.random.default_rng(0))
    roots = joint.sum(axis=0)
    assert roots == pytest.approx(np.outer(roots.sum(axis=1), roots.sum(axis=0)))
    assert tables.free_parameters(network) == 6


@pytest.mark.parametrize(("nodes", "edges", "line"), [
    (("a", "b", "c"), (("a", "b"), ("b", "c"), ("c", "a")), "c -> a -> b -> c|a -> b -> c -> a|b -> c -> a -> b"),
    (("r", "a", "b", "l"), (("r", "a"), ("a", "b"), ("b", "a"), ("b", "l")), "but (a -> b -> a|b -> a -> b) is one"),
    (("door", "heat"), (("dor", "heat"),), "'dor' is not in the graph; nearest: door"),
    (("a", "b"), (("a", "a"),), "'a' has an edge to itself"),
    (("a", "b"), (("a", "b"), ("a", "b")), "a -> b is given twice"),
    (("a", "a"), (), "'a' is given twice"),
    ((), (), "at least one node"),
])
def test_impossible_networks_are_refused(nodes: tuple[str, ...], edges: tuple[tuple[str, str], ...], line: str) -> None:
    with pytest.raises(GraphError, match=line):
        DAG(nodes, edges)


def test_impossible_markov_graphs_and_questions_are_refused() -> None:
    with pytest.raises(GraphError, match="a - b is given twice"):
        MarkovGraph(("a", "b"), (("a", "b"), ("b", "a")))
    chain = DAG(("a", "b", "c"), (("a", "b"), ("b", "c")))
    with pytest.raises(GraphError, match="'d' is not in the graph"):
        d_separation(chain, "a", "c", "d")
    with pytest.raises(GraphError, match="'a' stands in two places"):
        d_separation(chain, "a", "c", ("a", "b"))
    with pytest.raises(GraphError, match="nodes on both sides"):
        d_separation(chain, "a", ())
    with pytest.raises(GraphError, match="a - c is not in the graph"):
        chain.without_edge(("a", "c"))


@given(networks())
def test_every_cycle_is_named_as_a_cycle(network: DAG) -> None:
    """Close a cycle behind the longest directed path: the walk named in the error follows the edges."""
    path = nx.dag_longest_path(as_networkx(network))
    if len(path) < 2:
        return
    edges = (*network.edges, (path[-1], path[0]))
    with pytest.raises(GraphError) as error:
        DAG(network.nodes, edges)
    cycle = str(error.value).split("but ")[1].removesuffix(" is one").split(" -> ")
    assert cycle[0] == cycle[-1]
    assert all(edge in edges for edge in pairwise(cycle))


@given(networks())
def test_topological_order_and_relatives_are_networkxs(network: DAG) -> None:
    oracle = as_networkx(network)
    order = network.topological_order()
    assert sorted(order) == sorted(network.nodes)
    assert all(order.index(u) < order.index(v) for u, v in network.edges)
    for node in network.nodes:
        assert set(network.descendants(node)) == nx.descendants(oracle, node)
        assert network.ancestors([node]) == nx.ancestors(oracle, node) | {node}


@given(networks())
def test_the_factorisation_has_one_factor_a_node(network: DAG) -> None:
    right = network.factorization().split(" = ")[1].split(r"\, ")
    assert right == [network.factor(node) for node in network.topological_order()]


@given(markov_graphs())
def test_a_markov_graph_factorises_over_its_maximal_cliques(graph: MarkovGraph) -> None:
    oracle = nx.Graph(graph.edges)
    oracle.add_nodes_from(graph.nodes)
    cliques = graph.maximal_cliques()
    assert {frozenset(clique) for clique in cliques} == {frozenset(clique) for clique in nx.find_cliques(oracle)}
    assert graph.factorization().count(r"\phi_{") == len(cliques) == len(set(cliques))


def test_the_refuting_model_is_named_and_can_be_made_again() -> None:
    dag = DAG(("O", "A", "T"), (("O", "T"), ("A", "T")))
    tried = tables.trial(dag, Statement(("O",), ("A",), ("T",)), 20, seed=5)
    again = tables.random_joint(dag, tables.numbered(5, tried.model))
    assert tables.conditional_information(again, dag.nodes, tried.statement) == tried.largest > 0.05
