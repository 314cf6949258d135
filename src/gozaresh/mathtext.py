r"""One LaTeX formula to Typst mathematics, by recursive descent.

Every command is either translated with its meaning or is an error: nothing is dropped and nothing is
passed through as TeX. Three choices follow TeX's rules rather than Typst's habits:

* delimiters are stretched by ``\left … \right`` alone, so all others are escaped;
* scripts stand beside relations and letters, and below and above only where LaTeX sets limits;
* pieces are joined without blanks, because Typst shows blanks beside text and bars.

The classes and sizes are those of *The TeXbook*, chapter 17 and appendix B, and of `amsmath`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from gozaresh.errors import MathsError, nearest
from gozaresh.mathsymbols import (
    BIG_CLASSES,
    BIG_SIZES,
    BINARY,
    BRACES,
    DELIMITERS,
    INVISIBLE,
    LIMIT_OPERATORS,
    OPERATORS,
    RELATIONS,
    SPACES,
    SWITCHES,
    SYMBOLS,
    TEXT_FONTS,
    TWO_ARGUMENTS,
    UNARY,
    WORD_FONTS,
)

PERSIAN_NUMBER = re.compile(r"[۰-۹]+(?:[٫٬.][۰-۹]+)*٪?")
TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[0-9]+(?:\.[0-9]+)?|" + PERSIAN_NUMBER.pattern + "|.", re.S)
BLANK = re.compile(r"(?:\s|%[^\n]*(?:\n|$))*")
LENGTH = re.compile(r"\s*(-?[0-9]*\.?[0-9]+)\s*(em|ex|mu|pt|mm|cm|in)(?![A-Za-z])\s*")
ROW_GAP = re.compile(r"\*?(?:\[\s*-?[0-9.]+\s*(?:pt|em|ex|mm|cm)\s*\])?")
PRIMES = re.compile(r"\s*(?:\\prime(?![A-Za-z])|\{\s*(?:\\prime\s*)+\})")
BRACE_TOKEN = re.compile(r"\\.|[{}]", re.S)
SINGLE = re.compile(r'\w?|[0-9.]+|"[^"]*"')
PERP_PERP = re.compile(r"\\perp\s*(?:\\!\s*)+\\perp(?![A-Za-z])")
WORD = re.compile(r"[A-Za-z0-9]{2,}")
THIN_SPACE = re.compile(r"\s*(?:\\[,;: ]|~)\s*")
TEXT_BREAK = re.compile(r"(?<!\\)\$|\\(" + "|".join(TEXT_FONTS) + r")(?=\s*\{)")
BIG = re.compile(r"\\([bB]igg?)([lmr]?)")
LETTER_OR_DIGIT = re.compile(r"[^\W_]")
ARABIC_LETTER = re.compile(r"[\u0600-\u06ff\ufb50-\ufdff\ufe70-\ufefc]")

# Characters whose meaning in Typst differs from the one in LaTeX.
CHARACTERS = {
    "-": "−", "*": "∗", "/": r'class("normal", \/)', ":": r'class("relation", \:)', "`": "‘", "@": r"\@",
    '"': r"\"", "?": r"\?", "!": r"\!", ".": r"\.", ",": r"\,", ";": r"\;", "=": r"\=", "+": "+", "<": r"\<",
    ">": r"\>", "(": r"\(", ")": r"\)", "[": r"\[", "]": r"\]", "|": r"\|",
}
ESCAPED = {r"\%": r"\%", r"\#": r"\#", r"\$": r"\$", r"\&": r"\&", r"\_": r"\_"}
ESCAPED_SYMBOLS = {"surd": r"\√"}  # a bare √ takes what follows under it
TEXT_ESCAPES = {
    r"\%": "%", r"\#": "#", r"\$": "$", r"\&": "&", r"\_": "_", r"\{": "{", r"\}": "}", r"\ ": " ", r"\,": "\u2009",
    "~": "\u00a0", r"\ldots": "…", r"\dots": "…",
}

# Where an alignment is the whole formula, its rows become rows of the displayed equation.
ALIGNMENTS = frozenset({"align", "aligned", "split", "alignat", "alignedat", "gather", "gathered"})
WRAPPERS = frozenset({"equation", "displaymath", "math"})
MATRICES = {
    "matrix": "#none", "smallmatrix": "#none", "pmatrix": '"("', "bmatrix": '"["', "Bmatrix": '"{"',
    "vmatrix": '"|"', "Vmatrix": '"‖"', "array": "#none",
}
CASES = {"cases": "inline({})", "dcases": "display({})"}
TOO_EARLY = "it ends too early"
MISPLACED = {"}": "'}' stands alone", "&": "'&' stands outside an alignment"}
EM = {"em": 1.0, "ex": 0.43, "mu": 1 / 18}
COLUMN = {"l": "&{}", "r": "{}&", "c": "{}"}


@dataclass(frozen=True)
class Atom:
    """What one script can be attached to."""

    text: str
    relation: bool = False  # Typst sets a relation's scripts as limits, LaTeX does not


def translate(tex: str) -> str:
    """Translate a formula without ``\\label`` and ``\\tag`` to the inside of Typst's ``$…$``.

    >>> translate(r"\\frac{1}{2} \\|x\\|_2")
    'frac(1, 2)\\\\‖x\\\\‖_(2)'

    Raises:
        MathsError: a command or construct that is not understood, with the nearest known one.
    """
    parser = Parser(PERP_PERP.sub(r"\\indep ", tex))
    return parser.whole()


def advice(name: str, known: Iterable[str], mark: str = "") -> str:
    """The nearest known name as the end of an error; nothing where none is near, for the names are many."""
    hint = nearest(name, known)
    return "; " + hint.replace(": ", f": {mark}") if hint.startswith("nearest") else ""


def text_of(raw: str) -> str:
    """Resolve the escapes of a text argument that holds no mathematics."""
    def one(match: re.Match[str]) -> str:
        token = match[0]
        if token in TEXT_ESCAPES:
            return TEXT_ESCAPES[token]
        if token[0] == "\\":
            raise MathsError(f"{token} inside \\text is not known{advice(token, TEXT_ESCAPES)}")
        return "" if token in "{}" else token
    return re.sub(r"\s+", " ", re.sub(r"\\[A-Za-z]+|\\.|~|[{}]", one, raw))


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
    string = '"' + core.replace("\\", r"\\").replace('"', r"\"") + '"'
    left, right = ("#h(0.25em)" if text[side] == " " else "" for side in ((-1, 0) if mirrored else (0, -1)))
    return left + (f"#text({font}, {string})" if font else string) + right


def joined(pieces: list[str]) -> str:
    """Join without blanks, save where two names or numbers would become one."""
    out = ""
    for piece in pieces:
        fuse = out and piece and LETTER_OR_DIGIT.match(out[-1]) and LETTER_OR_DIGIT.match(piece[0])
        out += (" " if fuse else "") + piece
    return out


def width(em: float) -> str:
    """Typst's horizontal space."""
    return f"#h({em:.4g}em)"


