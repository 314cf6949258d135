"""A cursor over the source of one formula: tokens, groups in braces, options in brackets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gozaresh.common.errors import MathsError

PERSIAN_NUMBER = re.compile(r"[۰-۹]+(?:[٫٬.][۰-۹]+)*٪?")
TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[0-9]+(?:\.[0-9]+)?|" + PERSIAN_NUMBER.pattern + "|.", re.S)
BLANK = re.compile(r"(?:\s|%[^\n]*(?:\n|$))*")
BRACE_TOKEN = re.compile(r"\\.|[{}]", re.S)
OPTION_TOKEN = re.compile(r"\\.|[]{}]", re.S)
TOO_EARLY = "it ends too early"


@dataclass
class Cursor:
    """A cursor over one formula; each method reads what comes next."""

    source: str
    at: int = 0

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
        """The source inside the next pair of braces, unread."""
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
        start, depth = self.at, 0
        for match in OPTION_TOKEN.finditer(self.source, start):
            depth += {"{": 1, "}": -1}.get(match[0], 0)
            if match[0] == "]" and not depth:
                self.at = match.end()
                return self.source[start:match.start()]
        raise MathsError("[ is not closed")

DEFINITION = re.compile(
    r"\s*\\(?P<kind>newcommand|renewcommand|providecommand|def|DeclareMathOperator)(?P<star>\*?)\s*"
    r"\{?\s*\\(?P<name>[A-Za-z]+)\s*\}?\s*(?:\[(?P<count>[1-9])\])?(?P<slots>(?:#[1-9])*)\s*(?=\{)")
BRACE = re.compile(r"\\.|[{}]", re.S)
SLOT = re.compile(r"#([1-9])")
MOST_EXPANSIONS = 1000  # a macro that calls itself would never end


@dataclass(frozen=True)
class Macro:
    """A command's body with its slots ``#1`` … and how many arguments fill them."""

    body: str
    arguments: int


def expand(tex: str) -> str:
    r"""Read the definitions at a formula's head and replace their commands in the rest.

    >>> expand(r"\newcommand{\E}[1]{\mathbb{E}[#1]} \E{x} = 0")
    '\\mathbb{E}[x] = 0'

    Raises:
        MathsError: an argument is missing, or a command's definition calls itself.
    """
    macros, at = dict[str, Macro](), 0
    while found := DEFINITION.match(tex, at):
        body, at = _group(tex, found.end())
        macros[found["name"]] = _macro(found, body)
    return _replaced(tex[at:].lstrip(), macros) if macros else tex


def _macro(found: re.Match[str], body: str) -> Macro:
    """What one definition says."""
    if found["kind"] == "DeclareMathOperator":
        return Macro(rf"\operatorname{found['star']}{{{body}}}", 0)
    return Macro(body, int(found["count"] or found["slots"].count("#")))


def _replaced(tex: str, macros: Mapping[str, Macro]) -> str:
    """Replace the commands from left to right until none is left."""
    command = re.compile(r"\\(" + "|".join(sorted(macros)) + r")(?![A-Za-z])\s*")
    for _ in range(MOST_EXPANSIONS):
        found = command.search(tex)
        if not found:
            return tex
        macro, end, given = macros[found[1]], found.end(), list[str]()
        for _ in range(macro.arguments):
            argument, end = _argument(tex, end)
            given.append(argument)
        body = SLOT.sub(lambda slot, given=given: _filled(slot, given), macro.body)  # type: ignore[misc]
        gap = " " if re.search(r"\\[A-Za-z]+$", body) and tex[end:end + 1].isalpha() else ""
        tex = tex[:found.start()] + body + gap + tex[end:]
    raise MathsError("a command's definition calls itself")


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
