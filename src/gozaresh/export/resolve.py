"""Settle on pandoc's tree what a document's pictures, links, references, headings and formulas are on paper.

The writer and the proof read the tree after this, so that both mean the same. What cannot be set as it was meant stands
in a frame or as text, and is told (:mod:`gozaresh.common.findings`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from nbformat import NotebookNode

from gozaresh.common.errors import MathsError
from gozaresh.common.findings import Finding
from gozaresh.export.html import Untold, length
from gozaresh.export.pictures import SCHEME, Gallery, is_on_web
from gozaresh.maths import translate as maths
from gozaresh.source.markup import is_crossref
from gozaresh.source.notebook import place_of

Node = dict[str, Any]
FLOATS = ("fig-", "tbl-", "lst-")
ANCHOR = "anchor-"  # begins the labels of places that links lead to
INVISIBLE = re.compile("[\u200b\u2060\ufeff\u00ad\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # in a formula
SOFT_HYPHEN = re.compile("(?<=[آ-یئءأؤۀ])\u00ad(?=[آ-یئءأؤۀ])")
LOOSE_HALF_SPACE = re.compile("\u200c+(?![آ-یئءأؤۀء\u064b-\u0652A-Za-z0-9])|(?<![آ-یئءأؤۀء\u064b-\u0652])\u200c+")
ALERT = re.compile(r"^\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]$", re.I)
ALERTS = {"note": "نکته", "tip": "راهنمایی", "important": "مهم", "warning": "هشدار", "caution": "احتیاط"}
LIQUID = re.compile(r"\{%.*?%\}|\{\{.*?\}\}")
OWN_LABELS = frozenset({"sec-run-record", "sec-parameters", "sec-ledger", "sec-environment", "sec-record",
                        "sec-provenance"})  # of the appendix
EQUATION = re.compile(r"\{#(eq-[\w-]+)\}|\\label\{(eq-[\w-]+)\}")


@dataclass(frozen=True)
class Conventions:
    """What a chapter's tree is held against."""

    gallery: Gallery = field(default_factory=Gallery)
    macros: str = ""
    labels: frozenset[str] | None = None  # of the whole report; None: any label may be there
    citations: frozenset[str] | None = None  # the keys of the bibliography; None: any may be there
    bare: bool = False  # a document without report.toml: nothing that is missing ends its build
    strict: bool = True  # whether a formula that cannot be read is an error
    levels: tuple[int, ...] = ()  # of the headings that stand above the chapter's first
    pictures: str = "/build/pictures"  # the folder of the pictures as Typst sees it
    own: str = "/figures"  # the folder of the figures that the chapters' code made


@dataclass
class Settled:
    """A chapter's blocks, cell by cell, with its pictures by file name and what is to be told."""

    cells: list[list[Node]]
    pictures: dict[str, bytes] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def settle(cells: Sequence[Sequence[Node]], nodes: Sequence[NotebookNode], conventions: Conventions,
           unseen: Sequence[Sequence[Untold]] = ()) -> Settled:
    """Settle the blocks of a chapter's cells; ``nodes`` are the notebook's cells that they come from."""
    if conventions.bare and conventions.labels is None:
        conventions = replace(conventions, labels=frozenset(_labels(cells)) | OWN_LABELS)
    settling = _Settling(conventions, _anchors(cells))
    for blocks, node, untold in zip(cells, nodes, unseen or [()] * len(cells), strict=True):
        settling.cell(blocks, node, untold)
    return settling.done


