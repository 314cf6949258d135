r"""What stands side by side in a formula, as a reader sees it: groups opened, delimiters paired, atoms known.

TeX needs no partner for a plain ``(`` or ``|``; a listener does. Bars are paired where they come in twos with no comma
between them; a bar alone divides, as in ``p(x | z)``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from gozaresh.maths.lexer import PERSIAN_NUMBER
from gozaresh.maths.persian_names import (
    ADDED,
    CAPITALS,
    GREEK,
    ITALIC_CAPITALS,
    LATIN,
    SAME_DELIMITER,
    SIGNS,
    THINGS,
)
from gozaresh.maths.symbols import DELIMITERS, SYMBOLS
from gozaresh.maths.tree import (
    Big,
    Coloured,
    Dots,
    Fence,
    Group,
    Middle,
    Node,
    Operator,
    Raised,
    Row,
    Scripts,
    Space,
    Styled,
    Switched,
    Symbol,
    Text,
    Word,
)

LETTERS = LATIN | CAPITALS | GREEK | ITALIC_CAPITALS
NUMBER = re.compile(r"[0-9.]+")
OPENERS = frozenset(["(", "[", *(f"\\{name}" for name in (
    "{ lbrace lbrack lvert lVert langle lang lfloor lceil lgroup ulcorner llcorner lBrace llbracket lparen").split())])
CLOSERS = frozenset([")", "]", *(f"\\{name}" for name in (
    "} rbrace rbrack rvert rVert rangle rang rfloor rceil rgroup urcorner lrcorner rBrace rrbracket rparen").split())])
HIDDEN = frozenset({"phantom", "hphantom", "vphantom"})
BARS = {"|": "قدر مطلق", "\\|": "نرم"}


def items_of(node: Node) -> list[Node]:
    """The parts of a node with its groups opened, its delimiters paired and what only looks different left out."""
    return paired(list(flat(node)))


def flat(node: Node) -> Iterator[Node]:
    """The parts of a node with its groups opened and without what only looks different."""
    if isinstance(node, Row):
        for item in node.items:
            yield from flat(item)
    elif isinstance(node, Group | Coloured | Raised) or (
            isinstance(node, Styled | Switched) and ADDED.get(node.name) == ""):
        yield from () if isinstance(node, Styled) and node.name in HIDDEN else flat(node.body)
    elif not isinstance(node, Space) or node.unit != "em" or node.amount >= 1:
        yield node


def paired(items: Sequence[Node]) -> list[Node]:
    """Put what stands between a delimiter and its partner into a fence."""
    out: list[Node] = []
    at = 0
    while at < len(items):
        end = _partner(items, at)
        if end is None:
            out.append(items[at])
        else:
            fence = Fence(_delimiter(items[at]), Row(tuple(items[at + 1:end])), _delimiter(items[end]))
            last = items[end]
            out.append(replace(last, base=fence) if isinstance(last, Scripts) else fence)
        at = at + 1 if end is None else end + 1
    return out


def _partner(items: Sequence[Node], at: int) -> int | None:
    """Where the delimiter that opens here is closed."""
    role, depth = _role(items[at]), 0
    if role not in ("open", "bar") or isinstance(items[at], Scripts):
        return None
    for end in range(at, len(items)):
        found = _role(items[end])
        if role == "bar" and not depth and end > at:
            if found == "bar" and kind_of(items[end]) == kind_of(items[at]):
                return end if end > at + 1 else None
            if isinstance(items[end], Symbol) and items[end] == Symbol(","):
                return None
        depth += {"open": 1, "close": -1}.get(found, 0)
        if depth == 0 and role == "open":
            return end
        if depth < 0:
            return None
    return None


def _delimiter(item: Node) -> str:
    """The delimiter that an item is, or nothing."""
    if isinstance(item, Scripts):
        return _delimiter(item.base)
    if isinstance(item, Big | Middle):
        return item.delimiter
    return item.token if isinstance(item, Symbol) and item.token in DELIMITERS and item.token not in "<>/." else ""


def kind_of(item: Node) -> str:
    """A delimiter without regard to its many names."""
    return SAME_DELIMITER.get(_delimiter(item), _delimiter(item))


def _role(item: Node) -> str:
    base = item.base if isinstance(item, Scripts) else item
    if isinstance(base, Middle) or not _delimiter(base):
        return ""
    if isinstance(base, Big) and base.side:
        return {"l": "open", "r": "close", "m": ""}[base.side]
    token = _delimiter(base)
    return "open" if token in OPENERS else "close" if token in CLOSERS else "bar" if kind_of(base) in BARS else ""


# --- atoms --------------------------------------------------------------------------------------------------------
def is_atom(node: Node) -> bool:
    """Whether a node is read as one thing, so that nobody can mistake its end."""
    items = items_of(node)
    return len(items) == 1 and is_atomic(items[0])


def is_atomic(item: Node) -> bool:
    """Whether one of the parts that stand side by side is an atom."""
    if isinstance(item, Symbol):
        sign = character(item)
        return bool(NUMBER.fullmatch(sign) or PERSIAN_NUMBER.fullmatch(sign)) or sign in LETTERS or sign in THINGS
    if isinstance(item, Styled):
        return item.name != "pmod" and is_atom(item.body)
    if isinstance(item, Text):
        return len(item.parts) == 1 and len(str(item.parts[0]).split()) == 1
    return isinstance(item, Dots) or (isinstance(item, Word) and len(item.text.split()) == 1)


def is_term(node: Node) -> bool:
    """Whether a node is an atom, or an atom with a sign."""
    items = items_of(node)
    signed = len(items) == 2 and isinstance(items[0], Symbol) and items[0].token in SIGNS
    return is_atom(node) or (signed and is_atomic(items[1]))


def is_letter(node: Node) -> bool:
    """Whether a node can be a function's name: a letter in any font, with or without scripts."""
    if isinstance(node, Scripts):
        return not node.limits and is_letter(node.base)
    if isinstance(node, Operator):
        return True
    if isinstance(node, Symbol):
        return character(node) in LETTERS or character(node) == "ℓ"
    return (isinstance(node, Word) and bool(node.text)) or (
        isinstance(node, Styled | Group) and len(items_of(node.body)) == 1 and is_letter(items_of(node.body)[0]))


def character(symbol: Symbol) -> str:
    """The character that a symbol is."""
    name = symbol.token[1:]
    if symbol.token in ("*", "\\colon", "\\surd"):
        return {"*": "∗", "\\colon": ":", "\\surd": "√"}[symbol.token]
    if symbol.token[0] != "\\":
        return symbol.token
    return SYMBOLS.get(name) or (name if len(name) == 1 and symbol.token not in DELIMITERS else symbol.token)
