"""Entries of .bib files, read by pandoc, as far as the finished bibliography must show them: key, title and year."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gozaresh.common.digests import digest
from gozaresh.common.errors import Place, SettingsError, TypesetError, one_line
from gozaresh.common.store import Store
from gozaresh.common.text import read_text
from gozaresh.export.pandoc import pandoc

TAG = re.compile(r"</?(?:i|b|sub|sup|span)\b[^>]*>")
POSITION = re.compile(r"\(line (\d+), column \d+\):?")


@dataclass(frozen=True)
class Entry:
    """A source; ``words`` are those of its title and its year, in lower case, that a list of references must show."""

    key: str
    words: tuple[str, ...]


def read_bibliography(paths: Iterable[Path], root: Path = Path(), store: Store | None = None) -> Mapping[str, Entry]:
    """The entries of some files by their keys; files are named in messages as seen from ``root``.

    Raises:
        SettingsError: a file cannot be read, or is not BibTeX; with its line.
    """
    return {entry.key: entry for path in paths for entry in _read(path, root, store or Store())}


def _read(path: Path, root: Path, store: Store) -> tuple[Entry, ...]:
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    text = read_text(path, name, SettingsError)
    return store.get(digest("bibliography", text), lambda: _entries(text, name), tuple[Entry, ...])


def _entries(text: str, name: str) -> tuple[Entry, ...]:
    try:
        found = json.loads(pandoc(text, "-f", "biblatex", "-t", "csljson"))
    except TypesetError as error:
        position = POSITION.search(error.text)
        told = one_line(POSITION.sub("", error.text.removeprefix("pandoc: Error at ")))
        last = max(1, len(text.splitlines()))  # where something is not closed, pandoc names a line behind the file
        place = Place(name, min(int(position[1]), last)) if position else Place(name)
        raise SettingsError(f"not BibTeX: {told}", place) from None
    return tuple(Entry(str(entry["id"]), tuple(_words(entry))) for entry in found)


def _words(entry: Mapping[str, Any]) -> Iterable[str]:
    """The words that are set as they are written; a part with maths is not."""
    title = TAG.sub("", str(entry.get("title", "")))
    dates = entry.get("issued", {}).get("date-parts", [])
    parts = [part for part in title.split() if "$" not in part and "\\" not in part]
    return [word for part in (*parts, *(str(date[0]) for date in dates[:1])) for word in plain_words(part)]


def plain_words(text: str) -> list[str]:
    """The words of a text in lower case, letters and digits alone; Persian digits are as good as Latin ones.

    >>> plain_words("Auto-Encoding Variational {Bayes}, ۲۰۱۴")
    ['auto', 'encoding', 'variational', 'bayes', '2014']
    """
    latin = "".join(str(int(letter)) if letter.isdecimal() else letter for letter in text)
    return re.findall(r"[^\W_]+", latin.replace("{", "").replace("}", "").casefold())
