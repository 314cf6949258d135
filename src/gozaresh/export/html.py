"""HTML in Markdown, read by its structure: pandoc's tree without a raw tag.

The blocks of a cell are written as one HTML text in which all that is not HTML is an empty numbered element. lxml
closes what is open, as a browser does at a cell's end, and its tree becomes pandoc's nodes, each number again what it
stands for. Structure is kept, looks are dropped; style, script and comments vanish.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import lxml.etree
import lxml.html

Node = dict[str, Any]
NUMBER = "data-gozaresh"
WRAPPERS = {"b": "Strong", "strong": "Strong", "i": "Emph", "em": "Emph", "cite": "Emph", "dfn": "Emph", "var": "Emph",
            "u": "Underline", "ins": "Underline", "s": "Strikeout", "del": "Strikeout", "strike": "Strikeout",
            "sup": "Superscript", "sub": "Subscript"}
WRITTEN = {"Strong": "strong", "Emph": "em", "Underline": "u", "Strikeout": "s", "Superscript": "sup",
           "Subscript": "sub"}  # how Markdown's own are written, so that a tag may reach over their ends
CODE = {"code", "kbd", "samp", "tt"}
THROUGH = {"span", "font", "small", "big", "mark", "label", "abbr", "acronym", "bdi", "bdo", "time", "data", "ruby",
           "rt", "rp", "button", "blink", "nobr", "output", "meter", "progress", "picture", "map"}
CONTAINERS = {"div", "section", "article", "header", "footer", "main", "aside", "nav", "address", "center", "form",
              "fieldset", "legend", "details", "figure", "body", "html", "hgroup", "search", "dialog", "menu", "dir",
              "noscript", "marquee", "li", "dd", "dt", "td", "th", "tr", "tbody", "thead", "tfoot", "colgroup"}
BLOCKS = CONTAINERS | {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "blockquote", "pre", "hr", "table",
                       "summary", "figcaption", "caption", "listing", "xmp", "plaintext"}
TOLD = {"iframe": "src", "video": "src", "audio": "src", "embed": "src", "object": "data", "frame": "src",
        "canvas": "id"}  # what leaves nothing on paper, and where its address stands
DROPPED = {"style", "script", "head", "title", "link", "meta", "template", "base", "param", "source", "track", "wbr",
           "area", "col", "select", "option", "optgroup", "datalist", "textarea", "frameset", "noframes"}
KNOWN = {*WRAPPERS, *CODE, *THROUGH, *BLOCKS, *TOLD, *DROPPED, "a", "img", "br", "q", "svg", "input", "image", "math"}
TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]*)((?:\s[^<>]*)?/?)>")
MATHS = re.compile(r"<!--.*?-->|<(?P<tag>script|style|pre|code|svg)\b.*?</(?P=tag)\s*>|<[A-Za-z/!?][^<>]*>|\\\$"
                   r"|\$\$(?P<display>[^$]+)\$\$|(?<![\w$])\$(?P<inline>[^$\n]*[^$\s\\])[ \t]*\$(?!\d)", re.S | re.I)
LENGTH = re.compile(r"^\s*([0-9]+(?:\.[0-9]+)?)\s*(px|%|pt|cm|mm|in|em|)\s*$")
STYLED = re.compile(r"(?:^|;)\s*(width|direction|text-align)\s*:\s*([^;]+)", re.I)
SHAPES = {"path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "image", "use"}
SVG_NAMES = {name.lower(): name for name in (
    "viewBox", "preserveAspectRatio", "gradientUnits", "gradientTransform", "clipPathUnits", "patternUnits",
    "patternTransform", "markerWidth", "markerHeight", "markerUnits", "refX", "refY", "spreadMethod", "textLength",
    "linearGradient", "radialGradient", "clipPath", "textPath", "foreignObject")}  # which HTML's parser writes small
WIDEST = 50  # columns that one cell of a table may span


@dataclass(frozen=True)
class Untold:
    """An element that leaves nothing on paper, with its address."""

    tag: str
    address: str


@dataclass
class Html:
    """Reads the HTML among pandoc's blocks; notes what leaves nothing on paper."""

    unseen: list[Untold] = field(default_factory=list)
    _kept: list[Node] = field(default_factory=list)
    _closed: set[str] = field(default_factory=set)  # names of tags that are closed somewhere in what is read

    def blocks(self, nodes: Sequence[Node]) -> list[Node]:
        """The blocks with structure in the place of raw HTML; what is open at their end is closed there."""
        if not _holds_html(nodes):
            return list(nodes)
        self._closed |= {found[2].lower() for text in _raw_texts(nodes) for found in TAG.finditer(text) if found[1]}
        return self._flow(_parsed(self._written_blocks(nodes)))

    def inlines(self, nodes: Sequence[Node]) -> list[Node]:
        """The same for running text, which stays running text."""
        if not _holds_html(nodes):
            return list(nodes)
        self._closed |= {found[2].lower() for text in _raw_texts(nodes) for found in TAG.finditer(text) if found[1]}
        return _running(self._flow(_parsed(self._written_inlines(nodes))))

    # --- pandoc's nodes as HTML --------------------------------------------------------------------------------------
    def _keep(self, node: Node, tag: str) -> str:
        self._kept.append(node)
        return f'<{tag} {NUMBER}="{len(self._kept) - 1}"></{tag}>'

    def _written_blocks(self, nodes: Sequence[Node]) -> str:
        return "\n".join(map(self._written_block, nodes))

    def _written_block(self, node: Node) -> str:
        kind, content = node["t"], node.get("c", [])
        if not _holds_html(node):
            return self._keep(node, "div")
        if kind == "RawBlock":
            return self._own(content[1])
        if kind == "Para":
            return f"<p>{self._written_inlines(content)}</p>"
        if kind == "Plain":
            return self._written_inlines(content)
        if kind == "BulletList":
            return f"<ul>{self._written_items(content)}</ul>"
        if kind == "OrderedList":
            self._kept.append(node)
            return f'<ol {NUMBER}="{len(self._kept) - 1}">{self._written_items(content[1])}</ol>'
        if kind == "BlockQuote":
            return f"<blockquote>{self._written_blocks(content)}</blockquote>"
        return self._keep({**node, "c": self._inside(content)}, "div")

    def _written_items(self, items: Sequence[Sequence[Node]]) -> str:
        return "".join(f"<li>{self._written_blocks(item)}</li>" for item in items)

    def _written_inlines(self, nodes: Sequence[Node]) -> str:
        return "".join(map(self._written_inline, nodes))

    def _written_inline(self, node: Node) -> str:
        kind, content = node["t"], node.get("c", [])
        if kind == "RawInline" and content[0] == "html":
            return self._own(content[1])
        if kind == "Str":
            return html.escape(content)
        if kind in ("Space", "SoftBreak"):
            return " " if kind == "Space" else "\n"
        if kind in WRITTEN and _holds_html(node):
            return f"<{WRITTEN[kind]}>{self._written_inlines(content)}</{WRITTEN[kind]}>"
        return self._keep({**node, "c": self._inside(content)} if _holds_html(node) else node, "span")

    def _inside(self, content: Any) -> Any:
        """What is kept whole, a link, a table's cells, a footnote, with each of its texts read by itself."""
        if isinstance(content, list) and content and all(isinstance(one, dict) and "t" in one for one in content):
            return self.blocks(content) if _are_blocks(content) else self.inlines(content)
        return [self._inside(one) for one in content] if isinstance(content, list) else content

    def _own(self, text: str) -> str:
        """The author's HTML: its formulas numbered, what looks like a tag and is none as text."""
        return MATHS.sub(self._formula, TAG.sub(self._foreign, text))

    def _foreign(self, tag: re.Match[str]) -> str:
        name = tag[2].lower()
        return tag[0] if name in KNOWN or name in self._closed else html.escape(tag[0])

    def _formula(self, found: re.Match[str]) -> str:
        tex = found["display"] or found["inline"]
        if not tex:
            return "$" if found[0] == "\\$" else found[0]
        way = "DisplayMath" if found["display"] else "InlineMath"
        return self._keep({"t": "Math", "c": [{"t": way}, html.unescape(tex).strip()]}, "span")

    # --- HTML as pandoc's nodes --------------------------------------------------------------------------------------
    def _flow(self, element: Any, first: Sequence[Node] = ()) -> list[Node]:
        """The content of an element: its blocks, and each run of text between them as a paragraph."""
        out: list[Node] = []
        run: list[Node] = [*first, *_words(element.text)]
        for child in element:
            if _is_block(child) and (self._number(child) is not None or child.tag != "span"):
                out += _paragraph(run)
                run = []
                out += self._block(child)
            else:
                run += self._inline(child)
            run += _words(child.tail)
        return [*out, *_paragraph(run)]

    def _number(self, element: Any) -> int | None:
        number = element.get(NUMBER)
        return int(number) if number is not None and number.isdecimal() and int(number) < len(self._kept) else None

    def _block(self, element: Any) -> list[Node]:
        tag, number = element.tag, self._number(element)
        if number is not None and tag == "div":
            return [self._kept[number], *self._flow(element)]
        if tag not in BLOCKS:  # an inline element around blocks
            return self._around(element)
        found = self._of_kind(element, tag)
        anchor = element.get("id") if tag not in ("h1", "h2", "h3", "h4", "h5", "h6") else None
        classes = _direction(element)
        return [_node("Div", [[anchor or "", classes, []], found])] if (anchor or classes) and found else found

    def _of_kind(self, element: Any, tag: str) -> list[Node]:
        if re.fullmatch("h[1-6]", tag):
            return self._heading(element, int(tag[1]))
        if tag in ("ul", "ol", "menu", "dir"):
            return self._list(element)
        if tag == "dl":
            return self._definitions(element)
        if tag == "blockquote":
            return [_node("BlockQuote", self._flow(element))]
        if tag in ("pre", "listing", "xmp", "plaintext"):
            code = "".join(_code_texts(element, self._kept)).strip("\n")
            return [_node("CodeBlock", [["", _languages(element), []], code])] if code.strip() else []
        if tag == "hr":
            return [{"t": "HorizontalRule"}, *self._flow(element)]
        if tag == "table":
            return self._table(element)
        if tag == "summary":
            return [_node("Para", [_node("Strong", inlines)]) for inlines in [_running(self._flow(element))] if inlines]
        return self._flow(element)

    def _heading(self, element: Any, level: int) -> list[Node]:
        inlines = _running(self._flow(element))
        return [_node("Header", [level, [element.get("id") or "", [], []], inlines])] if inlines else []

    def _around(self, element: Any) -> list[Node]:
        """An inline element around blocks: it goes round the text of each paragraph inside."""
        kind = WRAPPERS.get(element.tag)
        found = self._flow(element)
        if kind or (element.tag == "a" and element.get("href")):
            found = [_node(one["t"], [_node(kind, one["c"]) if kind else _link(element, one["c"])])
                     if one["t"] in ("Para", "Plain") else one for one in found]
        anchor = _anchor(element)
        return [_node("Div", [[anchor, [], []], found])] if anchor and found else found

    def _list(self, element: Any) -> list[Node]:
        number = self._number(element)
        items: list[list[Node]] = []
        for child in element:
            if child.tag == "li":
                items.append(self._flow(child))
            elif isinstance(child.tag, str) and (below := self._flow_of(child)):
                items = [*items[:-1], [*items[-1], *below]] if items else [below]
            if rest := _paragraph(_words(child.tail)):
                items.append(rest)
        items = [item for item in items if item]
        lead = _paragraph(_words(element.text))
        if not items:
            return lead
        if element.tag != "ol":
            return [*lead, _node("BulletList", items)]
        start = element.get("start") or ""
        about = self._kept[number]["c"][0] if number is not None else [
            int(start) if start.isdecimal() else 1, {"t": "Decimal"}, {"t": "Period"}]
        return [*lead, _node("OrderedList", [about, items])]

    def _flow_of(self, child: Any) -> list[Node]:
        return self._block(child) if _is_block(child) else _paragraph(self._inline(child))

    def _definitions(self, element: Any) -> list[Node]:
        items: list[list[Any]] = []
        loose = [element.text, *(child.tail for child in element)]
        if any((text or "").strip() for text in loose) or {child.tag for child in element} - {"dt", "dd"}:
            return self._flow(element)
        for child in element:
            if child.tag == "dt":
                items.append([_running(self._flow(child)), []])
            elif items:
                items[-1][1].append(self._flow(child))
        return [_node("DefinitionList", items)] if items else self._flow(element)

    # --- tables ------------------------------------------------------------------------------------------------------
    def _table(self, element: Any) -> list[Node]:
        _put_in_rows(element)
        rows = [row for row in element.iter("tr") if _nearest(row, "table") is element]
        beside = [*_paragraph(_words(element.text)), *(node for child in element for node in self._outside(child))]
        cells = [[cell for cell in row if cell.tag in ("td", "th")] for row in rows]
        width = _width(cells)
        if not width:
            return beside
        heads = _heads(rows, cells)
        written = [[self._cell(cell, width) for cell in row] for row in cells]
        _filled(written, width)
        caption = [node for found in element.findall("caption") for node in self._flow(found)]
        body = [[["", [], []], 0, [], [[["", [], []], row] for row in written[heads:]]]]
        columns = [[{"t": "AlignDefault"}, {"t": "ColWidthDefault"}]] * width
        head = [["", [], []], [[["", [], []], row] for row in written[:heads]]]
        return [*beside, _node("Table", [[element.get("id") or "", [], []], [None, caption], columns, head, body,
                                         [["", [], []], []]])]

    def _outside(self, child: Any) -> list[Node]:
        """What stands in a table and in none of its cells."""
        inner: list[Node] = []
        if child.tag in ("tr", "tbody", "thead", "tfoot", "colgroup", "col"):
            inner = [*_paragraph(_words(child.text)), *(node for below in child for node in self._outside(below))]
        elif child.tag not in ("td", "th", "caption"):
            inner = self._flow_of(child)
        return [*inner, *_paragraph(_words(child.tail))]

    def _cell(self, cell: Any, width: int) -> list[Any]:
        return [["", [], []], {"t": "AlignDefault"}, _span(cell, "rowspan"), min(_span(cell, "colspan"), width),
                self._flow(cell)]

    # --- running text ------------------------------------------------------------------------------------------------
    def _inline(self, element: Any) -> list[Node]:
        tag, number = element.tag, self._number(element)
        if number is not None:
            return [self._kept[number], *self._children(element)]
        if not isinstance(tag, str) or tag in ("style", "script"):
            return []
        if tag in TOLD:
            self._unseen(element)
        if tag in TOLD or tag in DROPPED:  # one that is never closed holds the rest of its cell
            return [] if tag in self._closed else self._children(element)
        if tag == "br":
            return [{"t": "LineBreak"}, *self._children(element)]
        if tag in ("img", "image"):
            return [*_picture(element), *self._children(element)]
        if tag == "svg":
            return [_drawing(element)] if _draws(element) else []
        if tag == "input":
            return _box(element)
        if tag in CODE:
            return _code(element, self._kept)
        return self._named(element, self._children(element))

    def _named(self, element: Any, inner: list[Node]) -> list[Node]:
        """An inline element with content."""
        tag = element.tag
        if tag in WRAPPERS and inner:
            inner = [_node(WRAPPERS[tag], inner)]
        elif tag == "a" and element.get("href") and inner:
            inner = [_link(element, inner)]
        elif tag == "q":
            inner = [_node("Str", "«"), *inner, _node("Str", "»")]
        elif tag == "button" and (element.get("formaction") or element.get("onclick")):
            self._unseen(element)
        anchor = _anchor(element)
        return [_node("Span", [[anchor, [], []], inner])] if anchor else inner

    def _children(self, element: Any) -> list[Node]:
        out = list(_words(element.text))
        for child in element:
            out += [*self._inline(child), *_words(child.tail)]
        return out

    def _unseen(self, element: Any) -> None:
        own = [element.get(TOLD.get(element.tag, "formaction")) or element.get("onclick"),
               *(source.get("src") for source in element.iter("source"))]
        self.unseen.append(Untold(element.tag, next(filter(None, own), "")))


