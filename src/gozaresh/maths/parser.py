r"""One LaTeX formula as a tree, by recursive descent.

Every command becomes a node with its meaning or is an error: nothing is dropped. The grammar is
that of *The TeXbook*, chapters 17 and 18 and appendix B, and of `amsmath`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gozaresh.common.errors import MathsError, nearest
from gozaresh.maths.lexer import BLANK, PERSIAN_NUMBER, TOO_EARLY, Cursor
from gozaresh.maths.symbols import (
    ALIGNMENTS,
    BINARY,
    BRACES,
    CASES,
    DELIMITERS,
    ESCAPED,
    INVISIBLE,
    LIMIT_OPERATORS,
    LINE_ALIGNMENTS,
    LONG_ARROWS,
    MATRICES,
    OPERATORS,
    RELATIONS,
    SPACES,
    SPECIAL,
    SWITCHES,
    SYMBOLS,
    TEXT_FONTS,
    TWO_ARGUMENTS,
    UNARY,
    WORD_FONTS,
    WRAPPERS,
)
from gozaresh.maths.tree import (
    Arrow,
    Big,
    Brace,
    Dots,
    Fence,
    Group,
    Line,
    Marks,
    Middle,
    Negated,
    Node,
    Operator,
    Pair,
    Root,
    Row,
    Scripts,
    Space,
    Styled,
    Switched,
    Symbol,
    Table,
    Text,
    Tree,
    Word,
)

LENGTH = re.compile(r"\s*(-?[0-9]*\.?[0-9]+)\s*(em|ex|mu|pt|mm|cm|in)(?![A-Za-z])\s*")
ROW_GAP = re.compile(r"\*?(?:\[\s*-?[0-9.]+\s*(?:pt|em|ex|mm|cm)\s*\])?")
PRIMES = re.compile(r"\s*(?:\\prime(?![A-Za-z])|\{\s*(?:\\prime\s*)+\})")
PERP_PERP = re.compile(r"\\perp\s*(?:\\!\s*)+\\perp(?![A-Za-z])")
WORD = re.compile(r"[A-Za-z0-9]{2,}")
THIN_SPACE = re.compile(r"\s*(?:\\[,;: ]|~)\s*")
TEXT_BREAK = re.compile(r"(?<!\\)\$|\\(" + "|".join(TEXT_FONTS) + r")(?=\s*\{)")
BIG = re.compile(r"\\([bB]igg?)([lmr]?)")
ARABIC_LETTER = re.compile(r"[\u0600-\u06ff\ufb50-\ufdff\ufe70-\ufefc]")

MARKS = frozenset("-*/:`@\"?!.,;=+<>()[]|")  # characters that need no command
TEXT_ESCAPES = {
    r"\%": "%", r"\#": "#", r"\$": "$", r"\&": "&", r"\_": "_", r"\{": "{", r"\}": "}", r"\ ": " ", r"\,": "\u2009",
    "~": "\u00a0", r"\ldots": "…", r"\dots": "…",
}
MISPLACED = {"}": "'}' stands alone", "&": "'&' stands outside an alignment"}
EM = {"em": 1.0, "ex": 0.43, "mu": 1 / 18}
NAMED = frozenset("\\" + name for name in (*SYMBOLS, *SPECIAL))
RAISING = frozenset({"+", "-", "=", "<", ">", "*"})


def parse(tex: str) -> Tree:
    r"""Read a formula.

    >>> parse(r"\hat{x}").body
    Row(items=(Styled(name='hat', body=Row(items=(Symbol(token='x'),))),))

    Raises:
        MathsError: a command or construct that is not understood, with the nearest known one.
    """
    return Parser(PERP_PERP.sub(r"\\indep ", tex)).whole()


def advice(name: str, known: Iterable[str], mark: str = "") -> str:
    """The nearest known name as the end of an error; nothing where none is near, for the names are many."""
    hint = nearest(name, known)
    return "; " + hint.replace(": ", f": {mark}") if hint.startswith("nearest") else ""


def _text_of(raw: str) -> str:
    """Resolve the escapes of a text argument that holds no mathematics."""
    def one(match: re.Match[str]) -> str:
        token = match[0]
        if token in TEXT_ESCAPES:
            return TEXT_ESCAPES[token]
        if token[0] == "\\":
            raise MathsError(f"{token} inside \\text is not known{advice(token, TEXT_ESCAPES)}")
        return "" if token in "{}" else token
    return re.sub(r"\s+", " ", re.sub(r"\\[A-Za-z]+|\\.|~|[{}]", one, raw))


@dataclass
class Parser(Cursor):
    """Reads one formula; each method reads one construct and returns its node."""

    marks: list[tuple[str, str]] | None = None  # labels and tags read so far; None where none can stand

    # -- structure -------------------------------------------------------------------------------------------
    def whole(self) -> Tree:
        """The whole formula; one alignment that is all of it may have numbers on its lines."""
        self.marks = []
        body = self.only_environment() or self.rest()
        return Tree(body, _marks(self.marks or []))

    def only_environment(self) -> Node | None:
        """The alignment or wrapper that is the whole formula, save for its label."""
        if not self.accept("\\begin"):
            return None
        name = self.raw_group()
        if name.rstrip("*") in WRAPPERS:
            return self.unwrapped(name)
        if name.rstrip("*") in ALIGNMENTS:
            table = self.alignment(name, by_line=name.rstrip("*") in LINE_ALIGNMENTS)
            self.read_marks()
            if not self.peek():
                return table
            if table.is_by_line:
                raise MathsError(f"labels, tags and \\intertext inside {name} need the {name} to be the whole formula")
        self.at, self.marks = 0, []
        return None

    def unwrapped(self, name: str) -> Node:
        r"""The formula inside ``\begin{equation}``."""
        inside, end, after = self.source[self.at:].rpartition(f"\\end{{{name}}}")
        if not end or BLANK.sub("", after):
            raise MathsError(f"\\begin{{{name}}} is not closed at the formula's end")
        self.source, self.at = inside, 0
        return self.only_environment() or self.rest()

    def rest(self) -> Row:
        """All that is left, which is something."""
        body = self.sequence("")
        if not body.items:
            raise MathsError("the formula is empty")
        return body

    def sequence(self, *ends: str) -> Row:
        """Everything up to one of these tokens, which is left unread; the empty token is the end."""
        items: list[Node] = []
        while (token := self.peek()) not in ends:
            if token[1:] in SWITCHES and token[0] == "\\":
                self.take()
                items.append(Switched(token[1:], self.sequence(*ends)))
            elif not self.read_marks():
                items.append(self.scripted())
        return Row(tuple(items))

    def read_marks(self) -> bool:
        r"""Read ``\label{…}`` and ``\tag{…}`` where they can stand."""
        start = self.at
        while (token := self.peek()) in ("\\label", "\\tag"):
            self.take()
            kind = token[1:] + ("*" if token == "\\tag" and self.accept("*") else "")
            if self.marks is None:
                raise MathsError(f"{token} stands inside a part; it belongs to a whole formula or line")
            self.marks.append((kind, self.raw_group()))
        return self.at > start and bool(self.source[start:self.at].strip())

    def part(self, source: str) -> Row:
        """Read a part that was cut out of the source."""
        return Parser(source).sequence("")

    def argument(self) -> Node:
        """One argument: a group, or else a single token."""
        if self.peek() == "{":
            return self.part(self.raw_group())
        if self.peek()[:1].isdigit():
            self.at += 1
            return Symbol(self.source[self.at - 1])
        return self.atom()

    def scripted(self) -> Node:
        """An atom with its primes, subscript and superscript."""
        return self.attached(Word("") if self.peek() in ("_", "^", "'") else self.atom())

    def attached(self, base: Node) -> Node:
        """Attach the scripts that come next."""
        limits = self.take()[1:] if self.peek() in ("\\limits", "\\nolimits") else ""
        primes, scripts = 0, dict[str, Node]()
        while (token := self.peek()) in ("_", "^", "'"):
            self.take()
            if token == "'":
                primes += 1
            elif token in scripts:
                raise MathsError(f"two {token!r} on one base; braces round one of them say which is meant")
            elif token == "^" and (only := self.only_primes()):
                primes += only
            else:
                scripts[token] = self.argument()
        if not (limits or primes or scripts):
            return base
        return Scripts(base, primes, scripts.get("_"), scripts.get("^"), limits)

    def only_primes(self) -> int:
        r"""Read ``\prime`` or ``{\prime\prime}`` as the primes they are."""
        found = PRIMES.match(self.source, self.at)
        if not found:
            return 0
        self.at = found.end()
        return found[0].count("prime")

    # -- atoms -----------------------------------------------------------------------------------------------
    def atom(self) -> Node:
        """One symbol, command or group."""
        token = self.take()
        if token == "{":
            self.at -= 1
            return Group(self.part(self.raw_group()))
        if token in SPACES:
            return Space(SPACES[token])
        if token in INVISIBLE:
            return Row()
        if token in NAMED or token in DELIMITERS or token in ESCAPED:
            return Symbol(token)
        return self.command(token[1:]) if token[0:1] == "\\" else self.character(token)

    def character(self, token: str) -> Node:
        """A letter, a number or a mark."""
        if token and (token in MARKS or (token.isascii() and token.replace(".", "").isalnum())):
            return Symbol(token)
        if PERSIAN_NUMBER.fullmatch(token):
            return Symbol(token)
        if ARABIC_LETTER.match(token):
            raise MathsError(f"«{token}» stands outside \\text{{…}}")
        if token in "√∛∜" and token:
            raise MathsError(f"{token!r} is written \\sqrt{{…}}")
        if token and unicodedata.category(token) in ("Lu", "Ll", "Lo", "Sm", "So") and not token.isascii():
            return Symbol(token)
        raise MathsError(MISPLACED.get(token, f"the character {token!r} is not known") if token else TOO_EARLY)

    def command(self, name: str) -> Node:
        """A control sequence."""
        if name in OPERATORS:
            return Operator(Word(name), limits=False)
        if name in LIMIT_OPERATORS:
            return Operator(Word(LIMIT_OPERATORS[name]), limits=True)
        if name in UNARY:
            return Styled(name, self.argument())
        if name in TWO_ARGUMENTS:
            return Pair(name, self.argument(), self.argument())
        if name in WORD_FONTS:
            return Styled(name, self.word_or_argument())
        if name in TEXT_FONTS:
            return self.text(self.raw_group(), name)
        if name in BRACES:
            return Brace(name, self.argument(), self.argument() if self.accept(BRACES[name]) else None)
        return self.special(name)

    def special(self, name: str) -> Node:
        """A command with a syntax of its own."""
        if big := BIG.fullmatch("\\" + name):
            return Big(big[1], big[2], self.delimiter())
        if name in LONG_ARROWS:
            below = self.optional()
            return Arrow(name, self.argument(), self.part(below) if below else None)
        if name in ("\\", "end", "right"):
            raise MathsError(f"'\\{name}' stands alone")
        if name in ("intertext", "shortintertext"):
            raise MathsError(f"\\{name} stands at the head of a line of an align, alignat or gather")
        if name in HANDLERS:
            return HANDLERS[name](self)
        raise MathsError(f"the command \\{name} is not known{advice(name, KNOWN, mark=chr(92))}")

    # -- commands with a syntax of their own -------------------------------------------------------------------
    def word_or_argument(self) -> Node:
        r"""The argument of a font command; ``\mathrm{KL}`` holds a word, not a product."""
        start = self.at
        if self.peek() == "{" and WORD.fullmatch(word := self.raw_group().strip()):
            return Word(word)
        self.at = start
        return self.argument()

    def text(self, raw: str, font: str) -> Text:
        """Text with its nested formulas and fonts."""
        inner, parts = Parser(raw), list[str | Node]()
        while found := TEXT_BREAK.search(raw, inner.at):
            parts.append(_text_of(raw[inner.at:found.start()]))
            inner.at = found.end()
            parts.append(inner.inline() if found[0] == "$" else self.text(inner.raw_group(), found[1]))
        parts.append(_text_of(raw[inner.at:]))
        return Text(tuple(parts), font, bool(ARABIC_LETTER.search(raw)) and len(parts) > 1)

    def inline(self) -> Row:
        """A formula inside text, up to its closing dollar."""
        end = self.source.find("$", self.at)
        if end < 0:
            raise MathsError("$ is not closed inside text")
        start, self.at = self.at, end + 1
        return self.part(self.source[start:end])

    def delimiter(self) -> str:
        """The delimiter after a size command."""
        token = self.take()
        if token not in DELIMITERS:
            raise MathsError(f"{token!r} is no delimiter{advice(token, DELIMITERS)}" if token else TOO_EARLY)
        return token

    def left_right(self) -> Node:
        r"""``\left … \middle … \right``, stretched to what they hold."""
        opening, body = self.delimiter(), self.sequence("\\right")
        self.expect("\\right")
        return Fence(opening, body, self.delimiter())

    def middle(self) -> Node:
        r"""``\middle|`` inside ``\left … \right``."""
        return Middle(self.delimiter())

    def operator_name(self) -> Node:
        r"""``\operatorname{…}``; the starred form takes limits."""
        limits, raw = self.accept("*"), self.raw_group()
        word = THIN_SPACE.sub("\u2009", raw).strip()
        return Operator(self.part(raw) if "\\" in word else Word(word), limits)

    def operator(self) -> Node:
        r"""``\mathop{…}``, which takes limits."""
        return Operator(self.argument(), limits=True)

    def root(self) -> Node:
        """A root with its degree."""
        degree = self.optional()
        return Root(self.argument(), self.part(degree) if degree else None)

    def negation(self) -> Node:
        r"""``\not`` and what it strikes out."""
        while self.accept("\\!"):
            pass
        return Negated(self.atom())

    def dots(self) -> Node:
        r"""``\dots``: raised between operators and relations, else on the line."""
        following = self.peek()
        return Dots(following in RAISING or following[1:] in BINARY or following[1:] in RELATIONS)

    def length(self) -> Node:
        r"""The width of ``\hspace{…}`` or ``\mkern…``."""
        self.accept("*")
        braced = self.peek() == "{"
        source = self.raw_group() if braced else self.source[self.at:]
        found = LENGTH.fullmatch(source) if braced else LENGTH.match(source)
        if not found:
            raise MathsError(f"{source} is not a width; valid units: em, ex, mu, pt, mm, cm, in")
        self.at += 0 if braced else found.end()
        number, unit = float(found[1]), found[2]
        return Space(number * EM[unit]) if unit in EM else Space(number, unit)

    # -- environments ------------------------------------------------------------------------------------------
    def substack(self) -> Node:
        r"""Lines under a large operator."""
        lines = Parser(self.raw_group() + "\\end{substack}").rows("substack")[0]
        if any(len(line.cells) > 1 for line in lines):
            raise MathsError(MISPLACED["&"])
        return Table("substack", lines)

    def environment(self) -> Node:
        r"""``\begin{…} … \end{…}`` inside a formula."""
        name = self.raw_group()
        if name == "array":
            return self.array()
        if name in CASES or name in MATRICES:
            return Table(name, self.rows(name)[0])
        if name.rstrip("*") in ALIGNMENTS:
            return self.alignment(name)
        raise MathsError(f"the environment {name!r} is not known{advice(name, ENVIRONMENTS)}")

    def array(self) -> Node:
        """An array with its columns' alignment and its rules."""
        columns = self.raw_group().replace(" ", "")
        if set(columns) - set("lcr|") or "||" in columns:
            raise MathsError(f"array columns {columns} are not understood; valid: c, l, r, and | between them")
        lines, rules = self.rows("array")
        if any(len(line.cells) > len(columns.replace("|", "")) for line in lines):
            raise MathsError(f"a row of the array has more cells than its columns {columns}")
        if len(set(rules)) < len(rules):
            raise MathsError("two \\hline stand over each other; one rule can stand between two rows")
        return Table("array", lines, columns, rules)

    def alignment(self, name: str, *, by_line: bool = False) -> Table:
        """The lines of an alignment, whose labels and tags belong to them or to the whole formula."""
        if name.startswith(("aligned", "gathered")):
            self.optional()
        if name.startswith(("alignat", "alignedat")):
            self.raw_group()
        whole, self.marks = self.marks, [] if by_line else self.marks
        lines, _ = self.rows(name, by_line=by_line)
        if by_line and len(lines) == 1:
            whole, lines = self.marks, (replace(lines[0], marks=Marks()),)
        self.marks = whole
        return Table(name, lines)

    def rows(self, name: str, *, by_line: bool = False) -> tuple[tuple[Line, ...], tuple[int, ...]]:
        r"""The lines of an environment up to its ``\end``, and the lines before which a rule stands."""
        lines: list[Line] = []
        rules: list[int] = []
        token = "\\\\"
        while token == "\\\\":
            gap = ROW_GAP.match(self.source, self.at) if lines else None
            self.at = gap.end() if gap else self.at
            while self.accept("\\hline"):
                rules.append(len(lines))
            line, token = self.line(by_line=by_line)
            lines.append(line)
        if not token:
            raise MathsError(TOO_EARLY)
        if (closed := self.raw_group()) != name:
            raise MathsError(f"\\begin{{{name}}} is closed by \\end{{{closed}}}")
        return tuple(lines[:-1] if lines[-1] == Line((Row(),)) else lines), tuple(rules)

    def line(self, *, by_line: bool) -> tuple[Line, str]:
        """One line with what belongs to it, and the token that ends it."""
        lead = self.text(self.raw_group(), "text") if by_line and self.accept(*INTERTEXT) else None
        before, cells, token = self.marks, list[Row](), "&"
        self.marks = [] if by_line else before
        while token == "&":
            cells.append(self.sequence("&", "\\\\", "\\end"))
            token = self.take()
        marks = _marks(self.marks or []) if by_line else Marks()
        self.marks = [*(before or []), *(self.marks or [])] if by_line else before
        return Line(tuple(cells), marks, lead), token


