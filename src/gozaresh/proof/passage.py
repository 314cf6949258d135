"""A piece of the report, as its source promises it or as the PDF shows it, in a form in which the two can be compared.

Both readings write what is no plain text alike: a formula as its spoken reading between two marks, a citation as one
mark. Blanks are not compared, for a PDF has none at the ends of lines.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from gozaresh.common.errors import Place
from gozaresh.pdf.text import clean

FORMULA, END = "\ue000", "\ue001"  # round a formula's reading
CITATION = "\ue002"
CODE, PLAIN = "\ue004", "\ue005"  # round code in a line; not compared
NOT_COMPARED = re.compile(f"[\\s\u00ad\ufe00-\ufe0f{CODE}{PLAIN}]")
BETWEEN_CITATIONS = re.compile(f"{CITATION}[\\s,،–]*(?={CITATION})")
WORD = re.compile(f"{FORMULA}[^{END}]*{END}|[^\\s{FORMULA}{END}]+")
PERSIAN_PHRASE = re.compile("[\u0600-\u06ff\u200c]+(?: +[\u0600-\u06ff\u200c]+)+")
DOTLESS = str.maketrans("ıȷ", "ij")
NOWHERE = Place("", 0)
LONGEST = 60  # characters of a passage that a message names


@dataclass(frozen=True)
class Word:
    """A word of a passage, from and to an index of its compared characters."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Passage:
    """A paragraph, heading, caption, footnote or list item («text»), or one cell, line of code, equation or figure."""

    kind: str
    text: str
    formulas: tuple[str, ...] = ()  # the characters of each formula: what its TeX needs, what the PDF shows
    cites: tuple[str, ...] = ()  # the keys, or the numbers shown
    place: Place = NOWHERE
    source: str = ""  # the rest of the source from its place on
    page: int = 0

    @cached_property
    def key(self) -> str:
        """The characters that are compared."""
        return normalized(self.plain, code=self.kind == "code")

    @cached_property
    def plain(self) -> str:
        """The text in NFC, without direction marks, the separators between citations taken out."""
        return BETWEEN_CITATIONS.sub(CITATION, clean(self.text))

    def words(self) -> Sequence[Word]:
        """The words with their place in :attr:`key`; a formula is one word, the first of a line of code is indented."""
        return _words(self.plain, code=self.kind == "code")

    def place_of(self, word: str) -> Place:
        """The line of a word in the source; the passage's own where the word is computed."""
        at = self.source.find(word.strip("«»()،؛.:؟!"))
        return Place(self.place.file, self.place.line + self.source.count("\n", 0, max(at, 0)))

    @property
    def name(self) -> str:
        """Its kind and beginning, for a message."""
        whole = " ".join(readable(self.plain).split())
        return f"{KINDS[self.kind]} «{whole[:LONGEST]}{'…' if len(whole) > LONGEST else ''}»"


@lru_cache(maxsize=20000)
def _words(plain: str, *, code: bool) -> tuple[Word, ...]:
    found, begin, at = [], 0, len(plain) - len(plain.lstrip(" ")) if code else 0
    for match in WORD.finditer(plain):
        at += len(normalized(match[0]))
        if at > begin:
            found.append(Word(readable(match[0]), begin, at))
        begin = at
    return tuple(found)


KINDS = {"text": "the text", "cell": "the table cell", "code": "the line of code", "equation": "the equation",
         "figure": "the figure"}


def normalized(text: str, *, code: bool = False) -> str:
    """The characters of a text that are compared; of a line of code the indentation too.

    >>> normalized("می‌شود ، که") == "می‌شود،که"
    True
    """
    if not code:
        return NOT_COMPARED.sub("", text)
    indentation = text[: len(text) - len(text.lstrip(" "))]
    return indentation + NOT_COMPARED.sub("", PERSIAN_PHRASE.sub(_any_order, text))


def _any_order(phrase: re.Match[str]) -> str:
    """Persian words in a line of code stand in the order in which they are drawn, from the left."""
    return "".join(sorted(phrase[0].split()))


def readable(text: str) -> str:
    """The text without the marks of formulas and citations."""
    return re.sub(f"[{FORMULA}{END}{CODE}{PLAIN}]", "", text).replace(CITATION, "[ ]")


def letters(text: str) -> str:
    """The letters and digits of a formula's characters, sorted, whatever their style (𝑥, 𝐱 and x are one).

    Accents are taken off, for a reader may join them with their letter (ŷ) or not; i and ı have one glyph under them.

    >>> letters("𝑃(ŷ₁)=2")
    '12Py'
    """
    plain = unicodedata.normalize("NFKD", text).translate(DOTLESS)
    return "".join(sorted(char for char in plain if char.isalnum()))
