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
from gozaresh.maths import units
from gozaresh.maths.characters import ACCENTS, PRIMES, accented, pasted, script_of
from gozaresh.maths.colours import hexadecimal
from gozaresh.maths.lexer import ARABIC_LETTER, BLANK, PERSIAN_NUMBER, PERSIAN_WORDS, TOO_EARLY, Cursor
from gozaresh.maths.macros import STANDARD
from gozaresh.maths.symbols import (
    ALIGNMENTS,
    ARRAYS,
    BINARY,
    BRACES,
    CASES,
    DELIMITERS,
    ESCAPED,
    INFIX,
    INVISIBLE,
    LIMIT_OPERATORS,
    LINE_ALIGNMENTS,
    LONG_ARROWS,
    MATRICES,
    OPERATORS,
    RELATIONS,
    ROW_ENDS,
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
from gozaresh.maths.text_mode import resolved
from gozaresh.maths.tree import (
    Arrow,
    Big,
    Brace,
    Coloured,
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
    Tree,
    Word,
)

LENGTH = re.compile(r"\s*(?P<number>[-+]?[0-9]*\.?[0-9]+)\s*(?P<unit>em|ex|mu|pt|mm|cm|in|bp|pc|dd|cc|sp)(?![A-Za-z])"
                    r"(?:\s*(?:plus|minus)\s*[0-9.]+\s*(?:[a-z]{2}|fil+))*\s*")
ROW_GAP = re.compile(r"\*?(?:\[\s*-?[0-9.]+\s*(?:pt|em|ex|mm|cm)\s*\])?")
ONLY_PRIMES = re.compile(r"\s*(?:\\prime(?![A-Za-z])|\{\s*(?:\\prime\s*)+\})")
PERP_PERP = re.compile(r"\\perp\s*(?:\\!\s*)+\\perp(?![A-Za-z])")
WORD = re.compile(r"[A-Za-z0-9]{2,}")
THIN_SPACE = re.compile(r"\s*(?:\\[,;: ]|~)\s*")
TEXT_BREAK = re.compile(
    r"(?<!\\)\$|\\\(|\\(" + "|".join((*TEXT_FONTS, "textcolor", "sout")) + r")(?=\s*[\[{])")
BIG = re.compile(r"\\([bB]igg?)([lmr]?)")
COLUMN_TOKEN = re.compile(r"[@!><]\{[^{}]*\}|[pmb]\{[^{}]*\}|[lcr|:]")
CODE_POINT = re.compile(r"(?P<hex>[\"x][0-9A-Fa-f]+)|(?P<octal>'[0-7]+)|(?P<plain>[0-9]+)|`\\?(?P<char>.)")
REPEATED = re.compile(r"\*\{([0-9]{1,2})\}\{([^{}]*)\}")

MARKS = frozenset("-*/:`@\"?!.,;=+<>()[]|")  # characters that need no command
MISPLACED = {"}": "'}' stands alone", "&": "'&' stands outside an alignment"}
EM = {"em": 1.0, "ex": 0.43, "mu": 1 / 18}
POINTS = {"bp": 1.0, "pc": 12.0, "dd": 1.07, "cc": 12.84, "sp": 1 / 65536}
STYLES = ("displaystyle", "textstyle", "scriptstyle", "scriptscriptstyle")  # as \genfrac numbers them
PERSIAN_MARKS = frozenset("،؛؟«»٪٫٬")
ROOTS: Mapping[str, Node | None] = {"√": None, "∛": Symbol("3"), "∜": Symbol("4")}
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


@dataclass
class Parser(Cursor):
    """Reads one formula; each method reads one construct and returns its node."""

    marks: list[tuple[str, str]] | None = None  # labels and tags read so far; None where none can stand

    # -- structure -------------------------------------------------------------------------------------------
    def whole(self) -> Tree:
        """The whole formula; one alignment that is all of it may have numbers on its lines."""
        self.marks = []
        body = self.only_environment() or self.rest()
        return Tree(body, marks_of(self.marks or []))

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

    def rest(self) -> Node:
        r"""All that is left, which is something; ``\\\\`` outside an environment parts it into lines."""
        lines, token = list[Line](), "\\\\"
        while token in ROW_ENDS:
            line, token = self.line(by_line=False, end="")
            lines.append(line)
        cells = [cell for line in lines for cell in line.cells]
        if not any(cell.items for cell in cells):
            raise MathsError("the formula is empty")
        if len(cells) == 1:
            return cells[0]
        if len(lines) == 1:
            raise MathsError(MISPLACED["&"])
        kept = tuple(line for line in lines if any(cell.items for cell in line.cells))
        return Table("aligned" if len(cells) > len(lines) else "gathered", kept)

    def sequence(self, *ends: str) -> Row:
        """Everything up to one of these tokens, which is left unread; the empty token is the end."""
        items: list[Node] = []
        while (token := self.peek()) not in ends:
            if token[:1] == "\\" and (token[1:] in SWITCHES or token == "\\color"):
                self.take()
                items.append(self.switched(token[1:], ends))
            elif token[:1] == "\\" and token[1:] in INFIX:
                self.take()
                items = [self.infix(token[1:], Row(tuple(items)), ends)]
            elif not self.read_marks():
                items.append(self.scripted())
        return Row(tuple(items))

    def switched(self, name: str, ends: Sequence[str]) -> Node:
        """The rest of the group, in the size, font or colour that a command asks for."""
        if name == "color":
            return Coloured(ink=self.colour(), body=self.sequence(*ends))
        return Switched(name, self.sequence(*ends))

    def infix(self, name: str, first: Row, ends: Sequence[str]) -> Node:
        r"""``a \over b``: what stands before the command in its group over what follows."""
        if name == "above":
            self.length()
        second = self.sequence(*ends)
        if name in ("over", "above", "choose"):
            return Pair("binom" if name == "choose" else "frac", first, second)
        return Stack(*INFIX[name], style="", first=first, second=second)

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
        parser = Parser(source)
        body = parser.sequence("", *ROW_ENDS)
        return body if not parser.peek() else Row((parser.lines_after(body),))

    def lines_after(self, first: Row) -> Table:
        r"""Lines that ``\\\\`` parts inside braces."""
        lines, token = [Line((first,))], self.take()
        while token in ROW_ENDS:
            line, token = self.line(by_line=False, end="")
            lines.append(line)
        if any(len(line.cells) > 1 for line in lines):
            raise MathsError(MISPLACED["&"])
        return Table("gathered", tuple(lines))

    def argument(self) -> Node:
        """One argument: a group, or else a single token."""
        if self.peek() == "{":
            return self.part(self.raw_group())
        if self.peek()[:1].isdigit():
            self.at += 1
            return Symbol(self.source[self.at - 1])
        if not self.peek():
            raise MathsError(TOO_EARLY)
        return self.atom()

    def scripted(self) -> Node:
        """An atom with its primes, subscript and superscript."""
        bare = self.peek() in ("_", "^", "'", *PRIMES) or self.script() is not None
        return self.attached(Word("") if bare else self.marked(self.atom()))

    def marked(self, node: Node) -> Node:
        """An atom with the combining marks that follow it."""
        marks = ""
        while self.source[self.at:self.at + 1] in ACCENTS:
            marks += self.immediate()
        return accented(node, marks)

    def script(self) -> tuple[str, str] | None:
        """The raised or lowered character that comes next, if it is one."""
        token = self.peek()
        return script_of(token) if len(token) == 1 and not token.isascii() else None

    def attached(self, base: Node) -> Node:
        """Attach the scripts that come next."""
        limits = self.take()[1:] if self.peek() in ("\\limits", "\\nolimits") else ""
        primes, scripts = 0, dict[str, Node]()
        while (token := self.peek()) in ("_", "^", "'", *PRIMES) or self.script():
            if token in PRIMES or token == "'":
                self.take()
                primes += PRIMES.get(token, 1)
                continue
            kind = token if token in ("_", "^") else script_of(token)[0]  # type: ignore[index]
            if kind in scripts:
                raise MathsError(f"two {kind!r} on one base; braces round one of them say which is meant")
            if token == kind:
                self.take()
            if token == "^" and (only := self.only_primes()):
                primes += only
            else:
                scripts[kind] = self.argument() if token == kind else self.pasted_scripts(kind)
        if not (limits or primes or scripts):
            return base
        return Scripts(base, primes, scripts.get("_"), scripts.get("^"), limits)

    def pasted_scripts(self, kind: str) -> Row:
        """Raised or lowered characters that stand side by side."""
        plain = ""
        while (found := self.script()) and found[0] == kind:
            self.take()
            plain += found[1]
        return self.part(plain)

    def only_primes(self) -> int:
        r"""Read ``\prime`` or ``{\prime\prime}`` as the primes they are."""
        found = ONLY_PRIMES.match(self.source, self.at)
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
        if PERSIAN_NUMBER.fullmatch(token) or token in PERSIAN_MARKS:
            return Symbol(token)
        if PERSIAN_WORDS.fullmatch(token):
            return Text((token,), "text")
        if token in ROOTS:
            return Root(self.argument(), ROOTS[token])
        if found := pasted(token) if len(token) == 1 else None:
            return found
        if token and unicodedata.category(token) in ("Lu", "Ll", "Lo", "Sm", "So", "Sc") and not token.isascii():
            return Symbol(token)
        raise MathsError(MISPLACED.get(token, f"the character {token!r} is not known") if token else TOO_EARLY)

    def command(self, name: str) -> Node:
        """A control sequence."""
        if name in HANDLERS:
            return HANDLERS[name](self)
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
        known = KNOWN | STANDARD.keys()
        raise MathsError(f"the command \\{name} is not known{advice(name, known, mark=chr(92))}")

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
            parts.append(resolved(raw[inner.at:found.start()]))
            inner.at = found.end()
            parts.append(inner.inside_text(found[0]))
        parts.append(resolved(raw[inner.at:]))
        return Text(tuple(parts), font, bool(ARABIC_LETTER.search(raw)) and len(parts) > 1)

    def inside_text(self, opening: str) -> Node:
        """A formula, or a command with an argument, inside text."""
        if opening in ("$", "\\("):
            return self.part(self.up_to("$" if opening == "$" else "\\)"))
        if opening == "\\textcolor":
            return Coloured(ink=self.colour(), body=self.text(self.raw_group(), "text"))
        name = opening[1:]
        text = self.text(self.raw_group(), name if name in TEXT_FONTS else "text")
        return text if name in TEXT_FONTS else Styled(name, text)

    def verbatim(self) -> Text:
        r"""``\verb|…|``."""
        return Text((self.up_to(self.immediate()),), "texttt")

    def delimiter(self) -> str:
        """The delimiter after a size command."""
        token = self.take()
        if token == "{":
            self.at -= 1
            return Parser(self.raw_group()).delimiter()
        found = pasted(token) if len(token) == 1 and not token.isascii() else None
        token = found.token if isinstance(found, Symbol) else {"\\lt": "<", "\\gt": ">"}.get(token, token)
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

    def length(self) -> Space:
        r"""The width of ``\hspace{…}`` or ``\mkern…``."""
        self.accept("*")
        braced = self.peek() == "{"
        source = self.raw_group() if braced else self.source[self.at:]
        found = LENGTH.fullmatch(source) if braced else LENGTH.match(source)
        if not found:
            raise MathsError(f"{source} is not a width; valid units: em, ex, mu, pt, mm, cm, in")
        self.at += 0 if braced else found.end()
        number, unit = float(found["number"]), found["unit"]
        if unit in POINTS:
            return Space(number * POINTS[unit], "pt")
        return Space(number * EM[unit]) if unit in EM else Space(number, unit)

    def rule(self) -> Node:
        r"""``\rule[raise]{width}{height}``."""
        by = self.optional()
        return Rule(self.length(), self.length(), Parser(by).length() if by else Space(0))

    def raised(self) -> Node:
        r"""``\raisebox{by}{text}``."""
        by = self.length()
        return Raised(self.text(self.raw_group(), "text"), by)

    def smash(self) -> Node:
        r"""``\smash[b]{…}``, whose height does not count."""
        self.optional()
        return Styled("smash", self.argument())

    def genfrac(self) -> Node:
        r"""``\genfrac{left}{right}{thickness}{style}{above}{below}``."""
        opening, closing = self.own_delimiter(), self.own_delimiter()
        thick, style = self.raw_argument().strip(), self.raw_argument().strip()
        found = LENGTH.fullmatch(thick)
        if (thick and not found) or style not in ("", "0", "1", "2", "3"):
            raise MathsError(f"\\genfrac takes a thickness and a style from 0 to 3, not {thick!r} and {style!r}")
        has_bar = not found or float(found["number"]) > 0
        return Stack(opening, closing, has_bar, STYLES[int(style)] if style else "", self.argument(), self.argument())

    def own_delimiter(self) -> str:
        r"""A delimiter of ``\genfrac``, or none."""
        raw = self.raw_argument().strip()
        return Parser(raw).delimiter() if raw and raw != "." else ""

    def choice(self) -> Node:
        r"""``\mathchoice``: the one of its four that stands in a line of text."""
        return [self.argument() for _ in range(4)][1]

    def code_point(self) -> Node:
        r"""``\char"263a``, ``\char98``, ``\unicode{x263a}``."""
        raw = self.raw_group() if self.peek() == "{" else self.up_to_blank()
        digits = CODE_POINT.fullmatch(raw)
        if not digits:
            raise MathsError(f"{raw!r} is no character's number")
        if digits["char"]:
            return self.character(digits["char"])
        number = int(raw.lstrip("\"x'"), 16 if digits["hex"] else 8 if digits["octal"] else 10)
        return Symbol(chr(number)) if number < 0x110000 else self.character("")

    def up_to_blank(self) -> str:
        """The source up to a blank or the end of a group."""
        found = re.compile(r"[^\s{}&]*").match(self.source, self.at)
        self.at = found.end() if found else self.at
        return found[0] if found else ""

    def colour(self) -> str:
        """A colour's name or numbers as hexadecimal digits."""
        model = self.optional()
        return hexadecimal(self.raw_group(), model or "")

    def text_colour(self) -> Node:
        r"""``\textcolor{red}{…}``."""
        return Coloured(ink=self.colour(), body=self.argument())

    def colour_box(self) -> Node:
        r"""``\colorbox{red}{text}``."""
        return Coloured(ground=self.colour(), body=self.text(self.raw_group(), "text"))

    def framed_box(self) -> Node:
        r"""``\fcolorbox{frame}{ground}{text}``."""
        return Coloured(frame=self.colour(), ground=self.colour(), body=self.text(self.raw_group(), "text"))

    def frame(self) -> Node:
        r"""``\fbox{text}``."""
        return Styled("fbox", self.text(self.raw_group(), "text"))

    def quantity(self) -> Node:
        r"""``\SI{5}{\metre}`` and ``\qty{5}{\metre}``."""
        self.optional()
        number, unit = self.raw_group(), self.raw_group()
        return self.part(units.number(number) + r"\," + units.unit(unit))

    def unit(self) -> Node:
        r"""``\si{\metre\per\second}`` and ``\unit{…}``."""
        self.optional()
        return self.part(units.unit(self.raw_group()))

    def number(self) -> Node:
        r"""``\num{1.5e3}``."""
        self.optional()
        return self.part(units.number(self.raw_group()))

    def angle(self) -> Node:
        r"""``\ang{30}``."""
        self.optional()
        return self.part(units.number(self.raw_group()) + r"^\circ")

    # -- environments ------------------------------------------------------------------------------------------
    def substack(self) -> Node:
        r"""Lines under a large operator."""
        return self.stacked(Parser(self.raw_group() + "\\end{substack}").rows("substack")[0])

    def stacked(self, lines: Sequence[Line]) -> Table:
        """Lines of one cell each."""
        if any(len(line.cells) > 1 for line in lines):
            raise MathsError(MISPLACED["&"])
        return Table("substack", tuple(lines))

    def environment(self) -> Node:
        r"""``\begin{…} … \end{…}`` inside a formula."""
        name = self.raw_group()
        if name in ARRAYS:
            return self.array(name)
        if name in CASES:
            return Table(name, self.rows(name)[0])
        if name.rstrip("*") in MATRICES:
            columns = (self.optional() or "c") if name.endswith("*") else ""
            lines, rules = self.rows(name)
            return Table(name.rstrip("*"), lines, columns, tuple(dict.fromkeys(rules)))
        if name.rstrip("*") in WRAPPERS:
            return self.wrapped(name)
        if name.rstrip("*") in ALIGNMENTS:
            return self.alignment(name)
        raise MathsError(f"the environment {name!r} is not known{advice(name, ENVIRONMENTS)}")

    def wrapped(self, name: str) -> Node:
        r"""``\begin{equation}`` inside a formula, which says no more than the formula itself."""
        body = self.sequence("\\end")
        self.take()
        if (closed := self.raw_group()) != name:
            raise MathsError(f"\\begin{{{name}}} is closed by \\end{{{closed}}}")
        return body

    def array(self, name: str) -> Node:
        """An array with its columns' alignment and its rules."""
        self.optional()
        columns = _columns(self.raw_group())
        lines, rules = self.rows(name)
        if name == "subarray":
            return self.stacked(lines)
        if any(len(line.cells) > len(columns.replace("|", "")) for line in lines):
            raise MathsError(f"a row of the array has more cells than its columns {columns}")
        return Table(name, lines, columns, tuple(dict.fromkeys(rules)))

    def alignment(self, name: str, *, by_line: bool = False) -> Table:
        """The lines of an alignment, whose labels and tags belong to them or to the whole formula."""
        if name.startswith(("aligned", "gathered")):
            self.optional()
        if name.startswith(("alignat", "alignedat")):
            self.raw_group()
        whole, self.marks = self.marks, [] if by_line else self.marks
        lines, _ = self.rows(name, by_line=by_line)
        if name.rstrip("*") == "eqnarray":
            lines = tuple(replace(line, cells=_two_of_three(line.cells)) for line in lines)
        if by_line and len(lines) == 1:
            whole, lines = self.marks, (replace(lines[0], marks=Marks()),)
        self.marks = whole
        return Table(name, lines)

    def rows(self, name: str, *, by_line: bool = False) -> tuple[tuple[Line, ...], tuple[int, ...]]:
        r"""The lines of an environment up to its ``\end``, and the lines before which a rule stands."""
        lines: list[Line] = []
        rules: list[int] = []
        token = "\\\\"
        while token in ROW_ENDS:
            gap = ROW_GAP.match(self.source, self.at) if lines else None
            self.at = gap.end() if gap else self.at
            while self.accept("\\hline", "\\hdashline"):
                rules.append(len(lines))
            line, token = self.line(by_line=by_line)
            lines.append(line)
        if not token:
            raise MathsError(TOO_EARLY)
        if (closed := self.raw_group()) != name:
            raise MathsError(f"\\begin{{{name}}} is closed by \\end{{{closed}}}")
        return tuple(lines[:-1] if lines[-1] == Line((Row(),)) else lines), tuple(rules)

    def line(self, *, by_line: bool, end: str = "\\end") -> tuple[Line, str]:
        """One line with what belongs to it, and the token that ends it."""
        lead = self.text(self.raw_group(), "text") if by_line and self.accept(*INTERTEXT) else None
        before, cells, token = self.marks, list[Row](), "&"
        self.marks = [] if by_line else before
        while token == "&":
            cells.append(self.sequence("&", *ROW_ENDS, end))
            token = self.take()
        marks = marks_of(self.marks or []) if by_line else Marks()
        self.marks = [*(before or []), *(self.marks or [])] if by_line else before
        return Line(tuple(cells), marks, lead), token


def marks_of(found: Sequence[tuple[str, str]]) -> Marks:
    """The one label and the one tag among what was read."""
    labels = [text for kind, text in found if kind == "label"]
    tags = [(kind, text) for kind, text in found if kind != "label"]
    for texts in (labels, [text for _, text in tags]):
        if len(texts) > 1:
            raise MathsError(f"two of {', '.join(texts)}; a formula, or a line of an align, takes one")
    tag = Parser("").text(tags[0][1].strip("() "), "text") if tags else None
    return Marks(labels[0] if labels else None, tag, bare=bool(tags) and tags[0][0] == "tag*")


def _columns(source: str) -> str:
    """An array's columns: l, c and r, and | where rules stand between them."""
    while found := REPEATED.search(source):
        source = source[:found.start()] + found[2] * int(found[1]) + source[found.end():]
    columns = source.replace(" ", "")
    tokens = COLUMN_TOKEN.findall(columns)
    if "".join(tokens) != columns:
        raise MathsError(f"array columns {columns} are not understood; valid: c, l, r, and | between them")
    kept = "".join("l" if token[0] in "pmb" else "|" if token == ":" else token for token in tokens
                   if token[0] not in "@!><")
    return re.sub(r"\|+", "|", kept)


def _two_of_three(cells: Sequence[Row]) -> tuple[Row, ...]:
    """The cells of an eqnarray's line as an alignment's: the sign in the middle begins the right one."""
    return (cells[0], Row(tuple(item for cell in cells[1:] for item in cell.items))) if len(cells) > 2 else tuple(cells)


INTERTEXT = ("\\intertext", "\\shortintertext")
HANDLERS: Mapping[str, Callable[[Parser], Node]] = {
    "left": Parser.left_right, "middle": Parser.middle, "operatorname": Parser.operator_name,
    "mathop": Parser.operator, "sqrt": Parser.root, "not": Parser.negation, "dots": Parser.dots,
    "hspace": Parser.length, "mspace": Parser.length, "mkern": Parser.length, "kern": Parser.length,
    "hskip": Parser.length, "mskip": Parser.length, "substack": Parser.substack, "begin": Parser.environment,
    "genfrac": Parser.genfrac, "mathchoice": Parser.choice, "verb": Parser.verbatim, "char": Parser.code_point,
    "unicode": Parser.code_point, "rule": Parser.rule, "raisebox": Parser.raised, "smash": Parser.smash,
    "textcolor": Parser.text_colour, "colorbox": Parser.colour_box, "fcolorbox": Parser.framed_box,
    "fbox": Parser.frame, "SI": Parser.quantity, "qty": Parser.quantity, "si": Parser.unit, "unit": Parser.unit,
    "num": Parser.number, "ang": Parser.angle,
}
ENVIRONMENTS = frozenset({*ALIGNMENTS, *CASES, *MATRICES, *WRAPPERS, *ARRAYS})
KNOWN = frozenset({
    *SYMBOLS, *SPECIAL, *OPERATORS, *LIMIT_OPERATORS, *UNARY, *TWO_ARGUMENTS, *WORD_FONTS, *TEXT_FONTS, *BRACES,
    *LONG_ARROWS, *HANDLERS, *SWITCHES, *INFIX, "color",
})
