"""Passages that the executed chapters promise to the reader, each with the line that it comes from.

Read from the cells through pandoc's syntax tree, whose writing as Typst has no part in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from nbformat import NotebookNode

from gozaresh.common.digests import digest
from gozaresh.common.errors import Place, TypesetError
from gozaresh.common.persian import persian
from gozaresh.common.store import Store
from gozaresh.export.ledger import collect, marks
from gozaresh.export.pandoc import BLANKS, Node, bracketed, citation_suffix, is_caption, joined, labelled, table_rows
from gozaresh.export.reading import Part, Reading, read_chapter, read_parts
from gozaresh.maths import translate as maths
from gozaresh.maths.macros import expand
from gozaresh.maths.parser import parse
from gozaresh.maths.symbols import SYMBOLS
from gozaresh.maths.tree import Node as MathNode
from gozaresh.maths.tree import Styled, Symbol, Table, Text, Word
from gozaresh.proof.numbering import Numbering, Numbers
from gozaresh.proof.passage import CITATION, CODE, END, FORMULA, PLAIN, Passage, letters
from gozaresh.source.markup import EQUATION_LABEL, is_crossref

REFERENCE = re.compile("\ue006([^\ue007]*)\ue007([01])([01])")
WRAPPERS = {"Emph", "Strong", "Strikeout", "Superscript", "Subscript", "Underline", "SmallCaps"}
TEXTS = {"Str", "Code", "CodeBlock", "Math", "RawBlock", "RawInline"}
INVISIBLE = {"phantom", "hphantom", "vphantom", "hspace", "color"}


@dataclass(frozen=True)
class ExpectedText:
    """A chapter, or the appendix, as it was read."""

    parts: Sequence[Part]
    checks: Mapping[str, str] = field(default_factory=dict)  # how its equations were checked
    is_appendix: bool = False


def expected_chapter(notebook: NotebookNode, reading: Reading | None = None) -> ExpectedText:
    """The cells of an executed chapter, each by itself, so that none can be lost among the others."""
    return ExpectedText((reading or read_chapter(notebook)).parts, marks(collect(notebook)))


def expected_appendix(markdown: str) -> ExpectedText:
    """The appendix, which the engine writes."""
    return ExpectedText([Part(Place("appendix", 1), markdown, markdown, read_parts([markdown])[0][0])],
                        is_appendix=True)


def expected_passages(promises: Sequence[ExpectedText], macros: str = "", store: Store | None = None) -> list[Passage]:
    """Every passage of the report in order, its references resolved.

    ``store`` holds what was read of a chapter of the same text after the same numbers.

    Raises:
        TypesetError: pandoc failed.
    """
    reader = _Reader(macros)
    for promise in promises:
        reader.take(promise, store or Store())
    return [replace(passage, text=REFERENCE.sub(reader.reference, passage.text)) for passage in reader.passages]


def _key(promise: ExpectedText, macros: str) -> str:
    return digest("expected", promise.parts, dict(promise.checks), promise.is_appendix, macros)


@dataclass(frozen=True)
class _Kept:
    """The passages of a text, and the numbers before and after it."""

    before: Numbers
    after: Numbers
    passages: tuple[Passage, ...]


class _Reader:
    """Goes through pandoc's blocks and writes the passages down."""

    def __init__(self, macros: str) -> None:
        self.passages: list[Passage] = []
        self._macros = macros
        self._numbers = Numbering()
        self._checks: Mapping[str, str] = {}
        self._part = Part(Place("", 0), "", "", [])
        self._at = 0  # how far into the part's source the last passage stood
        self._read: set[int] = set()  # the texts, by identity, of the block at hand that have been read
        self._formulas: dict[maths.Formula, maths.TypstFormula] = {}

    def take(self, promise: ExpectedText, store: Store) -> None:
        """Read one chapter, or take what was read of it before if it was numbered from the same numbers on."""
        name, before = _key(promise, self._macros), self._numbers.state()
        kept = store.find(name, _Kept)
        if kept is not None and kept.before == before:
            self._numbers.resume(kept.after)
            self.passages += kept.passages
            return
        start = len(self.passages)
        self.read(promise)
        store.keep(name, _Kept(before, self._numbers.state(), tuple(self.passages[start:])), _Kept)

    def read(self, promise: ExpectedText) -> None:
        """Read one chapter."""
        self._checks = promise.checks
        if promise.is_appendix:
            self._numbers.begin_appendix()
        for part in promise.parts:
            self._part, self._at = part, 0
            for block in part.blocks:
                self._block(block)
                self._check_read(block)

    def _check_read(self, block: Node) -> None:
        """See that every text below a block has been read, of whatever kind the nodes around it are.

        Raises:
            TypesetError: a text has not, and would not be missed in the PDF.
        """
        for node in texts(block):
            if id(node["c"]) not in self._read:
                said = node["c"] if node["t"] == "Str" else node["c"][1]
                raise TypesetError(f"«{said}» stands where no {node['t']} is looked for", self._part.place)
        self._read.clear()

    def reference(self, found: re.Match[str]) -> str:
        """What a reference says, once all labels are known."""
        return self._numbers.reference(found[1], bare=found[2] == "1", within=found[3] == "1")

    # --- blocks ------------------------------------------------------------------------------------------------------
    def _block(self, block: Node) -> None:
        kind, content = block["t"], block.get("c", [])
        if kind in ("Para", "Plain"):
            self._paragraph(content)
        elif kind == "Header":
            self._header(*content)
        elif kind == "CodeBlock":
            self._code(content)
        elif kind == "Table":
            self._captioned_table(content)
        elif kind == "Figure":
            self._author_figure(content)
        elif kind == "Div":
            self._div(*content)
        elif kind in ("BulletList", "OrderedList"):
            self._list(kind, content)
        elif kind == "DefinitionList":
            for term, definitions in content:
                self._text("text", term)
                self._all(block for definition in definitions for block in definition)
        elif kind == "LineBlock":
            self._text("text", [item for line in content for item in line])
        elif kind == "BlockQuote":
            self._all(content)

    def _all(self, blocks: Iterator[Node] | Sequence[Node]) -> None:
        for block in blocks:
            self._block(block)

    def _paragraph(self, inlines: Sequence[Node], lead: str = "") -> None:
        """Displayed equations part a paragraph."""
        part: list[Node] = []
        for item in labelled(inlines):
            if item["t"] == "Math" and item["c"][0]["t"] == "DisplayMath":
                self._text("text", part, lead)
                self._equation(item)
                part, lead = [], ""
            else:
                part.append(item)
        self._text("text", part, lead)

    def _header(self, level: int, attributes: list[Any], content: list[Node]) -> None:
        label = attributes[0] if is_crossref(attributes[0]) else ""
        number = "" if "unnumbered" in attributes[1] else self._numbers.heading(level, label)
        self._text("text", content, lead=number + " ")

    def _list(self, kind: str, content: list[Any]) -> None:
        start, items = (None, content) if kind == "BulletList" else (content[0][0], content[1])
        for at, item in enumerate(items):
            self._running("text", item, "" if start is None else f"{persian(str(start + at))}) ")

    def _running(self, kind: str, blocks: Sequence[Node], lead: str, *, keep: bool = False) -> None:
        """The blocks of a list item, a footnote or a cell; its mark stands before the first text."""
        if kind == "cell":
            running = [block for block in blocks if block["t"] in ("Para", "Plain")]
            self._text(kind, [item for block in running for item in (*block["c"], {"t": "Space"})], lead, keep=keep)
            self._all([block for block in blocks if block not in running])
            return
        if not blocks or blocks[0]["t"] not in ("Para", "Plain"):
            self._text(kind, [], lead)
        for at, block in enumerate(blocks):
            if at == 0 and block["t"] in ("Para", "Plain"):
                self._paragraph(block["c"], lead)
            else:
                self._block(block)

    def _code(self, content: list[Any]) -> None:
        self._read.add(id(content))
        for line in content[1].split("\n"):
            if line.strip():
                self._add(Passage("code", line), line.strip())

    def _captioned_table(self, content: list[Any]) -> None:
        caption = joined(content[1][1])
        if caption:
            self._caption("tbl", content[0][0], caption)
        self._table(content)

    def _table(self, content: list[Any]) -> None:
        head, rows = table_rows(content)
        for cell in (cell for row in (*head, *rows) for cell in row):
            self._running("cell", cell.blocks, "", keep=True)

    def _author_figure(self, content: list[Any]) -> None:
        (label, _, pairs), (_, caption), body = content
        self._caption("fig", label, joined(caption))
        self._float_body(body, dict(pairs))

    def _div(self, attributes: list[Any], blocks: list[Node]) -> None:
        label, classes, pairs = attributes
        if "gz-float" not in classes:
            self._all(blocks)
            return
        options = dict(pairs)
        captions = [block for block in blocks if is_caption(block)]
        self._caption(options["kind"], label, [item for block in captions for item in joined(block["c"][1])])
        self._float_body([block for block in blocks if block not in captions], options)

    def _float_body(self, blocks: Sequence[Node], options: Mapping[str, str]) -> None:
        for block in blocks:
            if block["t"] in ("Para", "Plain"):
                self._text("text", [_told(item, options) for item in block["c"]])
            else:
                self._block(block)

    def _caption(self, kind: str, label: str, caption: Sequence[Node]) -> None:
        if not label and not caption:
            return  # what has neither has no number
        self._text("text", caption, lead=f"{self._numbers.float(kind, label)}: ")

    # --- running text ------------------------------------------------------------------------------------------------
    def _text(self, kind: str, inlines: Sequence[Node], lead: str = "", *, keep: bool = False) -> None:
        """Add a running text, then its footnotes; an empty one only where it is to be kept."""
        text = _Running([lead])
        self._inlines(labelled(inlines), text)
        whole = "".join(text.parts)
        if keep or whole.strip():
            self._add(Passage(kind, whole, tuple(text.formulas), tuple(text.cites)), *text.needles())
        for inside in text.inside:
            if isinstance(inside, Passage):
                self._add(inside, "fig-alt")
            else:
                self._running("text", inside[1], inside[0])

    def _inlines(self, inlines: Sequence[Node], text: _Running) -> None:
        for item in bracketed(inlines):
            self._inline(item, text)

    def _inline(self, item: Node, text: _Running) -> None:
        kind, content = item["t"], item.get("c", [])
        self._read.add(id(content))
        if kind == "Str":
            text.parts.append(content)
        elif kind in BLANKS:
            text.parts.append(" ")
        elif kind == "Code":
            text.parts += [CODE, content[1], PLAIN]
        elif kind == "Math":
            self._formula(item, text)
        elif kind == "Cite":
            self._cites(content[0], text, within=item.get("within", False))
        elif kind == "Note":
            mark = self._numbers.footnote()
            text.parts.append(mark)
            text.inside.append((mark + " ", content))
        elif kind == "Image":
            text.inside.append(Passage("figure", dict(content[0][2]).get("alt") or _plain(content[1])))
        elif kind in WRAPPERS:
            self._inlines(content, text)
        elif kind in ("Span", "Quoted", "Link"):
            self._inlines(content[1], text)

    def _formula(self, item: Node, text: _Running) -> None:
        done = self._set(item)
        label = item.get("label") or done.label or ""
        number = self._numbers.equation(label, check=self._checks.get(label, "")) if label else ""
        text.parts.append(f"{FORMULA}{done.alt}{END}{number}")
        text.formulas.append(letters(_characters(self._tree(item).body)))

    def _cites(self, citations: Sequence[Node], text: _Running, *, within: bool) -> None:
        for at, citation in enumerate(citations):
            key = citation["citationId"]
            if citation["citationPrefix"]:
                self._inlines([*citation["citationPrefix"], {"t": "Space"}], text)
            if is_crossref(key):
                bare = citation["citationMode"]["t"] == "SuppressAuthor"
                text.parts.append(f"{'، ' if at else ''}\ue006{key}\ue007{int(bare)}{int(within)}")
            else:
                text.cites.append(key)
                text.parts.append(CITATION)
                self._inlines(citation_suffix(citation), text)

    # --- equations ---------------------------------------------------------------------------------------------------
    def _set(self, item: Node) -> maths.TypstFormula:
        formula = maths.Formula(self._macros + item["c"][1], item["c"][0]["t"] == "DisplayMath")
        if formula not in self._formulas:
            self._formulas |= maths.to_typst([formula])
        return self._formulas[formula]

    def _tree(self, item: Node) -> Any:
        return _parsed(self._macros + item["c"][1])

    def _equation(self, item: Node) -> None:
        self._read.add(id(item["c"]))
        done, tree = self._set(item), self._tree(item)
        needle = item["c"][1].strip().split("\n")[0]
        if done.lines and isinstance(tree.body, Table):
            for line, read in zip(done.lines, tree.body.lines, strict=True):
                if read.lead is not None:
                    self._add(Passage("text", _characters(read.lead)), needle)
                self._one(line.alt, read.cells, line.label or "", _tag(read.marks.tag), needle)
        else:
            self._one(done.alt, tree.body, item.get("label") or done.label or "", _tag(tree.marks.tag), needle)

    def _one(self, alt: str, body: object, label: str, tag: str, needle: str) -> None:
        number = self._numbers.equation(label, tag, self._checks.get(label, ""))
        shown = number if not tag or re.fullmatch("[۰-۹]+", tag) else ""
        hidden = tag if tag and not shown else ""  # a tag that is no number is shown as part of the formula
        self._add(Passage("equation", f"{FORMULA}{alt}{END}{shown}", (letters(_characters(body) + hidden),)), needle)

    # --- places ------------------------------------------------------------------------------------------------------
    def _add(self, passage: Passage, *needles: str) -> None:
        """Note a passage with the place of the first of the needles that its source holds."""
        source = self._part.source
        at = next((found for needle in needles if needle and (found := source.find(needle, self._at)) >= 0), -1)
        if at < 0:
            at = self._at if self._at and "\n" in source[:self._at] else 0
        self._at = at
        begin = source.rfind("\n", 0, at) + 1
        place = Place(self._part.place.file, self._part.place.line + source.count("\n", 0, at))
        self.passages.append(replace(passage, place=place, source=source[begin:]))


