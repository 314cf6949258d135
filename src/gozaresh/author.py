"""The interface of chapters: the report's plot style, Persian numbers, tables, listings and computed prose."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from gozaresh.common import checks as checked
from gozaresh.common.paths import FONTS
from gozaresh.common.persian import jalali, persian

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PALETTE = ("#1f5a91", "#c8553d", "#3a7d44", "#8e5ea2", "#b8860b", "#4a4e69")


def fa(value: object) -> str:
    """Write ``value`` in Persian digits (see :func:`gozaresh.common.persian.persian`), a day in the Jalali calendar."""
    return jalali(value) if isinstance(value, date) else persian(value)


def report_style() -> None:
    """Set matplotlib to the report's font, colours and reproducible SVG; call once in a chapter's first cell."""
    from cycler import cycler
    from matplotlib import font_manager, rcParams

    for font in sorted(FONTS.glob("*.ttf")):
        font_manager.fontManager.addfont(font)
    rcParams.update({
        "font.family": ["Vazirmatn", "DejaVu Sans"], "font.size": 9.5, "mathtext.fontset": "cm",
        "axes.prop_cycle": cycler(color=PALETTE), "axes.spines.top": False, "axes.spines.right": False,
        "axes.grid": True, "grid.color": "#e3e3e3", "grid.linewidth": 0.6, "axes.axisbelow": True,
        "legend.frameon": False, "figure.figsize": (6.0, 3.2), "figure.constrained_layout.use": True,
        "svg.fonttype": "path", "svg.hashsalt": "gozaresh", "axes.unicode_minus": True,
    })
    _inline_svg()


def _inline_svg() -> None:
    from IPython.core.getipython import get_ipython

    if get_ipython() is None:  # a plain script, not a kernel
        return
    from matplotlib_inline.backend_inline import set_matplotlib_formats

    # metadata without a date: the same figure gives the same bytes
    set_matplotlib_formats("svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight")


def persian_ticks(ax: Axes) -> None:
    """Write the tick labels of both axes in Persian digits, keeping the axis's own choice of format."""
    from matplotlib.ticker import FixedFormatter, FuncFormatter

    for axis in (ax.xaxis, ax.yaxis):
        inner = axis.get_major_formatter()
        if isinstance(inner, FixedFormatter):
            continue

        def label(value: float, position: int | None = None, inner=inner, axis=axis) -> str:  # type: ignore[no-untyped-def]
            inner.set_locs(axis.get_majorticklocs())
            text = inner(value, position)
            return text if "$" in text else persian(text.replace("\N{MINUS SIGN}", "-"))

        axis.set_major_formatter(FuncFormatter(label))


@dataclass(frozen=True)
class Table:
    """A table of Markdown cells; ``align`` has one of ``l c r`` a column (start, centre, end)."""

    header: Sequence[str]
    rows: Sequence[Sequence[object]]
    align: str = ""

    def _repr_markdown_(self) -> str:
        marks = {"l": ":---", "c": ":---:", "r": "---:"}
        align = self.align or "c" * len(self.header)
        lines = [self.header, [marks[letter] for letter in align], *self.rows]
        return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)

    def __repr__(self) -> str:
        return self._repr_markdown_()


def _cell(value: object) -> str:
    text = value if isinstance(value, str) else persian(value)
    return text.replace("\n", " ").replace("|", "\\|") if "$" not in text else text.replace("\n", " ")


@dataclass(frozen=True)
class Checks:
    """A table of checked steps that also enters the report's ledger (see :mod:`gozaresh.export.ledger`).

    The table leaves out definitions, which have nothing to check, if any other step is there; the ledger counts them.
    """

    records: Sequence[Mapping[str, str]]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:
        header = ["معادله", "گام", "بررسی", "شاهد"]
        shown = [record for record in self.records if record["how"] != "defined"] or list(self.records)
        before = ["", *(record["label"] for record in shown)]
        rows = [[f"@{r['label']}" if r["label"] != last else "", r["claim"], _how(r["how"]), r["evidence"]]
                for r, last in zip(shown, before, strict=False)]
        return {"text/markdown": repr(Table(header, rows, "llll")), checked.MIME: list(self.records)}


def _how(way: str) -> str:
    return f"{checked.MATHS[way]} {checked.PERSIAN[way]}"


def checks(records: Sequence[Mapping[str, str]]) -> Checks:
    """Show how equations were checked: records with label, claim, how (proved, tested, stated) and evidence."""
    return Checks(records)


@dataclass(frozen=True)
class Markdown:
    """Computed prose: its text is read like the chapter's own."""

    text: str

    def _repr_markdown_(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text


def markdown(text: str) -> Markdown:
    """Show ``text`` as prose of the report; it may hold maths, references and lists."""
    return Markdown(text)


def show_source(*objects: object, docstrings: bool = True) -> Markdown:
    """Show the source of functions and classes as one Python listing."""
    code = "\n\n\n".join(_source(item, docstrings) for item in objects)
    return Markdown(f"```python\n{code}\n```")


def _source(item: object, docstrings: bool) -> str:
    code = textwrap.dedent(inspect.getsource(item)).rstrip()  # type: ignore[arg-type]
    return code if docstrings else _without_docstrings(code)


def _without_docstrings(code: str) -> str:
    lines = code.splitlines()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef) and ast.get_docstring(node):
            first = node.body[0]
            for number in range(first.lineno - 1, first.end_lineno or first.lineno):
                lines[number] = "\0"
            after = first.end_lineno or first.lineno
            if after < len(lines) and not lines[after].strip():
                lines[after] = "\0"  # the blank line below a docstring goes with it
    return "\n".join(line for line in lines if line != "\0")
