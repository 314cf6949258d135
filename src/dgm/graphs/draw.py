"""Draw graphs as SVG with Graphviz: ``dot`` where it is installed, else the wheel ``graphviz-pure``."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import graphviz

from dgm.errors import GraphError
from dgm.graphs.dag import DAG, Edge
from dgm.graphs.names import parts
from dgm.graphs.separation import Separation
from dgm.graphs.trail import Graph, Role, Step, Trail

FONT = "Vazirmatn"
SUBSCRIPT_DROP = 3     # points below the baseline of a 14-point letter
INK, FILL, SHADE, ACCENT, PALE, GREY = "#222222", "#ffffff", "#cfcfcf", "#c8553d", "#dbe8f4", "#9a9a9a"

Style: TypeAlias = Mapping[str, str]
_ASKED: Style = {"penwidth": "2.4"}
_OBSERVED: Style = {"fillcolor": SHADE}
_FOCUS: Style = {"color": ACCENT, "penwidth": "2.4"}
_SHOWN: Style = {"fillcolor": PALE}
_COLLIDER: Style = {"peripheries": "2", "color": ACCENT}
_BARRIER: Style = {"shape": "octagon", "penwidth": "2.4"}
_MARRIAGE: Style = {"style": "dashed", "color": ACCENT, "constraint": "false", "penwidth": "1.4"}
_ACTIVE: Style = {"color": ACCENT, "penwidth": "3"}
_OPENING: Style = {"color": ACCENT, "penwidth": "2", "style": "dotted"}
_BLOCKED: Style = {"color": GREY, "style": "dashed"}


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
    marks = [(shown, _SHOWN), (observed, _OBSERVED), (focus, _FOCUS)]
    nodes = {node: _merged(style for chosen, style in marks if node in chosen) for node in graph.nodes}
    return _draw(graph, nodes, {edge: _MARRIAGE for edge in graph.edges if {edge, edge[::-1]} & set(dashed)}, across)


def draw_separation(found: Separation, *, title: str = "", across: bool = False) -> Drawing:
    """Draw a graph with the answer on it.

    The nodes asked about have a thick rim and the observed ones are shaded. The active trail is coloured and
    thick; a collider on it has a double rim, and a dotted way leads from it to the observed descendant that
    opens it. Blocked trails are grey and dashed, and the nodes that stop them octagons, as a stop sign.
    """
    statement, active = found.statement, found.active
    stops = {step.node for step in _stops(found)}
    colliders = {step.node for step in active.steps if step.role is Role.COLLIDER} if active else set()
    marks = [((*statement.x, *statement.y), _ASKED), (statement.given, _OBSERVED), (stops, _BARRIER),
             (colliders, _COLLIDER), (active.nodes if active else (), {"color": ACCENT})]
    nodes = {node: _merged(style for chosen, style in marks if node in chosen) for node in found.graph.nodes}
    edges = [(_ends(trail.nodes for trail in found.listing.trails if not trail.active), _BLOCKED),
             (_ends(_openings(found.graph, active)), _OPENING), (_ends([active.nodes] if active else []), _ACTIVE)]
    styles = {edge: _last(style for chosen, style in edges if frozenset(edge) in chosen) for edge in found.graph.edges}
    return _draw(found.graph, nodes, styles, across, title)


def render(source: str) -> str:
    """SVG of Graphviz text, from its ``<svg`` tag on and without comments, which name the version."""
    command = [_command(), "-Tsvg"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, encoding="utf-8")
    if done.returncode != 0:
        raise GraphError(f"Graphviz could not draw the graph: {_reason(done)}")
    svg = done.stdout[done.stdout.index("<svg"):]
    return _lower_subscripts(re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL))


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    """The last line that Graphviz wrote; one that was killed wrote none."""
    return next(reversed(done.stderr.strip().splitlines()), f"it ended with status {done.returncode} and said nothing")


def _draw(
    graph: Graph, nodes: Mapping[str, Style], edges: Mapping[Edge, Style], across: bool, title: str = "",
) -> Drawing:
    make = graphviz.Digraph if isinstance(graph, DAG) else graphviz.Graph
    heading = {"label": title, "labelloc": "t", "fontname": FONT, "fontsize": "14"} if title else {}
    picture = make(
        graph_attr={"bgcolor": "transparent", "rankdir": "LR" if across else "TB",
                    "nodesep": "0.45", "ranksep": "0.4", "margin": "0", **heading},
        node_attr={"shape": "circle", "style": "filled", "fixedsize": "true", "width": "0.5", "height": "0.5",
                   "fontname": FONT, "fontsize": "14", "color": INK, "fontcolor": INK, "fillcolor": FILL},
        edge_attr={"color": INK, "arrowsize": "0.7"},
    )
    for node in graph.nodes:
        picture.node(node, label=_label(node), **nodes.get(node, {}))
    for edge in graph.edges:
        picture.edge(*edge, **edges.get(edge, {}))
    return Drawing(picture.source, render(picture.source))


def _stops(found: Separation) -> Iterator[Step]:
    """Where trails are stopped: the barriers, and the first blocking node of each blocked trail drawn."""
    yield from found.barriers
    yield from (trail.blockers[0] for trail in found.listing.trails if not trail.active)


def _openings(graph: Graph, active: Trail | None) -> Iterator[tuple[str, ...]]:
    """Directed paths from the colliders of an active trail to the observed descendants that open them."""
    if active and isinstance(graph, DAG):
        for step in active.steps:
            if step.role is Role.COLLIDER and step.observed is not None:
                yield graph.directed_path(step.node, step.observed)


def _ends(paths: Iterator[tuple[str, ...]] | list[tuple[str, ...]]) -> set[frozenset[str]]:
    """The edges of some paths, the directions forgotten."""
    return {frozenset(edge) for path in paths for edge in pairwise(path)}


def _merged(styles: Iterator[Style]) -> Style:
    """All that the styles say; of two that say the same thing the later one counts."""
    return {key: value for style in styles for key, value in style.items()}


def _last(styles: Iterator[Style]) -> Style:
    return [{}, *styles][-1]


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
