"""HTML as pandoc's blocks: structure stays, looks go.

:func:`resolved` puts them in the place of the raw blocks that hold HTML; pandoc is called once for all of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import lxml.html

Node = dict[str, Any]
READER = "html-auto_identifiers"
SEPARATED = "gz-html"  # the class of the element round each text, by which they are told apart


def resolved(blocks: Sequence[Node], pandoc: Callable[..., str]) -> list[Node]:
    """The blocks with those of HTML in the place of raw ones, at any depth."""
    texts = list(_texts(blocks))
    if not texts:
        return list(blocks)
    whole = "\n".join(f'<div class="{SEPARATED}">{_tidy(text)}</div>' for text in texts)
    read = json.loads(pandoc(whole, "-f", READER, "-t", "json"))["blocks"]
    found = iter([list(_structure(block["c"][1])) for block in read])
    return list(_put(blocks, found))


def _is_html(node: object) -> bool:
    return isinstance(node, dict) and node.get("t") == "RawBlock" and node["c"][0] == "html"


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _texts(item)
    elif isinstance(node, dict):
        if _is_html(node):
            yield node["c"][1]
        else:
            yield from _texts(node.get("c"))


def _put(nodes: Sequence[Any], found: Iterator[list[Node]]) -> Iterator[Any]:
    for node in nodes:
        if _is_html(node):
            yield from next(found)
        elif isinstance(node, list):
            yield list(_put(node, found))
        elif isinstance(node, dict) and isinstance(node.get("c"), list):
            yield {**node, "c": list(_put(node["c"], found))}
        else:
            yield node


def _tidy(text: str) -> str:
    """The HTML with everything closed that was opened."""
    tidy: str = lxml.html.tostring(lxml.html.fragment_fromstring(text, create_parent="div"), encoding="unicode")
    return tidy


def _structure(nodes: Sequence[Any]) -> Iterator[Any]:
    """The nodes without style sheets, scripts and comments, and without elements that only group; headings in bold."""
    for node in nodes:
        if isinstance(node, list):
            yield list(_structure(node))
        elif not isinstance(node, dict) or not isinstance(node.get("c"), list):
            yield node
        elif node["t"] in ("Div", "Span"):
            yield from _structure(node["c"][1])
        elif node["t"] == "Header":
            yield {"t": "Para", "c": [{"t": "Strong", "c": list(_structure(node["c"][2]))}]}
        elif node["t"] not in ("RawBlock", "RawInline"):
            inside = list(_structure(node["c"]))
            if inside or node["t"] not in ("Plain", "Para"):
                yield {**node, "c": inside}
