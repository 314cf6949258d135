r"""A formula's tree as Persian that can be read aloud, for the equation's alternative text.

A reading is made of words alone, and a listener can tell where each part ends: what holds more than one atom is opened
by «عبارت» (or «صورت») and closed by «پایان …», while a single atom needs neither: ``x^2`` is «ایکس به توان ۲» and
``x^{2n}`` is «ایکس به توان عبارت ۲ ان پایان توان». Different structures are read differently; what only looks different
(sizes, spaces, ``\tfrac`` and ``\dfrac``) is read alike. The idea of long and short forms is that of MathSpeak (Nemeth)
and ClearSpeak (ETS).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import singledispatch

from gozaresh.common.errors import MathsError
from gozaresh.common.persian import persian
from gozaresh.maths.grouping import (
    BARS,
    LETTERS,
    NUMBER,
    character,
    flat,
    is_atom,
    is_atomic,
    is_letter,
    is_term,
    items_of,
    kind_of,
    paired,
)
from gozaresh.maths.lexer import PERSIAN_NUMBER
from gozaresh.maths.persian_names import (
    ADDED,
    BETWEEN,
    BLACKBOARD,
    BRACE_NAMES,
    COUNTS,
    DELIMITER_NAMES,
    FUNCTIONS,
    INTEGRALS,
    LARGE,
    LIMITS_OF,
    NEGATED,
    PARTS,
    PERSIAN_MARKS,
    RAISED_MARKS,
    SAME_DELIMITER,
    SIGNS,
    TABLE_NAMES,
    THINGS,
)
from gozaresh.maths.symbols import CASES, LONG_ARROWS
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

FRACTIONS = frozenset({"frac", "dfrac", "tfrac", "cfrac", "nicefrac", "sfrac"})
CHOICES = frozenset({"binom", "dbinom", "tbinom"})
DIVERGENCE = "واگرایی کولبک–لایبلر"
GIVEN, SUCH_THAT, AGAINST = "به شرط", "به طوری که", "در برابر"
PAUSE = "،"
STOPS: tuple[Node, ...] = (Symbol("."), Symbol(","), Symbol(";"))


def spoken(body: Node) -> str:
    r"""The reading of a whole formula.

    >>> from gozaresh.maths.parser import parse
    >>> spoken(parse(r"\log p_\theta(x) \ge \frac{1}{2}").body)
    'لگاریتم پی با زیرنویس تتا از ایکس بزرگ‌تر یا برابر است با یک دوم'

    Raises:
        MathsError: a sign without a Persian name.
    """
    if isinstance(body, Table) and body.is_alignment:
        return tidy(_lines(body.lines))
    return tidy(_line(Line((Row(tuple(flat(body))),)), first=True))


def spoken_line(line: Line, *, first: bool) -> str:
    """The reading of one line of an alignment, as if the lines before it had been read."""
    return tidy(_line(line, first=first))


def tidy(text: str) -> str:
    """Single blanks, and no pause at the ends, doubled, or away from the word before it."""
    text = re.sub(r"\s+([،؛:])", r"\1", " ".join(text.split()))
    text = re.sub(r"،+([؛:])|([؛:])،+", lambda found: found[1] or found[2], re.sub("،+", "،", text))
    return text.strip("،؛: ")


def _wrapped(node: Node, closing: str = "عبارت", *, signed: bool = False) -> str:
    """An atom as it is; anything longer between «عبارت» and its end."""
    if is_atom(node) or (signed and is_term(node)):
        return _say(node)
    return f"عبارت {_say(node) or 'خالی'} پایان {closing}"


# --- sequences ----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class _Sequence:
    """Items that are read one after the other; each reading knows its neighbours."""

    items: Sequence[Node]
    given: str = GIVEN  # how a bar is read
    continued: bool = False  # whether it goes on from the line before

    def words(self) -> Iterator[str]:
        at = 0
        while at < len(self.items):
            said, used = self.divergence(at) or self.application(at) or (self.single(at), 1)
            yield said
            at += used

    def after(self, at: int) -> Node | None:
        return self.items[at] if at < len(self.items) else None

    def divergence(self, at: int) -> tuple[str, int] | None:
        r"""``D_{\mathrm{KL}}(q \Vert p)``."""
        item, fence = self.items[at], self.after(at + 1)
        sides = _split(fence, "\\|") if isinstance(fence, Fence) else []
        if _is_divergence(item) and len(sides) == 2:
            return f"{DIVERGENCE} {_wrapped(Row(tuple(sides[0])))} از {_wrapped(Row(tuple(sides[1])))}", 2
        return (DIVERGENCE, 1) if _is_divergence(item) and isinstance(item, Scripts) else None

    def application(self, at: int) -> tuple[str, int] | None:
        r"""A function of plain arguments: ``p_\theta(x \mid z)``; other brackets are read as they stand."""
        item, fence = self.items[at], self.after(at + 1)
        if not isinstance(fence, Fence) or not is_letter(item) or _bounds_of(item):
            return None
        round_or_mean = fence.opening + fence.closing in ("()", "[]") and (fence.opening == "(" or _is_mean(item))
        arguments = _arguments(fence) if round_or_mean else ""
        following = self.after(at + 2)
        if not arguments or (following is not None and (_divides(following) or following == Symbol(";"))):
            return (f"{_say(item)} از {_say(fence)}", 2) if _is_mean(item) else None
        pause = PAUSE if len(items_of(fence.body)) > 1 and following is not None and not _is_between(following) else ""
        return f"{_say(item)} از {arguments} {pause}", 2

    def single(self, at: int) -> str:
        """One item, with regard to what stands beside it."""
        item = self.items[at]
        if isinstance(item, Space):
            before = self.items[at - 1] if at else item
            return "" if before == Symbol(",") or _bounds_of(before) else PAUSE
        if _divides(item):
            return AGAINST if kind_of(item) == "\\|" else self.given
        if isinstance(item, Symbol) and item.token in SIGNS:
            return SIGNS[item.token][self.position(at)]
        if _is_perpendicular(item) and any(_divides(other) for other in self.items[at:]):
            return "مستقل نیست از" if isinstance(item, Negated) else "مستقل از"
        following = next((other for other in self.items[at + 1:] if not isinstance(other, Space)), None)
        of = "از" if following is not None and _bounds_of(item) and not _is_mark(following) else ""
        return f"{_say(item)} {of}"

    def position(self, at: int) -> int:
        """Whether a sign stands before one thing (0), between two (1) or alone (2)."""
        if len(self.items) == 1:
            return 2
        if at == 0:
            return 1 if self.continued else 0
        return 0 if _is_between(self.items[at - 1]) or isinstance(self.items[at - 1], Space) else 1


def _sequence(items: Sequence[Node], given: str = GIVEN, *, continued: bool = False) -> str:
    return " ".join(_Sequence(items, given, continued).words())


def _divides(item: Node) -> bool:
    """Whether an item is a bar without a partner, as in a condition."""
    bar = not isinstance(item, Scripts) and kind_of(item) in BARS
    return bar or (isinstance(item, Symbol) and character(item) == "∣")


def _is_mark(item: Node) -> bool:
    """Whether an item is a relation, a binary operator or punctuation."""
    return isinstance(item, Symbol) and (character(item) in BETWEEN or item.token in SIGNS or _divides(item))


def _is_between(item: Node) -> bool:
    """Whether what follows this is not joined to it: relations, operators, punctuation."""
    base = item.base if isinstance(item, Scripts) else item
    if isinstance(base, Symbol):
        sign = character(base)
        return sign != "!" and (sign in BETWEEN or sign in SIGNS or sign in LARGE or _divides(base))
    return isinstance(base, Negated | Arrow | Operator) or (
        isinstance(base, Pair) and base.name in ("overset", "underset", "stackrel") and _is_between(base.second))


def _is_perpendicular(item: Node) -> bool:
    base = item.body if isinstance(item, Negated) else item
    return isinstance(base, Symbol) and base.token == "\\perp"


def _is_mean(item: Node) -> bool:
    """Whether an item is an expectation's sign."""
    base = item.base if isinstance(item, Scripts) else item
    body = base.body if isinstance(base, Operator) else base
    items = items_of(body)
    return len(items) == 1 and isinstance(items[0], Styled) and items[0].name in ("mathbb", "mathds") and (
        items_of(items[0].body) == [Symbol("E")])