def _marks(found: Sequence[tuple[str, str]]) -> Marks:
    """The one label and the one tag among what was read."""
    labels = [text for kind, text in found if kind == "label"]
    tags = [(kind, text) for kind, text in found if kind != "label"]
    for texts in (labels, [text for _, text in tags]):
        if len(texts) > 1:
            raise MathsError(f"two of {', '.join(texts)}; a formula, or a line of an align, takes one")
    tag = Parser("").text(tags[0][1].strip("() "), "text") if tags else None
    return Marks(labels[0] if labels else None, tag, bare=bool(tags) and tags[0][0] == "tag*")


INTERTEXT = ("\\intertext", "\\shortintertext")
HANDLERS: Mapping[str, Callable[[Parser], Node]] = {
    "left": Parser.left_right, "middle": Parser.middle, "operatorname": Parser.operator_name,
    "mathop": Parser.operator, "sqrt": Parser.root, "not": Parser.negation, "dots": Parser.dots,
    "hspace": Parser.length, "mspace": Parser.length, "mkern": Parser.length, "kern": Parser.length,
    "substack": Parser.substack, "begin": Parser.environment,
}
ENVIRONMENTS = frozenset({*ALIGNMENTS, *CASES, *MATRICES, *WRAPPERS, "array"})
KNOWN = frozenset({
    *SYMBOLS, *SPECIAL, *OPERATORS, *LIMIT_OPERATORS, *UNARY, *TWO_ARGUMENTS, *WORD_FONTS, *TEXT_FONTS, *BRACES,
    *LONG_ARROWS, *HANDLERS, *SWITCHES,
})
