r"""LaTeX mathematics becomes Typst mathematics by a small recursive parser; what it does not know is an error.

Every token is written apart from the next and every delimiter escaped, so that none of Typst's own shorthands
(``->``, calls, named arguments, paired brackets) can arise by chance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from gozaresh import mathsymbols as names
from gozaresh.errors import MathsError

TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|[0-9]+(?:\.[0-9]+)?|[۰-۹]+(?:٫[۰-۹]+)?|[\u0600-\u06ff\u200c]+|\s+|.", re.S)
INDEPENDENT = re.compile(r"\\perp\s*(?:\\!\s*)+\\perp(?![A-Za-z])")
LABEL = re.compile(r"\\label\{([^}]*)\}")
TAG = re.compile(r"\\tag\*?\{([^}]*)\}")
ALIGNMENTS = {"align", "align*", "aligned", "alignedat", "split", "gather", "gather*", "gathered", "equation",
              "equation*", "eqnarray", "multline", "multline*"}
MATRICES = {"matrix": "#none", "smallmatrix": "#none", "pmatrix": '"("', "bmatrix": '"["', "Bmatrix": '"{"',
            "vmatrix": '"|"', "Vmatrix": '"‖"', "array": "#none"}
ESCAPED = {",": r"\,", ";": r"\;", ":": r"\:", ".": r"\.", "/": r"\/", "(": r"\(", ")": r"\)", "[": r"\[", "]": r"\]",
           "!": "!", "?": "?", "+": "+", "-": "-", "=": "=", "<": "<", ">": ">", "*": "∗", "|": 'class("normal", \\|)',
           "`": "‘", "@": r"\@"}
LITERALS = {r"\%": r"\%", r"\&": r"\&", r"\#": r"\#", r"\_": r"\_", r"\$": r"\$", r"\{": r"\{", r"\}": r"\}",
            r"\|": 'class("normal", ‖)'}
NEGATED = {"=": "≠", "∈": "∉", "∃": "∄", "≤": "≰", "≥": "≱", "≡": "≢", "⊂": "⊄", "⊆": "⊈", "∼": "≁", "<": "≮", ">": "≯"}
LIMIT_MARKS = {r"\limits": "limits", r"\nolimits": "scripts"}


@dataclass(frozen=True)
class Formula:
    """LaTeX mathematics without its dollars."""

    tex: str
    display: bool


@dataclass(frozen=True)
class TypstFormula:
    """A formula as Typst has it: ``body`` with its dollars, ``tag`` and ``label`` of LaTeX, ``alt`` in one line."""

    body: str
    tag: str | None
    label: str | None
    alt: str


def to_typst(formulas: Iterable[Formula]) -> dict[Formula, TypstFormula]:
    """Convert formulas.

    Raises:
        MathsError: a command or environment that is not known, or braces that do not match; names the formula.
    """
    return {formula: _convert(formula) for formula in formulas}


def _convert(formula: Formula) -> TypstFormula:
    label, tag = LABEL.search(formula.tex), TAG.search(formula.tex)
    tex = TAG.sub("", LABEL.sub("", formula.tex)).strip()
    try:
        body = _Parser(INDEPENDENT.sub(r"\\indep ", tex)).whole()
    except MathsError as error:
        raise MathsError(f"in the formula {' '.join(tex.split())[:80]!r}: {error}") from None
    pad = " " if formula.display else ""
    return TypstFormula(f"${pad}{body}{pad}$", tag[1] if tag else None, label[1] if label else None,
                        " ".join(tex.split()))


def _tokens(tex: str) -> list[str]:
    return [" " if token.isspace() else token for token in TOKEN.findall(tex)]


class _Parser:
    """Reads tokens from left to right; each method consumes what it names and returns Typst markup."""

    def __init__(self, tex: str) -> None:
        self.tokens = _tokens(tex)
        self.at = 0

    # --- reading ---

    def peek(self) -> str:
        """The next token that is no space; empty at the end."""
        at = self.at
        while at < len(self.tokens) and self.tokens[at] == " ":
            at += 1
        return self.tokens[at] if at < len(self.tokens) else ""

    def take(self) -> str:
        """Consume the next token that is no space."""
        while self.at < len(self.tokens) and self.tokens[self.at] == " ":
            self.at += 1
        if self.at >= len(self.tokens):
            raise MathsError("it ends too early")
        self.at += 1
        return self.tokens[self.at - 1]

    def expect(self, token: str) -> None:
        found = self.take()
        if found != token:
            raise MathsError(f"{found!r} stands where {token!r} is needed")

    def raw_group(self) -> str:
        """The characters of a ``{…}`` as they stand."""
        self.expect("{")
        depth, start = 1, self.at
        while depth:
            if self.at >= len(self.tokens):
                raise MathsError("a brace is not closed")
            depth += {"{": 1, "}": -1}.get(self.tokens[self.at], 0)
            self.at += 1
        return "".join(self.tokens[start : self.at - 1])

    def option(self) -> str | None:
        """The characters of a ``[…]``, if one follows."""
        if self.peek() != "[":
            return None
        self.take()
        start, depth = self.at, 0
        while self.at < len(self.tokens) and (self.tokens[self.at] != "]" or depth):
            depth += {"{": 1, "}": -1}.get(self.tokens[self.at], 0)
            self.at += 1
        self.at += 1
        return "".join(self.tokens[start : self.at - 1])

    # --- structure ---

    def whole(self) -> str:
        """The whole formula; nothing may be left over."""
        body = self.sequence(())
        if self.peek():
            raise MathsError(f"{self.peek()!r} stands alone")
        return body

    def sequence(self, stops: tuple[str, ...]) -> str:
        """Items until one of ``stops`` (not consumed) or the end."""
        items: list[str] = []
        while self.peek() and self.peek() not in (*stops, "}"):
            switch = self.peek().removeprefix("\\")
            if self.peek().startswith("\\") and switch in names.SWITCHES:
                self.take()
                items.append(names.SWITCHES[switch].format(self.sequence(stops) or '""'))
            else:
                items.append(self.item())
        return " ".join(item for item in items if item)

    def item(self) -> str:
        """One atom with its primes and scripts."""
        base = self.atom()
        while self.peek() in LIMIT_MARKS:
            base = f"{LIMIT_MARKS[self.take()]}({base})"
        primes, scripts = "", {}
        while self.peek() in ("_", "^", "'"):
            mark = self.take()
            if mark == "'":
                primes += "′"
            elif mark in scripts:
                raise MathsError(f"two {mark!r} on one base")
            else:
                scripts[mark] = self.argument()
        if primes:
            scripts["^"] = f"{primes} {scripts.get('^', '')}".strip()
        if not scripts:
            return base
        return (self.scripted(base) or '""') + "".join(f"{mark}({body})" for mark, body in sorted(scripts.items()))

    def scripted(self, base: str) -> str:
        """Scripts of a relation stand beside it in LaTeX, above and below in Typst."""
        return f"scripts({base})" if base in names.RELATIONS.values() else base

    def argument(self) -> str:
        """A group, or a single token with what it takes."""
        digits = self.peek()
        if digits[:1].isdigit() and len(digits) > 1:  # \\frac12 and x^12 take one digit
            self.take()
            self.tokens[self.at : self.at] = [digits[1:]]
            return digits[0]
        return self.group() if digits == "{" else self.atom()

    def group(self) -> str:
        self.expect("{")
        body = self.sequence(())
        self.expect("}")
        return body or '""'

    def atom(self) -> str:
        token = self.peek()
        if token == "{":
            body = self.group()
            return f'class("normal", {body})' if " " in body else body
        if token in ("_", "^"):
            return '""'  # a script on nothing
        self.take()
        if token.startswith("\\"):
            return self.command(token)
        if re.match("[\u0600-\u06ef\u06fa-\u06ff\u200c۰-۹]", token):
            return _string(token)
        if token == "&":
            raise MathsError("'&' stands outside an alignment")
        if token == "~":
            return _space(names.SPACES["~"])
        return ESCAPED.get(token, token)

    # --- commands ---

    def command(self, token: str) -> str:
        name = token[1:]
        if token in names.INVISIBLE:
            return ""
        if token in names.SPACES:
            return _space(names.SPACES[token])
        if token in LITERALS:
            return LITERALS[token]
        for table, handler in self.handlers().items():
            if name in table:
                return handler(name)
        if name in names.SYMBOLS:
            return names.SYMBOLS[name]
        if token in names.DELIMITERS:
            side = {"l": "opening", "r": "closing"}.get(name[:1], "normal")  # \\lvert opens, \\Vert stands alone
            return f'class("{side}", {names.DELIMITERS[token]})'
        raise MathsError(f"the command {token} is not known{_nearest(name)}")

    def handlers(self) -> Mapping[tuple[str, ...], Callable[[str], str]]:
        """Which method reads which commands."""
        return {
            tuple(names.OPERATORS): lambda name: f'op("{name}")',
            tuple(names.LIMIT_OPERATORS): lambda name: f'op("{names.LIMIT_OPERATORS[name]}", limits: #true)',
            tuple(names.UNARY): lambda name: names.UNARY[name].format(self.argument()),
            tuple(names.WORD_FONTS): self.word_font,
            tuple(names.TWO_ARGUMENTS): lambda name: names.TWO_ARGUMENTS[name].format(self.argument(), self.argument()),
            tuple(names.BRACES): self.brace,
            tuple(names.TEXT_FONTS): self.text,
            ("begin",): lambda _: self.environment(),
            ("left",): lambda _: self.pair(),
            ("middle",): lambda _: f"mid({self.delimiter()})",
            ("sqrt",): lambda _: self.root(),
            ("operatorname", "operatorname*"): self.operator,
            ("mathop",): lambda _: f"limits(class(\"large\", {self.argument()}))",
            ("not",): lambda _: self.negated(),
            ("substack",): lambda _: self.substack(),
            ("boxed", "fbox"): lambda _: f"#box(stroke: .6pt, inset: 5pt, baseline: 5pt, $display({self.argument()})$)",
            ("xrightarrow", "xleftarrow"): self.long_arrow,
            ("pmod",): lambda _: f'space.quad \\( op("mod") {self.argument()} \\)',
            ("bmod", "mod"): lambda _: 'op("mod")',
            ("mathstrut",): lambda _: "",
            tuple(f"{size}{kind}" for size in names.BIG_SIZES for kind in names.BIG_CLASSES): self.big,
        }

    def word_font(self, name: str) -> str:
        start = self.at
        if self.peek() == "{":
            word = self.raw_group().strip()
            if re.fullmatch(r"[A-Za-z]{2,}(?:[-\s][A-Za-z]+)*", word):
                return names.WORD_FONTS[name].format(_string(word))
            self.at = start
        return names.WORD_FONTS[name].format(self.argument())

    def brace(self, name: str) -> str:
        body = self.argument()
        if self.peek() != names.BRACES[name]:
            return f"{name}({body})"
        self.take()
        return f"{name}({body}, {self.argument()})"

    def text(self, name: str) -> str:
        """Text, in which ``$…$`` is mathematics again."""
        pieces = re.split(r"(?<!\\)\$", self.raw_group())
        out = [_string(_plain(piece)) if number % 2 == 0 else _Parser(piece).whole()
               for number, piece in enumerate(pieces) if piece]
        font = names.TEXT_FONTS[name]
        body = " ".join(out) or '""'
        return body if font is None else f"#text({font}, {' + '.join(out)})" if len(out) == 1 else body

    def environment(self) -> str:
        name = self.raw_group()
        if name in ("array", "alignedat"):
            self.option()
            columns = self.raw_group()
            if set(columns) - set("lcr| "):
                raise MathsError(f"columns {columns!r} of {name} are not known")
        else:
            columns = ""
        alone = self.at and not self.before(name)
        rows = self.rows(name)
        if name in ALIGNMENTS:
            return _aligned(rows) if alone and not self.peek() else _matrix(rows, "#none", name)
        if name in ("cases", "dcases"):
            return "cases(" + ", ".join(" & ".join(row) for row in rows) + ")"
        if name in MATRICES:
            return _matrix(rows, MATRICES[name], columns)
        raise MathsError(f"the environment {name!r} is not known")

    def before(self, name: str) -> str:
        """What stands before the environment that was just opened."""
        text = "".join(self.tokens[: self.at]).strip()
        return text.removesuffix(f"\\begin{{{name}}}").strip()

    def rows(self, name: str) -> list[list[str]]:
        rows: list[list[str]] = [[]]
        while True:
            rows[-1].append(self.sequence(("&", "\\\\", "\\end")))
            token = self.take()
            if token == "\\\\":
                self.option()
                rows.append([])
            elif token == "\\end":
                break
            elif token != "&":
                raise MathsError("a brace is not opened")
        if self.raw_group() != name:
            raise MathsError(f"the environment {name!r} is not closed")
        return [row for row in rows if any(row)]

    def pair(self) -> str:
        left = self.delimiter()
        body = self.sequence(("\\right",))
        self.expect("\\right")
        return f"lr({left} {body} {self.delimiter()})"

    def delimiter(self) -> str:
        token = self.take()
        if token not in names.DELIMITERS:
            raise MathsError(f"{token!r} is no delimiter")
        return names.DELIMITERS[token]

    def big(self, name: str) -> str:
        size = next(size for size in sorted(names.BIG_SIZES, key=len, reverse=True) if name.startswith(size))
        kind = names.BIG_CLASSES[name.removeprefix(size)]
        return f'class("{kind}", lr({self.delimiter()}, size: #{names.BIG_SIZES[size]}em))'

    def root(self) -> str:
        index = self.option()
        body = self.argument()
        return f"sqrt({body})" if index is None else f"root({_Parser(index).whole()}, {body})"

    def operator(self, name: str) -> str:
        word = re.sub(r"\\[,;: ]", "\u2009", self.raw_group()).replace("\\", "").replace("{", "").replace("}", "")
        word = re.sub(r"^(mathrm|text|mathbf|mathsf)", "", word)
        return f"op({_string(word)}" + (", limits: #true)" if name.endswith("*") else ")")

    def negated(self) -> str:
        while self.peek() == "\\!":
            self.take()
        symbol = self.atom()
        return NEGATED.get(symbol, f'class("relation", cancel({symbol}))')

    def substack(self) -> str:
        lines = [_Parser(line).whole() for line in self.raw_group().split("\\\\")]
        return " \\ ".join(lines)

    def long_arrow(self, name: str) -> str:
        below = self.option()
        above = self.argument()
        arrow = "⟶" if name == "xrightarrow" else "⟵"
        return f"limits({arrow})^({above})" + (f"_({_Parser(below).whole()})" if below else "")


def _aligned(rows: list[list[str]]) -> str:
    return " \\ ".join(" & ".join(cell for cell in row) for row in rows)


def _matrix(rows: list[list[str]], delimiter: str, columns: str) -> str:
    """A matrix; the columns of an aligned block stand right and left in turn, those of an array as they say."""
    body = "; ".join(", ".join(cell or '""' for cell in row) for row in rows)
    rules = [len(re.findall("[lcr]", columns[:at])) for at, char in enumerate(columns) if char == "|"]
    inner = [rule for rule in rules if 0 < rule < len(re.findall("[lcr]", columns))]
    lines = f"augment: #(vline: ({', '.join(map(str, inner))},)), " if inner and columns.strip("lcr| ") == "" else ""
    align = "align: #left, column-gap: #.3em, " if columns in ALIGNMENTS else ""
    return f"mat(delim: {delimiter}, {align}{lines}{body})"


def _string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _plain(text: str) -> str:
    """Text of a ``\\text{…}`` without LaTeX's own marks."""
    spaced = re.sub(r"\\[,;:! ]|~", " ", text)
    plain = re.sub(r"\\([%&#_${}])", r"\1", spaced)
    unknown = re.search(r"\\[A-Za-z]+|[{}]", plain)
    if unknown:
        raise MathsError(f"{unknown[0]!r} inside \\text is not known")
    return plain


def _space(width: float) -> str:
    return f"#h({width:.4g}em)"


def _nearest(name: str) -> str:
    known = [*names.SYMBOLS, *names.UNARY, *names.TWO_ARGUMENTS, *names.OPERATORS, "sqrt", "left", "right", "text"]
    close = get_close_matches(name, known, n=1)
    return f"; nearest: \\{close[0]}" if close else ""
