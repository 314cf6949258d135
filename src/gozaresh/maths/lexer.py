"""A cursor over the source of one formula: tokens, groups in braces, options in brackets."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gozaresh.common.errors import MathsError

PERSIAN_NUMBER = re.compile(r"[۰-۹]+(?:[٫٬.][۰-۹]+)*٪?")
ARABIC_LETTER = re.compile(r"[\u0620-\u064a\u066e-\u06d3\u06d5\u06fa-\u06ff\ufb50-\ufdff\ufe70-\ufefc]")
VOWELS = "\u064b-\u065f\u0670"
WORDS = rf"{ARABIC_LETTER.pattern}(?:[ {VOWELS}\u200c]*{ARABIC_LETTER.pattern}|[{VOWELS}])*"
PERSIAN_WORDS = re.compile(rf"«?{WORDS}»?|«{WORDS}»")
UNSEEN = "\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff"  # direction, width and variation
TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[0-9]+(?:\.[0-9]+)?|"
                   f"{PERSIAN_NUMBER.pattern}|{PERSIAN_WORDS.pattern}|.", re.S)
BLANK = re.compile(rf"(?:[\s{UNSEEN}]|%[^\n]*(?:\n|$))*")
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

    def immediate(self) -> str:
        """The very next character, be it a blank."""
        self.at += 1
        if self.at > len(self.source):
            raise MathsError(TOO_EARLY)
        return self.source[self.at - 1]

    def raw_argument(self) -> str:
        """The source of the next argument, a group or a single token."""
        return self.raw_group() if self.peek() == "{" else self.take()

    def up_to(self, end: str) -> str:
        """The source up to a character, which is read too."""
        stop = self.source.find(end, self.at)
        if stop < 0:
            raise MathsError(f"{end!r} is missing")
        start, self.at = self.at, stop + len(end)
        return self.source[start:stop]
