"""The table of outputs: which of the forms that a cell's output comes in is set, and what is refused.

An output is a bundle: one content in several forms, each with its MIME type. :data:`READERS` names the types that can
be set, best first; what no reader takes is an :class:`OutputError`. So no output is lost, and none is shown as the name
of its Python object.
"""

from __future__ import annotations

import ast
import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from gozaresh.common import checks
from gozaresh.common.errors import GozareshError
from gozaresh.export.terminal import as_shown
from gozaresh.source import inline

LONGEST_OUTPUT = 100_000  # characters that one output can have
LONGEST_RAW = 4_000_000  # characters of an output before overwritten ones are taken out
OWN = {inline.MIME, checks.MIME}  # records for the engine itself
FORMULA = re.compile(r"\s*(?:\$\$(?P<display>.+?)\$\$|\$(?P<inline>[^$]+)\$|\\\[(?P<brackets>.+)\\\]"
                     r"|\\\((?P<round>.+)\\\)|(?P<alone>\\begin\{(?:equation|align|gather|multline|eqnarray)\*?\}.*))\s*",
                     re.S)
ADDRESS = re.compile(r"<[^<>\n]{1,200}? at 0x[0-9a-fA-F]{4,}[^<>\n]{0,200}>")
PLACEHOLDER = re.compile(r"\s*<[^<>\n]* object>\s*")
DRAWN = re.compile(  # what the functions of matplotlib and its kin return
    r"<(?:matplotlib|mpl_toolkits|seaborn|cartopy|networkx)[\w.]*[ .]|<(?:Axes|GeoAxes|PolarAxes)\w*[:(> ]"
    r"|<(?:Bar|Errorbar|Stem)?Container object|<a list of \d+ \w+|<Figure size|\bText\(-?[\d.e+-]+, -?[\d.e+-]+, ['\"]"
    r"|^(?:\[)?(?:Line2D|AxesImage|QuadMesh|PathCollection|PolyCollection|Legend)\(")
EMPTY_FIGURE = re.compile(r"<Figure size \S+ with 0 Axes>")
RETURNS_NUMBERS = {"xlim", "ylim", "axis", "xticks", "yticks", "clim"}  # of matplotlib, beside the setters set_…


class OutputError(GozareshError):
    """An output that cannot be set, and what the author can do."""


@dataclass(frozen=True)
class Printed:
    """Text in lines, as a terminal shows it."""

    text: str


@dataclass(frozen=True)
class Prose:
    """Markdown, read like the chapter's own."""

    markdown: str


@dataclass(frozen=True)
class Equation:
    """A displayed formula in TeX."""

    tex: str


@dataclass(frozen=True)
class Html:
    """HTML whose structure can be set."""

    html: str


@dataclass(frozen=True)
class Picture:
    """An image file's bytes and its suffix."""

    data: bytes
    suffix: str


Form = Printed | Prose | Equation | Html | Picture


def forms(cell: NotebookNode) -> list[Form]:
    """What an executed cell shows, in order.

    A plot is shown once, although the inline backend shows it and it may be the cell's value too; what a plotting call
    returns is left out beside its plot.

    Raises:
        OutputError: an output has no form that can be set, or is too long.
    """
    plotted = any(_is_picture(output) for output in cell.outputs if output.output_type == "display_data")
    found = []
    for output in cell.outputs:
        if output.output_type == "execute_result" and plotted and _is_drawn(output, cell.source):
            continue
        form = _form(output)
        if form is not None:
            found.append(form)
    return found


def _is_picture(output: NotebookNode) -> bool:
    return any(mime in output.data for mime in PICTURES)


def _is_drawn(output: NotebookNode, code: str) -> bool:
    """Test if a value is the plot itself, or what the call that drew it returns."""
    text = _joined(output.data.get("text/plain", ""))
    if _is_picture(output):
        return text.startswith("<Figure")
    return set(output.data) == {"text/plain"} and (bool(DRAWN.search(text)) or _sets_axes(code))


def _sets_axes(code: str) -> bool:
    """Test if the last statement of a cell calls a function of matplotlib's that returns plain numbers."""
    try:
        last = ast.parse(code).body[-1]
    except (SyntaxError, IndexError):
        return False
    call = last.value if isinstance(last, ast.Expr) else None
    name = call.func.attr if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) else ""
    return name.startswith("set_") or name in RETURNS_NUMBERS


def _form(output: NotebookNode) -> Form | None:
    """The form in which one output is set; nothing for what stands on no page."""
    if output.output_type == "stream":
        return _text(output.text) if output.name == "stdout" else None
    if output.output_type == "error":
        return Printed(as_shown(f"{output.ename}: {output.evalue}"))
    data = {mime: content for mime, content in output.get("data", {}).items() if mime not in OWN}
    if inline.MIME in output.get("data", {}) or not data:
        return None
    return _best(data)


def _best(data: Mapping[str, Any]) -> Form | None:
    if EMPTY_FIGURE.fullmatch(_joined(data.get("text/plain", "")).strip()) and len(data) == 1:
        return None
    reasons = []
    for mime, read in READERS.items():
        if mime in data:
            try:
                return read(data[mime])
            except OutputError as error:
                reasons.append(str(error))
    unknown = [mime for mime in data if mime not in READERS and mime != "text/plain"]
    if unknown or any(reason in FINAL for reason in reasons):
        reasons += [_refusal(mime) for mime in unknown]
    elif "text/plain" in data:
        return _value(_joined(data["text/plain"]), reasons)
    raise OutputError(reasons[-1] if unknown else reasons[0])


