r"""Definitions inside a formula (``\newcommand``, ``\def``, ``\let`` …) and LaTeX's own abbreviations, written out.

A formula is read once, from left to right: a definition is taken out and noted, a defined command replaced by its
body.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from gozaresh.common.errors import MathsError

DEFINITION = re.compile(
    r"(?:\\(?:long|global|outer|protected)\s*)*"
    r"\\(?P<kind>newcommand|renewcommand|providecommand|DeclareMathOperator|[gex]?def)(?![A-Za-z])(?P<star>\*?)\s*"
    r"(?:\{\s*\\(?P<braced>[A-Za-z]+|.)\s*\}|\\(?P<bare>[A-Za-z]+|.))\s*"
    r"(?:\[(?P<count>[1-9])\]\s*(?:\[(?P<default>[^]]*)\])?)?(?P<slots>(?:#[1-9])*)\s*(?=\{)")
LET = re.compile(r"(?:\\(?:long|global)\s*)*\\let\s*\\(?P<name>[A-Za-z]+)\s*=?\s?(?P<body>\\(?:[A-Za-z]+|.)|[^\s])\s*")
COMMAND = re.compile(r"\\(?P<name>[A-Za-z]+|.)\s*|%[^\n]*", re.S)
BRACE = re.compile(r"\\.|[{}]", re.S)
SLOT = re.compile(r"#([1-9])")
MOST_EXPANSIONS = 1000  # a macro that calls itself would never end


@dataclass(frozen=True)
class Macro:
    """A command's body with its slots ``#1`` … and how many arguments fill them; the first may have a default."""

    body: str
    arguments: int = 0
    default: str | None = None


def _colons(text: str) -> dict[str, Macro]:
    """Relations that are made of a colon and another sign."""
    words = text.split()
    return {name: Macro(rf"\mathrel{{{signs}}}") for name, signs in zip(words[::2], words[1::2], strict=True)}


STANDARD = {
    "R": Macro(r"\mathbb{R}"), "N": Macro(r"\mathbb{N}"), "Z": Macro(r"\mathbb{Z}"), "Q": Macro(r"\mathbb{Q}"),
    "C": Macro(r"\mathbb{C}"), "Reals": Macro(r"\mathbb{R}"), "reals": Macro(r"\mathbb{R}"),
    "natnums": Macro(r"\mathbb{N}"), "cnums": Macro(r"\mathbb{C}"), "Complex": Macro(r"\mathbb{C}"),
    "Bbbk": Macro(r"\mathbb{k}"), "angln": Macro(r"{\angl n}"), "TeX": Macro(r"\mathrm{TeX}"),
    "LaTeX": Macro(r"\mathrm{LaTeX}"), "KaTeX": Macro(r"\mathrm{KaTeX}"), "Dagger": Macro(r"\ddagger"),
    "begingroup": Macro("{"), "endgroup": Macro("}"), "bgroup": Macro("{"), "egroup": Macro("}"),
    "bra": Macro(r"\mathinner{\langle{#1}|}", 1), "ket": Macro(r"\mathinner{|{#1}\rangle}", 1),
    "braket": Macro(r"\mathinner{\langle{#1}\rangle}", 1), "set": Macro(r"\mathinner{\{{#1}\}}", 1),
    "Bra": Macro(r"\left\langle #1\right|", 1), "Ket": Macro(r"\left|#1\right\rangle", 1),
    "Braket": Macro(r"\left\langle #1\right\rangle", 1), "Set": Macro(r"\left\{#1\right\}", 1),
    "abs": Macro(r"\left|#1\right|", 1), "norm": Macro(r"\left\|#1\right\|", 1), "dd": Macro(r"\mathrm{d}#1", 1),
    "dv": Macro(r"\frac{\mathrm{d}#1}{\mathrm{d}#2}", 2), "pdv": Macro(r"\frac{\partial #1}{\partial #2}", 2),
    "nleqq": Macro(r"\not\leqq "), "ngeqq": Macro(r"\not\geqq "), "nleqslant": Macro(r"\not\leqslant "),
    "ngeqslant": Macro(r"\not\geqslant "), "nsubseteqq": Macro(r"\not\subseteqq "),
    "nsupseteqq": Macro(r"\not\supseteqq "), "ratio": Macro(r"\mathrel{:}"), "vcentcolon": Macro(r"\mathrel{:}"),
    "operatornamewithlimits": Macro(r"\operatorname*{#1}", 1), "bfseries": Macro(r"\bf "), "itshape": Macro(r"\it "),
    "varliminf": Macro(r"\operatorname*{\underline{\mathrm{lim}}}"),
    "varlimsup": Macro(r"\operatorname*{\overline{\mathrm{lim}}}"),
    "varinjlim": Macro(r"\operatorname*{\underrightarrow{\mathrm{lim}}}"),
    "varprojlim": Macro(r"\operatorname*{\underleftarrow{\mathrm{lim}}}"),
} | _colons(r"""
    approxcolon \approx: approxcoloncolon \approx∷ colonapprox :\approx Colonapprox ∷\approx coloncolonapprox ∷\approx
    simcolon \sim: simcoloncolon \sim∷ colonsim :\sim Colonsim ∷\sim coloncolonsim ∷\sim minuscolon -:
    minuscoloncolon -∷ colonminus :- coloncolonminus ∷- equalscoloncolon =∷ Eqqcolon =∷ Eqcolon =∷
""")