# --- pandoc's nodes --------------------------------------------------------------------------------------------------
def _node(kind: str, content: Any) -> Node:
    return {"t": kind, "c": content}


def _holds_html(node: Any) -> bool:
    if isinstance(node, list | tuple):
        return any(map(_holds_html, node))
    if not isinstance(node, dict):
        return False
    if node.get("t") in ("RawInline", "RawBlock"):
        return bool(node["c"][0] == "html")
    return _holds_html(node.get("c", []))


def _raw_texts(node: Any) -> Iterator[str]:
    if isinstance(node, list | tuple):
        for one in node:
            yield from _raw_texts(one)
    elif isinstance(node, dict):
        if node.get("t") in ("RawInline", "RawBlock") and node["c"][0] == "html":
            yield node["c"][1]
        else:
            yield from _raw_texts(node.get("c", []))


def _are_blocks(nodes: Sequence[Node]) -> bool:
    return bool({node["t"] for node in nodes} & {
        "Para", "Plain", "RawBlock", "Div", "BulletList", "OrderedList", "BlockQuote", "CodeBlock", "Header", "Table",
        "DefinitionList", "LineBlock", "HorizontalRule", "Figure"})


def _running(blocks: Iterable[Node]) -> list[Node]:
    """The text of blocks as one running text; pictures and code in it are kept, lists become their items' texts."""
    out: list[Node] = []
    for block in blocks:
        inner = _running_text(block)
        out += ([{"t": "Space"}] if out and inner else []) + inner
    return out


