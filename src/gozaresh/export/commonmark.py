"""Markdown as CommonMark divides it into blocks, written so that pandoc divides it in the same way.

pandoc wants an empty line before a fence, a rule, a list or a quote that CommonMark does not need, prints the Markdown
between HTML tags as it stands, and takes ``---`` for a table or a YAML head. Here CommonMark's own parser finds the
blocks; each HTML block becomes a raw block of pandoc's, and the empty lines are put in. Every line of the result knows
which line of the source it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from gozaresh.common.persian import latin_digits
from gozaresh.export.delimiters import in_dollars

FENCE = "`" * 9
STARTS = ("html_block", "fence", "heading_open", "hr", "blockquote_open", "bullet_list_open", "ordered_list_open",
          "table_open")
WHOLE = ("hr", "heading_open", "fence", "table_open")  # blocks without others inside
RULE = "* * *"
TABLE_RULE = re.compile(r"\s*-+( +-+)+\s*$")  # between the columns of a table of pandoc's
GONE = "\ue0f0"  # a line that is left out
EMPTY = re.compile(r"(?<=\n)[ \t]*(?=\n)")
FORMULA = re.compile(
    r"^ {0,3}(?P<fence>`{3,}|~{3,})[^\n]*\n.*?(?:^ {0,3}(?P=fence)[`~]*[ \t]*$|\Z)"
    r"|(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)|\\."
    r"|\$\$(?P<display>(?:(?!\$\$|^ {0,3}(?:```|~~~|#{1,6} )).)+?)\$\$"
    r"|\$[^\s$](?:(?:(?!\n[ \t]*\n)[^$])*?[^\s$\\])?\$(?!\d)"  # a formula as pandoc reads it
    r"|(?<![\\$\w])\$(?P<spaced>[ \t]+[^$\n]*?[^$\s\\][ \t]*|[^$\s](?:[^$\n]*?[^\\$])?[ \t]+)\$(?![\d$])", re.S | re.M)
NUMBERED = re.compile(r"^ {0,3}(?P<number>[0-9]{1,3}(?= ?[-–])|[۰-۹]{1,3}) ?[-–.)](?: +|(?=[آ-ی«]))(?=\S)")
LETTERED = re.compile(r"^ {0,3}\(?(?:الف|[بپتثجچحخدذرزژسشصضطظعغفقکگلمنوهی]) ?[).\-–](?=\s*\S)")


@dataclass(frozen=True)
class Lines:
    """Markdown for pandoc, and for each of its lines the number (from 1) of the line of the source that it was."""

    text: str
    origin: tuple[int, ...]

    def line(self, number: int) -> int:
        """The line of the source that a line (from 1) of the text was."""
        return self.origin[min(max(number, 1), len(self.origin)) - 1]


def for_pandoc(text: str) -> Lines:
    """The Markdown with CommonMark's blocks where pandoc looks for them.

    >>> for_pandoc("متن:\\n- یک\\n- دو")
    Lines(text='متن:\\n\\n- یک\\n- دو', origin=(1, 1, 2, 3))
    """
    lines = list(enumerate(FORMULA.sub(_formula, in_dollars(text)).split("\n"), 1))
    lines = [(number, line) for number, line in lines if line != GONE]
    written = list(_written(list(_with_lists(lines))))
    return Lines("\n".join(line for _, line in written), tuple(number for number, _ in written))


def _formula(found: re.Match[str]) -> str:
    """An inline formula without the spaces inside its dollars, a displayed one without empty lines."""
    if found["display"] is not None:
        return "$$" + EMPTY.sub(GONE, found["display"]) + "$$"
    return f"${found['spaced'].strip()}$" if found["spaced"] is not None else found[0]


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).enable("table")


def _tokens(lines: Sequence[tuple[int, str]]) -> list[Token]:
    """CommonMark's blocks; what stands in a displayed formula counts as text."""
    text = "\n".join(line for _, line in lines)
    return _parser().parse(FORMULA.sub(_masked, text))


def _masked(found: re.Match[str]) -> str:
    return found[0] if found["display"] is None else re.sub(r"[^\n]", "x", found[0])