def _refusal(mime: str) -> str:
    advice = next((advice for pattern, advice in UNSETTABLE.items() if re.match(pattern, mime)), OTHERWISE)
    return f"an output of the type {mime} cannot be set; {advice}"


# --- one reader a type -----------------------------------------------------------------------------------------------
def _joined(content: object) -> str:
    return "".join(content) if isinstance(content, list) else str(content)


def _text(content: object) -> Printed | None:
    """Printed text; nothing where a terminal shows nothing."""
    raw = _joined(content)
    _limit(len(raw), LONGEST_RAW)
    text = as_shown(raw).rstrip()
    _limit(len(text), LONGEST_OUTPUT)
    address = ADDRESS.search(text)
    if address:
        raise OutputError(f"the output shows an object's address, «{address[0]}», which is another in every run; "
                          "show what the object holds")
    return Printed(text) if text.strip() else None


def _limit(length: int, most: int) -> None:
    if length > most:
        raise OutputError(f"the cell puts out {length:,} characters, and at most {most:,} can be set; "
                          "show less, or write '#| output: false'")


def _value(text: str, reasons: Sequence[str]) -> Printed | None:
    """A value that has no richer form that can be set."""
    if ADDRESS.search(text) or PLACEHOLDER.fullmatch(text):
        raise OutputError(reasons[0] if reasons else (
            f"the value «{text.strip()[:80]}» is an object without a form that can be set; "
            "show what it holds, or end the line with ';'"))
    return _text(text)


def _markdown(content: object) -> Prose:
    _limit(len(_joined(content)), LONGEST_OUTPUT)
    return Prose(_joined(content))


def _latex(content: object) -> Equation:
    found = FORMULA.fullmatch(_joined(content))
    if found is None:
        raise OutputError("LaTeX that is no formula cannot be set; show Markdown or HTML")
    tex = next(part for part in found.groups() if part is not None).strip()
    return Equation(tex.removeprefix(r"\displaystyle").strip())


def _html(content: object) -> Html:
    html = _joined(content)
    _limit(len(html), LONGEST_RAW)
    active = ACTIVE.search(html)
    if active:
        raise OutputError(INTERACTIVE)
    hidden = UNPRINTABLE.search(html)
    if hidden:
        raise OutputError(f"HTML with <{hidden[1]}> cannot be set; {OTHERWISE}")
    return Html(html)


def _json(content: object) -> Prose:
    text = json.dumps(content, ensure_ascii=False, indent=2)
    _limit(len(text), LONGEST_OUTPUT)
    return Prose(f"```json\n{text}\n```")


def _svg(content: object) -> Picture:
    svg = _joined(content)
    if "<foreignObject" in svg:
        raise OutputError("an SVG whose text is HTML (foreignObject) cannot be set; show it as PNG")
    return Picture(svg.encode(), "svg")


def _raster(suffix: str) -> Callable[[object], Picture]:
    def read(content: object) -> Picture:
        try:
            return Picture(base64.b64decode(_joined(content)), suffix)
        except (binascii.Error, ValueError):
            raise OutputError(f"a picture of the type image/{suffix} is not base64") from None
    return read


OTHERWISE = "show it as text, Markdown, an HTML table, SVG or PNG, or write '#| output: false'"
INTERACTIVE = ("an output that needs JavaScript cannot be set; show it as a picture "
               "(Plotly: fig.show('svg'), Altair: alt.renderers.enable('svg'), Bokeh: bokeh.io.export_svg)")
FINAL = {INTERACTIVE}  # reasons for which the plain text beside is no substitute
ACTIVE = re.compile(r"<(script|iframe|canvas|object|embed|video|audio)\b", re.I)
UNPRINTABLE = re.compile(r"<(svg|input|button|select|textarea|form|progress|meter|dialog)\b", re.I)
PICTURES: Mapping[str, Callable[[object], Picture]] = {
    "image/svg+xml": _svg, "image/png": _raster("png"), "image/jpeg": _raster("jpg"), "image/gif": _raster("gif"),
    "image/webp": _raster("webp")}
READERS: Mapping[str, Callable[[object], Form]] = {
    "text/latex": _latex, **PICTURES, "text/markdown": _markdown, "text/html": _html, "application/json": _json}
UNSETTABLE: Mapping[str, str] = {
    r"application/vnd\.plotly\.": "show it as a picture: fig.show('svg') (needs kaleido)",
    r"application/vnd\.vega(lite)?\.": "show it as a picture: alt.renderers.enable('svg') (needs vl-convert-python)",
    r"application/vnd\.bokeh|application/vnd\.holoviews": "show it as a picture: bokeh.io.export_svg (needs selenium)",
    r"application/vnd\.jupyter\.widget": "a widget cannot stand on paper; show what it holds",
    r"application/javascript": "a script cannot stand on paper; write '#| output: false'",
    r"application/pdf|application/postscript|image/": "show the picture as SVG or PNG",
    r"audio/|video/": "sound and film cannot stand on paper; write '#| output: false'",
}
