"""Step 3b: Markdown becomes Typst, through pandoc's syntax tree; nothing is dropped in silence.

pandoc runs twice a chapter, in and out. Inline raw Typst calls the theme's functions
``xref``, ``codeblock`` and ``datatable``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gozaresh.common.errors import GozareshError, MathsError, Place, Problem, TypesetError, raise_problems
from gozaresh.common.typst_code import typst_string
from gozaresh.export.bidi import isolate
from gozaresh.export.code_bidi import isolated_code, isolated_line
from gozaresh.export.pandoc import (
    BLANKS,
    Node,
    TableCell,
    bracketed,
    citation_suffix,
    is_caption,
    joined,
    labelled,
    marked,
    pandoc,
    table_rows,
)
from gozaresh.export.reading import quotations, read_parts
from gozaresh.export.resolve import ANCHOR
from gozaresh.maths import translate as maths
from gozaresh.source.markup import is_crossref

LATIN = "A-Za-z\u0370-\u03ff"
COMPOUND = re.compile(f"(?<![{LATIN}0-9-])([{LATIN}][{LATIN}0-9]*(?:[-–][{LATIN}0-9]+)+)")
API = [1, 23, 1]  # the version of pandoc's tree
LONGEST_COMPOUND = 20  # characters; a longer one may break
LONGEST_WORD = 40  # characters without a blank; a longer one may break after every few of them
BREAK = "\u200b"  # where a line may break; it is no part of the text that is copied
SHORTHAND = re.compile(r"(\.{3,}|-{2,}|-(?=\?)|-(?=\d))")  # what Typst's markup writes otherwise
BLOCK_MARK = re.compile(r"[-+/=]+|[0-9]+\.")  # what would begin a list or a heading of Typst's
LONG = re.compile(rf"\S{{{LONGEST_WORD + 1},}}")
FEW = re.compile(r"(?:[^\s\u0590-\u08ff\u200c\u200d][\u0300-\u036f]*){8}(?=\S)")
WAYS = {"gz-ltr": "left-to-right", "gz-center": "centred"}  # classes of a div, and the theme's functions for them
LENGTH = re.compile(r"[0-9.]+(?:%|pt|cm|mm|in|em)")
KINDS = {"fig": "image", "tbl": "table", "lst": "raw"}
ALIGN = {"AlignLeft": "start", "AlignRight": "end", "AlignCenter": "center", "AlignDefault": "start"}


def to_typst(markdown: str, macros: str = "", marks: Mapping[str, str] | None = None) -> str:
    """Set a Markdown text in Typst markup.

    Raises:
        TypesetError: see :func:`write`; also pandoc failed or warned.
    """
    return write(read_parts([markdown])[0][0], macros, marks)


def write(blocks: Sequence[Node], macros: str = "", marks: Mapping[str, str] | None = None,
          place: Callable[..., Place | None] = lambda cell, line=0, needles=(): None) -> str:
    """Set the blocks of a chapter in Typst markup; ``marks`` says of equations, by label, how they were checked.

    ``place`` gives the place of a marked cell, or of one of its lines, or of the first of some needles in it
    (:func:`gozaresh.export.error_places.place_in`).

    Raises:
        TypesetError: all that cannot be set: a block has no rule, a formula cannot be converted without loss.
    """
    writer = _Writer(macros, marks or {})
    tree = {"pandoc-api-version": API, "meta": {}, "blocks": writer.blocks(blocks)}
    raise_problems([Problem(place(cell, 0, needles) if cell is not None else None, problem)
                    for cell, problem, needles in writer.refused], TypesetError)
    return pandoc(json.dumps(tree), "-f", "json", "-t", "typst", "--wrap=none")


def _raw(code: str) -> Node:
    return {"t": "RawInline", "c": ["typst", code]}


def _plain(inlines: Sequence[Node]) -> Node:
    return {"t": "Plain", "c": list(inlines)}


@dataclass
class _Writer:
    """Rewrites pandoc's tree so that its Typst writer finds only what it sets rightly; notes what has no rule."""

    macros: str
    marks: Mapping[str, str]
    cell: int | None = None  # the cell whose blocks are at work
    refused: list[tuple[int | None, str, Sequence[str]]] = field(default_factory=list)  # cell, message, needles

    def refuse(self, message: str, *needles: str) -> None:
        """Note what cannot be set, and words by which its line is found in the cell."""
        self.refused.append((self.cell, message, needles))

    def blocks(self, blocks: Sequence[Node]) -> list[Node]:
        out: list[Node] = []
        for block in blocks:
            try:
                out += self.block(block)
            except GozareshError as error:
                self.refuse(error.text, *quotations(error.text), *first_words(block))
        return out

    def block(self, block: Node) -> list[Node]:
        kind, content = block["t"], block.get("c", [])
        cell = marked(block)
        if cell is not None:
            self.cell = cell
            return [block]
        if kind in ("Para", "Plain"):
            return [_plain(self.pictures(content)) if _only_pictures(content) else
                    {"t": kind, "c": self.inlines(content)}]
        if kind == "Header":
            return [self.header(*content)]
        if kind == "CodeBlock":
            return [_plain([self.code_block(content)])]
        if kind == "Table":
            return [self.captioned_table(content)]
        if kind == "Figure":
            return [self.author_figure(content)]
        if kind == "Div":
            return self.div(*content)
        if kind in ("BulletList", "DefinitionList"):
            return [{"t": kind, "c": self.nested(content)}]
        if kind == "OrderedList":
            return self.ordered_list(*content)
        if kind in ("BlockQuote", "LineBlock"):
            return [{"t": kind, "c": self.nested(content)}]
        if kind == "HorizontalRule":
            return [block]
        self.refuse(f"no rule for a Markdown block of kind {kind}", f"{{={content[0]}}}" if kind == "RawBlock" else "")
        return []

    def pictures(self, content: Sequence[Node]) -> list[Node]:
        """Pictures that have a paragraph of their own."""
        return [_raw("#pictures["), *self.inlines(content), _raw("]")]

    def nested(self, content: list[Any]) -> list[Any]:
        """Blocks or inlines inside lists of lists."""
        if content and isinstance(content[0], dict):
            return self.blocks(content) if content[0]["t"] in _BLOCKS else self.inlines(content)
        return [self.nested(item) for item in content]

    def ordered_list(self, style: list[Any], items: list[list[Node]]) -> list[Node]:
        """A numbered list; the theme numbers it, in Persian digits, and pandoc would write the way of numbering too."""
        plain = [1, {"t": "DefaultStyle"}, {"t": "DefaultDelim"}]
        numbered = {"t": "OrderedList", "c": [plain, self.nested(items)]}
        start = f"#[\n#set enum(start: {style[0]})"
        return [numbered] if style[0] == 1 else [_block(start), numbered, _block("]")]

    def header(self, level: int, attributes: list[Any], content: list[Node]) -> Node:
        identifier, classes, _ = attributes
        label = identifier if is_crossref(identifier) or identifier.startswith(ANCHOR) else ""
        if "unnumbered" not in classes:
            return {"t": "Header", "c": [level, [label, [], []], self.inlines(content)]}
        opening = f"#heading(level: {level}, numbering: none)["
        return _plain([_raw(opening), *self.inlines(content), _raw("]" + (f" <{label}>" if label else ""))])

    def div(self, attributes: list[Any], blocks: list[Node]) -> list[Node]:
        label, classes, pairs = attributes
        if "gz-float" not in classes:
            inner = self.blocks(blocks)
            way = next((WAYS[name] for name in classes if name in WAYS), "")
            return [_block(f"#{way}["), *inner, _block("]")] if way and inner else inner
        body = [block for block in blocks if not is_caption(block)]
        caption = [block for block in blocks if is_caption(block)]
        caption_inlines = joined(caption[0]["c"][1]) if caption else []
        return [self.float(label, dict(pairs), body, caption_inlines)]

    def float(self, label: str, options: Mapping[str, str], body: Sequence[Node], caption: list[Node]) -> Node:
        """A figure, table or listing as one inline sequence, so that pandoc adds no figure of its own."""
        inner = [item for block in body for item in self.float_body(block, options)]
        alt = f", alt: {typst_string(options['alt'])}" if options.get("alt") and options["kind"] != "fig" else ""
        if not label and not caption:
            return _plain([_raw(f"#bare-figure(kind: {KINDS[options['kind']]}{alt})["), *inner, _raw("]")])
        opening = f"#figure(kind: {KINDS[options['kind']]}{alt}, caption: "
        return _plain([_raw(opening), *self.caption(caption), _raw(")["), *inner, _raw(f"]{_label(label)}")])

    def caption(self, inlines: list[Node]) -> list[Node]:
        """The caption; one of several sentences also with its first alone, for the lists of figures and tables."""
        first = _first_sentence(inlines)
        if first == inlines:
            return [_raw("["), *self.inlines(inlines), _raw("]")]
        return [_raw("caption-of(["), *self.inlines(first), _raw("], ["), *self.inlines(inlines), _raw("])")]

    def float_body(self, block: Node, options: Mapping[str, str]) -> list[Node]:
        if block["t"] == "Table":
            return self.table(block["c"])
        if block["t"] == "CodeBlock":
            return [self.code_block(block["c"])]
        items = [item for item in block.get("c", ()) if isinstance(item, dict)]
        if block["t"] in ("Para", "Plain") and any(item["t"] == "Image" for item in items):
            return [new for item in items
                    for new in ([self.image(item["c"], options)] if item["t"] == "Image" else self.inlines([item]))]
        return self.inlined([block])

    def inlined(self, blocks: Sequence[Node]) -> list[Node]:
        """Blocks as one inline sequence of calls, for where pandoc's tree has no place for blocks."""
        out: list[Node] = []
        for block in blocks:
            kind, content = block["t"], block.get("c", [])
            out += [_raw("#parbreak()")] if out else []
            if kind in ("Para", "Plain"):
                out += self.inlines(content)
            elif kind == "BulletList":
                out += [_raw("#list"), *(new for item in content for new in self.boxed(item))]
            elif kind == "OrderedList":
                out.append(_raw(f"#enum(start: {content[0][0]})"))
                out += [new for item in content[1] for new in self.boxed(item)]
            elif kind == "BlockQuote":
                out += [_raw("#quote(block: true)"), *self.boxed(content)]
            elif kind == "Div" and "gz-float" not in content[0][1]:
                out += self.inlined(content[1])
            elif kind == "Header":
                out += [_raw("#strong"), *self.boxed([_plain(content[2])])]
            elif kind == "LineBlock":
                out += self.inlines([item for line in content for item in (*line, {"t": "LineBreak"})])
            elif kind == "HorizontalRule":
                out.append(_raw("#horizontalrule"))
            else:
                out += [item for new in self.block(block) for item in new["c"]]
        return out

    def boxed(self, blocks: Sequence[Node]) -> list[Node]:
        """Blocks as one content argument."""
        return [_raw("["), *self.inlined(blocks), _raw("]")]

    def image(self, content: list[Any], options: Mapping[str, str]) -> Node:
        attributes, description, (source, _) = content
        own = dict(attributes[2])
        alt = options.get("alt") or own.get("alt") or _text(description)
        width = options.get("width") or own.get("width", "")
        extra = f", width: {width}" if LENGTH.fullmatch(width) or options.get("width") else ""
        return _raw(f"#image({typst_string(source)}, alt: {typst_string(alt)}{extra})")

    def author_figure(self, content: list[Any]) -> Node:
        (label, _, pairs), (_, caption), body = content
        options = {"kind": "fig", **dict(pairs)}
        return self.float(label, options, body, joined(caption))

    def captioned_table(self, content: list[Any]) -> Node:
        (label, _, _), (_, caption) = content[0], content[1]
        if not caption:
            return _plain(self.table(content))
        return self.float(label, {"kind": "tbl"}, [{"t": "Table", "c": content}], joined(caption))

    def table(self, content: list[Any]) -> list[Node]:
        aligns = ", ".join(ALIGN[column[0]["t"]] for column in content[2])
        head, rows = table_rows(content)
        inner = [_raw(f"#datatable(align: ({aligns},), head: {len(head)}, ")]
        if head:
            inner += [_raw("table.header("), *self.cells(head), _raw("), ")]
        return [*inner, *self.cells(rows), _raw(")")]

    def cells(self, rows: Sequence[Sequence[TableCell]]) -> list[Node]:
        out: list[Node] = []
        for cell in (cell for row in rows for cell in row):
            bold = [_raw("#strong[")] if cell.is_head and cell.blocks else []
            out += [_raw(_cell_opening(cell)), *bold, *self.inlined(cell.blocks), _raw("]" * len(bold) + "], ")]
        return out

    def code_block(self, content: list[Any]) -> Node:
        (_, classes, _), code = content
        is_python = "python" in classes
        shown = isolated_code(_breakable(code), is_python=is_python)
        coloured = classes and (is_python or shown == code)  # colours would part a line that goes from right to left
        language = typst_string(classes[0]) if coloured else "none"
        return _raw(f"#codeblock(lang: {language}, {typst_string(shown)})")

    def inlines(self, inlines: Sequence[Node]) -> list[Node]:
        """A whole running text: a paragraph, heading, caption or cell."""
        done = isolate(inlines)
        if done and done[0]["t"] == "Str" and (mark := BLOCK_MARK.match(done[0]["c"])):
            rest = {"t": "Str", "c": done[0]["c"][mark.end():]}
            return [_raw(f"#{typst_string(mark[0])};"), *self.part([rest, *done[1:]])]
        return self.part(done)

    def part(self, inlines: Sequence[Node]) -> list[Node]:
        """What one element of a running text holds."""
        return [new for item in bracketed(labelled(inlines)) for new in self.inline(item)]

    def inline(self, item: Node) -> list[Node]:
        kind, content = item["t"], item.get("c", [])
        if kind == "Str":
            return [part for piece in _together(_breakable(content)) for part in _literal(piece)]
        if kind == "Math":
            return [self.formula(item)]
        if kind == "Cite":
            return list(self.citations(content[0], within=item.get("within", False)))
        if kind == "Code":
            return [_raw(f"#raw({typst_string(isolated_line(_breakable(content[1])))})")]
        if kind == "Image":
            return [_raw("#box["), self.image(content, {}), _raw("]")]
        if kind == "Note":
            return [{"t": kind, "c": self.blocks(content)}]
        if kind in ("Emph", "Strong", "Strikeout", "Superscript", "Subscript", "Underline", "SmallCaps"):
            return [{"t": kind, "c": self.part(content)}]
        if kind == "Span" and "gz-anchor" in content[0][1]:
            return [_raw(f"#metadata(none) <{content[0][0]}>")]
        if kind == "Span" and "gz-frame" in content[0][1]:
            return [_raw("#framed["), *self.part(content[1]), _raw("]")]
        if kind in ("Span", "Quoted"):
            return self.part(content[1])
        if kind == "Link":
            return [{"t": kind, "c": [content[0], self.part(content[1]), content[2]]}]
        return [item]

    def formula(self, item: Node) -> Node:
        display = item["c"][0]["t"] == "DisplayMath"
        formula = maths.Formula(self.macros + item["c"][1], display)
        try:
            done = maths.to_typst([formula])[formula]
        except MathsError as error:
            self.refuse(error.text, "$" + item["c"][1])
            return _raw("")
        label = item.get("label") or done.label or ""
        if done.lines:
            return _numbered_lines(done.lines, label, self.marks)
        equation = _equation(done, label, done.body, self.marks, display=display)
        return _raw(f"#fitted({done.body})[{equation}]" if display else equation)

    def citations(self, citations: Sequence[Node], *, within: bool) -> Iterator[Node]:
        """References and citations; ``within`` brackets an equation's number has none of its own."""
        for number, citation in enumerate(citations):
            key = citation["citationId"]
            if citation["citationPrefix"]:
                yield from (*self.inlines(citation["citationPrefix"]), {"t": "Space"})
            if is_crossref(key):
                if number:
                    yield from ({"t": "Str", "c": "،"}, {"t": "Space"})
                bare = citation["citationMode"]["t"] == "SuppressAuthor"
                yield _raw(f"#xref(<{key}>{', bare: true' if bare else ''}{', within: true' if within else ''})")
            else:
                supplement = self.inlines(citation_suffix(citation))
                opening = f"#cite(<{key}>" + (", supplement: [" if supplement else ")")
                yield _raw(opening)
                yield from [*supplement, _raw("])")] if supplement else []


