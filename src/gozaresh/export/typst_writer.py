"""Step 3b: Markdown becomes Typst, through pandoc's syntax tree; nothing is dropped in silence.

pandoc runs twice a chapter, in and out. Inline raw Typst calls the theme's functions
``xref``, ``codeblock`` and ``datatable``.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gozaresh.common.errors import GozareshError, MathsError, Place, Problem, TypesetError, raise_problems
from gozaresh.common.typst_code import typst_string
from gozaresh.export.bidi import isolate
from gozaresh.export.pandoc import (
    Node,
    bracketed,
    cell_at,
    is_caption,
    joined,
    labelled,
    marked,
    pandoc,
    read,
)
from gozaresh.maths import translate as maths
from gozaresh.source.markup import defined, is_crossref, undefined

LATIN = "A-Za-z\u0370-\u03ff"
COMPOUND = re.compile(f"(?<![{LATIN}0-9-])([{LATIN}][{LATIN}0-9]*(?:[-–][{LATIN}0-9]+)+)")
LONGEST_COMPOUND = 20  # characters; a longer one may break
KINDS = {"fig": "image", "tbl": "table", "lst": "raw"}
ALIGN = {"AlignLeft": "start", "AlignRight": "end", "AlignCenter": "center", "AlignDefault": "start"}


def to_typst(markdown: str, macros: str = "", marks: Mapping[str, str] | None = None,
             place: Callable[..., Place | None] = lambda cell, line=0, needles=(): None) -> str:
    """Set one chapter's Markdown in Typst markup; ``marks`` says of equations, by label, how they were checked.

    ``place`` gives the place of a marked cell, or of one of its lines, or of the first of some needles in it
    (:func:`gozaresh.export.error_places.place_in`).

    Raises:
        TypesetError: all that cannot be set: pandoc failed or warned, a footnote is referred to that there is not, a
            formula cannot be converted without loss.
    """
    text = unicodedata.normalize("NFC", markdown)

    def at_line(line: int, *needles: str) -> Place | None:
        cell = cell_at(text, line)
        return place(*cell, needles) if cell else None

    raise_problems([Problem(at_line(text.count("\n", 0, at) + 1, *quotations(problem)), problem)
                    for at, problem in undefined(text, defined(text))], TypesetError)
    try:
        tree = read(text)
    except TypesetError as error:
        raise TypesetError(problems=[
            Problem(found.place and at_line(found.place.line, *quotations(found.text)), found.text)
            for found in error.problems]) from None
    writer = _Writer(macros, marks or {})
    tree["blocks"] = writer.blocks(tree["blocks"])
    raise_problems([Problem(place(cell, 0, needles) if cell is not None else None, problem)
                    for cell, problem, needles in writer.refused], TypesetError)
    return pandoc(json.dumps(tree), "-f", "json", "-t", "typst", "--wrap=none")


def quotations(message: str) -> list[str]:
    """The words that a message quotes, by which its place can be found."""
    return re.findall(r"'([^']+)'", message)


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
            return [{"t": kind, "c": self.inlines(content)}]
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
        if kind == "OrderedList":  # the theme numbers lists, in Persian digits
            start = content[0][0]
            return [{"t": kind, "c": [[start, {"t": "DefaultStyle"}, {"t": "DefaultDelim"}], self.nested(content[1])]}]
        if kind in ("BlockQuote", "LineBlock"):
            return [{"t": kind, "c": self.nested(content)}]
        if kind == "HorizontalRule":
            return [block]
        self.refuse(f"no rule for a Markdown block of kind {kind}", f"{{={content[0]}}}" if kind == "RawBlock" else "")
        return []

    def nested(self, content: list[Any]) -> list[Any]:
        """Blocks or inlines inside lists of lists."""
        if content and isinstance(content[0], dict):
            return self.blocks(content) if content[0]["t"] in _BLOCKS else self.inlines(content)
        return [self.nested(item) for item in content]

    def header(self, level: int, attributes: list[Any], content: list[Node]) -> Node:
        identifier, classes, _ = attributes
        label = identifier if is_crossref(identifier) else ""
        if "unnumbered" not in classes:
            return {"t": "Header", "c": [level, [label, [], []], self.inlines(content)]}
        opening = f"#heading(level: {level}, numbering: none)["
        return _plain([_raw(opening), *self.inlines(content), _raw("]" + (f" <{label}>" if label else ""))])

    def div(self, attributes: list[Any], blocks: list[Node]) -> list[Node]:
        label, classes, pairs = attributes
        if "gz-float" not in classes:
            return self.blocks(blocks)
        body = [block for block in blocks if not is_caption(block)]
        caption = [block for block in blocks if is_caption(block)]
        caption_inlines = joined(caption[0]["c"][1]) if caption else []
        return [self.float(label, dict(pairs), body, caption_inlines)]

    def float(self, label: str, options: Mapping[str, str], body: Sequence[Node], caption: list[Node]) -> Node:
        """A figure, table or listing as one inline sequence, so that pandoc adds no figure of its own."""
        inner = [item for block in body for item in self.float_body(block, options)]
        alt = f", alt: {typst_string(options['alt'])}" if options.get("alt") and options["kind"] != "fig" else ""
        opening = f"#figure(kind: {KINDS[options['kind']]}{alt}, caption: "
        return _plain([_raw(opening), *self.caption(caption), _raw(")["), *inner, _raw(f"] <{label}>")])

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
        images = [item for item in block.get("c", ()) if isinstance(item, dict) and item["t"] == "Image"]
        if not images:
            raise TypesetError(f"a float of kind {options['kind']} cannot hold a {block['t']}")
        return [self.image(item["c"], options) for item in images]

    def image(self, content: list[Any], options: Mapping[str, str]) -> Node:
        attributes, description, (source, _) = content
        own = dict(attributes[2])
        alt = options.get("alt") or own.get("alt") or _text(description)
        width = options.get("width") or own.get("width", "")
        extra = f", width: {width}" if width else ""
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
        columns = content[2]
        aligns = ", ".join(ALIGN[column[0]["t"]] for column in columns)
        head_rows, bodies = content[3][1], content[4]
        rows = [row for body in bodies for row in (*body[2], *body[3])]
        inner = [_raw(f"#datatable(align: ({aligns},), "), _raw("table.header(")]
        inner += [item for row in head_rows for item in self.row(row)]
        inner.append(_raw("), "))
        inner += [item for row in rows for item in self.row(row)]
        return [*inner, _raw(")")]

    def row(self, row: list[Any]) -> list[Node]:
        cells: list[Node] = []
        for cell in row[1]:
            cells += [_raw("["), *self.inlines(joined(cell[4])), _raw("], ")]
        return cells

    def code_block(self, content: list[Any]) -> Node:
        (_, classes, _), code = content
        language = typst_string(classes[0]) if classes else "none"
        return _raw(f"#codeblock(lang: {language}, {typst_string(code)})")

    def inlines(self, inlines: Sequence[Node]) -> list[Node]:
        return [new for item in isolate(bracketed(labelled(inlines))) for new in self.inline(item)]

    def inline(self, item: Node) -> list[Node]:
        kind, content = item["t"], item.get("c", [])
        if kind == "Str":
            return list(_together(content))
        if kind == "Math":
            return [self.formula(item)]
        if kind == "Cite":
            return list(self.citations(content[0], within=item.get("within", False)))
        if kind == "Code":
            return [_raw(f"#raw({typst_string(content[1])})")]
        if kind == "Image":
            self.refuse(f"image {content[2][0]!r} in running text: give it a paragraph and {{#fig-…}}", content[2][0])
            return []
        if kind == "Note":
            return [{"t": kind, "c": self.blocks(content)}]
        if kind in ("Emph", "Strong", "Strikeout", "Superscript", "Subscript", "Underline", "SmallCaps"):
            return [{"t": kind, "c": self.inlines(content)}]
        if kind in ("Span", "Quoted"):
            return self.inlines(content[1])
        if kind == "Link":
            return [{"t": kind, "c": [content[0], self.inlines(content[1]), content[2]]}]
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
            if is_crossref(key):
                if number:
                    yield from ({"t": "Str", "c": "،"}, {"t": "Space"})
                bare = citation["citationMode"]["t"] == "SuppressAuthor"
                yield _raw(f"#xref(<{key}>{', bare: true' if bare else ''}{', within: true' if within else ''})")
            else:
                supplement = self.inlines(_joined_suffix(citation["citationSuffix"]))
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


_BLOCKS = {"Para", "Plain", "Header", "CodeBlock", "Table", "Figure", "Div", "BulletList", "OrderedList",
           "DefinitionList", "BlockQuote", "LineBlock", "HorizontalRule", "RawBlock"}


def _first_sentence(inlines: list[Node]) -> list[Node]:
    """The inlines up to the first full stop or semicolon, without it; all of them where there is none."""
    for number, item in enumerate(inlines):
        if item["t"] == "Str" and item["c"].endswith((".", "؛")):
            return [*inlines[:number], {"t": "Str", "c": item["c"][:-1]}]
    return inlines


def _together(text: str) -> Iterator[Node]:
    """The text, its hyphened Latin words in boxes: «β-VAE» is no place to break a Persian line at."""
    for number, piece in enumerate(COMPOUND.split(text)):
        if number % 2 and len(piece) <= LONGEST_COMPOUND:
            yield from (_raw("#box["), {"t": "Str", "c": piece}, _raw("];"))
        elif piece:
            yield {"t": "Str", "c": piece}


def _joined_suffix(suffix: Sequence[Node]) -> list[Node]:
    items = list(suffix)
    while items and (items[0]["t"] == "Space" or items[0].get("c") in (",", "،")):
        items.pop(0)
    return items


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