class _Settling:
    """Goes through the cells in order."""

    def __init__(self, conventions: Conventions, anchors: Mapping[str, str]) -> None:
        self.done = Settled([])
        self._conventions = conventions
        self._anchors = anchors
        self._wanted: set[str] = set()
        self._levels = list(conventions.levels)
        self._cell = NotebookNode()
        self._at = 0  # how far into the cell's source the last finding stood
        self._depth = 0  # lists, quotes and tables around
        self._tables = 0  # tables around

    def cell(self, blocks: Sequence[Node], node: NotebookNode, untold: Sequence[Untold]) -> None:
        """Settle one cell."""
        self._cell, self._at = node, 0
        for one in untold:
            self._tell(f"<{one.tag}> leaves nothing on paper", one.address, one.address, f"<{one.tag}")
        self._at = 0
        for found in LIQUID.finditer(node.source if node.cell_type == "markdown" else ""):
            self._tell("template code, set as it stands", found[0][:40], found[0])
        self._at = 0
        self.done.cells.append(self._blocks(blocks))

    def _tell(self, kind: str, text: str, *needles: str, loss: bool = False) -> None:
        """Note a finding at the line of the first of the needles that the rest of the cell's source holds."""
        source = str(self._cell.source)
        places = [at for needle in needles if needle and (at := source.find(needle, self._at)) >= 0]
        if not places:
            places = [at for needle in needles if needle and (at := source.find(needle)) >= 0]
        line = source.count("\n", 0, places[0]) + 1 if places else 1
        if places:
            self._at = max(self._at, places[0])
        self.done.findings.append(Finding(place_of(self._cell, line), kind, text, loss))

    # --- blocks ------------------------------------------------------------------------------------------------------
    def _blocks(self, blocks: Sequence[Node]) -> list[Node]:
        return [new for block in blocks for new in self._block(block)]

    def _block(self, block: Node) -> list[Node]:
        kind, content = block["t"], block.get("c", [])
        if kind in ("Para", "Plain"):
            return self._paragraph(kind, content)
        if kind == "Header":
            return self._header(*content)
        if kind == "BlockQuote":
            return self._quote(content)
        if kind == "Div":
            return self._div(content)
        if kind in ("BulletList", "OrderedList", "DefinitionList", "Table", "LineBlock"):
            self._depth, self._tables = self._depth + 1, self._tables + (kind == "Table")
            settled = [{"t": kind, "c": self._nested(content)}]
            self._depth, self._tables = self._depth - 1, self._tables - (kind == "Table")
            return settled
        if kind == "RawBlock" and content[0] != "typst":
            text = content[1].strip().split("\n")[0][:40]
            self._tell(f"raw {content[0]}, passed over", text, text)
            return []
        return [{**block, "c": self._nested(content)}] if kind == "Figure" else [block]

    def _nested(self, content: Any) -> Any:
        """Blocks or running text inside lists of lists."""
        if not isinstance(content, list):
            return content
        if content and all(isinstance(one, dict) and "t" in one for one in content):
            return self._blocks(content) if content[0]["t"] in BLOCKS else (
                self._inlines(content) if content[0]["t"] in INLINES else content)
        return [self._nested(one) for one in content]

    def _paragraph(self, kind: str, inlines: Sequence[Node]) -> list[Node]:
        """A paragraph; a formula that cannot be read parts it, as a listing; a labelled picture is a figure."""
        alone = [item for item in inlines if item["t"] not in ("Space", "SoftBreak")]
        if len(alone) == 1 and alone[0]["t"] == "Image" and is_crossref(alone[0]["c"][0][0]):
            return [self._figure(alone[0]["c"])]
        out: list[Node] = []
        part: list[Node] = []
        for item in [new for one in inlines
                     for new in (self._formula(one, alone=True) if one["t"] == "Math" else self._inline(one))]:
            if item["t"] == "CodeBlock":
                out += [{"t": kind, "c": part}, item] if part else [item]
                part = []
            else:
                part.append(item)
        return [*out, {"t": kind, "c": part}] if part or not out else out

    def _figure(self, content: list[Any]) -> Node:
        """A picture with a label and a caption."""
        (label, classes, pairs), description, target = content
        shown = self._picture([["", classes, pairs], description, target])
        own = dict(pairs)
        alt = own.get("fig-alt") or own.get("alt") or _plain(description)
        about = [["kind", label.partition("-")[0]], ["alt", alt]]
        return _float(label, about, [{"t": "Para", "c": shown}], self._inlines(description))

    def _float_div(self, label: str, pairs: list[Any], blocks: list[Node]) -> list[Node]:
        """Quarto's figure or table as a block: its last paragraph is the caption."""
        inner = self._blocks(blocks)
        last = inner[-1] if len(inner) > 1 and inner[-1]["t"] in ("Para", "Plain") else None
        table = inner[0] if len(inner) == 1 and inner[0]["t"] == "Table" else None
        if table and table["c"][1][1]:
            caption = [item for block in table["c"][1][1] for item in block["c"]]
            inner = [{"t": "Table", "c": [table["c"][0], [None, []], *table["c"][2:]]}]
        else:
            caption = last["c"] if last else []
            inner = inner[:-1] if last else inner
        own = dict(pairs)
        about = [["kind", label.partition("-")[0]], ["alt", own.get("fig-alt", "")]]
        return [_float(label, about, inner, caption)]

    def _header(self, level: int, attributes: list[Any], content: list[Node]) -> list[Node]:
        inlines = self._inlines(content)
        if not any(item["t"] not in ("Space", "SoftBreak", "LineBreak") for item in inlines):
            return []
        needle = _first_word(content)
        if not any(node["t"] in ("Str", "Code") for node in _walk(_without(inlines))):
            return [{"t": "Para", "c": inlines}]  # a picture or a formula in a heading's place has no title
        if self._depth:
            self._tell("heading in a list, quote or table, set as a bold line", needle, needle)
            return [{"t": "Para", "c": [{"t": "Strong", "c": inlines}]}]
        while self._levels and self._levels[-1] >= level:
            self._levels.pop()
        self._levels.append(level)
        closed = len(self._levels)
        if closed != level and len(self._levels) > 1:
            self._tell("heading that leaps over a level", needle, needle)
        if not is_crossref(attributes[0]):
            name = self._anchors.get(_slug(attributes[0])) or self._anchors.get(_slug(_plain(content)), "")
            attributes = [name if name and name not in self._wanted else "", attributes[1], attributes[2]]
            self._wanted.add(name)
        return [{"t": "Header", "c": [closed, attributes, inlines]}]

    def _quote(self, blocks: list[Node]) -> list[Node]:
        """A quotation; one that begins with GitHub's ``[!NOTE]`` has the word in its place."""
        first = blocks[0] if blocks and blocks[0]["t"] in ("Para", "Plain") and blocks[0]["c"] else None
        found = ALERT.match(first["c"][0]["c"]) if first and first["c"][0]["t"] == "Str" else None
        if first and found:
            rest = first["c"][1:]
            while rest and rest[0]["t"] in ("Space", "SoftBreak", "LineBreak"):
                rest = rest[1:]
            head = {"t": "Para", "c": [{"t": "Strong", "c": [{"t": "Str", "c": ALERTS[found[1].lower()]}]}]}
            blocks = [head, *([{"t": "Para", "c": rest}] if rest else []), *blocks[1:]]
        self._depth += 1
        inner = self._blocks(blocks)
        self._depth -= 1
        return [{"t": "BlockQuote", "c": inner}] if inner else []

    def _div(self, content: list[Any]) -> list[Node]:
        (identifier, classes, pairs), blocks = content
        if identifier.startswith(FLOATS) and "gz-float" not in classes:
            return self._float_div(identifier, pairs, blocks)
        inner = self._blocks(blocks)
        anchor = self._anchor(identifier) if not is_crossref(identifier) else []
        if self._tables and "gz-float" not in classes:  # a cell is one text
            return [*([{"t": "Plain", "c": anchor}] if anchor else []), *inner]
        if anchor:
            inner = [{"t": "Plain", "c": anchor}, *inner]
            identifier = ""
        return [{"t": "Div", "c": [[identifier, classes, pairs], inner]}]

    def _anchor(self, identifier: str) -> list[Node]:
        """A place that links lead to; none where no link does, or where it is there already."""
        name = self._anchors.get(_slug(identifier), "") if identifier else ""
        if not name or name in self._wanted:
            return []
        self._wanted.add(name)
        return [{"t": "Span", "c": [[name, ["gz-anchor"], []], []]}]

    # --- running text ------------------------------------------------------------------------------------------------
    def _inlines(self, inlines: Sequence[Node]) -> list[Node]:
        return [new for item in inlines for new in self._inline(item)]

    def _inline(self, item: Node) -> list[Node]:
        kind, content = item["t"], item.get("c", [])
        if kind == "Str":
            return [{"t": "Str", "c": LOOSE_HALF_SPACE.sub("", SOFT_HYPHEN.sub("\u200c", content))}]
        if kind == "Math":
            return self._formula(item)
        if kind == "Image":
            return self._picture(content)
        if kind == "Link":
            return self._link(content)
        if kind == "Cite":
            return self._cite(item)
        if kind == "Note":
            return [{"t": kind, "c": self._blocks(content)}]
        if kind == "Span":
            (identifier, classes, pairs), inner = content
            anchor = [] if is_crossref(identifier) else self._anchor(identifier)
            kept = "" if anchor or not is_crossref(identifier) else identifier
            return [*anchor, {"t": kind, "c": [[kept, classes, pairs], self._inlines(inner)]}]
        if kind == "Quoted":
            return [{"t": kind, "c": [content[0], self._inlines(content[1])]}]
        if kind in ("Emph", "Strong", "Strikeout", "Superscript", "Subscript", "Underline", "SmallCaps"):
            inner = self._inlines(content)
            return [{"t": kind, "c": inner}] if inner else []
        if kind == "RawInline" and content[0] != "typst":
            self._tell(f"raw {content[0]}, passed over", content[1][:40], content[1][:40])
            return []
        return [item]

    def _formula(self, item: Node, *, alone: bool = False) -> list[Node]:
        """A formula without what cannot be seen in it; one that cannot be read as its source."""
        way, tex = item["c"]
        tex = INVISIBLE.sub("", tex)
        if self._conventions.strict:
            return [{**item, "c": [way, tex]}]
        try:
            maths.to_typst([maths.Formula(self._conventions.macros + tex, way["t"] == "DisplayMath")])
        except MathsError as error:
            why, first = str(error).rpartition(": ")[2], tex.strip().split("\n")[0]
            self._tell("formula that cannot be read, set as its source", why, first, first[:12])
            if way["t"] == "DisplayMath" and alone:
                return [{"t": "CodeBlock", "c": [["", ["latex", "gz-frame"], []], tex.strip("\n")]}]
            return [_framed([{"t": "Code", "c": [["", [], []], " ".join(tex.split())]}])]
        return [{**item, "c": [way, tex]}]

    def _picture(self, content: list[Any]) -> list[Node]:
        (identifier, classes, pairs), description, (source, title) = content
        address = source.strip()
        if address.startswith(f"{self._conventions.own}/") or not address:
            return [{"t": "Image", "c": content}] if address else self._inlines(description)
        if is_on_web(address):
            self._tell("picture on the web, its address in a frame", address, address)
            text = [*description, {"t": "Space"}] if description else []
            link = {"t": "Link", "c": [["", [], []], [{"t": "Str", "c": address}], [address, ""]]}
            return [_framed([*self._inlines(text), link], identifier)]
        picture = self._conventions.gallery.find(address, self._cell.get("attachments", {}))
        if picture.why:
            shown = address if len(address) < 80 else address[:60] + "…"
            self._tell("picture that is not there", f"{shown}: {picture.why}", address[:80], unquote(address),
                       loss=not self._conventions.bare)
            text = [*description, {"t": "Space"}] if description else []
            return [_framed([*self._inlines(text), {"t": "Code", "c": [["", [], []], shown]}], identifier)]
        self.done.pictures[picture.name] = picture.data
        alt = dict(pairs).get("alt") or dict(pairs).get("fig-alt") or _plain(description) or title
        if not alt:
            self._tell("picture without alternative text", address[:60], address[:80])
            alt = unquote(address).rpartition("/")[2][:60] if not address.startswith("data:") else "تصویر"
        width = length(dict(pairs).get("width", ""))
        kept = [["alt", alt], *([["width", width]] if width else [])]
        where = f"{self._conventions.pictures}/{picture.name}"
        return [{"t": "Image", "c": [[identifier, classes, kept], description, [where, title]]}]

    def _link(self, content: list[Any]) -> list[Node]:
        _, inner, (target, title) = content
        address, shown = target.strip(), self._inlines(inner)
        if not shown:
            return []
        if SCHEME.match(address) or address.startswith("//"):
            return [{"t": "Link", "c": [["", [], []], shown, [address, title]]}]
        if address.startswith("#"):
            name = self._destination(unquote(address[1:]))
            if name:
                return [{"t": "Link", "c": [["", [], []], shown, [f"#{name}", title]]}]
        elif address and self._conventions.gallery.path(address) is not None:
            return [{"t": "Link", "c": [["", [], []], shown, [address, title]]}]
        self._tell("link whose target is not there, set as text", address, f"({target}", target)
        return [{"t": "Span", "c": [["", [], []], shown]}]

    def _destination(self, name: str) -> str:
        """The label of the place that a link names."""
        known = self._conventions.labels
        if is_crossref(name) and (known is None or name in known):
            return name
        return self._anchors.get(_slug(name), "")

    def _cite(self, item: Node) -> list[Node]:
        """A citation, or the words themselves where no label and no bibliography has their key."""
        citations, written = item["c"]
        unknown = [one["citationId"] for one in citations if not self._known(one["citationId"])]
        if not unknown:
            return [{**item, "c": [[{**one, "citationPrefix": self._inlines(one["citationPrefix"]),
                                     "citationSuffix": self._inlines(one["citationSuffix"])} for one in citations],
                                   written]}]
        for key in unknown:
            self._tell("@word that no label and no bibliography knows, set as it stands", f"@{key}", f"@{key}")
        return list(written)

    def _known(self, key: str) -> bool:
        known = self._conventions.labels if is_crossref(key) else self._conventions.citations
        return known is None or key in known