def _equation(done: maths.TypstFormula | maths.TypstLine, label: str, body: str, marks: Mapping[str, str], *,
              display: bool) -> str:
    """One equation with its Persian reading, its number, the mark of its check, and its label."""
    options = [f"alt: {typst_string(done.alt)}"]
    if display:
        options.append("block: true")
    if done.number:
        options.append(f"numbering: _ => {done.number}")
    elif display and label:
        options.append(f'numbering: marked.with("{marks[label]}")' if label in marks else "numbering: eq-num")
    untold = "#counter(math.equation).update(n => n - 1)" if done.number else ""  # a tag takes no number
    return f"#math.equation({', '.join(options)}, {body})" + (f" <{label}>" if label else "") + untold


def _numbered_lines(lines: Sequence[maths.TypstLine], label: str, marks: Mapping[str, str]) -> Node:
    """An alignment as one equation a line, each cell brought to its column's width by the theme."""
    if label:
        raise TypesetError(f"{label}: the lines of this align have their own numbers; label the whole or the lines")
    probes = " ".join(f"({' '.join(f'${cell}$,' for cell in line.cells)})," for line in lines)
    out: list[str] = []
    for row, line in enumerate(lines):
        cells = [f"{cell}#gap({row}, {column})" if column % 2 else f"#gap({row}, {column}){cell}"
                 for column, cell in enumerate(line.cells)]
        body = f"$ {''.join(cells)} $" if len(cells) > 1 else f"$ {line.cells[0]} $"
        out.append(f"{line.lead} {_equation(line, line.label or '', body, marks, display=True)}".strip())
    return _raw(f"#aligned-lines(({probes}), gap => [{' '.join(out)}])")