class Parser:
    """A cursor over one formula; each method reads one construct and returns its Typst."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0

    # -- reading -------------------------------------------------------------------------------------
    def peek(self) -> str:
        """The next token, or an empty string at the end."""
        blank = BLANK.match(self.source, self.at)
        self.at = blank.end() if blank else self.at
        found = TOKEN.match(self.source, self.at)
        return found[0] if found else ""

    def take(self) -> str:
        """Read the next token."""
        token = self.peek()
        self.at += len(token)
        return token

    def accept(self, *tokens: str) -> bool:
        """Read the next token if it is one of these."""
        return self.peek() in tokens and bool(self.take())

    def expect(self, token: str) -> None:
        """Read this token or fail."""
        found = self.take()
        if found != token:
            raise MathsError(f"{found!r} stands where {token!r} is needed" if found else TOO_EARLY)

    def raw_group(self) -> str:
        """The source inside the next pair of braces, untranslated."""
        self.expect("{")
        start, depth = self.at, 1
        for match in BRACE_TOKEN.finditer(self.source, start):
            depth += {"{": 1, "}": -1}.get(match[0], 0)
            if depth == 0:
                self.at = match.end()
                return self.source[start:match.start()]
        raise MathsError(f"{TOO_EARLY}: a brace is not closed")

    def optional(self) -> str | None:
        """The source inside ``[…]``, if it comes next."""
        if not self.accept("["):
            return None
        end = self.source.find("]", self.at)
        if end < 0:
            raise MathsError("[ is not closed")
        start, self.at = self.at, end + 1
        return self.source[start:end]

    # -- structure -----------------------------------------------------------------------------------
    def whole(self) -> str:
        """The whole formula; one alignment that is all of it becomes rows of the equation."""
        if self.accept("\\begin"):
            name = self.raw_group()
            if name.rstrip("*") in WRAPPERS:
                return Parser(self.source[self.at:].rsplit("\\end", 1)[0]).whole()
            if name.rstrip("*") in ALIGNMENTS:
                rows = self.alignment(name)
                if not self.peek():
                    return " \\\n".join("&".join(row) for row in rows)
        self.at = 0
        body = self.sequence("")
        if not body:
            raise MathsError("the formula is empty")
        return body

    def sequence(self, *ends: str) -> str:
        """Everything up to one of these tokens, which is left unread; the empty token is the end."""
        pieces: list[str] = []
        while (token := self.peek()) not in ends:
            if token[1:] in SWITCHES and token[0] == "\\":
                self.take()
                pieces.append(SWITCHES[token[1:]].format(self.sequence(*ends) or '""'))
            else:
                pieces.append(self.scripted())
        return joined(pieces)

    def part(self, source: str) -> str:
        """Translate a part that was cut out of the source."""
        return Parser(source).sequence("")

    def argument(self) -> str:
        """One argument: a group, or else a single token."""
        if self.peek() == "{":
            return self.part(self.raw_group()) or '""'
        if self.peek()[:1].isdigit():
            self.at += 1
            return self.source[self.at - 1]
        return self.atom().text

    def scripted(self) -> str:
        """An atom with its primes, subscript and superscript."""
        if self.peek() in ("_", "^", "'"):
            return self.attached(Atom('""'))
        return self.attached(self.atom())

    def attached(self, base: Atom) -> str:
        """Attach the scripts that come next."""
        if self.accept("\\limits"):
            base = Atom(f"limits({base.text})")
        elif self.accept("\\nolimits"):
            base = Atom(f"scripts({base.text})")
        primes, scripts = "", dict[str, str]()
        while (token := self.peek()) in ("_", "^", "'"):
            self.take()
            if token == "'":
                primes += "'"
            elif token in scripts:
                raise MathsError(f"two {token!r} on one base; braces round one of them say which is meant")
            elif token == "^" and (only := self.only_primes()):
                primes += only
            else:
                scripts[token] = self.argument()
        base_text = f"scripts({base.text})" if base.relation and scripts else base.text
        return base_text + primes + "".join(f"{side}({scripts[side]})" for side in "_^" if side in scripts)

    def only_primes(self) -> str:
        r"""Read ``\prime`` or ``{\prime\prime}`` as the primes they are."""
        found = PRIMES.match(self.source, self.at)
        if not found:
            return ""
        self.at = found.end()
        return "'" * found[0].count("prime")

    # -- atoms ---------------------------------------------------------------------------------------
    def atom(self) -> Atom:
        """One symbol, command or group."""
        token = self.take()
        if token == "{":
            self.at -= 1
            return self.group()
        if token in SPACES:
            return Atom(width(SPACES[token]))
        if token in INVISIBLE:
            return Atom("")
        if token in ESCAPED:
            return Atom(ESCAPED[token])
        if token[0:1] == "\\":
            return self.command(token)
        return self.character(token)

    def group(self) -> Atom:
        """A group in braces, which TeX treats as one ordinary symbol."""
        body = self.part(self.raw_group())
        return Atom(body or '""') if SINGLE.fullmatch(body) else Atom(f'class("normal", {body})')

    def character(self, token: str) -> Atom:
        """A letter, a number or a mark."""
        if token in CHARACTERS:
            return Atom(CHARACTERS[token], relation=token in "=<>:")
        if token.isascii() and token.replace(".", "").isalnum():
            return Atom(token)
        if PERSIAN_NUMBER.fullmatch(token):
            return Atom(f'"{token}"')
        if ARABIC_LETTER.match(token):
            raise MathsError(f"«{token}» stands outside \\text{{…}}")
        if token in "√∛∜" and token:
            raise MathsError(f"{token!r} is written \\sqrt{{…}}")
        if token and unicodedata.category(token) in ("Lu", "Ll", "Lo", "Sm", "So") and not token.isascii():
            return Atom(token, relation=token in RELATIONS.values())
        raise MathsError(MISPLACED.get(token, f"the character {token!r} is not known") if token else TOO_EARLY)

    def command(self, token: str) -> Atom:
        """A control sequence."""
        name = token[1:]
        if name in ESCAPED_SYMBOLS:
            return Atom(ESCAPED_SYMBOLS[name])
        if name in SYMBOLS:
            return Atom(SYMBOLS[name], relation=name in RELATIONS)
        if token in DELIMITERS:
            return Atom(DELIMITERS[token])
        if name in OPERATORS:
            return Atom(f'op("{name}")')
        if name in LIMIT_OPERATORS:
            return Atom(f'op("{LIMIT_OPERATORS[name]}", limits: #true)')
        if name in UNARY:
            return Atom(UNARY[name].format(self.argument()))
        if name in TWO_ARGUMENTS:
            return Atom(TWO_ARGUMENTS[name].format(self.argument(), self.argument()))
        return self.special(name)

    def special(self, name: str) -> Atom:
        """A command with a syntax of its own."""
        if name in WORD_FONTS:
            return Atom(WORD_FONTS[name].format(self.word_or_argument()))
        if name in TEXT_FONTS:
            return Atom(self.text(self.raw_group(), TEXT_FONTS[name]) or '""')
        if name in BRACES:
            return self.brace(name)
        if big := BIG.fullmatch("\\" + name):
            return self.big(big)
        if name in ("\\", "end", "right"):
            raise MathsError(f"'\\{name}' stands alone")
        if name in HANDLERS:
            return Atom(HANDLERS[name](self))
        raise MathsError(f"the command \\{name} is not known{advice(name, KNOWN, mark=chr(92))}")

    # -- commands with a syntax of their own -----------------------------------------------------------
    def word_or_argument(self) -> str:
        r"""The argument of a font command; ``\mathrm{KL}`` holds a word, not a product."""
        start = self.at
        if self.peek() == "{" and WORD.fullmatch(word := self.raw_group().strip()):
            return f'"{word}"'
        self.at = start
        return self.argument()

    def text(self, raw: str, font: str | None) -> str:
        """Text with its nested formulas and fonts; Persian text runs from the right."""
        inner, pieces = Parser(raw), list[str]()
        persian = bool(ARABIC_LETTER.search(raw)) and bool(TEXT_BREAK.search(raw))
        while found := TEXT_BREAK.search(raw, inner.at):
            pieces.append(quoted(text_of(raw[inner.at:found.start()]), font, mirrored=persian))
            inner.at = found.end()
            pieces.append(inner.inline() if found[0] == "$" else self.text(inner.raw_group(), TEXT_FONTS[found[1]]))
        pieces.append(quoted(text_of(raw[inner.at:]), font, mirrored=persian))
        return joined(pieces[::-1] if persian else pieces)

    def inline(self) -> str:
        """A formula inside text, up to its closing dollar."""
        end = self.source.find("$", self.at)
        if end < 0:
            raise MathsError("$ is not closed inside text")
        start, self.at = self.at, end + 1
        return self.part(self.source[start:end])

    def brace(self, name: str) -> Atom:
        """A brace over or under its argument, with its note."""
        body = self.argument()
        note = ", " + self.argument() if self.accept(BRACES[name]) else ""
        return Atom(f"{name}({body}{note})")

    def delimiter(self) -> str:
        """The delimiter after a size command."""
        token = self.take()
        if token not in DELIMITERS:
            raise MathsError(f"{token!r} is no delimiter{advice(token, DELIMITERS)}" if token else TOO_EARLY)
        return DELIMITERS[token]

    def big(self, command: re.Match[str]) -> Atom:
        r"""``\bigl(`` and its like: a fixed size, a class by its suffix."""
        size, kind = BIG_SIZES[command[1]], BIG_CLASSES[command[2]]
        return Atom(f'class("{kind}", lr(size: #{size}em, {self.delimiter()}))')

    def left_right(self) -> str:
        r"""``\left … \middle … \right``, stretched to what they hold."""
        opening, body = self.delimiter(), self.sequence("\\right")
        self.expect("\\right")
        return f"lr({opening}{body}{self.delimiter()})"

    def middle(self) -> str:
        r"""``\middle|`` inside ``\left … \right``."""
        return f"mid({self.delimiter()})"

    def operator_name(self) -> str:
        r"""``\operatorname{…}``; the starred form takes limits."""
        limits = ", limits: #true" if self.accept("*") else ""
        raw = self.raw_group()
        word = THIN_SPACE.sub("\u2009", raw).strip()
        body = self.part(raw) if "\\" in word else f'"{word}"'
        return f"op({body}{limits})"

    def operator(self) -> str:
        r"""``\mathop{…}``, which takes limits."""
        return f"op({self.argument()}, limits: #true)"

    def root(self) -> str:
        """A root with its degree."""
        degree = self.optional()
        return f"root({self.part(degree)}, {self.argument()})" if degree else f"sqrt({self.argument()})"

    def negation(self) -> str:
        r"""``\not`` before a relation: the negated character where Unicode has one, else a stroke."""
        while self.accept("\\!"):
            pass
        atom = self.atom()
        single = unicodedata.normalize("NFC", atom.text.lstrip("\\") + "\u0338")
        if len(single) == 1:
            return f"scripts({single})"
        return f'scripts(class("relation", cancel({atom.text})))' if atom.relation else f"cancel({atom.text})"

    def dots(self) -> str:
        r"""``\dots``: raised between operators and relations, else on the line."""
        following = self.peek()
        raised = following in RAISING or following[1:] in BINARY or following[1:] in RELATIONS
        return "⋯" if raised else "…"

    def long_arrow(self, arrow: str) -> str:
        """An arrow as long as what stands over and under it."""
        below = self.optional()
        under = f"_({self.part(below)})" if below else ""
        return f"stretch({arrow}, size: #(100% + 0.8em)){under}^({self.argument()})"

    def length(self) -> str:
        r"""The width of ``\hspace{…}`` or ``\mkern…``."""
        self.accept("*")
        braced = self.peek() == "{"
        source = self.raw_group() if braced else self.source[self.at:]
        found = LENGTH.fullmatch(source) if braced else LENGTH.match(source)
        if not found:
            raise MathsError(f"{source} is not a width; valid units: em, ex, mu, pt, mm, cm, in")
        self.at += 0 if braced else found.end()
        number, unit = float(found[1]), found[2]
        return width(number * EM[unit]) if unit in EM else f"#h({number:g}{unit})"

    def boxed(self) -> str:
        """A framed formula."""
        return f"#box(stroke: 0.5pt, inset: 3pt, outset: (y: 2pt), $display({self.argument()})$)"

    def class_colon(self) -> str:
        r"""``\colon``, a mark of punctuation."""
        return 'class("punctuation", \\:)'

    def modulo(self) -> str:
        r"""``\bmod``, a binary operator."""
        return 'class("binary", "mod")'

    def bare_modulo(self) -> str:
        r"""``a \mod n``."""
        return '#h(1em)"mod"#h(0.3333em)'

    def parenthesised_modulo(self) -> str:
        r"""``\pmod{n}``."""
        return f'#h(1em)\\("mod"#h(0.3333em){self.argument()}\\)'

    # -- environments ----------------------------------------------------------------------------------
    def substack(self) -> str:
        r"""Lines under a large operator."""
        lines = Parser(self.raw_group() + "\\end{substack}").rows("substack")[0]
        return "mat(delim: #none, row-gap: #0.15em, " + "; ".join(f"script({line[0]})" for line in lines) + ")"

    def environment(self) -> str:
        r"""``\begin{…} … \end{…}`` inside a formula."""
        name = self.raw_group()
        if name == "array":
            return self.array()
        if name in CASES:
            rows, _ = self.rows(name)
            body = cells(rows, CASES[name])
            return f'mat(delim: #("{{", none), align: #left, column-gap: #1em, row-gap: #0.4em, {body})'
        if name in MATRICES:
            style = "script({})" if name == "smallmatrix" else "inline({})"
            return f"mat(delim: {MATRICES[name]}, column-gap: #1em, {cells(self.rows(name)[0], style)})"
        if name.rstrip("*") in ALIGNMENTS:
            rows = self.alignment(name)
            body = "; ".join("&".join(f"display({cell})" if cell else "" for cell in row) for row in rows)
            return f"mat(delim: #none, row-gap: #0.6em, {body})"
        raise MathsError(f"the environment {name!r} is not known{advice(name, ENVIRONMENTS)}")

    def array(self) -> str:
        """An array with its columns' alignment and its rules."""
        preamble = self.raw_group().replace(" ", "")
        columns = preamble.replace("|", "")
        if set(columns) - set(COLUMN):
            raise MathsError(f"array columns {preamble} are not understood; valid: c, l, r, |")
        rows, rules = self.rows("array")
        if any(len(row) > len(columns) for row in rows):
            raise MathsError(f"a row of the array has more cells than its columns {preamble}")
        body = "; ".join(
            ", ".join(COLUMN[column].format(f"inline({cell})") for column, cell in zip(columns, row, strict=False))
            for row in rows)
        verticals = [len(preamble[:i].replace("|", "")) for i, mark in enumerate(preamble) if mark == "|"]
        augment = f"augment: #(vline: {tuple_of(verticals)}, hline: {tuple_of(rules)}), " if verticals or rules else ""
        return f"mat(delim: #none, {augment}column-gap: #1em, {body})"

    def alignment(self, name: str) -> list[list[str]]:
        """The rows of an alignment; a gap stands between its pairs of columns."""
        if name.startswith(("aligned", "gathered")):
            self.optional()
        gap = width(1)
        if name.startswith(("alignat", "alignedat")):
            self.raw_group()
            gap = ""
        rows, _ = self.rows(name)
        return [[joined([gap, cell]) if i and i % 2 == 0 else cell for i, cell in enumerate(row)] for row in rows]

    def rows(self, name: str) -> tuple[list[list[str]], list[int]]:
        r"""The cells of an environment up to its ``\end``, and the rows before which a rule stands."""
        rows: list[list[str]] = [[]]
        rules: list[int] = []
        while True:
            while self.accept("\\hline"):
                rules.append(len(rows) - 1)
            rows[-1].append(self.sequence("&", "\\\\", "\\end"))
            token = self.take()
            if token == "\\end":
                break
            if token == "\\\\":
                gap = ROW_GAP.match(self.source, self.at)
                self.at = gap.end() if gap else self.at
                rows.append([])
        if (closed := self.raw_group()) != name:
            raise MathsError(f"\\begin{{{name}}} is closed by \\end{{{closed}}}")
        return rows[:-1] if rows[-1] == [""] else rows, rules


def cells(rows: list[list[str]], style: str) -> str:
    """The cells of Typst's ``mat``; an empty cell stays a cell."""
    return "; ".join(", ".join(style.format(cell) if cell else '""' for cell in row) for row in rows)


def tuple_of(numbers: list[int]) -> str:
    """A Typst array."""
    return "(" + "".join(f"{number}, " for number in numbers) + ")"


RAISING = frozenset({"+", "-", "=", "<", ">", "*"})
LONG_ARROWS = {
    "xrightarrow": "→", "xleftarrow": "←", "xleftrightarrow": "↔", "xRightarrow": "⇒", "xLeftarrow": "⇐",
    "xmapsto": "↦",
}
HANDLERS: Mapping[str, Callable[[Parser], str]] = {
    "left": Parser.left_right, "middle": Parser.middle, "operatorname": Parser.operator_name,
    "mathop": Parser.operator, "sqrt": Parser.root, "not": Parser.negation, "dots": Parser.dots,
    "hspace": Parser.length, "mspace": Parser.length, "mkern": Parser.length, "kern": Parser.length,
    "boxed": Parser.boxed, "colon": Parser.class_colon, "substack": Parser.substack, "begin": Parser.environment,
    "bmod": Parser.modulo, "pmod": Parser.parenthesised_modulo, "mod": Parser.bare_modulo,
} | {name: partial(Parser.long_arrow, arrow=arrow) for name, arrow in LONG_ARROWS.items()}

ENVIRONMENTS = frozenset({*ALIGNMENTS, *CASES, *MATRICES, *WRAPPERS})
KNOWN = frozenset({
    *SYMBOLS, *OPERATORS, *LIMIT_OPERATORS, *UNARY, *TWO_ARGUMENTS, *WORD_FONTS, *TEXT_FONTS, *BRACES, *HANDLERS,
    *SWITCHES,
})
