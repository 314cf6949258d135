"""Brings errors of the writer and of Typst, which know only what they were given, home to the chapter's own line.

This runs only after a failure. The writer is given one block after the other; what Typst complains of stands below the
comment that names its cell (see :func:`gozaresh.export.reading.Reading`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gozaresh.common.errors import GozareshError, MathsError, Place, SourceError, TypesetError
from gozaresh.export.pandoc import Node
from gozaresh.export.reading import MARK, Part, Reading
from gozaresh.export.typst_writer import write
from gozaresh.source.markup import MENTIONED

WHERE = re.compile(r"┌─ (?P<file>[^\s:]+):(?P<line>[0-9]+):(?P<column>[0-9]+)")
UNDER = re.compile(r'"[^"]*"|[\w-]+|.')
COMPUTED = re.compile(r"([^:]+): computed text refers to '([^']+)'")


# --- the writer -------------------------------------------------------------------------------------------------------
def locate_writer_error(error: TypesetError, reading: Reading, macros: str = "") -> TypesetError:
    """The error that the writing of a chapter raised, with the line of the block that is to blame."""
    for part in reading.parts:
        for block in part.blocks:
            try:
                write([block], macros)
            except TypesetError as found:
                return TypesetError(f"{_place_of_block(part, block)}: {found}")
            except MathsError:  # is reported by itself once this one is mended
                continue
    return error


def _place_of_block(part: Part, block: Node) -> Place:
    """The line on which the first words of a block stand."""
    return next((part.place_in_source(at) for text in _texts(block) if (at := part.source.find(text)) >= 0), part.place)


def _texts(node: object) -> Iterator[str]:
    """What an author wrote in a block, in order: words, code, raw markup."""
    if isinstance(node, list):
        for one in node:
            yield from _texts(one)
    elif isinstance(node, dict):
        content = node.get("c", [])
        if node.get("t") in ("Str", "Code", "CodeBlock", "RawBlock", "RawInline", "Math"):
            text = content if isinstance(content, str) else content[1]
            yield from (line.strip() for line in str(text).split("\n")[:1] if line.strip())
        else:
            yield from _texts(content)


def _first_holding(part: Part, needles: Sequence[str]) -> Place:
    """The first line of a cell that holds the first of the needles to be found there; else the cell's first line."""
    for needle in needles:
        found = re.search(rf"(?<!\w){re.escape(needle)}(?!\w)", part.source) if needle else None
        if found:
            return part.place_in_source(found.start())
    return part.place


# --- Typst -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Chapters:
    """Where to look for what Typst complains of: the markup it read, the chapters as read, the theme's own folder."""

    root: Path
    readings: Mapping[str, Reading]
    theme: str


def locate_typst_error(error: GozareshError, chapters: Chapters) -> GozareshError:
    """An error met in the markup, with the line of the chapter, theme or bibliography that is to blame."""
    computed = COMPUTED.match(str(error))
    if computed:
        place = _place_of_text(computed[2], chapters.readings[computed[1]])
        return SourceError(f"{place}: {str(error)[computed.end(1) + 2:]}")
    where = WHERE.search(str(error))
    if where is None:
        return error
    message = re.split(r" (?:error|warning): |:? ┌─", str(error))[0]
    return TypesetError(f"{_place(where, chapters)}: {message}")


def _place_of_text(label: str, reading: Reading) -> Place:
    """The cell whose computed text refers to a label that there is not."""
    parts = [part for part in reading.parts if f"@{label}" in part.markdown]
    return _first_holding(parts[0], [label]) if parts else reading.parts[0].place


def _place(where: re.Match[str], chapters: Chapters) -> Place:
    file, number, column = where["file"].lstrip("/"), int(where["line"]), int(where["column"])
    markup = Path(file)
    if markup.parts[:2] == ("build", "theme"):
        return Place("/".join((chapters.theme, *markup.parts[2:])), number)
    if markup.parent != Path("build/chapters") or markup.stem not in chapters.readings:
        return Place(file, number)
    lines = (chapters.root / markup).read_text(encoding="utf-8").split("\n")
    line = lines[number - 1]
    under = UNDER.match(line, column)
    named = under[0].strip('"') if under else ""
    before, after = MENTIONED.findall(line[:column]), MENTIONED.findall(line[column:])
    needles = [named, *MENTIONED.findall(named), *reversed(before), *after]
    marks = [found for text in lines[:number] if (found := MARK.fullmatch(text))]
    parts = chapters.readings[markup.stem].parts
    return _first_holding(parts[int(marks[-1][1])], needles) if marks else Place(file, number)
