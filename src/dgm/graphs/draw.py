"""Draw graphs as SVG with Graphviz: ``dot`` where it is installed, else the wheel ``graphviz-pure``."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import graphviz

from dgm.errors import GraphError
from dgm.graphs.dag import BayesianNetwork, Edge
from dgm.graphs.names import parts
from dgm.graphs.separation import Graph

FONT = "Vazirmatn"
SUBSCRIPT_DROP = 3     # points below the baseline of a 14-point letter
INK, FILL, SHADE, ACCENT, PALE = "#222222", "#ffffff", "#d9d9d9", "#c8553d", "#dbe8f4"


@dataclass(frozen=True)
class Drawing:
    """A drawn graph: Jupyter shows its SVG; ``source`` is the Graphviz text it came from."""

    source: str
    svg: str

    def _repr_svg_(self) -> str:
        return self.svg


def draw(
    graph: Graph, *, observed: Collection[str] = (), focus: Collection[str] = (),
    shown: Collection[str] = (), dashed: Collection[Edge] = (), across: bool = False,
) -> Drawing:
    """Draw ``graph``; the same graph gives the same bytes.

    ``observed`` nodes are shaded grey, ``focus`` nodes have a thick coloured rim, ``shown`` nodes a pale
    fill; ``dashed`` edges (such as the marriages of a moral graph) are coloured too and do not move nodes.
    ``across`` lays the graph out from left to right. Raises :class:`GraphError` when no Graphviz is found.
    """
    make = graphviz.Digraph if isinstance(graph, BayesianNetwork) else graphviz.Graph
    picture = make(
        graph_attr={"bgcolor": "transparent", "rankdir": "LR" if across else "TB",
                    "nodesep": "0.45", "ranksep": "0.4", "margin": "0"},
        node_attr={"shape": "circle", "style": "filled", "fixedsize": "true", "width": "0.5",
                   "fontname": FONT, "fontsize": "14", "color": INK, "fontcolor": INK, "fillcolor": FILL},
        edge_attr={"color": INK, "arrowsize": "0.7"},
    )
    for node in graph.nodes:
        picture.node(node, label=_label(node), **_node_style(node, observed, focus, shown))
    for edge in graph.edges:
        thin = edge in dashed or edge[::-1] in dashed
        style = {"style": "dashed", "color": ACCENT, "constraint": "false", "penwidth": "1.4"} if thin else {}
        picture.edge(*edge, **style)
    return Drawing(picture.source, render(picture.source))


def render(source: str) -> str:
    """SVG of Graphviz text, from its ``<svg`` tag on and without comments, which name the version."""
    command = [_command(), "-Tsvg"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, encoding="utf-8")
    if done.returncode != 0:
        raise GraphError(f"Graphviz could not draw the graph: {done.stderr.strip().splitlines()[-1]}")
    svg = done.stdout[done.stdout.index("<svg"):]
    return _lower_subscripts(re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL))


def _lower_subscripts(svg: str) -> str:
    """Move subscripts by their ``y``, as not every renderer heeds ``baseline-shift`` on a ``text`` element."""
    shifted = r'y="(-?[\d.]+)"([^>]*) baseline-shift="sub"'
    return re.sub(shifted, lambda found: f'y="{float(found[1]) + SUBSCRIPT_DROP:g}"{found[2]}', svg)


def _command() -> str:
    beside = Path(sys.executable).parent / "graphviz-pure"  # where pip puts the wheel's command
    found = shutil.which("dot") or shutil.which(str(beside)) or shutil.which("graphviz-pure")
    if not found:
        raise GraphError(f"neither dot nor graphviz-pure was found; looked on PATH and at {beside}")
    return found


def _label(node: str) -> str:
    """Graphviz label: an index is set as a subscript, as Vazirmatn has no subscript digits."""
    letters, index = parts(node)
    return f'<{letters}<SUB><FONT POINT-SIZE="10">{index}</FONT></SUB>>' if index else letters


def _node_style(
    node: str, observed: Collection[str], focus: Collection[str], shown: Collection[str],
) -> dict[str, str]:
    style: dict[str, str] = {}
    if node in shown:
        style["fillcolor"] = PALE
    if node in observed:
        style["fillcolor"] = SHADE
    if node in focus:
        style |= {"color": ACCENT, "penwidth": "2.4"}
    return style