def _running_text(block: Node) -> list[Node]:
    kind, content = block["t"], block.get("c", [])
    if kind in ("Para", "Plain"):
        return list(content)
    if kind == "Header":
        return list(content[2])
    if kind == "CodeBlock":
        return [_node("Code", [["", [], []], " ".join(content[1].split())])]
    if kind == "Div":
        inner = _running(content[1])
        return [_node("Span", [content[0], inner])] if content[0][0] else inner
    if kind == "BlockQuote":
        return _running(content)
    if kind in ("BulletList", "OrderedList"):
        return _running(one for item in (content if kind == "BulletList" else content[1]) for one in item)
    return []


def _paragraph(run: list[Node]) -> list[Node]:
    """A run of text as a paragraph; none where it has only blanks and breaks."""
    blank = ("Space", "SoftBreak", "LineBreak")
    first = next((at for at, node in enumerate(run) if node["t"] not in blank), None)
    if first is None:
        return []
    last = max(at for at, node in enumerate(run) if node["t"] not in blank)
    return [_node("Para", run[first:last + 1])]


def _words(text: str | None) -> list[Node]:
    """Text as pandoc has it: words and the spaces between them."""
    out: list[Node] = []
    for piece in re.findall(r"[ \t\n\r\f]+|[^ \t\n\r\f]+", text or ""):
        if piece.strip(" \t\n\r\f"):
            out.append(_node("Str", piece))
        else:
            out.append({"t": "SoftBreak" if "\n" in piece else "Space"})
    return out


