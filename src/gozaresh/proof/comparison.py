"""Holds the promised passages against the printed ones: each is there, once, in order, character by character."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from gozaresh.common.errors import Place
from gozaresh.proof.passage import CITATION, Passage, Word

CITATIONS = re.compile(f"{CITATION}+")
RUNNING = ("text", "equation")  # kinds whose borders the PDF's tags leave open, as in a quotation
ALIKE = 0.5  # the least part of its characters that a damaged passage shares with what is left of it


@dataclass(frozen=True, order=True)
class Missing:
    """Something of a source that the PDF does not hold where it should."""

    place: Place
    what: str
    how: str = "is not in the PDF"

    def __str__(self) -> str:
        return f"{self.place}: {self.what} {self.how}"


@dataclass(frozen=True, order=True)
class Fault:
    """Something that no PDF of ours may hold."""

    page: int
    what: str

    def __str__(self) -> str:
        return f"page {self.page}: {self.what}"


def compare(wanted: Sequence[Passage], found: Sequence[Passage]) -> tuple[list[Missing], list[Fault]]:
    """What is missing of the promised passages, and what no source promises."""
    comparison = _Comparison()
    regions = _regions([_canonical(passage) for passage in wanted], [_canonical(passage) for passage in found])
    lost: list[Passage] = []
    extra: list[Passage] = []
    for equal, left, right in regions:
        if equal:
            for want, have in zip(wanted[left], found[right], strict=True):
                comparison.matched(want, have)
        elif _same_together(wanted[left], found[right]):
            comparison.matched(_together(wanted[left]), _together(found[right]))
        else:
            comparison.region(wanted[left], found[right], lost, extra)
    comparison.moved(lost, extra)
    comparison.check_citations()
    return sorted(comparison.missing), sorted(comparison.faults)


def _canonical(passage: Passage) -> tuple[str, str, str]:
    """What must be alike: all the characters, and the order of those that are no signs."""
    return passage.kind, *_characters(passage.key)


def _same_together(wanted: Sequence[Passage], found: Sequence[Passage]) -> bool:
    """Test if running texts are the same but for where one ends and the next begins, which tags do not always tell."""
    if not wanted or not found or any(passage.kind not in RUNNING for passage in (*wanted, *found)):
        return False
    return _canonical(_together(wanted)) == _canonical(_together(found))


def _together(passages: Sequence[Passage]) -> Passage:
    return Passage("text", "\n".join(passage.plain for passage in passages),
                   tuple(formula for passage in passages for formula in passage.formulas),
                   tuple(cite for passage in passages for cite in passage.cites), passages[0].place)


@lru_cache(maxsize=20000)
def _characters(key: str) -> tuple[str, str]:
    return "".join(char for char in key if char.isalnum() or char == "\u200c"), "".join(sorted(key))


def _regions(left: Sequence[object], right: Sequence[object]) -> Iterator[tuple[bool, slice, slice]]:
    for tag, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        yield tag == "equal", slice(a, b), slice(c, d)


class _Comparison:
    """Collects what is wrong."""

    def __init__(self) -> None:
        self.missing: list[Missing] = []
        self.faults: list[Fault] = []
        self._cited: dict[str, set[str]] = {}  # the numbers that each source may have
        self._places: dict[str, Place] = {}

    def matched(self, want: Passage, have: Passage) -> None:
        """Two passages whose texts are the same: their formulas show all they should, their citations agree."""
        for needed, shown in zip(want.formulas, have.formulas, strict=False):
            gone = "".join((Counter(needed) - Counter(shown)).elements())
            if gone:
                self.missing.append(Missing(want.place, f"«{gone}» of a formula in {want.name}"))
        at = 0
        for group in CITATIONS.findall(want.key):  # the numbers of one place are sorted
            numbers = set(have.cites[at:at + len(group)])
            for key in want.cites[at:at + len(group)]:
                self._cited[key] = self._cited.get(key, numbers) & numbers
                self._places.setdefault(key, want.place)
            at += len(group)

    def region(self, wanted: Sequence[Passage], found: Sequence[Passage], lost: list[Passage],
               extra: list[Passage]) -> None:
        """Passages between equal ones: the damaged are compared word by word, the others kept for later."""
        rest = list(found)
        for want in wanted:
            pair = _most_alike(want, rest)
            if pair is None:
                lost.append(want)
            else:
                rest.remove(pair)
                self._damaged(want, pair)
        extra += rest

    def _damaged(self, want: Passage, have: Passage) -> None:
        """Name the words that differ: aligned as words; where a reader has parted or joined words, as characters."""
        lost, added = _differing(want, have)
        self.missing += [Missing(want.place_of(word.text), f"«{word.text}»") for word in lost]
        self.faults += [Fault(have.page, f"«{word.text}» is in no source, but in {have.name}") for word in added]
        if not lost and not added:
            self.missing.append(Missing(want.place, want.name, "is not whole"))

    def moved(self, lost: Sequence[Passage], extra: Sequence[Passage]) -> None:
        """What is elsewhere is out of order; what is nowhere is lost; what is left over nobody wrote."""
        rest = list(extra)
        for want in lost:
            same = next((have for have in rest if _canonical(have) == _canonical(want)), None)
            if same is None:
                self.missing.append(Missing(want.place, want.name))
            else:
                rest.remove(same)
                self.missing.append(Missing(want.place, want.name, f"is out of order (page {same.page})"))
        self.faults += [Fault(have.page, f"{have.name} is in no source, or is there twice") for have in rest]

    def check_citations(self) -> None:
        """One source has one number, and no other has it."""
        sure = Counter(number for numbers in self._cited.values() if len(numbers) == 1 for number in numbers)
        for key, numbers in self._cited.items():
            if not numbers or (len(numbers) == 1 and sure[min(numbers)] > 1):
                place = self._places[key]
                self.missing.append(Missing(place, f"the citation of {key}", "does not have its own number"))


def _most_alike(want: Passage, found: Sequence[Passage]) -> Passage | None:
    """The passage that is what is left of the wanted one."""
    best, degree = None, ALIKE
    for have in found:
        matcher = SequenceMatcher(None, want.key, have.key, autojunk=False)
        if have.kind == want.kind and matcher.quick_ratio() > degree and matcher.ratio() > degree:
            best, degree = have, matcher.ratio()
    return best


def _differing(want: Passage, have: Passage) -> tuple[list[Word], list[Word]]:
    """The words of the one that the other does not hold, both ways."""
    left, right = want.words(), have.words()
    lost: list[Word] = []
    added: list[Word] = []
    for equal, of_left, of_right in _regions([_letters(want, [word]) for word in left],
                                             [_letters(have, [word]) for word in right]):
        gone, new = left[of_left], right[of_right]
        if not equal and (not gone or not new or _letters(want, gone) != _letters(have, new)):
            lost += gone
            added += new
    return lost, added


def _letters(passage: Passage, words: Sequence[Word]) -> str:
    """The compared characters of neighbouring words, for a PDF has no blanks at the ends of lines."""
    return passage.key[words[0].start:words[-1].end]
