r"""A formula's tree in Typst's mathematics.

Three choices follow TeX's rules rather than Typst's habits:

* delimiters are stretched by ``\left … \right`` alone, so all others are escaped;
* scripts stand beside relations and letters, and below and above only where LaTeX sets limits;
* pieces are joined without blanks, because Typst shows blanks beside text and bars.

The classes and sizes are those of *The TeXbook*, chapter 17 and appendix B, and of `amsmath`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import singledispatch
from itertools import zip_longest

from gozaresh.common.errors import MathsError
from gozaresh.maths.lexer import ARABIC_LETTER, PERSIAN_NUMBER
from gozaresh.maths.symbols import (
    ARRAYS,
    BIG_CLASSES,
    BIG_SIZES,
    CASES,
    DELIMITERS,
    ESCAPED,
    LONG_ARROWS,
    MATRICES,
    RELATIONS,
    SPECIAL,
    SWITCHES,
    SYMBOLS,
    TEXT_FONTS,
    TWO_ARGUMENTS,
    UNARY,
    WORD_FONTS,
)
from gozaresh.maths.tree import (
    Arrow,
    Big,
    Brace,
    Coloured,
    Dots,
    Fence,
    Group,
    Line,
    Middle,
    Negated,
    Node,
    Operator,
    Pair,
    Raised,
    Root,
    Row,
    Rule,
    Scripts,
    Space,
    Stack,
    Styled,
    Switched,
    Symbol,
    Table,
    Text,
    Word,
)

SINGLE = re.compile(r'\w?|[0-9.]+|"[^"]*"')
LETTER_OR_DIGIT = re.compile(r"[^\W_]")
COLUMN = {"l": "&{}", "r": "{}&", "c": "{}"}
SIDE = {"l": "left", "r": "right", "c": "center"}
EMPTY = '""'
THIN_BACK = Space(-3 / 18)

# Characters whose meaning in Typst differs from the one in LaTeX.
CHARACTERS = {
    "-": "−", "*": "∗", "/": r'class("normal", \/)', ":": r'class("relation", \:)', "`": "‘", "@": r"\@",
    '"': r"\"", "?": r"\?", "!": r"\!", ".": r"\.", ",": r"\,", ";": r"\;", "=": r"\=", "+": "+", "<": r"\<",
    ">": r"\>", "(": r"\(", ")": r"\)", "[": r"\[", "]": r"\]", "|": r"\|",
    "،": 'class("punctuation", "،")', "؛": 'class("punctuation", "؛")', "؟": 'class("closing", "؟")',
    "«": 'class("opening", #text(dir: ltr, "«"))', "»": 'class("closing", #text(dir: ltr, "»"))',
    "٪": '"٪"', "٫": '"٫"', "٬": '"٬"',
    "√": r"\√", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "^": r"\^", "~": r"\~", "\\": r"\\",
    "{": r"\{", "}": r"\}", "%": "%",
}


def formula(body: Node) -> str:
    r"""The inside of Typst's ``$…$``; an alignment that is the whole becomes rows of the equation.

    >>> from gozaresh.maths.parser import parse
    >>> formula(parse(r"\frac{1}{2} \|x\|_2").body)
    'frac(1, 2)\\‖x\\‖_(2)'
    """
    if isinstance(body, Table) and body.is_alignment:
        return " \\\n".join("&".join(line_cells(body, line)) for line in body.lines)
    return _typst(body)


def line_cells(table: Table, line: Line) -> list[str]:
    """The cells of an alignment's line; a gap stands between its pairs of columns."""
    gap = "" if table.name.startswith(("alignat", "alignedat")) else width(1)
    cells = [_typst(_bound(cell) if i % 2 else cell) for i, cell in enumerate(line.cells)]
    return [joined([gap, cell]) if i and i % 2 == 0 else cell for i, cell in enumerate(cells)]


