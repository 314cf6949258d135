"""Read a chapter, whichever of the formats it is in: a percent script, a notebook, Markdown with cells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gozaresh.common.errors import Place, SourceError, nearest
from gozaresh.settings import CHAPTERS
from gozaresh.source.cells import Cell, read_chapter
from gozaresh.source.front_matter import FrontMatter
from gozaresh.source.ipynb import read_notebook
from gozaresh.source.qmd import read_markdown

HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(?P<text>[^\n]+?)(?:[ \t]+#+)?[ \t]*$"
                     r"|<h[1-6]\b[^>]*>(?P<html>[\s\S]{1,300}?)</h[1-6]>"
                     r"|(?:\A|^[ \t]*\n)(?P<under>\S[^\n]*)\n(?:=+|-{3,})[ \t]*$", re.M | re.I)
FENCED = re.compile(r"^ {0,3}(`{3,}|~{3,}).*?^ {0,3}\1", re.S | re.M)
MARKS = ((re.compile(r"<!--.*?-->|</?[A-Za-z][^<>]*>", re.S), ""), (re.compile(r"\{[#.][^}]*\}\s*$"), ""),
         (re.compile(r"!\[([^\]]*)\]\([^)]*\)"), r"\1"), (re.compile(r"\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])"), r"\1"),
         (re.compile(r"(\*\*|__|\*|`+|~~|\$)(.+?)\1"), r"\2"), (re.compile(r"\\([^\w\s])"), r"\1"))


@dataclass(frozen=True)
class Source:
    """A chapter's cells, and what its head says."""

    cells: tuple[Cell, ...]
    head: FrontMatter = field(default_factory=FrontMatter)


def read_source(path: Path, name: str, *, run: bool = True) -> Source:
    """Read a chapter, called ``name`` in messages; ``run`` says that its code is to be run.

    Raises:
        SourceError: it cannot be read, is of no format that is known, or breaks its format's rules.
    """
    if path.suffix == ".ipynb":
        return Source(*read_notebook(path, name))
    if path.suffix == ".py":
        return Source(read_chapter(path, name))
    if path.suffix in CHAPTERS:
        return Source(*read_markdown(path, name, run=run))
    raise SourceError(f"a chapter is a script, a notebook or Markdown; {nearest(path.suffix, CHAPTERS)}", Place(name))


def title_of(source: Source, path: Path) -> str:
    """A document's title: from its head, its first heading, or the file's name."""
    return source.head.title or _first_heading(source.cells) or path.stem


def _first_heading(cells: Sequence[Cell]) -> str:
    for cell in cells:
        text = FENCED.sub("", cell.source) if cell.kind == "markdown" else ""
        for found in HEADING.finditer(text):
            heading = _plain(found["text"] or found["html"] or found["under"])
            if heading:
                return heading
    return ""


def _plain(text: str) -> str:
    """A heading's text without its markup."""
    for pattern, kept in MARKS:
        text = pattern.sub(kept, text)
    return " ".join(text.split())
