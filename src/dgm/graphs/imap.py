"""Which independencies one graph keeps of another's: I-maps, minimal and perfect ones, and equivalence.

For a graph G let I(G) be the statements that it asserts. H is an *I-map* of G when I(H) ⊆ I(G), *minimal*
when moreover no edge can be removed from it, and *perfect* when I(H) = I(G) (Koller & Friedman 2009,
sec. 3.3, 3.4 and 4.5).

I(G) is exponentially large, but a few of its statements imply the rest (``basis``); as what a graph asserts
is closed under the rules of that implication, an inclusion is decided by n(n-1)/2 separations at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from dgm.errors import GraphError
from dgm.graphs import persian
from dgm.graphs.dag import DAG, Edge
from dgm.graphs.names import latex
from dgm.graphs.separation import Separation, answer, asserts
from dgm.graphs.statement import Statement, pair_statements
from dgm.graphs.trail import Graph


@dataclass(frozen=True)
class Immorality:
    """Two parents that are not adjacent, and their common child."""

    first: str
    child: str
    second: str

    def latex(self) -> str:
        """LaTeX with the arrows."""
        return rf"{latex(self.first)} \rightarrow {latex(self.child)} \leftarrow {latex(self.second)}"


@dataclass(frozen=True)
class Difference:
    """A statement that one graph asserts (``asserted.holds``) and another does not (``denied``)."""

    asserted: Separation
    denied: Separation

    @property
    def statement(self) -> Statement:
        """The statement itself; no node can be spared from its condition."""
        return self.asserted.statement

    def explain(self) -> str:
        """Both reasons in Persian."""
        kinds = [persian.kind_text(found.graph) for found in (self.asserted, self.denied)]
        one, other = kinds if kinds[0] != kinds[1] else ("یکی از دو گراف", "دیگری")
        return (f"گزارهٔ ${self.statement.latex()}$ در {one} برقرار است: {self.asserted.explain()} "
                f"ولی در {other} برقرار نیست: {self.denied.explain()}")


@dataclass(frozen=True)
class IMap:
    """Whether I(H) ⊆ I(G); ``wrong`` is an independence that H claims and G lacks."""

    wrong: Difference | None

    @property
    def holds(self) -> bool:
        """Whether H is an I-map of G."""
        return self.wrong is None

    @property
    def witness(self) -> Difference | None:
        """The independence wrongly claimed."""
        return self.wrong


@dataclass(frozen=True)
class PerfectMap:
    """Whether I(H) = I(G); ``wrong`` is an independence that H alone asserts, ``lost`` one that G alone does."""

    wrong: Difference | None
    lost: Difference | None

    @property
    def holds(self) -> bool:
        """Whether H is a perfect I-map of G."""
        return self.witness is None

    @property
    def witness(self) -> Difference | None:
        """An independence wrongly claimed or, where there is none, lost."""
        return self.wrong or self.lost


@dataclass(frozen=True)
class EdgeRemoval:
    """What one edge of an I-map is needed for.

    ``wrong`` is a statement that the graph asserts once the edge is gone and that is not true;
    None when there is none, that is when the edge can be spared.
    """

    edge: Edge
    wrong: Difference | None

    def explain(self) -> str:
        """Why the edge is needed, in Persian."""
        if self.wrong is None:
            return "هیچ گزارهٔ نادرستی پدید نمی‌آید؛ این یال زیادی است."
        return self.wrong.denied.explain()


@dataclass(frozen=True)
class MinimalIMap:
    """Whether H is an I-map of G (``wrong`` is None) no edge of which can be spared."""

    wrong: Difference | None
    removals: tuple[EdgeRemoval, ...]       # one for each edge of H; none when H is no I-map

    @property
    def holds(self) -> bool:
        """Whether H is a minimal I-map of G."""
        return self.witness is None

    @property
    def witness(self) -> Difference | Edge | None:
        """The independence wrongly claimed, or the first edge that can be spared."""
        return self.wrong or next((removal.edge for removal in self.removals if removal.wrong is None), None)


@dataclass(frozen=True)
class Equivalence:
    """Whether two DAGs assert the same; else what makes them differ, and a statement on which they do."""

    witness: Edge | Immorality | None       # an adjacency or an immorality that only one of the two has
    in_first: bool                          # whether it is the first one that has it
    statement: Difference | None

    @property
    def holds(self) -> bool:
        """Whether the two are Markov equivalent."""
        return self.witness is None


def is_i_map(h: Graph, g: Graph) -> IMap:
    """Is ``h`` an I-map of ``g``?

    It is when ``g`` asserts a basis of I(h). For a Markov graph that needs the intersection property, for a
    DAG the rules of a semigraphoid (Pearl 1988, theorems 3.3 and 3.9); separation in ``g``, of either kind,
    has both, and composition, by which pairs of nodes say all.

    >>> from dgm.graphs.markov import MarkovGraph
    >>> collider = DAG(("O", "A", "T"), (("O", "T"), ("A", "T")))
    >>> chain = MarkovGraph(collider.nodes, collider.edges)
    >>> str(is_i_map(chain, collider).witness.statement)
    'O ⊥ A | T'
    """
    _check_nodes(h, g)
    return IMap(next((_difference(h, g, s) for s in basis(h) if not asserts(g, s)), None))


def is_perfect_map(h: Graph, g: Graph) -> PerfectMap:
    """Is ``h`` a perfect I-map of ``g``: does each assert what the other does?"""
    return PerfectMap(is_i_map(h, g).wrong, is_i_map(g, h).wrong)


def is_minimal_i_map(h: Graph, g: Graph) -> MinimalIMap:
    """Is ``h`` an I-map of ``g``, and does it stop being one whichever edge is removed?"""
    wrong = is_i_map(h, g).wrong
    return MinimalIMap(wrong, () if wrong else tuple(remove(h, edge, g) for edge in h.edges))


def remove(h: Graph, edge: Edge, g: Graph) -> EdgeRemoval:
    """Remove ``edge`` from ``h``, an I-map of ``g``.

    One statement decides: u ⊥ v | all others in a Markov graph, v ⊥ u | other parents of v for u → v in a
    DAG. The rest of the basis of the smaller graph follows from it and the basis of ``h`` by contraction.
    """
    smaller = h.without_edge(edge)
    u, v = edge
    given = smaller.parents(v) if isinstance(smaller, DAG) else _others(smaller, u, v)
    decides = Statement((u,), (v,), given)
    return EdgeRemoval(edge, None if asserts(g, decides) else _difference(smaller, g, decides))


def markov_equivalent(first: DAG, second: DAG) -> Equivalence:
    """Do two DAGs assert the same? Just when adjacencies and immoralities agree (Verma & Pearl 1990, thm 1).

    >>> chain = DAG(tuple("abc"), (("a", "b"), ("b", "c")))
    >>> fork = DAG(tuple("abc"), (("b", "a"), ("b", "c")))
    >>> markov_equivalent(chain, fork).holds
    True
    """
    _check_nodes(first, second)
    mine, yours = _shape(first), _shape(second, order=first)
    only = [(what, True) for what in mine if what not in yours] + [(what, False) for what in yours if what not in mine]
    if not only:
        return Equivalence(None, False, None)
    return Equivalence(*only[0], is_perfect_map(first, second).witness)


def immoralities(dag: DAG) -> tuple[Immorality, ...]:
    """Every ``u → child ← v`` whose ends are not adjacent."""
    return tuple(
        Immorality(u, child, v) for child in dag.nodes
        for u, v in combinations(dag.parents(child), 2) if not dag.adjacent(u, v)
    )


def independencies(graph: Graph) -> tuple[Statement, ...]:
    """I(G) in full, as statements about pairs: n(n-1)/2 · 2^(n-2) separations, so for small graphs alone."""
    return tuple(s for s in pair_statements(graph.nodes) if asserts(graph, s))


def basis(graph: Graph) -> Iterator[Statement]:
    """Statements about pairs that imply all of I(G): the pairwise, or the ordered local Markov property."""
    if isinstance(graph, DAG):
        order = graph.topological_order()
        pairs = ((u, v, graph.parents(v)) for place, v in enumerate(order) for u in order[:place])
    else:
        pairs = ((u, v, _others(graph, u, v)) for u, v in combinations(graph.nodes, 2))
    yield from (Statement((u,), (v,), given) for u, v, given in pairs if not graph.adjacent(u, v))


def _difference(h: Graph, g: Graph, statement: Statement) -> Difference:
    """Drop nodes from the condition until none can be spared: ``h`` asserts the statement and ``g`` does not."""
    while (shorter := next((s for s in _one_less(statement) if asserts(h, s) and not asserts(g, s)), None)) is not None:
        statement = shorter
    return Difference(answer(h, statement), answer(g, statement))


def _one_less(statement: Statement) -> Iterator[Statement]:
    """The statement with one node of its condition left out, for each."""
    for node in statement.given:
        yield Statement(statement.x, statement.y, tuple(other for other in statement.given if other != node))


def _shape(dag: DAG, order: DAG | None = None) -> dict[Edge | Immorality, None]:
    """Adjacencies and immoralities, pairs written in the order of ``order``; a dict is an ordered set."""
    position = (order or dag).position

    def pair(u: str, v: str) -> Edge:
        return (u, v) if position[u] < position[v] else (v, u)

    shape: dict[Edge | Immorality, None] = dict.fromkeys(pair(u, v) for u, v in dag.edges)
    for found in immoralities(dag):
        first, second = pair(found.first, found.second)
        shape[Immorality(first, found.child, second)] = None
    return shape


def _others(graph: Graph, u: str, v: str) -> tuple[str, ...]:
    return tuple(node for node in graph.nodes if node not in (u, v))


def _check_nodes(h: Graph, g: Graph) -> None:
    alone = h.position.keys() ^ g.position.keys()
    if alone:
        raise GraphError(f"only graphs on the same nodes can be compared, but one of two alone has {min(alone)!r}")