# --- elements --------------------------------------------------------------------------------------------------------
def _parsed(text: str) -> Any:
    return lxml.html.fragment_fromstring(text, create_parent="div", parser=lxml.html.HTMLParser(huge_tree=True))


def _is_block(element: Any) -> bool:
    """Test if an element is a block, or is an inline one around blocks."""
    if not isinstance(element.tag, str) or element.tag in DROPPED or element.tag in TOLD or element.tag == "svg":
        return False
    return element.tag in BLOCKS or any(isinstance(below.tag, str) and below.tag in BLOCKS
                                        for below in element.iterdescendants())


def _styles(element: Any) -> dict[str, str]:
    return {name.lower(): value.strip().lower() for name, value in STYLED.findall(element.get("style") or "")}


def _direction(element: Any) -> list[str]:
    """Classes for what an element says of direction and middle."""
    styles = _styles(element)
    way = (element.get("dir") or styles.get("direction", "")).lower()
    side = (element.get("align") or styles.get("text-align", "")).lower()
    if way == "ltr" or (side == "left" and way != "rtl"):
        return ["gz-ltr"]
    return ["gz-center"] if element.tag == "center" or side == "center" else []


def _anchor(element: Any) -> str:
    return str(element.get("id") or (element.get("name") if element.tag == "a" else "") or "")


