"""Read TOML, and find the line on which a key stands."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gozaresh.common.errors import Place, SettingsError
from gozaresh.common.text import read_text

AT_LINE = re.compile(r"at line (\d+)")
HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
KEY = re.compile(r"""^\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=""")
PART = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([\w-]+))\s*""")


@dataclass(frozen=True)
class Toml:
    """A TOML file: its name in messages, its text and its data."""

    name: str
    text: str
    data: dict[str, object]

    def place(self, where: Sequence[str | int], value: object = None) -> Place:
        """The line of a key, given by its path through tables and lists; of the nearest table around it, else.

        ``value`` is one of a list's texts; its own line is found where it has one.
        """
        return Place(self.name, line_of(self.text, where, value))


def read_toml(file: Path, name: str) -> Toml:
    """Read a TOML file, which is called ``name`` in messages.

    Raises:
        SettingsError: it cannot be read, is not UTF-8 or not TOML; the message has file and line.
    """
    text = read_text(file, name, SettingsError)
    try:
        return Toml(name, text, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        found = AT_LINE.search(str(error))
        line = int(found[1]) if found else max(1, len(text.splitlines()))
        raise SettingsError(f"not valid TOML: {error}", Place(name, line)) from None
    except RecursionError:
        raise SettingsError("lists or tables are nested too deeply", Place(name)) from None


def line_of(text: str, where: Sequence[str | int], value: object = None) -> int:
    """The 1-based line of the key at ``where``; 0 where no part of the path is written.

    >>> line_of('a = 1\\n[[q]]\\nid = 2\\n[[q]]\\nid = 3', ("q", 1, "id"))
    5
    """
    table: tuple[str | int, ...] = ()
    counts: dict[tuple[str, ...], int] = {}
    best, line = 0, 0
    for number, written in enumerate(text.split("\n"), 1):
        header, key = HEADER.match(written), KEY.match(written)
        if header:
            names = _parts(header[2])
            counts[names] = counts.get(names, -1) + 1
            table = (*names, counts[names]) if header[1] == "[[" else names
            here = table
        elif key:
            here = (*table, *_parts(key[1]))
        else:
            continue
        if len(here) > best and tuple(where[:len(here)]) == here:
            best, line = len(here), number
    return _line_of_item(text, line, value) if isinstance(value, str) and line else line


def _line_of_item(text: str, line: int, value: str) -> int:
    """The line of one text of a list that begins on ``line``."""
    for number, written in enumerate(text.split("\n")[line - 1:], line):
        if number > line and (HEADER.match(written) or KEY.match(written)):
            break
        if f'"{value}"' in written or f"'{value}'" in written:
            return number
    return line


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(next(part for part in found.groups() if part is not None) for found in PART.finditer(dotted))