def _is_divergence(item: Node) -> bool:
    if isinstance(item, Scripts):
        plain = not item.primes and item.above is None and item.below is not None
        return plain and item.base == Symbol("D") and _plain_word(item.below) == "KL"
    return _plain_word(item) == "KL"


def _plain_word(node: Node | None) -> str:
    """The word that a node is, in whatever font."""
    items = items_of(node) if node else []
    while len(items) == 1 and isinstance(items[0], Styled | Operator):
        items = items_of(items[0].body)
    if items == [Symbol("K"), Symbol("L")]:
        return "KL"
    if len(items) == 1 and isinstance(items[0], Text) and len(items[0].parts) == 1:
        return str(items[0].parts[0]).strip()
    return items[0].text if len(items) == 1 and isinstance(items[0], Word) else ""


def _split(fence: Fence, bar: str) -> list[list[Node]]:
    """What a fence holds, cut at a bar."""
    parts: list[list[Node]] = [[]]
    for item in items_of(fence.body):
        if (_divides(item) and kind_of(item) == bar) or item == Symbol("\\parallel"):
            parts.append([])
        else:
            parts[-1].append(item)
    return parts


def _arguments(fence: Fence) -> str:
    """Arguments that are single terms, with words between them; nothing if one is more than that."""
    words: list[str] = []
    expecting = True
    for item in items_of(fence.body):
        if isinstance(item, Space):
            continue
        base = item.base if isinstance(item, Scripts) else item
        if is_atom(base) == expecting and (expecting or item == base):
            words.append(_say(item) if expecting else _joint(item))
        if is_atom(base) != expecting or not words[-1]:
            return ""
        expecting = not expecting
    return "" if expecting else " ".join(words)