def _block(code: str) -> Node:
    return {"t": "RawBlock", "c": ["typst", code]}


def _label(label: str) -> str:
    return f" <{label}>" if label else ""


def _only_pictures(inlines: Sequence[Node]) -> bool:
    """Test if a paragraph holds pictures, be they links, and no text."""
    inside = [item["c"][1] if item["t"] in ("Link", "Span") else [item] for item in inlines
              if item["t"] not in BLANKS]
    found = [item for items in inside for item in items if item["t"] not in BLANKS]
    return bool(found) and all(item["t"] == "Image" for item in found)


_BLOCKS = {"Para", "Plain", "Header", "CodeBlock", "Table", "Figure", "Div", "BulletList", "OrderedList",
           "DefinitionList", "BlockQuote", "LineBlock", "HorizontalRule", "RawBlock"}


def _first_sentence(inlines: list[Node]) -> list[Node]:
    """The inlines up to the first full stop or semicolon, without it; all of them where there is none."""
    for number, item in enumerate(inlines):
        if item["t"] == "Str" and item["c"].endswith((".", "؛")):
            return [*inlines[:number], {"t": "Str", "c": item["c"][:-1]}]
    return inlines


def _cell_opening(cell: TableCell) -> str:
    options = [f"colspan: {cell.columns}"] if cell.columns > 1 else []
    options += [f"rowspan: {cell.rows}"] if cell.rows > 1 else []
    options += [f"align: {ALIGN[cell.align]} + horizon"] if cell.align != "AlignDefault" else []
    return f"table.cell({', '.join(options)})[" if options else "["


