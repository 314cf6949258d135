"""Step 1: a chapter's percent script becomes cells that know their file and line, and a notebook made of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jupytext
import yaml
from nbformat import NotebookNode

from gozaresh.common.errors import Place, Problem, SourceError, nearest, one_line, raise_problems
from gozaresh.common.text import read_text
from gozaresh.source.markup import LABEL

LONGEST = 120  # characters of a parser's message that are shown
MARKER = re.compile(r"^# %%(?: |$)")
OPTION = re.compile(r"^#\| ?(.*)$")
OPTIONS = ("label", "fig-cap", "fig-alt", "fig-width", "tbl-cap", "lst-cap", "lst-label", "echo", "output",
           "eval", "error")
SWITCHES = ("echo", "output", "eval", "error")


@dataclass(frozen=True)
class Options:
    """A code cell's ``#|`` options."""

    label: str = ""
    fig_cap: str = ""
    fig_alt: str = ""
    fig_width: str = ""
    tbl_cap: str = ""
    lst_cap: str = ""
    lst_label: str = ""
    echo: bool = False
    output: bool = True
    eval: bool = True  # whether the cell is run at all
    error: bool = False  # whether it may raise: the last line of the error is then its output

    @property
    def kind(self) -> str:
        """``fig``, ``tbl``, ``lst``, ``eq`` or the empty string."""
        return self.label.partition("-")[0] if self.label else ""

    @property
    def caption(self) -> str:
        """The caption that belongs to :attr:`label`."""
        return {"fig": self.fig_cap, "tbl": self.tbl_cap, "lst": self.lst_cap}.get(self.kind, "")


@dataclass(frozen=True)
class Cell:
    """One cell of a chapter. ``line`` is the 1-based line of the first line of ``source`` in the script."""

    kind: str
    source: str
    file: str
    line: int
    tags: tuple[str, ...] = ()
    options: Options = field(default_factory=Options)
    option_lines: int = 0
    attachments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # data by MIME type, by name
    outputs: tuple[Mapping[str, Any], ...] = ()  # what a notebook keeps of its last run
    ran: bool = False  # whether a notebook says that the cell was run

    @property
    def place(self) -> Place:
        """Where the cell begins."""
        return Place(self.file, self.line)

    @property
    def code(self) -> str:
        """The source without its options."""
        return "\n".join(self.source.splitlines()[self.option_lines:]).strip("\n")

    def place_of(self, needle: str) -> Place:
        """The line of the first occurrence of ``needle``, or the cell's beginning."""
        return self.place_at(max(self.source.find(needle), 0))

    def place_at(self, index: int, text: str = "") -> Place:
        """The line of a character of the source, or of a ``text`` that has the source's lines."""
        return Place(self.file, self.line + (text or self.source).count("\n", 0, index))


def read_chapter(path: Path, name: str) -> tuple[Cell, ...]:
    """Read the percent script ``path``, called ``name`` in messages, as cells.

    Raises:
        SourceError: the script cannot be read, is not UTF-8, has no cells, or cells' options are wrong (all of them,
            each with its line).
    """
    text = read_text(path, name, SourceError)
    try:
        notebook = jupytext.reads(text, fmt="py:percent")
    except Exception as error:  # a header that is no YAML, and what else its parsers raise
        raise SourceError(f"Jupytext cannot read this script: {one_line(error, LONGEST)}", Place(name, 1)) from None
    cells = [cell for cell in notebook.cells if cell.source.strip()]
    if not cells:
        raise SourceError("the chapter has no cells; one begins with '# %%' or '# %% [markdown]'", Place(name, 1))
    problems: list[Problem] = []
    found = tuple(_cells(cells, text.splitlines(), name, problems))
    raise_problems(problems)
    return found


def _cells(cells: list[NotebookNode], lines: list[str], name: str, problems: list[Problem]) -> Iterator[Cell]:
    """Give each of Jupytext's cells its line, by finding its first line after the cell before it."""
    at = 0
    for cell in cells:
        source = cell.source.strip("\n")
        at = _find(source, lines, at, name)
        if cell.cell_type == "code":
            yield code_cell(source, name, at + 1, problems, cell.metadata.get("tags", ()))
        else:
            yield Cell(cell.cell_type, source, name, at + 1)
        at += source.count("\n")


def _find(source: str, lines: list[str], start: int, name: str) -> int:
    first = next(line for line in source.splitlines() if line.strip()).strip()
    for number in range(start, len(lines)):
        line = lines[number].strip()
        if line == first or line.lstrip("#").strip() == first or line.endswith('"""' + first) or first in line:
            return number
    raise SourceError(f"cannot find the line of the cell that begins {first[:40]!r}", Place(name))


def code_cell(source: str, name: str, line: int, problems: list[Problem], tags: Iterable[str] = (),
              defaults: Options | None = None) -> Cell:
    """A code cell with the options above its code, what they do not say as in ``defaults``.

    What is wrong with them is added to ``problems``.
    """
    block = []
    for text in source.splitlines():
        match = OPTION.match(text)
        if match is None:
            break
        block.append(match[1])
    options = _options(block, name, line, problems, defaults or Options())
    return Cell("code", source, name, line, tuple(tags), options, len(block))


def _options(block: list[str], name: str, line: int, problems: list[Problem], defaults: Options) -> Options:
    """A cell's options; what is wrong with them is added to ``problems``."""
    try:
        raw = yaml.safe_load("\n".join(block)) or {}
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # as of a date that is none
        mark = getattr(error, "problem_mark", None)
        at = line + (mark.line if mark else 0)
        problem = getattr(error, "problem", None) or "not YAML"
        problems.append(Problem(Place(name, at), f"cell options are not valid YAML: {problem}"))
        return Options()
    if not isinstance(raw, dict):
        problems.append(Problem(Place(name, line), "cell options must be lines of '#| key: value'"))
        return Options()
    values: dict[str, Any] = {}
    for key, value in raw.items():
        at = line + next((n for n, text in enumerate(block) if text.startswith(f"{key}:")), 0)
        wrong = _wrong(str(key), value)
        if wrong:
            problems.append(Problem(Place(name, at), wrong))
        else:
            values[str(key).replace("-", "_")] = value if key in SWITCHES else str(value).strip()
    return replace(defaults, **values)


def _wrong(key: str, value: object) -> str:
    """A message if an option has no such name or value; else nothing."""
    if key not in OPTIONS:
        return f"unknown cell option {key!r}; {nearest(key, OPTIONS)}"
    if key in SWITCHES and not isinstance(value, bool):
        return f"option {key} is true or false, not {value!r}"
    if key in ("label", "lst-label") and not LABEL.fullmatch(str(value).strip()):
        return f"label {str(value).strip()!r} must look like fig-…, tbl-…, eq-… or lst-…, in Latin letters"
    return ""
