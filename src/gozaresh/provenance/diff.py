"""Differences between the results of two reports: parameters, data, numbers, table cells, figures, equations, texts.

Prose that an author typed is not compared, nor are the lines on which things stand: a result is known by its label, a
number by the expression that computed it.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from gozaresh.common import files
from gozaresh.common.digests import digest
from gozaresh.common.errors import SettingsError, map_exceptions
from gozaresh.export.document import CAPTION, Piece, to_document
from gozaresh.provenance.trace import Chapter, trace
from gozaresh.source.cells import Cell
from gozaresh.source.notebook import metadata, options_of, place_of
from gozaresh.source.parameters import read_parameters

IN_ZIP = re.compile(r"(?:^|/)executed/([^/]+)\.ipynb$")
BAR = re.compile(r"(?<!\\)\|")
RULE = re.compile(r"^\|(?: *:?-+:? *\|)+$")
SVG_ID = re.compile(r'(\bid="|href="#|url\(#)([^")]+)')
SVG_NOTE = re.compile(r"<!--.*?-->|<metadata>.*?</metadata>", re.S)
LONGEST = 80  # characters of a value that are shown
NONE = "(none)"


@dataclass(frozen=True)
class Result:
    """One comparable thing of a report: ``key`` is the same in both reports, ``name`` is what a message calls it."""

    key: tuple[str, ...]
    name: str
    value: str = ""


def differences(old: Path, new: Path) -> list[str]:
    """A line for each difference, in the order of the chapters; empty where the reports are equal.

    Raises:
        SettingsError: one of them is no report.
    """
    before, after = ({result.key: result for result in results(read_report(path))} for path in (old, new))
    keys = sorted(dict.fromkeys([*before, *after]), key=lambda key: KINDS.index(key[0]))
    return [line for key in keys for line in _compared(before.get(key), after.get(key))]


# --- reading ---------------------------------------------------------------------------------------------------------
def read_report(path: Path) -> dict[str, NotebookNode]:
    """The executed chapters of a hand-in (.zip), of a report's folder or of a folder of executed notebooks, by name.

    Raises:
        SettingsError: there are none.
    """
    # whatever zipfile, its compressions and nbformat raise of damaged files
    with map_exceptions(SettingsError, Exception, tool=f"{path}: cannot be read"):
        found = _from_zip(path) if path.is_file() else _from_folder(path)
    if not found:
        what = "no executed notebooks in it" if path.exists() else "no such file or folder"
        raise SettingsError(f"{path}: {what}; valid: a hand-in (.zip), a report's folder, a folder as build/executed")
    return found


def _from_zip(path: Path) -> dict[str, NotebookNode]:
    with zipfile.ZipFile(path) as archive:
        named = sorted((found[1], name) for name in archive.namelist() if (found := IN_ZIP.search(name)))
        return {chapter: nbformat.reads(archive.read(name).decode(), as_version=4) for chapter, name in named}


def _from_folder(path: Path) -> dict[str, NotebookNode]:
    for folder in (path / "build" / "executed", path / "executed", path):  # what was built last comes first
        notebooks = {file.stem: file for file in sorted(folder.glob("*.ipynb")) if not file.stem.endswith(".partial")}
        if notebooks:
            return {name: files.read_notebook(file) for name, file in notebooks.items()}
    return {}


# --- what there is to compare ----------------------------------------------------------------------------------------
KINDS = ("profile", "parameter", "data", "number", "table", "figure", "text")


def results(chapters: Mapping[str, NotebookNode]) -> Iterator[Result]:
    """Everything in the executed chapters that can be compared."""
    profiles = sorted({metadata(executed).get("profile", "") for executed in chapters.values()})
    yield Result(("profile",), "profile", ", ".join(profiles))
    for name, executed in chapters.items():
        chapter = _chapter(name, executed)
        for parameter, value in chapter.values.items():
            yield Result(("parameter", name, parameter), f"parameter {parameter} of {name}", repr(value))
        for parameter, sum_ in metadata(executed).get("files", {}).items():
            yield Result(("data", name, parameter), f"data {parameter} of {name}", sum_[:12])
        yield from _numbers(chapter)
        yield from _outputs(name, executed)


def _chapter(name: str, executed: NotebookNode) -> Chapter:
    """The chapter with the parameters that its notebook declares; the script may be elsewhere."""
    cells = [Cell("code", cell.source, place_of(cell).file, place_of(cell).line, tuple(cell.metadata.get("tags", ())))
             for cell in executed.cells if cell.cell_type == "code"]
    return Chapter(name, read_parameters(cells), executed)


def _numbers(chapter: Chapter) -> Iterator[Result]:
    """The values in prose and captions; the same expression again is told by its count."""
    times: Counter[str] = Counter()
    traced = trace([chapter], "")
    for origin in traced.origins:
        if origin.is_value:
            times[origin.name] += 1
            yield Result(("number", chapter.name, origin.name, str(times[origin.name])),
                         f"number {traced.runs[0].file}:{origin.line} `{origin.name}`", origin.text)


def _outputs(name: str, executed: NotebookNode) -> Iterator[Result]:
    """What the code cells show; where there is no label, by its count."""
    unlabelled = 0
    for number, pieces in to_document(executed, "").pieces.items():
        cell = executed.cells[number]
        if cell.cell_type != "code" or not pieces:
            continue
        options = options_of(cell)
        label = options.label or options.lst_label
        unlabelled += not label
        yield _shown(cell, pieces, options.kind, label, (name, label or str(unlabelled)))


def _shown(cell: NotebookNode, pieces: Sequence[Piece], kind: str, label: str, key: tuple[str, ...]) -> Result:
    figures = [figure for piece in pieces for figure in piece.figures]
    if figures:
        shown = [figure_digest(figure.data) for figure in figures]
        return Result(("figure", *key), f"figure {label}", shown[0] if len(shown) == 1 else digest("figures", shown))
    markdown = "\n\n".join(piece.markdown for piece in pieces)
    if kind == "tbl":
        rows = [line for line in markdown.splitlines() if line.startswith("|") and not RULE.match(line)]
        return Result(("table", *key), f"table {label}", "\n".join(rows))
    body = markdown.partition(CAPTION)[0]  # a caption's values are compared as numbers
    return Result(("text", *key), label or f"text of {place_of(cell)}", body)


# --- comparing -------------------------------------------------------------------------------------------------------
def _compared(old: Result | None, new: Result | None) -> Iterator[str]:
    if old is None or new is None:
        known = new or old
        assert known is not None
        value = _short(known.value) if known.key[0] not in ("table", "figure", "text") else "there"
        yield f"{known.name}: {f'{NONE} -> {value}' if old is None else f'{value} -> {NONE}'}"
    elif old.value != new.value:
        if new.key[0] == "figure":
            yield f"{new.name}: shows something else"
        elif new.key[0] == "table":
            yield from _tables(new.name, old.value.split("\n"), new.value.split("\n"))
        elif new.key[0] == "text":
            yield from _texts(new.name, old.value.split("\n"), new.value.split("\n"))
        else:
            yield f"{new.name}: {_short(old.value)} -> {_short(new.value)}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return (line if len(line) <= LONGEST else line[:LONGEST] + "…") or NONE


def _tables(name: str, old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    """The cells that differ; rows that only one table has as a whole."""
    head = _cells(new[0])
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        before, after = [_cells(row) for row in old[a:b]], [_cells(row) for row in new[c:d]]
        for at, (was, now) in enumerate(zip(before, after, strict=False)):
            yield from _rows(f"{name}, row {c + at}", head, was, now)
        for at, row in enumerate(before[len(after):], a + len(after)):
            yield f"{name}, row {at} of the old: {_short(' | '.join(row))} -> {NONE}"
        for at, row in enumerate(after[len(before):], c + len(before)):
            yield f"{name}, row {at}: {NONE} -> {_short(' | '.join(row))}"


def _rows(name: str, head: Sequence[str], old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    if len(old) != len(new):
        yield f"{name}: {_short(' | '.join(old))} -> {_short(' | '.join(new))}"
        return
    for at, (was, now) in enumerate(zip(old, new, strict=True)):
        if was != now:
            column = f"«{head[at]}»" if at < len(head) and head[at] else str(at + 1)
            yield f"{name}, column {column}: {_short(was)} -> {_short(now)}"


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in BAR.split(row)[1:-1]]


def _texts(name: str, old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            yield f"{name}: {_short(' '.join(old[a:b]))} -> {_short(' '.join(new[c:d]))}"


def figure_digest(data: bytes) -> str:
    """The digest of what a figure shows: a drawing without its notes and chance ids, an image's size and pixels."""
    if b"<svg" in data[:2000]:
        return digest("drawing", canonical_svg(data.decode("utf-8", errors="replace")).split())
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        return digest("image", image.size, image.convert("RGBA").tobytes())


def canonical_svg(text: str) -> str:
    """An SVG without comments and with its ids counted, for drawing programs take them at random.

    >>> canonical_svg('<g id="a7f"/><use href="#a7f"/>') == canonical_svg('<g id="b"/><use href="#b"/>')
    True
    """
    counted: dict[str, str] = {}
    plain = SVG_NOTE.sub("", text)
    return SVG_ID.sub(lambda found: found[1] + counted.setdefault(found[2], f"i{len(counted)}"), plain)
