"""Pandoc: one call, one set of reader options, and the rules on its syntax tree that the writer and the proof share.

``read(markdown)`` gives the blocks of a text. ``labelled`` and ``bracketed`` are to be applied to the inlines of every
paragraph, heading, caption and table cell before they are read.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

import pypandoc

from gozaresh.common.errors import TypesetError
from gozaresh.source.markup import EQUATION_LABEL

Node = dict[str, Any]  # a node of pandoc's syntax tree: its kind "t" and its content "c"
READER = ("markdown-smart-latex_macros-implicit_figures+tex_math_dollars-raw_tex-auto_identifiers"
          "-yaml_metadata_block-markdown_in_html_blocks-native_divs-native_spans")
BLANKS = {"Space", "SoftBreak", "LineBreak"}


def pandoc(text: str, *arguments: str) -> str:
    """The output of pandoc for a text.

    Raises:
        TypesetError: pandoc failed or warned.
    """
    command = [pypandoc.get_pandoc_path(), "--fail-if-warnings", *arguments]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    if done.returncode:
        raise TypesetError(f"pandoc: {' '.join(done.stderr.decode(errors='replace').split())}")
    return done.stdout.decode()


def read(markdown: str) -> dict[str, Any]:
    """The syntax tree of a Markdown text; its blocks are under ``"blocks"``."""
    tree: dict[str, Any] = json.loads(pandoc(markdown, "-f", READER, "-t", "json"))
    return tree


def formulas(node: object) -> Iterator[tuple[str, bool]]:
    """The TeX of every formula below a node, and if it is displayed."""
    if isinstance(node, list):
        for item in node:
            yield from formulas(item)
    elif isinstance(node, dict):
        if node.get("t") == "Math":
            yield node["c"][1], node["c"][0]["t"] == "DisplayMath"
        else:
            yield from formulas(list(node.values()))


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


def is_caption(block: Node) -> bool:
    """Test if a block is the caption of a float (see :mod:`gozaresh.export.document`)."""
    return bool(block["t"] == "Div" and "gz-caption" in block["c"][0][1])
