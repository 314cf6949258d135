"""Pandoc: one call, one set of reader options, and the rules on its syntax tree that the writer and the proof share.

``read(markdown)`` gives the blocks of a text. ``labelled`` and ``bracketed`` are to be applied to the inlines of every
paragraph, heading, caption and table cell before they are read.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypandoc

from gozaresh.common.errors import Place, Problem, TypesetError, one_line
from gozaresh.source.markup import EQUATION_LABEL

Node = dict[str, Any]  # a node of pandoc's syntax tree: its kind "t" and its content "c"
READER = ("markdown-smart-latex_macros-implicit_figures+tex_math_dollars-raw_tex-auto_identifiers"
          "-yaml_metadata_block-markdown_in_html_blocks-native_divs-native_spans")
AT_LINE = re.compile(r" at line [0-9]+ column [0-9]+")
BLANKS = {"Space", "SoftBreak", "LineBreak"}


MARKED = re.compile(r"^// gozaresh: cell ([0-9]+)$", re.M)


def marker(number: int) -> str:
    """Markdown that stands before what a cell gives, and that pandoc hands on to Typst as a comment."""
    return f"```{{=typst}}\n// gozaresh: cell {number}\n```"


def mark(number: int) -> Node:
    """A marker as a block of pandoc's tree."""
    return {"t": "RawBlock", "c": ["typst", f"// gozaresh: cell {number}"]}


def marked(block: Node) -> int | None:
    """The number of a cell if a block is a marker."""
    found = MARKED.fullmatch(block["c"][1]) if block["t"] == "RawBlock" and block["c"][0] == "typst" else None
    return int(found[1]) if found else None


def cell_at(text: str, line: int) -> tuple[int, int] | None:
    """The cell of a line, from 1, of marked Markdown or of the Typst markup made of it, and the line within the cell.

    The marker is looked for upward; the line within is right in Markdown alone.
    """
    above = text.split("\n")[:line]
    for at in range(len(above) - 1, -1, -1):
        found = MARKED.match(above[at])
        if found:
            return int(found[1]), max(1, line - at - 3)  # after the comment: the fence's end and an empty line
    return None


def pandoc(text: str, *arguments: str) -> str:
    """The output of pandoc for a text.

    Raises:
        TypesetError: pandoc failed or warned; a problem's place, if known, is a line of the text (and no file).
    """
    command = [pypandoc.get_pandoc_path(), "--fail-if-warnings", *arguments]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    if done.returncode:
        told = f"pandoc: {one_line(done.stderr.decode(errors='replace'))}"
        raise TypesetError(told, problems=_warnings(text, command))
    return done.stdout.decode()


def _warnings(text: str, command: Sequence[str]) -> list[Problem]:
    """Pandoc's warnings with their lines, from the log that it writes when it is asked again."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log.json")
        subprocess.run([*command, f"--log={log}"], input=text.encode(), capture_output=True, check=False)
        entries = json.loads(log.read_bytes() or "[]") if log.is_file() else []
    return [Problem(_line(entry), f"pandoc: {AT_LINE.sub('', entry['pretty'])}") for entry in entries
            if entry["verbosity"] == "WARNING"]


def _line(entry: Mapping[str, Any]) -> Place | None:
    position = entry.get("openpos") or entry
    return Place("", position["line"], position.get("column", 1)) if "line" in position else None


def read(markdown: str) -> dict[str, Any]:
    """The syntax tree of a Markdown text; its blocks are under ``"blocks"``."""
    tree: dict[str, Any] = json.loads(pandoc(markdown, "-f", READER, "-t", "json"))
    return tree


def joined(blocks: Sequence[Node]) -> list[Node]:
    """The inlines of paragraphs, one after the other.

    Raises:
        TypesetError: a block is no paragraph.
    """
    out: list[Node] = []
    for block in blocks:
        if block["t"] not in ("Para", "Plain"):
            raise TypesetError(f"a caption or table cell holds a {block['t']}; only text can stand there")
        out += ([{"t": "Space"}] if out else []) + block["c"]
    return out


def labelled(inlines: Sequence[Node]) -> list[Node]:
    """The inlines with each ``{#eq-x}`` hung onto the formula before it as ``"label"``; what is glued to it stays.

    A label that no formula of its paragraph stands before is text.
    """
    out: list[Node] = []
    for item in inlines:
        match = EQUATION_LABEL.match(item["c"]) if item["t"] == "Str" else None
        before = [node for node in out[-2:] if node["t"] not in BLANKS]
        if match and before and before[-1]["t"] == "Math":
            while out[-1] is not before[-1]:
                out.pop()
            out[-1] = {**before[-1], "label": match[1]}
            out += [{"t": "Str", "c": match[2]}] if match[2] else []
        else:
            out.append(item)
    return out


def bracketed(inlines: Sequence[Node]) -> list[Node]:
    """The inlines with ``"within"`` on each reference in round brackets: «(معادلهٔ (۲))» would be bracketed twice."""
    out: list[Node] = []
    depth = 0
    for item in inlines:
        if item["t"] == "Str":
            depth = max(0, depth + item["c"].count("(") - item["c"].count(")"))
        out.append({**item, "within": True} if depth and item["t"] == "Cite" else item)
    return out


def citation_suffix(citation: Node) -> list[Node]:
    """What stands behind a source in its brackets, without the comma between."""
    items = list(citation["citationSuffix"])
    while items and (items[0]["t"] == "Space" or items[0].get("c") in (",", "،")):
        items.pop(0)
    return items


@dataclass(frozen=True)
class TableCell:
    """A cell of a table: its blocks, how many columns and rows it takes, and if it heads its row."""

    blocks: Sequence[Node]
    columns: int = 1
    rows: int = 1
    align: str = "AlignDefault"
    is_head: bool = False


def table_rows(table: Sequence[Any]) -> tuple[list[list[TableCell]], list[list[TableCell]]]:
    """The rows of a table's head, and all others: those of its bodies and of its foot."""
    head, bodies, foot = table[3][1], table[4], table[5][1]
    rows = [(row, body[1]) for body in bodies for row in (*body[2], *body[3])] + [(row, 0) for row in foot]
    return _cells([(row, 0) for row in head]), _cells(rows)


def _cells(rows: Sequence[tuple[Any, int]]) -> list[list[TableCell]]:
    """Rows with how many of their first columns are heads, as cells; a cell's column counts those that reach down."""
    reaching: dict[int, int] = {}  # the rows that the cell above still takes, by column
    done = []
    for row, heads in rows:
        column, cells = 0, []
        for _, align, down, across, blocks in row[1]:
            while reaching.get(column, 0):
                column += 1
            cells.append(TableCell(blocks, across, down, align["t"], column < heads))
            reaching |= dict.fromkeys(range(column, column + across), down)
            column += across
        reaching = {at: left - 1 for at, left in reaching.items() if left > 1}
        done.append(cells)
    return done


def is_caption(block: Node) -> bool:
    """Test if a block is the caption of a float (see :mod:`gozaresh.export.document`)."""
    return bool(block["t"] == "Div" and "gz-caption" in block["c"][0][1])