# --- lists that are numbered as Persian authors number them ----------------------------------------------------------
def _with_lists(lines: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The lines, those numbered ``۱.`` or ``1-`` as a list of CommonMark's, those lettered «الف)» each a line."""
    inside = {row for token in _tokens(lines) if token.type == "paragraph_open" and token.level == 0 and token.map
              for row in range(*token.map)}
    numbers = {row: int(latin_digits(found["number"])) for row in inside
               if (found := NUMBERED.match(lines[row][1])) is not None}
    listed = set(_consecutive(numbers, inside))
    before = -1  # the row of the item before
    for row, (number, line) in enumerate(lines):
        if row in listed:
            if before < 0 or not _connected(before, row, inside):
                yield number, ""
            before = row
            yield number, NUMBERED.sub(f"{numbers[row]}. ", line)
        elif {row, row + 1} <= inside and LETTERED.match(lines[row + 1][1]) and not line.endswith(("  ", "\\")):
            yield number, line + "\\"
        else:
            yield number, line


def _consecutive(numbers: dict[int, int], inside: set[int]) -> Iterator[int]:
    """The rows of one paragraph whose numbers follow one another, two at least."""
    rows = sorted(numbers)
    for first, second in pairwise(rows):
        if numbers[second] == numbers[first] + 1 and _connected(first, second, inside):
            yield first
            yield second


def _connected(first: int, last: int, inside: set[int]) -> bool:
    return inside.issuperset(range(first, last + 1))


# --- blocks ----------------------------------------------------------------------------------------------------------
def _written(lines: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The lines with an empty one before and after each block that wants it."""
    at = 0  # the first row that is not yet written
    opened = -1  # the row at which a block began last
    for token in _tokens(lines):
        if token.type not in STARTS or not token.map or token.map[0] < at:
            continue
        first, last = token.map
        last = max((row + 1 for row in range(first, last) if lines[row][1].strip()), default=first + 1)
        container = _container(token, lines[first][1])
        if container is None:
            continue
        yield from lines[at:first]
        if first and first != opened and _goes_on(lines[first - 1][1], token.level, container):
            yield lines[first][0], container.rstrip()
        at, opened = first, first
        if token.type == "html_block" or (token.level == 0 and token.type in WHOLE):
            yield from _block(token, lines[first:last], container)
            at = last
            if token.level == 0 and at < len(lines) and lines[at][1].strip():
                yield lines[at][0], ""
                opened = at
    yield from lines[at:]


def _block(token: Token, block: list[tuple[int, str]], container: str) -> Iterator[tuple[int, str]]:
    if token.type == "html_block":
        yield from _raw(block, container)
    elif token.type == "hr":
        yield block[0][0], block[0][1] if TABLE_RULE.match(block[0][1]) else RULE
    elif token.type == "heading_open" and token.markup in ("=", "-"):
        yield block[0][0], f"{'#' * int(token.tag[1])} {' '.join(line.strip() for _, line in block[:-1])}"
    else:
        yield from block
        if token.type == "fence" and not _is_closed(token, block):
            yield block[-1][0], token.markup


def _is_closed(token: Token, block: list[tuple[int, str]]) -> bool:
    """Test if a fence has an end; one without ends with its document, as CommonMark has it."""
    last = block[-1][1].strip()
    return len(block) > 1 and last.startswith(token.markup) and not last.strip(token.markup[0])


def _raw(block: list[tuple[int, str]], container: str) -> Iterator[tuple[int, str]]:
    """An HTML block as a raw one of pandoc's, inside the lists and quotes in which it stands."""
    rest = re.sub(r"[^\s>]", " ", container)
    yield block[0][0], f"{container}{FENCE}{{=html}}"
    for number, line in block:
        yield number, rest + line[len(rest):]
    yield block[-1][0], rest + FENCE


def _container(token: Token, line: str) -> str | None:
    """What stands on a block's first line before it: the signs of the quotes and lists that it is in."""
    if token.level == 0:
        return ""
    if token.type == "html_block":
        own = token.content.split("\n")[0]
        return line[:len(line) - len(own)] if line.endswith(own) else None
    if token.type in ("fence", "heading_open") and token.markup in line:
        return line[:line.index(token.markup)]
    if token.type in ("bullet_list_open", "ordered_list_open") and ">" in line:
        found = re.match(r"[ >]*", line)
        return found[0] if found else None
    return None


def _goes_on(before: str, level: int, container: str) -> bool:
    """Test if the line before a block is text in the same lists and quotes, so that the block would be part of it."""
    if level == 0:
        return bool(before.strip())
    return not re.search(r"[^\s>]", container) and bool(before.replace(">", "").strip())
