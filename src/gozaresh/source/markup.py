"""Patterns of labels, references, footnotes and of what is no prose, in Markdown source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gozaresh.common.errors import nearest

NOT_TEXT = r"(`{3,}).*?\1|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$|\\."
DEFINED = re.compile(r"\{#((?:fig|tbl|eq|sec|lst)-[\w-]+)|\\label\{((?:eq)-[\w-]+)\}")
REFERENCE = re.compile(r"(?<![\w.@/])@([A-Za-z][\w:-]*[A-Za-z0-9]|[A-Za-z])", re.ASCII)
NOT_PROSE = re.compile(r"```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$|https?://\S+|<[^>\s]+@[^>\s]+>", re.S)
FENCED = re.compile(r"```.*?```", re.S)
FOOTNOTE = re.compile(r"^ {0,3}\[\^([^\]\s]+)\]:", re.M)
REFERRED = re.compile(rf"{NOT_TEXT}|{FOOTNOTE.pattern}|\[\^(?P<name>[^\]\s]+)\]", re.S | re.M)


def defined(text: str) -> set[str]:
    """The names of the footnotes that a text writes."""
    return set(FOOTNOTE.findall(text))


def undefined(text: str, names: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Where a text refers to a footnote that is none of ``names``, and what is wrong there.

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