def _joint(item: Node) -> str:
    """What is read between two arguments."""
    if _divides(item):
        return GIVEN if kind_of(item) != "\\|" else ""
    return {",": "و", ";": "نقطه‌ویرگول"}.get(item.token, "") if isinstance(item, Symbol) else ""


# --- nodes --------------------------------------------------------------------------------------------------------
@singledispatch
def _say(node: Node) -> str:
    """The reading of one node."""
    raise MathsError(f"{type(node).__name__} has no Persian reading")


@_say.register
def _(node: Row) -> str:
    return _sequence(items_of(node))


@_say.register
def _(node: Group) -> str:
    return _sequence(items_of(node))


@_say.register
def _(node: Symbol) -> str:
    sign = character(node)
    if sign in PERSIAN_MARKS:
        return PERSIAN_MARKS[sign]
    if NUMBER.fullmatch(sign):
        return persian(sign) if sign != "." else BETWEEN["."]
    if PERSIAN_NUMBER.fullmatch(sign):
        return sign
    if sign in SIGNS:
        return SIGNS[sign][2]
    if sign in ("\\bmod", "\\mod"):
        return "به پیمانهٔ"
    name = (LETTERS | THINGS | BETWEEN | LARGE).get(sign) or DELIMITER_NAMES.get(kind_of(node) or sign)
    if name is None and sign != "∣":
        raise MathsError(f"{node.token} has no Persian name to be read by; \\text{{…}} can hold one")
    return name or GIVEN


@_say.register
def _(node: Word) -> str:
    words = node.text.replace("\u2009", " ")
    return LETTERS.get(words) or (persian(words) if words.isdigit() else words)


@_say.register
def _(node: Space) -> str:
    return ""


@_say.register
def _(node: Dots) -> str:
    return THINGS["…"]


@_say.register
def _(node: Operator) -> str:
    word = node.body.text if isinstance(node.body, Word) else ""
    return FUNCTIONS.get(word) or _wrapped(node.body)


@_say.register
def _(node: Styled) -> str:
    if node.name == "pmod":
        return f"به پیمانهٔ {_wrapped(node.body)}"
    items = items_of(node.body)
    if node.name in ("mathbb", "mathds") and len(items) == 1 and isinstance(items[0], Symbol):
        named = BLACKBOARD.get(items[0].token)
        if named:
            return named
    if isinstance(node.body, Word) and ADDED[node.name] == "رومن":
        return _say(node.body)
    return f"{_wrapped(node.body)} {ADDED[node.name]}"


@_say.register
def _(node: Switched) -> str:
    return f"{_wrapped(node.body)} {ADDED[node.name]}"


@_say.register
def _(node: Pair) -> str:
    if node.name in FRACTIONS:
        return _fraction(node)
    if node.name in CHOICES:
        return f"انتخاب {_wrapped(node.second)} از {_wrapped(node.first)}"
    if node.name == "cancelto":
        return f"{_wrapped(node.second)} خط‌خورده تا {_wrapped(node.first)}"
    place = "پایین" if node.name == "underset" else "بالا"
    return f"{_base(node.second)} {PAUSE} با نوشتهٔ {_wrapped(node.first)} در {place} {PAUSE}"


def _fraction(node: Pair) -> str:
    """Simple parts by their names, simple quotients with «بر», all else with its numerator and denominator."""
    numbers = [_number(node.first, len(COUNTS)), _number(node.second, len(PARTS))]
    if numbers[0] and numbers[1] > 1:
        return f"{COUNTS[numbers[0]]} {PARTS[numbers[1]]}"
    if is_atom(node.first) and is_atom(node.second):
        return f"کسر {_say(node.first)} بر {_say(node.second)}"
    return f"کسر صورت {_say(node.first) or 'خالی'} مخرج {_say(node.second) or 'خالی'} پایان کسر"


