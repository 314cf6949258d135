"""Markdown patterns, each once: labels, references, footnotes, and the parts of a text that are no prose.

``blanked(NOT_PROSE, text)`` leaves the prose of a text at its place: what matches becomes spaces, line breaks stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gozaresh.common.errors import nearest

KINDS = ("fig", "tbl", "eq", "sec", "lst")  # the first part of a label
PREFIX = rf"(?:{'|'.join(KINDS)})-"
LABEL = re.compile(rf"{PREFIX}[A-Za-z0-9][\w-]*")  # a whole label, as an author may write it
MENTIONED = re.compile(rf"\b{PREFIX}[\w-]*\w")
DEFINED = re.compile(rf"\{{#({PREFIX}[\w-]+)|\\label\{{(eq-[\w-]+)\}}")
EQUATION = re.compile(r"(?:\{#|\\label\{)(eq-[\w-]+)\}")
EQUATION_LABEL = re.compile(r"^\{#(eq-[\w-]+)\}(.*)$")  # a word of a paragraph that begins with an equation's label
REFERENCE = re.compile(r"(?<![\w.@/])@([A-Za-z][\w:-]*[A-Za-z0-9]|[A-Za-z])", re.ASCII)
FOOTNOTE = re.compile(r"^ {0,3}\[\^([^\]\s]+)\]:", re.M)

_FENCE = r"(?P<fence>`{3,}).*?(?P=fence)"
_CODE = rf"{_FENCE}|`[^`\n]*`"
_FORMULA = r"\$\$.*?\$\$|\$[^$\n]*\$"
_ADDRESS = r"https?://\S+|<[^>\s]+@[^>\s]+>"
FENCED = re.compile(_FENCE, re.S)
CODE = re.compile(_CODE, re.S)
NOT_PROSE = re.compile(rf"{_CODE}|{_FORMULA}|{_ADDRESS}", re.S)
REFERRED = re.compile(rf"{_CODE}|{_FORMULA}|\\.|{FOOTNOTE.pattern}|\[\^(?P<name>[^\]\s]+)\]", re.S | re.M)


def is_crossref(key: str) -> bool:
    """Test if the key of a reference names a part of the report; any other key names a source of the bibliography.

    >>> is_crossref("fig-loss"), is_crossref("kingma2014")
    (True, False)
    """
    return key.partition("-")[0] in KINDS and "-" in key


def defined(text: str) -> set[str]:
    """The names of the footnotes that a text writes."""
    return set(FOOTNOTE.findall(text))


def undefined(text: str, names: Iterable[str]) -> Iterator[tuple[int, str]]:
    """References to footnotes that are none of ``names``: index and message.

    >>> list(undefined("متن[^a] و `[^b]`", {"ab"}))
    [(3, "no footnote 'a'; nearest: ab")]
    """
    known = set(names)
    for found in REFERRED.finditer(text):
        name = found["name"]
        if name and name not in known:
            yield found.start(), f"no footnote {name!r}; {nearest(name, known)}"


def blanked(pattern: re.Pattern[str], text: str) -> str:
    """``text`` with spaces where ``pattern`` matches, its line breaks kept."""
    return pattern.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