def _link(element: Any, inner: list[Node]) -> Node:
    return _node("Link", [["", [], []], inner, [element.get("href").strip(), element.get("title") or ""]])


def _picture(element: Any) -> list[Node]:
    source = element.get("src") or element.get("data-src") or ""
    if not source.strip():
        return []
    width = length(_styles(element).get("width") or element.get("width") or "")
    pairs = [["width", width]] if width else []
    alt = element.get("alt") or element.get("title") or ""
    target = [source.strip(), element.get("title") or ""]
    return [_node("Image", [[element.get("id") or "", [], pairs], _words(alt), target])]


def length(text: str) -> str:
    """A width for Typst; a pixel is three quarters of a point.

    >>> length("400"), length("50%")
    ('300pt', '50%')
    """
    found = LENGTH.match(text)
    if not found or float(found[1]) == 0:
        return ""
    if found[2] in ("px", ""):
        return f"{float(found[1]) * .75:g}pt"
    return found[1] + found[2]


def _draws(element: Any) -> bool:
    """Test if a drawing has anything to be seen."""
    hidden = ("defs", "clippath", "symbol")
    return any(one.tag in SHAPES and not any(above.tag in hidden for above in one.iterancestors())
               for one in element.iter())


def _drawing(element: Any) -> Node:
    for below in (one for one in element.iter() if isinstance(one.tag, str)):
        below.tag = SVG_NAMES.get(below.tag, below.tag)
        for name in [name for name in below.attrib if name in SVG_NAMES]:
            below.set(SVG_NAMES[name], below.attrib.pop(name))
    if "xmlns" not in element.attrib:
        element.set("xmlns", "http://www.w3.org/2000/svg")
    data = base64.b64encode(lxml.etree.tostring(element, with_tail=False)).decode()
    title = "".join(text for name in ("title", "desc") for found in element.iter(name) for text in found.itertext())
    return _node("Image", [["", [], []], _words(title), [f"data:image/svg+xml;base64,{data}", ""]])