def _bound(cell: Row) -> Row:
    """A right cell; a sign at its head stands between two things, though Typst sees but one."""
    lead = next((at for at, item in enumerate(cell.items) if not isinstance(item, Space)), 0)
    if cell.items[lead:lead + 1] in ((Symbol("+"),), (Symbol("-"),)):
        return Row((*cell.items[:lead], Word(""), *cell.items[lead:]))
    return cell


def joined(pieces: Iterable[str]) -> str:
    """Join without blanks, save where two names or numbers would become one."""
    out = ""
    for piece in pieces:
        fuse = out and piece and LETTER_OR_DIGIT.match(out[-1]) and LETTER_OR_DIGIT.match(piece[0])
        out += (" " if fuse else "") + piece
    return out


def width(em: float) -> str:
    """Typst's horizontal space."""
    return f"#h({em:.4g}em)"


def string(text: str) -> str:
    """A Typst string."""
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'


def quoted(text: str, font: str | None = None, *, mirrored: bool = False) -> str:
    """Typst's text in mathematics, with the blanks at its ends as widths that line layout cannot trim.

    >>> quoted("اگر ")
    '"اگر"#h(0.25em)'
    """
    core = text.strip(" ")
    if not core:
        return "#h(0.25em)" if text else ""
    if font is None and not ARABIC_LETTER.search(core) and not (core[0].isalnum() and core[-1].isalnum()):
        font = "dir: ltr"  # in a Persian paragraph «s.t.» would be set as «.s.t»
    if font == TEXT_FONTS["textit"] and not ARABIC_LETTER.search(core):
        font = f'font: "New Computer Modern", {font}'  # the mathematical font has no italic text
    left, right = ("#h(0.25em)" if text[side] == " " else "" for side in ((-1, 0) if mirrored else (0, -1)))
    return left + (f"#text({font}, {string(core)})" if font else string(core)) + right


# --- nodes ------------------------------------------------------------------------------------------------------
@singledispatch
def _typst(node: Node) -> str:
    """One node in Typst."""
    raise MathsError(f"{type(node).__name__} cannot be set")


def _argument(node: Node) -> str:
    """What stands between a function's commas; nothing is an empty string there."""
    return _typst(node) or EMPTY


@_typst.register
def _(node: Row) -> str:
    r"""Side by side; a thin space taken back before ``\left`` is one that Typst, unlike TeX, never gives."""
    return joined(_typst(item) for item, after in zip(node.items, (*node.items[1:], Row()), strict=False)
                  if not (item == THIN_BACK and isinstance(after.base if isinstance(after, Scripts) else after, Fence)))


@_typst.register
def _(node: Symbol) -> str:
    name = node.token[1:]
    if node.token in CHARACTERS:
        return CHARACTERS[node.token]
    if PERSIAN_NUMBER.fullmatch(node.token):
        return string(node.token)
    if node.token[0] != "\\" or node.token in ESCAPED:
        return node.token
    return SPECIAL.get(name) or SYMBOLS.get(name) or DELIMITERS[node.token]


@_typst.register
def _(node: Word) -> str:
    return string(node.text)


@_typst.register
def _(node: Space) -> str:
    return width(node.amount) if node.unit == "em" else f"#h({node.amount:g}{node.unit})"


@_typst.register
def _(node: Dots) -> str:
    return "⋯" if node.raised else "…"


@_typst.register
def _(node: Group) -> str:
    body = _argument(node.body)
    return body if SINGLE.fullmatch(body) else f'class("normal", {body})'


@_typst.register
def _(node: Operator) -> str:
    return f"op({_argument(node.body)}{', limits: #true' if node.limits else ''})"


@_typst.register
def _(node: Styled) -> str:
    return (UNARY | WORD_FONTS)[node.name].format(_argument(node.body))


@_typst.register
def _(node: Coloured) -> str:
    body = _argument(node.body)
    if node.ink:
        return f'#text(fill: rgb("{node.ink}"), ${body}$)'
    look = [f'fill: rgb("{node.ground}")', *([f'stroke: 0.5pt + rgb("{node.frame}")'] if node.frame else [])]
    return f"#box({', '.join(look)}, inset: (x: 3pt), outset: (y: 3pt), ${body}$)"