# --- nodes -----------------------------------------------------------------------------------------------------------
BLOCKS = {"Para", "Plain", "Header", "CodeBlock", "Table", "Figure", "Div", "BulletList", "OrderedList",
          "DefinitionList", "BlockQuote", "LineBlock", "HorizontalRule", "RawBlock"}
INLINES = {"Str", "Emph", "Underline", "Strong", "Strikeout", "Superscript", "Subscript", "SmallCaps", "Quoted", "Cite",
           "Code", "Space", "SoftBreak", "LineBreak", "Math", "RawInline", "Link", "Image", "Note", "Span"}


def _float(label: str, about: list[Any], body: list[Node], caption: list[Node]) -> Node:
    """A figure, table or listing as :mod:`gozaresh.export.document` writes it."""
    told = {"t": "Div", "c": [["", ["gz-caption"], []], [{"t": "Para", "c": caption}]]}
    return {"t": "Div", "c": [[label, ["gz-float"], about], [*body, told]]}


def _labels(cells: Sequence[Sequence[Node]]) -> Iterator[str]:
    """Every label that the cells define."""
    for node in _walk(cells):
        kind, content = node["t"], node.get("c", [])
        if kind == "Header":
            yield content[1][0]
        elif kind in ("Div", "Span", "Image", "Table", "Figure", "CodeBlock"):
            yield content[0][0]
        elif kind in ("Str", "Math"):
            text = content if kind == "Str" else content[1]
            yield from (found[1] or found[2] for found in EQUATION.finditer(text))