def texts(node: object) -> Iterator[Node]:
    """The nodes below a node that hold text of their own; a citation's key and a picture's description are no text."""
    if isinstance(node, list):
        for item in node:
            yield from texts(item)
    elif isinstance(node, dict) and node.get("t") in TEXTS:
        is_label = node["t"] == "Str" and EQUATION_LABEL.match(node["c"])
        if not is_label and node["c"][0] != "typst":
            yield node
    elif isinstance(node, dict) and node.get("t") == "Cite":
        yield from texts([part for citation in node["c"][0]
                          for part in (citation["citationPrefix"], citation["citationSuffix"])])
    elif isinstance(node, dict) and node.get("t") != "Image":
        yield from texts(node.get("c"))


@dataclass
class _Running:
    """A running text while it is read."""

    parts: list[str]
    formulas: list[str] = field(default_factory=list)
    cites: list[str] = field(default_factory=list)
    inside: list[Passage | tuple[str, list[Node]]] = field(default_factory=list)  # figures, footnotes

    def needles(self) -> Iterator[str]:
        """Its first words, by which its place is found."""
        words = [part for part in self.parts[1:] if len(part.strip()) > 2 and not part.startswith((FORMULA, "\ue006"))]
        whole = "".join(self.parts[1:])
        yield whole.split(FORMULA)[0][:24].rsplit(" ", 1)[0].strip()
        yield from words[:3]


