"""Call pandoc, and read its syntax tree: the label rule that writer and proof share."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

import pypandoc

from gozaresh.common.errors import TypesetError

Node = dict[str, Any]  # a node of pandoc's syntax tree: its kind "t" and its content "c"


READER = "markdown-smart-latex_macros-implicit_figures+tex_math_dollars-raw_tex-raw_html-auto_identifiers"


CROSSREF = re.compile(r"^(fig|tbl|eq|sec|lst)-")


EQUATION_LABEL = re.compile(r"^\{#(eq-[\w-]+)\}(.*)$")


def _pandoc(text: str, *arguments: str) -> str:
    command = [pypandoc.get_pandoc_path(), "--fail-if-warnings", *arguments]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    if done.returncode:
        raise TypesetError(f"pandoc: {' '.join(done.stderr.decode(errors='replace').split())}")
    return done.stdout.decode()


def _formulas(node: object) -> Iterator[tuple[str, bool]]:
    if isinstance(node, list):
        for item in node:
            yield from _formulas(item)
    elif isinstance(node, dict):
        if node.get("t") == "Math":
            yield node["c"][1], node["c"][0]["t"] == "DisplayMath"
        else:
            yield from _formulas(list(node.values()))


def _joined(blocks: Sequence[Node]) -> list[Node]:
    """The inlines of paragraphs, one after the other."""
    out: list[Node] = []
    for block in blocks:
        if block["t"] not in ("Para", "Plain"):
            raise TypesetError(f"a caption or table cell holds a {block['t']}; only text can stand there")
        out += ([{"t": "Space"}] if out else []) + block["c"]
    return out


def _labelled(inlines: Sequence[Node]) -> list[Node]:
    """Hang ``{#eq-x}`` onto the displayed equation before it, keeping what is glued to its end."""
    out: list[Node] = []
    for item in inlines:
        match = EQUATION_LABEL.match(item["c"]) if item["t"] == "Str" else None
        before = [node for node in out[-2:] if node["t"] not in ("Space", "SoftBreak")]
        if match and before and before[-1]["t"] == "Math":
            while out[-1] is not before[-1]:
                out.pop()
            out[-1] = {**before[-1], "label": match[1]}
            out += [{"t": "Str", "c": match[2]}] if match[2] else []
        else:
            out.append(item)
    return out
