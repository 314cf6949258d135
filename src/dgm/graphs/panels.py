"""Several drawings as the panels of one SVG."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dgm.graphs.draw import Drawing

GAP = 28.0      # points between panels

_ROOT = re.compile(r'<svg width="([\d.]+)pt" height="([\d.]+)pt"\s+viewBox="[\d.\s-]+"[^>]*>(.*)</svg>', re.DOTALL)


@dataclass(frozen=True)
class Panels:
    """One figure of several graphs: Jupyter shows its SVG."""

    svg: str

    def _repr_svg_(self) -> str:
        return self.svg


def panels(drawings: Sequence[Drawing], columns: int) -> Panels:
    """Set the drawings in rows of ``columns``, from right to left as Persian is read, all cells equally large."""
    parts = [_parts(drawing) for drawing in drawings]
    wide = max(width for width, _, _ in parts)
    high = max(height for _, height, _ in parts)
    placed = []
    for k, (width, _, inner) in enumerate(parts):
        row, column = divmod(k, columns)
        x = (columns - 1 - column) * (wide + GAP) + (wide - width) / 2
        own = inner.replace('id="', f'id="panel{k}-')
        placed.append(f'<g transform="translate({x:g},{row * (high + GAP):g})">{own}</g>')
    rows = -(-len(parts) // columns)
    width, height = columns * (wide + GAP) - GAP, rows * (high + GAP) - GAP
    return Panels(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}pt" height="{height:g}pt" '
                  f'viewBox="0 0 {width:g} {height:g}">\n' + "\n".join(placed) + "\n</svg>")


def _parts(drawing: Drawing) -> tuple[float, float, str]:
    """Width and height in points, and what stands inside the root element."""
    found = _ROOT.fullmatch(drawing.svg.strip())
    assert found, "Graphviz writes its size in points"
    return float(found[1]), float(found[2]), found[3]