def _breakable(text: str) -> str:
    """The text with places to break in its very long words."""
    return LONG.sub(lambda long: FEW.sub(rf"\g<0>{BREAK}", long[0]), text)


def _literal(node: Node) -> Iterator[Node]:
    """A text whose dots and hyphens Typst would take for an ellipsis, a dash or a minus, with these as strings."""
    if node["t"] != "Str":
        yield node
        return
    for number, piece in enumerate(SHORTHAND.split(node["c"])):
        if piece:
            yield _raw(f"#{typst_string(piece)};") if number % 2 else {"t": "Str", "c": piece}


def _together(text: str) -> Iterator[Node]:
    """The text, its hyphened Latin words in boxes: «β-VAE» is no place to break a Persian line at."""
    for number, piece in enumerate(COMPOUND.split(text)):
        if number % 2 and len(piece) <= LONGEST_COMPOUND:
            yield from (_raw("#box["), {"t": "Str", "c": piece}, _raw("];"))
        elif piece:
            yield {"t": "Str", "c": piece}


def first_words(node: object) -> Iterator[str]:
    """The words of a part of pandoc's tree, by which its line can be found."""
    if isinstance(node, dict) and node.get("t") == "Str":
        yield node["c"]
    elif isinstance(node, dict | list):
        for item in node.values() if isinstance(node, dict) else node:
            yield from first_words(item)


def _text(inlines: Sequence[Node]) -> str:
    out = ""
    for item in inlines:
        kind, content = item["t"], item.get("c", [])
        if kind == "Str":
            out += content
        elif kind in ("Space", "SoftBreak", "LineBreak"):
            out += " "
        elif kind in ("Math", "Code"):
            out += content[1]
        elif kind in ("Emph", "Strong"):
            out += _text(content)
    return out
