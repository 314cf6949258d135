"""Which independencies a Markov graph keeps of those of a Bayesian network.

For a graph G let I(G) be the statements that it asserts. H is an *I-map* of G when I(H) ⊆ I(G), *minimal*
when no edge can be removed from it, and *perfect* when I(H) = I(G) (Koller & Friedman 2009, sec. 3.3, 3.4
and 4.5).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from dgm.graphs.dag import BayesianNetwork, Edge
from dgm.graphs.markov import MarkovGraph
from dgm.graphs.separation import Graph, Separation, asserts, explain
from dgm.graphs.statement import Statement, pair_statements, statements_between


@dataclass(frozen=True)
class Immorality:
    """Two parents that are not adjacent, and their common child."""

    first: str
    child: str
    second: str


@dataclass(frozen=True)
class Comparison:
    """The independencies of a network beside those of a Markov graph on the same nodes.

    All of them are statements about pairs, see :func:`dgm.graphs.statement.pair_statements`.
    """

    in_network: int                     # size of I(G)
    in_markov: int                      # size of I(H)
    lost: tuple[Statement, ...]         # in I(G) but not in I(H), smallest condition first
    invented: tuple[Statement, ...]     # in I(H) but not in I(G); empty just when H is an I-map
    immoralities: tuple[Immorality, ...]

    @property
    def is_imap(self) -> bool:
        """Whether I(H) ⊆ I(G)."""
        return not self.invented

    @property
    def is_perfect(self) -> bool:
        """Whether I(H) = I(G)."""
        return not self.invented and not self.lost

    @property
    def witness(self) -> Statement | None:
        """A smallest statement on which the two differ; None when they are equal."""
        return next(iter((*self.invented, *self.lost)), None)


@dataclass(frozen=True)
class EdgeRemoval:
    """What one edge is needed for.

    ``truth`` says why ``truth.statement``, which the graph without the edge asserts, does not hold;
    None when the graph without the edge asserts nothing false, that is when the edge can be spared.
    """

    edge: Edge
    truth: Separation | None


@dataclass(frozen=True)
class MinimalMap:
    """Whether no edge of an I-map can be spared."""

    removals: tuple[EdgeRemoval, ...]

    @property
    def is_minimal(self) -> bool:
        """Whether every edge is needed."""
        return all(removal.truth is not None for removal in self.removals)


def compare(network: BayesianNetwork, markov: MarkovGraph) -> Comparison:
    """Compare all pair statements of the two: n(n-1)/2 · 2^(n-2) separations in each.

    >>> from dgm.graphs.markov import moral_graph
    >>> room = BayesianNetwork(("O", "A", "T"), (("O", "T"), ("A", "T")))
    >>> str(compare(room, moral_graph(room)).witness)
    'O ⊥ A'
    """
    both = [(s, asserts(network, s), asserts(markov, s)) for s in pair_statements(network.nodes)]
    return Comparison(
        in_network=sum(in_network for _, in_network, _ in both),
        in_markov=sum(in_markov for _, _, in_markov in both),
        lost=tuple(s for s, in_network, in_markov in both if in_network and not in_markov),
        invented=tuple(s for s, in_network, in_markov in both if in_markov and not in_network),
        immoralities=immoralities(network),
    )


def immoralities(network: BayesianNetwork) -> tuple[Immorality, ...]:
    """Every ``u → child ← v`` whose ends are not adjacent."""
    return tuple(
        Immorality(u, child, v) for child in network.nodes
        for u, v in combinations(network.parents(child), 2) if not network.adjacent(u, v)
    )


def minimal_map(markov: MarkovGraph, network: BayesianNetwork) -> MinimalMap:
    """Try the removal of each edge of ``markov``, an I-map of ``network``.

    It is enough to look at statements about the two ends of the edge: d-separation satisfies the
    intersection property, so the graph without u-v is an I-map just when u ⊥ v | (all others) holds
    (Pearl 1988, theorem 3.3: pairwise and global Markov property agree).
    """
    return MinimalMap(tuple(edge_removal(markov, edge, network) for edge in markov.edges))


def edge_removal(graph: Graph, edge: Edge, truth: Graph) -> EdgeRemoval:
    """Find the smallest statement about the ends of ``edge`` that is false once the edge is gone."""
    reduced = graph.without_edge(edge)
    for size in range(len(graph.nodes) - 1):
        for statement in statements_between(*edge, graph.nodes, size):
            if asserts(reduced, statement) and not asserts(truth, statement):
                return EdgeRemoval(edge, explain(truth, statement))
    return EdgeRemoval(edge, None)