def _number(node: Node, end: int) -> int:
    """A whole number below ``end``, or nought."""
    items = items_of(node)
    token = items[0].token if len(items) == 1 and isinstance(items[0], Symbol) else ""
    return int(token) if re.fullmatch("[1-9][0-9]?", token) and int(token) < end else 0


@_say.register
def _(node: Stack) -> str:
    bar = "کسر" if node.has_bar else "پشتهٔ"
    body = f"{bar} {_wrapped(node.first)} روی {_wrapped(node.second)} پایان {bar.removesuffix('ٔ')}"
    sides = [DELIMITER_NAMES[SAME_DELIMITER.get(side, side)] if side else "" for side in (node.opening, node.closing)]
    return f"{sides[0]} {body} {sides[1]}"


@_say.register
def _(node: Coloured | Raised) -> str:
    return _say(node.body)


@_say.register
def _(node: Rule) -> str:
    return "مستطیل توپر" if node.width.amount and node.height.amount else ""


@_say.register
def _(node: Root) -> str:
    degree = f"با فرجهٔ {_wrapped(node.degree)} از " if node.degree else ""
    return f"رادیکال {degree}{_wrapped(node.body, 'رادیکال')}"


@_say.register
def _(node: Negated) -> str:
    items = items_of(node.body)
    sign = character(items[0]) if len(items) == 1 and isinstance(items[0], Symbol) else ""
    name = NEGATED.get(sign) or BETWEEN.get(unicodedata.normalize("NFC", sign + "\u0338"))
    return name or f"نقیض {_base(node.body)}"


@_say.register
def _(node: Arrow) -> str:
    below = f"و {_wrapped(node.below)} در پایین" if node.below else ""
    return f"{BETWEEN[LONG_ARROWS[node.name]]} {PAUSE} با نوشتهٔ {_wrapped(node.above)} در بالا {below} {PAUSE}"


@_say.register
def _(node: Brace) -> str:
    note = f"با نام {_wrapped(node.note)}" if node.note else "بی‌نام"
    return f"{_wrapped(node.body)} با {BRACE_NAMES[node.name]} {note} {PAUSE}"


@_say.register
def _(node: Big) -> str:
    return DELIMITER_NAMES[kind_of(node)] if node.delimiter != "." else ""


@_say.register
def _(node: Middle) -> str:
    return DELIMITER_NAMES[kind_of(node)] if node.delimiter != "." else ""


@_say.register
def _(node: Fence) -> str:
    opening, closing = (SAME_DELIMITER.get(token, token) for token in (node.opening, node.closing))
    if opening == closing and opening in BARS:
        return f"{BARS[opening]} {_wrapped(node.body, BARS[opening])}"
    body = _sequence(items_of(node.body), SUCH_THAT if opening == "\\{" else GIVEN)
    first = DELIMITER_NAMES.get(opening, "گروه باز")
    return f"{first} {body} {DELIMITER_NAMES.get(closing, 'گروه بسته')}"


@_say.register
def _(node: Text) -> str:
    parts = (persian(part) if isinstance(part, str) else _say(part) for part in node.parts)
    return " ".join(part for part in parts if part.strip())


# --- scripts ------------------------------------------------------------------------------------------------------
@_say.register
def _(node: Scripts) -> str:
    if bounds := _bounds_of(node):
        return bounds
    primes = " ".join([COUNTS[node.primes] if 1 < node.primes < len(COUNTS) else "", "پریم"] if node.primes else [])
    if isinstance(node.base, Fence) and (node.base.opening, node.base.closing) == (".", "|") and node.below:
        base, below = f"مقدار {_wrapped(node.base.body)}", f"به‌ازای {_wrapped(node.below, 'مقدار')}"
    else:
        base, below = _base(node.base), _below(node)
    return f"{base} {primes} {below} {_above(node.above) if node.above else ''}"


def _base(node: Node) -> str:
    """What scripts are attached to."""
    if node == Word(""):
        return "پایهٔ خالی"
    items = items_of(node)
    if len(items) == 1 and isinstance(items[0], Symbol | Word | Text | Styled | Fence | Operator | Table | Dots | Big):
        return _say(items[0])
    return _wrapped(node)


def _below(node: Scripts) -> str:
    if node.below is None:
        return ""
    if _is_mean(node):
        return f"زیر {_wrapped(node.below, 'زیرنویس', signed=True)}"
    if isinstance(node.base, Operator) and node.base.body == Word("log"):
        return f"در پایهٔ {_wrapped(node.below, 'پایه', signed=True)}"
    return f"با زیرنویس {_wrapped(node.below, 'زیرنویس', signed=True)}"