@lru_cache(maxsize=4096)
def _parsed(tex: str) -> Any:
    return parse(expand(tex))


def _told(item: Node, options: Mapping[str, str]) -> Node:
    """A figure's picture with the alternative text of the figure."""
    if item["t"] != "Image" or not options.get("alt"):
        return item
    (identifier, classes, pairs), description, target = item["c"]
    return {"t": "Image", "c": [[identifier, classes, [["alt", options["alt"]], *pairs]], description, target]}


def _plain(inlines: Sequence[Node]) -> str:
    return "".join(item["c"] if item["t"] == "Str" else " " for item in inlines if item["t"] in {"Str", *BLANKS})


def _tag(tag: Text | None) -> str:
    return "" if tag is None else _characters(tag)


def _characters(part: object) -> str:
    """The characters of a formula's tree that must be seen."""
    if isinstance(part, str):
        return part
    if isinstance(part, tuple):
        return "".join(map(_characters, part))
    if isinstance(part, Symbol):
        return SYMBOLS.get(part.token[1:], "") if part.token.startswith("\\") else part.token
    if isinstance(part, Word):
        return part.text
    if isinstance(part, Text):
        return _characters(part.parts)
    if not isinstance(part, MathNode) or (isinstance(part, Styled) and part.name.lstrip("\\") in INVISIBLE):
        return ""
    below = [value for value in vars(part).values() if isinstance(value, MathNode | tuple)]
    return "".join(_characters(value) for value in below)
