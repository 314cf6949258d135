"""Persian in listings, printed text and code in a line: right-to-left isolates (UAX #9) round each Persian phrase.

A line of code goes from left to right, so what stands between two Persian words (a comma of a list, an operator) keeps
its place; a comment, and a printed line, that begin in Persian go from right to left as a whole.
"""

from __future__ import annotations

import re

RLI, PDI = "\u2067", "\u2069"
PERSIAN = "\u0600-\u06ff\ufb50-\ufdff\ufe70-\ufefc"
WORD = f"[{PERSIAN}][{PERSIAN}\u200c\u200d]*"
PHRASE = re.compile(rf"{WORD}(?:[ ،؛:.؟!/()«»…–-]+{WORD})*")
STRING = r"(?P<quote>'{3}|\"{3}|'|\")(?:\\.|(?!(?P=quote)).)*?(?:(?P=quote)|\Z)"
COMMENT = re.compile(rf"{STRING}|(?P<comment>#+!?[ \t]*)(?P<said>[^\n]*)", re.S)
CODE_BEGINS = ("[", "{", "'", '"', "<", "`")  # a printed line that begins so is a value, not a sentence
FIRST_LETTER = re.compile(r"[^\W\d_]")
CLOSING = {")": "(", "»": "«"}


def isolated_code(code: str, *, is_python: bool) -> str:
    """A listing, its Persian between isolates."""
    if not re.search(f"[{PERSIAN}]", code):
        return code
    if not is_python:
        return "\n".join(map(isolated_line, code.split("\n")))
    at, out = 0, []
    for found in COMMENT.finditer(code):
        if found["comment"]:
            out += [_phrases(code[at:found.start()]), found["comment"], isolated_line(found["said"])]
            at = found.end()
    return "".join([*out, _phrases(code[at:])])


def isolated_line(line: str) -> str:
    """A line of text, as a whole if it begins in Persian; its Persian phrases if it does not.

    >>> [isolated_line(text).translate({0x2067: "<", 0x2069: ">"}) for text in ("  جمع = 45", "x = جمع", "['آ', 'ب']")]
    ['  <جمع = 45>', 'x = <جمع>', "['<آ>', '<ب>']"]
    """
    text = line.strip()
    if not is_persian_line(text):
        return _phrases(line)
    return line.replace(text, f"{RLI}{text}{PDI}", 1)


def is_persian_line(line: str) -> bool:
    """Test if a line of printed text, or of code in a sentence, begins in Persian and is no value."""
    first = FIRST_LETTER.search(line)
    return bool(first and re.match(f"[{PERSIAN}]", first[0])) and not line.strip().startswith(CODE_BEGINS)


def _phrases(text: str) -> str:
    out, at = [], 0
    for found in PHRASE.finditer(text):
        first, last = found.start(), _end(text, found.start(), found.end())
        out += [text[at:first], RLI, text[first:last], PDI]
        at = last
    return "".join([*out, text[at:]])


def _end(text: str, start: int, end: int) -> int:
    """The end of a phrase with the brackets that close what was opened in it; before a bracket that it leaves open."""
    while end < len(text) and text[end] in CLOSING:
        opened, closed = (text[start:end].count(sign) for sign in (CLOSING[text[end]], text[end]))
        if opened <= closed:
            break
        end += 1
    return end