def expand(tex: str, standard: bool = True) -> str:
    r"""Read a formula's definitions and replace their commands, and LaTeX's abbreviations, in what follows.

    >>> expand(r"\newcommand{\E}[1]{\mathbb{E}[#1]} \E{x} = 0")
    '\\mathbb{E}[x] = 0'

    Raises:
        MathsError: an argument is missing, or a command's definition calls itself.
    """
    return _Expansion(tex, dict(STANDARD) if standard else {}).whole()


@dataclass
class _Expansion:
    """A formula while its commands are written out; ``at`` is how far."""

    tex: str
    macros: dict[str, Macro]
    at: int = 0
    left: int = field(default=MOST_EXPANSIONS)

    def whole(self) -> str:
        while found := COMMAND.search(self.tex, self.at):
            if definition := DEFINITION.match(self.tex, found.start()):
                self._define(definition)
            elif let := LET.match(self.tex, found.start()):
                self.macros[let["name"]] = self.macros.get(let["body"][1:], Macro(let["body"]))
                self._put("", let.start(), let.end())
            elif found["name"] in self.macros:
                self._replace(found, self.macros[found["name"]])
            else:
                self.at = found.start() + len(found[0].rstrip()) if found["name"] else found.end()
        return self.tex

    def _put(self, text: str, start: int, end: int) -> None:
        self.tex, self.at = self.tex[:start] + text + self.tex[end:], start

    def _define(self, found: re.Match[str]) -> None:
        body, end = _group(self.tex, found.end())
        name, kind = found["braced"] or found["bare"], found["kind"]
        if kind in ("edef", "xdef"):
            body = _Expansion(body, self.macros).whole()
        if kind != "providecommand" or name not in self.macros:
            self.macros[name] = _macro(found, body)
        self._put("", found.start(), end + len(self.tex[end:]) - len(self.tex[end:].lstrip()))

    def _replace(self, found: re.Match[str], macro: Macro) -> None:
        if not self.left:
            raise MathsError("a command's definition calls itself")
        self.left -= 1
        given, end = self._arguments(macro, found.end())
        body = SLOT.sub(lambda slot: _filled(slot, given), macro.body)
        gap = " " if re.search(r"\\[A-Za-z]+$", body) and self.tex[end:end + 1].isalpha() else ""
        self._put(body + gap, found.start(), end)

    def _arguments(self, macro: Macro, end: int) -> tuple[list[str], int]:
        """The arguments that follow a command, and where the last ends."""
        given: list[str] = []
        if macro.default is not None:
            own = re.compile(r"\[([^]]*)\]").match(self.tex, end)
            given, end = [own[1] if own else macro.default], own.end() if own else end
        while len(given) < macro.arguments:
            argument, end = _argument(self.tex, end)
            given.append(argument)
        return given, end


def _macro(found: re.Match[str], body: str) -> Macro:
    """What one definition says."""
    if found["kind"] == "DeclareMathOperator":
        return Macro(rf"\operatorname{found['star']}{{{body}}}")
    return Macro(body, int(found["count"] or found["slots"].count("#")), found["default"])


def _filled(slot: re.Match[str], given: list[str]) -> str:
    """The argument that a slot stands for."""
    if int(slot[1]) > len(given):
        raise MathsError(f"a definition uses {slot[0]} but takes {len(given)} arguments")
    return given[int(slot[1]) - 1]


def _argument(tex: str, at: int) -> tuple[str, int]:
    """One argument, a group or a single token, and where it ends."""
    found = re.compile(r"\s*(\{|\\[A-Za-z]+|\\.|[^\s}])").match(tex, at)
    if not found:
        raise MathsError("an argument of an own command is missing")
    return _group(tex, found.end() - 1) if found[1] == "{" else (found[1], found.end())


def _group(tex: str, at: int) -> tuple[str, int]:
    """What the braces that open at a place hold, and where they end."""
    depth = 0
    for match in BRACE.finditer(tex, at):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if not depth:
            return tex[at + 1:match.start()], match.end()
    raise MathsError("it ends too early: a brace is not closed")
