"""How long d-separation takes beside networkx and, where it is installed, pgmpy: python benchmarks/separation.py

Random networks with three parents a node; the question is about two nodes far apart, a tenth of the others observed.
Ours is timed with its witness. Runs are interleaved; the table shows medians in milliseconds, graphs built before.
"""

from __future__ import annotations

import importlib.util
import statistics
import time
from collections.abc import Callable

import networkx as nx
import numpy as np

from dgm.graphs.dag import DAG
from dgm.graphs.moralization import separated_by_moralization
from dgm.graphs.separation import d_separation
from dgm.graphs.statement import Statement

SIZES = (1_000, 10_000, 100_000)
RUNS = 5
MOST = {"networkx": 1_000, "pgmpy": 1_000}  # nodes; beyond they take minutes


def network(n: int, seed: int) -> DAG:
    """Every node has up to three parents among the fifty before it."""
    rng = np.random.default_rng(seed)
    edges = {(f"v{int(p)}", f"v{i}") for i in range(1, n) for p in rng.integers(max(0, i - 50), i, 3)}
    return DAG(tuple(f"v{i}" for i in range(n)), tuple(sorted(edges)))


def contenders(dag: DAG, s: Statement) -> dict[str, Callable[[], bool]]:
    """What is timed, by name; each says whether the two are separated."""
    graph = nx.DiGraph(dag.edges)
    graph.add_nodes_from(dag.nodes)
    given = set(s.given)
    timed: dict[str, Callable[[], bool]] = {
        "ours, with witness": lambda: d_separation(dag, s.x, s.y, s.given).holds,
        "ours, by moralisation": lambda: separated_by_moralization(dag, s),
        "networkx": lambda: bool(nx.is_d_separator(graph, set(s.x), set(s.y), given)),
    }
    if importlib.util.find_spec("pgmpy"):
        from pgmpy import base

        theirs = base.DAG(list(dag.edges))
        timed["pgmpy"] = lambda: not theirs.is_dconnected(s.x[0], s.y[0], observed=list(s.given))
    return {name: run for name, run in timed.items() if len(dag.nodes) <= MOST.get(name, SIZES[-1])}


def main() -> None:
    """Print a line a size and contender."""
    for n in SIZES:
        started = time.perf_counter()
        dag = network(n, seed=0)
        dag.parents("v0")  # builds what the graph looks up in
        print(f"{n:>7} nodes, {len(dag.edges)} edges; ours built in {time.perf_counter() - started:.2f} s")
        rng = np.random.default_rng(1)
        given = tuple(f"v{i}" for i in sorted(rng.choice(np.arange(1, n - 1), n // 10, replace=False)))
        s = Statement(("v0",), (f"v{n - 1}",), given)
        timed = contenders(dag, s)
        times: dict[str, list[float]] = {name: [] for name in timed}
        answers = set()
        for _ in range(RUNS):
            for name, run in timed.items():
                begun = time.perf_counter()
                answers.add(run())
                times[name].append(time.perf_counter() - begun)
        assert len(answers) == 1, "the contenders disagree"
        for name, seconds in times.items():
            print(f"        {name:<22} {1000 * statistics.median(seconds):10.1f} ms")


if __name__ == "__main__":
    main()