@_typst.register
def _(node: Raised) -> str:
    return f"#box(baseline: -{_length(node.by)}, ${_argument(node.body)}$)"


@_typst.register
def _(node: Rule) -> str:
    width, height, by = _length(node.width), _length(node.height), _length(node.by)
    return f"#box(width: {width}, height: {height}, baseline: -{by}, fill: black)"


def _length(space: Space) -> str:
    return f"{space.amount:.4g}{space.unit}" if space.amount >= 0 else f"({space.amount:.4g}{space.unit})"


@_typst.register
def _(node: Stack) -> str:
    first, second = _argument(node.first), _argument(node.second)
    body = f"frac({first}, {second})" if node.has_bar else f"mat(delim: #none, row-gap: #0.2em, {first}; {second})"
    if node.opening or node.closing:
        body = f"lr({DELIMITERS[node.opening or '.']}{body}{DELIMITERS[node.closing or '.']})"
    return SWITCHES[node.style].format(body) if node.style else body


@_typst.register
def _(node: Switched) -> str:
    return SWITCHES[node.name].format(_argument(node.body))


@_typst.register
def _(node: Pair) -> str:
    return TWO_ARGUMENTS[node.name].format(_argument(node.first), _argument(node.second))


@_typst.register
def _(node: Root) -> str:
    body = _argument(node.body)
    return f"root({_typst(node.degree)}, {body})" if node.degree else f"sqrt({body})"


@_typst.register
def _(node: Negated) -> str:
    """The negated character where Unicode has one, else a stroke."""
    body = _typst(node.body)
    single = unicodedata.normalize("NFC", body.lstrip("\\") + "\u0338")
    if len(single) == 1:
        return f"scripts({single})"
    return f'scripts(class("relation", cancel({body})))' if _is_relation(node.body) else f"cancel({body})"


@_typst.register
def _(node: Arrow) -> str:
    under = f"_({_typst(node.below)})" if node.below else ""
    return f"stretch({LONG_ARROWS[node.name]}, size: #(100% + 0.8em)){under}^({_argument(node.above)})"


@_typst.register
def _(node: Brace) -> str:
    note = f", {_argument(node.note)}" if node.note else ""
    return f"{node.name}({_argument(node.body)}{note})"


@_typst.register
def _(node: Big) -> str:
    return f'class("{BIG_CLASSES[node.side]}", lr(size: #{BIG_SIZES[node.size]}em, {DELIMITERS[node.delimiter]}))'


@_typst.register
def _(node: Middle) -> str:
    return f"mid({DELIMITERS[node.delimiter]})"


@_typst.register
def _(node: Fence) -> str:
    return f"lr({DELIMITERS[node.opening]}{_typst(node.body)}{DELIMITERS[node.closing]})"


@_typst.register
def _(node: Text) -> str:
    return _text(node) or EMPTY


def _text(text: Text) -> str:
    """Text with its nested formulas and fonts; Persian text runs from the right."""
    font = TEXT_FONTS[text.font]
    pieces = [quoted(part, font, mirrored=text.from_right) if isinstance(part, str)
              else _text(part) if isinstance(part, Text) else _typst(part) for part in text.parts]
    return joined(pieces[::-1] if text.from_right else pieces)


def prose(text: Text, alt: Callable[[Node], str]) -> str:
    """Text as markup outside a formula; ``alt`` reads the formulas inside it."""
    out = ""
    for part in text.parts:
        if isinstance(part, str):
            out += f"#{string(part)}" if part else ""
        elif isinstance(part, Text):
            font = TEXT_FONTS[part.font]
            out += f"#text({font + ', ' if font else ''}[{prose(part, alt)}])"
        else:
            out += f"#math.equation(alt: {string(alt(part))}, ${_typst(part)}$)"
    return out


