"""Half-spaces that Persian orthography asks for and an author forgot: in «می شود», «کتاب ها», «بزرگ تر».

The rules are those of the Academy's «دستور خط فارسی» for the prefix «می» and the endings «ها» and «تر». They advise and
stop nothing, for «تر» is a word of its own too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gozaresh.lint import Problem, prose
from gozaresh.source import Cell

LETTER = "آ-یئءأؤۀ"
WORD = f"[{LETTER}\u200c]"
PREFIX = re.compile(rf"(?<!{WORD})(ن?می) ({WORD}{{2,}})")
ENDING = re.compile(rf"({WORD}*[{LETTER}]) ((?:ها(?:ی|یی|یم|یت|یش|یمان|یتان|یشان)?|تر|ترین))(?!{WORD})")


def half_spaces(cells: Iterable[Cell]) -> Iterator[Problem]:
    """Where a space stands for a half-space, and how the word is written."""
    for cell in cells:
        text = prose(cell) if cell.kind == "markdown" else ""
        for found in sorted((*PREFIX.finditer(text), *ENDING.finditer(text)), key=lambda match: match.start()):
            yield Problem(cell.place_at(found.start(), text),
                          f"«{found[0]}» wants a half-space: «{found[1]}\u200c{found[2]}»")
