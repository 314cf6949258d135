"""Markdown with code cells, as Quarto and R Markdown write them: ```` ```{python} ````; a plain fence is a listing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from gozaresh.common.errors import Place, Problem, SourceError, raise_problems
from gozaresh.common.text import read_text
from gozaresh.source.cells import Cell, Options, code_cell
from gozaresh.source.front_matter import SHOWN, FrontMatter, read_front_matter

FENCE = re.compile(r"^(?P<indent> {0,3})(?P<fence>`{3,}|~{3,})\s*(?P<info>[^`]*)$")
CHUNK = re.compile(r"^\{\s*(?P<language>[A-Za-z][\w+-]*)\s*(?P<options>[^}]*)\}\s*$")
CHUNK_OPTION = re.compile(r"(?P<key>[\w.-]+)\s*=\s*(?P<value>\"[^\"]*\"|'[^']*'|[^,\s]+)")
TRUTH = {"TRUE": True, "T": True, "FALSE": False, "F": False, "true": True, "false": False}


def read_markdown(path: Path, name: str, *, run: bool = True) -> tuple[tuple[Cell, ...], FrontMatter]:
    """Read a Markdown file, called ``name`` in messages, as cells, and its YAML head.

    ``run`` says that the cells are to be run, so that one in another language than Python is an error; else it is
    shown as a listing.

    Raises:
        SourceError: not UTF-8, a wrong head, a cell of another language.
    """
    text = read_text(path, name, SourceError)
    head = read_front_matter(text, name)
    problems: list[Problem] = []
    cells = tuple(_cells(text.split("\n"), head, name, run, problems))
    raise_problems(problems)
    return cells, head


def _cells(lines: list[str], head: FrontMatter, name: str, run: bool, problems: list[Problem]) -> Iterator[Cell]:
    begun = at = head.lines
    while at < len(lines):
        fence = FENCE.match(lines[at])
        if fence is None:
            at += 1
            continue
        end = _end(lines, at, fence["fence"])
        chunk = CHUNK.match(fence["info"].strip())
        if chunk and chunk["language"].lower() == "python":
            yield from _prose(lines, begun, at, name)
            yield from _code(lines[at + 1:end], _options(chunk, head), name, at + 2, problems)
            begun = end + 1
        elif chunk and run:
            problems.append(Problem(Place(name, at + 1), f"a cell of {chunk['language']!r} cannot be run, only one of "
                                                         "'python'; --no-execute shows it as a listing"))
        at = end + 1
    yield from _prose(lines, begun, len(lines), name)


def _end(lines: list[str], start: int, fence: str) -> int:
    """The line that closes a fence, or the end of the document."""
    close = re.compile(rf"^ {{0,3}}{re.escape(fence)}{re.escape(fence[0])}*\s*$")
    return next((at for at in range(start + 1, len(lines)) if close.match(lines[at])), len(lines))


def _prose(lines: list[str], first: int, last: int, name: str) -> Iterator[Cell]:
    rows = [row for row in range(first, last) if lines[row].strip()]
    if rows:
        yield Cell("markdown", "\n".join(lines[rows[0]:rows[-1] + 1]), name, rows[0] + 1)


def _code(lines: list[str], options: Options, name: str, line: int, problems: list[Problem]) -> Iterator[Cell]:
    rows = [row for row in range(len(lines)) if lines[row].strip()]
    if rows:
        source = "\n".join(lines[rows[0]:rows[-1] + 1])
        yield code_cell(source, name, line + rows[0], problems, (), options)


def _options(chunk: re.Match[str], head: FrontMatter) -> Options:
    """The options of a cell as its head and the document's say them."""
    told: dict[str, bool] = {**head.options, **{
        found["key"]: TRUTH[found["value"]] for found in CHUNK_OPTION.finditer(chunk["options"])
        if found["value"] in TRUTH and found["key"] in SHOWN}}
    if re.search(r"include\s*=\s*F", chunk["options"]):
        told |= {"echo": False, "output": False}
    return replace(Options(echo=True), **told)  # type: ignore[arg-type]
