"""The entries of .bib files, as far as the finished bibliography must show them: key, title and year."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gozaresh.common.errors import SettingsError
from gozaresh.common.text import read_text

HEAD = re.compile(r"^\s*@(\w+)\s*\{\s*([^,\s]+)\s*,", re.M)
FIELD = re.compile(r"([\w-]+)\s*=\s*(?=[{\"\w])")
NO_ENTRY = {"comment", "preamble", "string"}
COMMAND = re.compile(r"\\[A-Za-z]+|\\.|\$[^$]*\$")  # accents and maths are set as other characters


@dataclass(frozen=True)
class Entry:
    """A source; ``words`` are those of its title and its year, in lower case, that a list of references must show."""

    key: str
    words: tuple[str, ...]


def read_bibliography(paths: Iterable[Path]) -> Mapping[str, Entry]:
    """The entries of some files by their keys."""
    return {entry.key: entry for path in paths for entry in _entries(read_text(path, path.name, SettingsError))}


def plain_words(text: str) -> list[str]:
    """The words of a text in lower case, letters and digits alone; Persian digits are as good as Latin ones.

    >>> plain_words("Auto-Encoding Variational {Bayes}, ۲۰۱۴")
    ['auto', 'encoding', 'variational', 'bayes', '2014']
    """
    latin = "".join(str(int(letter)) if letter.isdecimal() else letter for letter in text)
    return re.findall(r"[^\W_]+", latin.replace("{", "").replace("}", "").casefold())


def _entries(text: str) -> Iterator[Entry]:
    heads = [head for head in HEAD.finditer(text) if head[1].lower() not in NO_ENTRY]
    for head, after in zip(heads, [*heads[1:], None][: len(heads)], strict=True):
        body = text[head.end():after.start() if after else len(text)]
        fields = dict(_fields(body))
        shown = f"{fields.get('title', '')} {fields.get('year') or fields.get('date', '')[:4]}"
        words = [word for part in shown.split() if not COMMAND.search(part) for word in plain_words(part)]
        yield Entry(head[2], tuple(words))


def _fields(body: str) -> Iterator[tuple[str, str]]:
    """Names, in lower case, and values of an entry's fields, braces inside a value kept."""
    at = 0
    while found := FIELD.search(body, at):
        value, at = _value(body, found.end())
        yield found[1].lower(), value


def _value(body: str, start: int) -> tuple[str, int]:
    """The value that begins at ``start``, and where it ends."""
    if body[start] not in '{"':
        end = re.compile(r"[,}\s]|$").search(body, start)
        assert end is not None
        return body[start:end.start()], end.start()
    depth, close = 0, "}" if body[start] == "{" else '"'
    for at in range(start, len(body)):
        depth += {"{": 1, "}": -1}.get(body[at], 0)
        if at > start and depth == 0 and body[at] == close:
            return body[start + 1:at], at + 1
    return body[start + 1:], len(body)