def _framed(inlines: list[Node], identifier: str = "") -> Node:
    return {"t": "Span", "c": [[identifier, ["gz-frame"], []], inlines]}


def _anchors(cells: Sequence[Sequence[Node]]) -> dict[str, str]:
    """A label for each place that a link inside the chapter leads to, by the place's name without signs."""
    wanted = {_slug(unquote(target[1:])) for node in _walk(cells) if node["t"] == "Link"
              for target in [node["c"][2][0].strip()] if target.startswith("#")}
    there: set[str] = set()
    for node in _walk(cells):
        if node["t"] == "Header":
            there |= {_slug(node["c"][1][0]), _slug(_plain(node["c"][2]))}
        elif node["t"] in ("Div", "Span"):
            there.add(_slug(node["c"][0][0]))
    return {name: ANCHOR + hashlib.sha256(name.encode()).hexdigest()[:10] for name in wanted & there if name}


def addresses(blocks: Sequence[Node]) -> list[str]:
    """What the pictures and links of some blocks name."""
    return [node["c"][2][0].strip() for node in _walk(blocks) if node["t"] in ("Image", "Link")]


def _walk(node: Any) -> Iterator[Node]:
    if isinstance(node, list | tuple):
        for one in node:
            yield from _walk(one)
    elif isinstance(node, dict):
        if "t" in node:
            yield node
        yield from _walk(node.get("c", []))


def _slug(name: str) -> str:
    """A place's name as links may write it: letters and digits alone."""
    return "".join(char for char in name.casefold() if char.isalnum())


def _plain(inlines: Sequence[Node]) -> str:
    out = ""
    for node in inlines:
        kind, content = node["t"], node.get("c", [])
        if kind == "Str":
            out += content
        elif kind in ("Space", "SoftBreak", "LineBreak"):
            out += " "
        elif kind in ("Code", "Math"):
            out += content[1]
        elif kind in ("Emph", "Strong", "Strikeout", "Superscript", "Subscript", "Underline", "SmallCaps"):
            out += _plain(content)
        elif kind in ("Span", "Link", "Quoted", "Image"):
            out += _plain(content[1])
    return " ".join(out.split())


def _without(inlines: Sequence[Node]) -> list[Node]:
    """Running text without its pictures and notes, whose own words are no title."""
    return [item for item in inlines if item["t"] not in ("Image", "Note", "Math")]


def _first_word(inlines: Sequence[Node]) -> str:
    return next((node["c"] for node in _walk(list(inlines)) if node["t"] == "Str"), "")
