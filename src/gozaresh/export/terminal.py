"""Text with control characters as a terminal shows it at the end (ECMA-48): what was overwritten or erased is gone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping

CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")  # all but the line feed
STRING = r"(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f]).*?(?:\x07|\x1b\\|\x9c|\Z)"  # a title, a link's address
SEQUENCE = r"(?:\x1b\[|\x9b)(?P<numbers>[0-?]*)[ -/]*(?P<command>[@-~])"
TOKEN = re.compile(rf"{STRING}|{SEQUENCE}|\x1b[ -/]*[0-~]?|(?P<text>[^\x00-\x1f\x7f-\x9f]+)|(?P<control>.)", re.S)
WIDE = 400  # columns that a cursor can be sent to
TAB = 8


def as_shown(text: str) -> str:
    """What a terminal shows of a text at the end; colours, bells and links leave no sign.

    >>> as_shown("10%\\r100%") + as_shown("\\x1b[1;31mred\\x1b[0m") + as_shown("ab\\bc")
    '100%redac'
    """
    if not CONTROL.search(text):
        return text
    screen = _Screen()
    for token in TOKEN.finditer(text):
        if token["text"]:
            screen.write(token["text"])
        elif token["control"]:
            screen.control(token["control"])
        elif token["command"]:
            screen.command(token["command"], token["numbers"])
    return screen.text


class _Screen:
    """Lines of cells, a character with its marks each, and a cursor."""

    def __init__(self) -> None:
        self._lines: list[list[str]] = [[]]
        self._row = self._column = 0
        self._saved = (0, 0)

    @property
    def text(self) -> str:
        """The lines, without the blanks at their ends."""
        return "\n".join("".join(line).rstrip() for line in self._lines)

    def write(self, text: str) -> None:
        """Put characters where the cursor stands."""
        line = self._lines[self._row]
        if text.isascii():
            line += " " * (self._column - len(line))
            line[self._column:self._column + len(text)] = text
            self._column += len(text)
            return
        for char in text:
            if unicodedata.category(char) in ("Mn", "Me", "Cf") and 0 < self._column <= len(line):
                line[self._column - 1] += char
                continue
            line += " " * (self._column - len(line))
            line[self._column:self._column + 1] = [char]
            self._column += 1

    def control(self, char: str) -> None:
        """Follow a control character."""
        if char in "\n\v\f\x85":
            self._to(self._row + 1, 0)
        elif char == "\r":
            self._column = 0
        elif char == "\b":
            self._column = max(0, self._column - 1)
        elif char == "\t":
            self._column += TAB - self._column % TAB

    def command(self, command: str, parameters: str) -> None:
        """Follow a control sequence; what only colours or asks is passed over."""
        numbers = [int(part) if part.isdecimal() else 0 for part in parameters.split(";")]
        follow = _COMMANDS.get(command)
        if follow is not None and not parameters.startswith(("?", ">", "=", "<")):
            follow(self, numbers)

    def _to(self, row: int, column: int) -> None:
        self._column = max(0, min(column, max(WIDE, self._column)))
        self._row = max(0, min(row, len(self._lines) + WIDE))
        self._lines += [[] for _ in range(self._row + 1 - len(self._lines))]

    def _move(self, numbers: list[int], down: int, right: int) -> None:
        steps = max(1, numbers[0])
        self._to(self._row + down * steps, self._column + right * steps)

    def _place(self, numbers: list[int]) -> None:
        row, column = (*numbers, 0)[:2]
        self._to(max(1, row) - 1, max(1, column) - 1)

    def _erase_line(self, numbers: list[int]) -> None:
        line = self._lines[self._row]
        first = 0 if numbers[0] else self._column
        last = self._column + 1 if numbers[0] == 1 else len(line)
        line[first:last] = [" "] * (min(last, len(line)) - first)

    def _erase_screen(self, numbers: list[int]) -> None:
        self._erase_line(numbers)
        if numbers[0] != 1:
            del self._lines[self._row + 1:]
        if numbers[0]:
            self._lines[:self._row] = [[] for _ in range(self._row)]

    def _delete(self, numbers: list[int]) -> None:
        del self._lines[self._row][self._column:self._column + max(1, numbers[0])]

    def _insert(self, numbers: list[int]) -> None:
        self._lines[self._row][self._column:self._column] = [" "] * min(max(1, numbers[0]), WIDE)

    def _blank(self, numbers: list[int]) -> None:
        line, end = self._lines[self._row], self._column + max(1, numbers[0])
        line[self._column:end] = [" "] * (min(end, len(line)) - min(self._column, len(line)))

    def _delete_lines(self, numbers: list[int]) -> None:
        del self._lines[self._row:self._row + max(1, numbers[0])]
        self._to(self._row, 0)

    def _insert_lines(self, numbers: list[int]) -> None:
        self._lines[self._row:self._row] = [[] for _ in range(min(max(1, numbers[0]), WIDE))]

    def _save(self, numbers: list[int]) -> None:
        self._saved = (self._row, self._column)

    def _restore(self, numbers: list[int]) -> None:
        self._to(*self._saved)


_COMMANDS: Mapping[str, Callable[[_Screen, list[int]], None]] = {
    "A": lambda screen, n: screen._move(n, -1, 0), "B": lambda screen, n: screen._move(n, 1, 0),
    "C": lambda screen, n: screen._move(n, 0, 1), "D": lambda screen, n: screen._move(n, 0, -1),
    "E": lambda screen, n: screen._move(n, 1, -WIDE), "F": lambda screen, n: screen._move(n, -1, -WIDE),
    "G": lambda screen, n: screen._to(screen._row, max(1, n[0]) - 1),
    "d": lambda screen, n: screen._to(max(1, n[0]) - 1, screen._column), "H": _Screen._place, "f": _Screen._place,
    "J": _Screen._erase_screen, "K": _Screen._erase_line, "P": _Screen._delete, "@": _Screen._insert,
    "X": _Screen._blank, "M": _Screen._delete_lines, "L": _Screen._insert_lines, "s": _Screen._save,
    "u": _Screen._restore,
}