def _above(node: Node) -> str:
    """A power, or a mark where the superscript cannot be one."""
    items = items_of(node)
    only = items[0] if len(items) == 1 else None
    if isinstance(only, Symbol) and (mark := RAISED_MARKS.get(character(only))):
        return mark
    if isinstance(only, Styled) and only.name in ("mathsf", "mathrm") and items_of(only.body) == [Symbol("T")]:
        return RAISED_MARKS["⊤"]
    if isinstance(only, Fence) and only.opening + only.closing == "()" and is_atom(only.body):
        return f"با بالانویس {_say(only.body)} در پرانتز"
    if isinstance(only, Fence | Text | Word | Styled) and not (isinstance(only, Styled) and is_letter(only)):
        return f"با بالانویس {_wrapped(node, 'بالانویس')}"
    return f"به توان {_wrapped(node, 'توان', signed=True)}"


def _bounds_of(item: Node) -> str:
    """The reading of a large sign or an operator with its bounds; nothing for all else."""
    if not isinstance(item, Scripts) or not (item.below or item.above):
        return ""
    name, sign = _large(item)
    if not name:
        return ""
    lower, upper = item.below, item.above
    start = items_of(lower) if lower and upper else []
    if sign in INTEGRALS and lower and upper:
        below = f"از {_wrapped(lower, 'کران', signed=True)}"
    elif len(start) > 2 and start[1] == Symbol("=") and is_atomic(start[0]) and is_term(Row(tuple(start[2:]))):
        below = f"روی {_say(start[0])} از {_say(Row(tuple(start[2:])))}"
    else:
        below = f"{'وقتی' if sign in LIMITS_OF else 'روی'} {_wrapped(lower, 'کران', signed=True)}" if lower else ""
    above = f"تا {_wrapped(upper, 'کران', signed=True)}" if upper else ""
    return f"{name} {'پریم ' * item.primes}{below} {above}"


def _large(item: Scripts) -> tuple[str, str]:
    """The name and the sign of a base whose scripts are bounds."""
    if isinstance(item.base, Symbol) and character(item.base) in LARGE:
        return LARGE[character(item.base)], character(item.base)
    if isinstance(item.base, Operator) and item.base.limits and not _is_mean(item):
        return _say(item.base), item.base.body.text if isinstance(item.base.body, Word) else ""
    return "", ""


# --- tables -------------------------------------------------------------------------------------------------------
@_say.register
def _(node: Table) -> str:
    if node.is_alignment or node.name == "substack":
        return f"{_numbered('سطر', (_line(line, first=not at) for at, line in enumerate(node.lines)))} پایان سطرها"
    if node.name in CASES:
        rows = (f" {PAUSE} ".join(_say(cell) for cell in line.cells) for line in node.lines)
        return f"حالت‌ها: {_numbered('حالت', rows)} پایان حالت‌ها"
    width = max((len(line.cells) for line in node.lines), default=0)
    name = TABLE_NAMES[node.name]
    size = f"{persian(len(node.lines))} در {persian(width)}"
    return f"{name} {size}؛ {_numbered('سطر', (_cells(line) for line in node.lines))} پایان {name}"


def _numbered(noun: str, readings: Iterable[str]) -> str:
    return " ".join(f"{noun} {persian(number)}: {said or 'خالی'}؛" for number, said in enumerate(readings, 1))


def _cells(line: Line) -> str:
    """The cells of a row; those of more than an atom are named by their column."""
    if all(is_term(cell) for cell in line.cells):
        return f" {PAUSE} ".join(_say(cell) for cell in line.cells)
    return _numbered("ستون", (_say(cell) for cell in line.cells))


def _lines(lines: Sequence[Line]) -> str:
    """The lines of an alignment that is the whole formula."""
    if len(lines) == 1:
        return _line(lines[0], first=True)
    return _numbered("سطر", (_line(line, first=not at) for at, line in enumerate(lines)))


def _line(line: Line, *, first: bool) -> str:
    """A line without its alignment; a sign at its head goes on from the line before.

    A full stop, comma or semicolon at its end belongs to the sentence round it and is not read.
    """
    parts = [list(flat(cell)) for cell in line.cells]
    for at in range(2, len(parts), 2):
        parts[at].insert(0, Space(1))
    items = [item for part in parts for item in part]
    while len(items) > 1 and (isinstance(items[-1], Space) or items[-1] in STOPS):
        items.pop()
    while items and isinstance(items[0], Space):
        items.pop(0)
    return _sequence(paired(items), continued=not first and not parts[0])