@_typst.register
def _(node: Scripts) -> str:
    base = _typst(node.base)
    scripts = [("_", node.below), ("^", node.above)]
    if node.limits:
        base = {"limits": "limits", "nolimits": "scripts"}[node.limits] + f"({base})"
    elif _is_relation(node.base) and (node.below or node.above):
        base = f"scripts({base})"  # Typst sets a relation's scripts as limits, LaTeX does not
    return base + "'" * node.primes + "".join(f"{side}({_argument(script)})" for side, script in scripts if script)


def _is_relation(node: Node) -> bool:
    return isinstance(node, Symbol) and (
        node.token in "=<>:" or node.token[1:] in RELATIONS or node.token in RELATIONS.values())


# --- tables -----------------------------------------------------------------------------------------------------
@_typst.register
def _(node: Table) -> str:
    if node.is_alignment:
        rows = [line_cells(node, line) for line in node.lines]
        body = "; ".join("&".join(f"display({cell})" if cell else "" for cell in row) or EMPTY for row in rows)
        return f"mat(delim: #none, row-gap: #0.6em, {body})"
    rows = [[_typst(cell) for cell in line.cells] for line in node.lines]
    if node.name in ARRAYS:
        return _ruled(node, rows) if node.rules or "|" in node.columns else _array(node, rows)
    if node.name == "substack":
        return "mat(delim: #none, row-gap: #0.15em, " + "; ".join(f"script({row[0]})" for row in rows) + ")"
    if node.name in CASES:
        cells = _cells(rows, CASES[node.name])
        delimiters = 'none, "}"' if node.name.lstrip("d") == "rcases" else '"{", none'
        return f"mat(delim: #({delimiters}), align: #left, column-gap: #1em, row-gap: #0.4em, {cells})"
    style, gap = ("script({})", "0.5em") if node.name == "smallmatrix" else ("inline({})", "1em")
    align = f"align: #{SIDE[node.columns[0]]}, " if node.columns[:1] in SIDE else ""
    inside = [str(row) for row in node.rules if 0 < row < len(rows)]  # Typst draws none at the edges
    rules = f"augment: #(hline: ({', '.join(inside)},)), " if inside else ""
    return f"mat(delim: {MATRICES[node.name]}, {align}{rules}column-gap: #{gap}, {_cells(rows, style)})"


def _cells(rows: Sequence[Sequence[str]], style: str) -> str:
    """The cells of Typst's ``mat``; an empty cell stays a cell."""
    return "; ".join(", ".join(style.format(cell) if cell else EMPTY for cell in row) for row in rows)


def _array(table: Table, rows: Sequence[Sequence[str]]) -> str:
    """An array without rules."""
    style = "display" if table.name == "darray" else "inline"
    body = "; ".join(
        ", ".join(COLUMN[column].format(f"{style}({cell})" if cell else EMPTY)
                  for column, cell in zip(table.columns, row, strict=False))
        for row in rows)
    return f"mat(delim: #none, column-gap: #1em, {body})"


def _ruled(table: Table, rows: Sequence[Sequence[str]]) -> str:
    """An array with rules is a grid, because those of Typst's ``mat`` overshoot its edges and touch its cells."""
    columns = table.columns.replace("|", "")
    sides = ", ".join(SIDE[column] for column in columns)
    verticals = [len(table.columns[:i].replace("|", "")) for i, mark in enumerate(table.columns) if mark == "|"]
    rules = [f"grid.vline(x: {x}, stroke: 0.4pt)" for x in verticals]
    rules += [f"grid.hline(y: {y}, stroke: 0.4pt)" for y in table.rules]
    strut = "#box(height: 1em, baseline: 0.3em)"
    cells = [f"[{strut}${cell}$]" if cell else f"[{strut}]"
             for row in rows for _, cell in zip_longest(columns, row, fillvalue="")]
    return ('#box(baseline: 50% - 0.25em, { set text(dir: ltr, top-edge: "bounds", bottom-edge: "bounds"); grid('
            f"columns: {len(columns)}, align: ({sides},), inset: (x: 0.5em, y: 0.2em), "
            f"{', '.join([*rules, *cells])}) }})")