def _box(element: Any) -> list[Node]:
    if (element.get("type") or "").lower() != "checkbox":
        return _words(element.get("value"))
    return [_node("Str", "☒" if element.get("checked") is not None else "☐")]


def _code(element: Any, kept: Sequence[Node]) -> list[Node]:
    """Code, of which Markdown's own signs inside are part; pictures and breaks in it stay what they are."""
    text = "".join(_code_texts(element, kept))
    return [_node("Code", [["", [], []], " ".join(text.split())])] if text.strip() else []


def _code_texts(element: Any, kept: Sequence[Node]) -> Iterator[str]:
    number = element.get(NUMBER)
    if number is not None:
        yield from _plain_texts(kept[int(number)])
    yield element.text or ""
    for child in element:
        if isinstance(child.tag, str):
            yield from _code_texts(child, kept)
            yield "\n" if child.tag == "br" else ""
        yield child.tail or ""


def _plain_texts(node: Node) -> Iterator[str]:
    kind, content = node["t"], node.get("c", [])
    if kind == "Str":
        yield content
    elif kind in ("Code", "Math"):
        yield content[1]
    elif kind in ("Space", "SoftBreak", "LineBreak"):
        yield " "
    elif isinstance(content, list):
        for one in content:
            for below in one if isinstance(one, list) else [one]:
                if isinstance(below, dict) and "t" in below:
                    yield from _plain_texts(below)


def _languages(element: Any) -> list[str]:
    """The language that a listing's class names."""
    classes = [name for one in (element, *element.iter("code")) for name in (one.get("class") or "").split()]
    return [name.removeprefix("language-") for name in classes if name.startswith("language-")][:1]


def _put_in_rows(table: Any) -> None:
    """Give each cell that stands in no row one of its own, as a browser does."""
    loose = [cell for cell in table.iter("td", "th")
             if _nearest(cell, "table") is table and cell.getparent().tag in ("table", "tbody", "thead", "tfoot")]
    for cell in loose:
        before = cell.getprevious()
        if before is not None and before.tag == "tr" and before.get(NUMBER) == "row":
            row = before
        else:
            row = lxml.html.Element("tr", {NUMBER: "row"})
            cell.addprevious(row)
        row.append(cell)


def _nearest(element: Any, tag: str) -> Any:
    return next(element.iterancestors(tag), None)


def _span(cell: Any, name: str) -> int:
    text = (cell.get(name) or "").strip()
    return min(max(int(text), 1), WIDEST) if text.isdecimal() else 1


def _width(rows: Sequence[Sequence[Any]]) -> int:
    """The columns of a table: those of its widest row; a row of one wide cell does not count if there are others."""
    counts = [sum(_span(cell, "colspan") for cell in row) for row in rows if len(row) > 1]
    return max(counts, default=max((1 for row in rows if row), default=0))


def _heads(rows: Sequence[Any], cells: Sequence[Sequence[Any]]) -> int:
    """How many of a table's first rows are its head."""
    count = 0
    for row, own in zip(rows, cells, strict=True):
        if _nearest(row, "thead") is None and not (own and all(cell.tag == "th" for cell in own)):
            break
        count += 1
    return count


def _filled(rows: list[list[list[Any]]], width: int) -> None:
    """Cut spans to the table, and fill short rows with empty cells."""
    held = [0] * width  # for each column the rows that a cell above still reaches into
    for at, row in enumerate(rows):
        free = [column for column in range(width) if not held[column]]
        held = [max(count - 1, 0) for count in held]
        for cell in list(row):
            if not free:
                row.remove(cell)
                continue
            columns = free[:cell[3]]
            columns = columns[:next((n for n, c in enumerate(columns) if c != columns[0] + n), len(columns))]
            free = free[len(columns):]
            cell[3], cell[2] = len(columns), min(cell[2], len(rows) - at)
            for column in columns:
                held[column] = cell[2] - 1
        row += [[["", [], []], {"t": "AlignDefault"}, 1, 1, []] for _ in free]
