"""The numbers of a report's headings, floats, equations and footnotes, counted anew from the sources.

The theme numbers too; the proofreader holds its numbers, and what references say, against these.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from gozaresh.common.checks import SIGNS
from gozaresh.common.persian import persian

NOUNS = {"fig": "شکل", "tbl": "جدول", "lst": "برنامهٔ", "eq": "معادلهٔ", "sec": "بخش"}
APPENDIX_NOUN = "پیوست"
APPENDIX_LETTERS = ("الف", "ب", "پ", "ت", "ث")
COUNTED = re.compile(r"^\(([۰-۹]+)\)$")
DEEPEST = 3  # the level of heading below which none is numbered


@dataclass(frozen=True)
class Numbers:
    """All that the next numbers depend on."""

    counts: dict[str, int]
    levels: list[int]
    in_appendix: bool
    numbers: dict[str, str]
    nouns: dict[str, str]


class Numbering:
    """Counters, and what a reference to each label says."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._levels = [0] * DEEPEST
        self._in_appendix = False
        self._numbers: dict[str, str] = {}
        self._nouns: dict[str, str] = {}

    def state(self) -> Numbers:
        """The numbers so far."""
        return Numbers(dict(self._counts), list(self._levels), self._in_appendix, dict(self._numbers),
                       dict(self._nouns))

    def resume(self, state: Numbers) -> None:
        """Go on from an earlier state."""
        self._counts, self._levels, self._in_appendix = Counter(state.counts), list(state.levels), state.in_appendix
        self._numbers, self._nouns = dict(state.numbers), dict(state.nouns)

    def begin_appendix(self) -> None:
        """From here on headings have a letter."""
        self._levels, self._in_appendix = [0] * DEEPEST, True

    def heading(self, level: int, label: str) -> str:
        """The number of the next heading."""
        if level > DEEPEST:
            return ""
        self._levels[level - 1] += 1
        self._levels[level:] = [0] * (DEEPEST - level)
        first, *rest = self._levels[:level]
        chapter = APPENDIX_LETTERS[first - 1] if self._in_appendix else persian(first)
        return self._name(label, ".".join([chapter, *map(persian, rest)]))

    def float(self, kind: str, label: str) -> str:
        """What the caption of the next figure (``fig``), table or listing begins with."""
        return f"{NOUNS[kind]} {self._name(label, self._next(kind))}"

    def equation(self, label: str, tag: str = "", check: str = "") -> str:
        """The number beside an equation with the mark of its check; a tag stands for the number and takes none."""
        if tag:
            return self._name(label, f"({tag})")
        return self._name(label, f"({self._next('eq')})") + (SIGNS[check] if check else "") if label else ""

    def footnote(self) -> str:
        """The mark of the next footnote."""
        return self._next("note")

    def reference(self, label: str, *, bare: bool, within: bool = False) -> str:
        """What a reference says, with its noun unless it is ``bare``; «؟؟» if nothing has the label.

        ``within`` brackets the counted number of an equation has none of its own.
        """
        number = self._numbers.get(label, "؟؟")
        if within:
            number = COUNTED.sub(r"\1", number)
        return number if bare else f"{self._nouns.get(label, '')} {number}"

    def _next(self, kind: str) -> str:
        self._counts[kind] += 1
        return persian(str(self._counts[kind]))

    def _name(self, label: str, number: str) -> str:
        if label:
            kind = label.partition("-")[0]
            self._numbers[label] = number
            self._nouns[label] = APPENDIX_NOUN if kind == "sec" and self._in_appendix else NOUNS[kind]
        return number
