"""Passages of the finished PDF, in the order of its tags (which is that of a reader aloud)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from gozaresh.common.persian import latin_digits, persian
from gozaresh.pdf.tags import Shown, Tag
from gozaresh.proof.passage import CITATION, CODE, END, FORMULA, PLAIN, Passage, letters, normalized

TEXTS = {"P": "text", "H1": "text", "H2": "text", "H3": "text", "H4": "text", "H5": "text", "H6": "text",
         "Caption": "text", "LI": "text", "Note": "text", "TH": "cell", "TD": "cell"}
INLINE = {"Span", "Strong", "Em", "Link", "Lbl", "Quote", "Reference", "Sub"}
OWN_PASSAGE = {"L", "Table", "Figure", "Caption", "BlockQuote"}  # what stands inside a text and is one of its own
BULLET = re.compile("[•–◦]")
CITED = re.compile(r"\[([۰-۹0-9]+)[،,]?(.*)\]", re.S)
NUMBERED = re.compile(r"\(([۰-۹]+)\)[✓≈○]?$")


def actual_passages(root: Tag) -> list[Passage]:
    """Every passage of the chapters and the appendix: not the cover, the contents and the bibliography."""
    walk = _Walk()
    walk.block(root)
    return walk.passages


def bibliography_entries(root: Tag) -> list[str]:
    """What the entries of the bibliography say."""
    return [tag.text for tag in root.tags() if tag.kind == "BibEntry"]


class _Walk:
    """Collects the passages."""

    def __init__(self) -> None:
        self.passages: list[Passage] = []
        self._has_bibliography = False

    def block(self, tag: Tag) -> None:
        """Read a tag that is no part of a line."""
        if tag.kind == "TOC":
            self.passages.clear()  # all before the contents is the cover
        elif tag.kind == "L" and any(below.kind == "BibEntry" for below in tag.tags()):
            if not self._has_bibliography:
                self.passages.pop()  # its heading, which stands above the first of two lists
            self._has_bibliography = True
        elif tag.kind in TEXTS:
            self._text(TEXTS[tag.kind], tag.kids)
        elif tag.kind == "Formula":
            self.passages.append(_equation(tag))
        elif tag.kind == "Figure":
            self.passages.append(Passage("figure", tag.alt, page=tag.page))
        elif tag.kind == "Code":
            self.passages += _code(tag)
        else:
            self._container(tag)

    def _container(self, tag: Tag) -> None:
        line: list[Tag | Shown] = []
        for kid in tag.kids:
            if isinstance(kid, Shown) or kid.kind in INLINE or (kid.kind == "Code" and not _is_block(kid)):
                line.append(kid)
            else:
                self._loose(line)
                self.block(kid)
        self._loose(line)

    def _loose(self, line: list[Tag | Shown]) -> None:
        if any(normalized(text.text) for text in line):
            self._text("text", line)
        line.clear()

    def _text(self, kind: str, kids: Sequence[Tag | Shown]) -> None:
        text = _Text(self._inside(kind))
        text.read(kids)
        self._add(kind, text)
        for note in text.notes:
            self.block(note)

    def _inside(self, kind: str) -> Callable[[_Text, Tag], None]:
        """What is done with a passage inside a text: what was read of the text so far comes before it."""
        def inside(text: _Text, tag: Tag) -> None:
            self._add(kind, text)
            self.block(tag)
        return inside

    def _add(self, kind: str, text: _Text) -> None:
        said = "".join(text.parts)
        if kind == "cell" or normalized(said):
            self.passages.append(Passage(kind, said, tuple(text.formulas), tuple(text.cites), page=text.page))
        text.parts, text.formulas, text.cites, text.page = [], [], [], 0


class _Text:
    """One running text; the passages inside it are handed on, its footnotes come after it."""

    def __init__(self, inside: Callable[[_Text, Tag], None]) -> None:
        self.parts: list[str] = []
        self.formulas: list[str] = []
        self.cites: list[str] = []
        self.notes: list[Tag] = []
        self.page = 0
        self._inside = inside

    def read(self, kids: Sequence[Tag | Shown]) -> None:
        for kid in kids:
            self.page = self.page or kid.page
            if isinstance(kid, Shown):
                self.parts.append(kid.text)
            else:
                self._tag(kid)

    def _tag(self, tag: Tag) -> None:
        if tag.kind == "Note":
            self.notes.append(tag)
        elif tag.kind in OWN_PASSAGE or (tag.kind == "Code" and _is_block(tag)):
            self._inside(self, tag)
        elif tag.kind == "Formula":
            self.parts.append(_reading(tag))
            self.formulas.append(letters(tag.text))
        elif tag.kind == "Link" and (cited := CITED.fullmatch(tag.text.strip())):
            self._cite(cited[1], cited[2])
        elif tag.kind == "Lbl" and BULLET.fullmatch(tag.text.strip()):
            return
        elif tag.kind == "Code":
            self.parts += [CODE, tag.text, PLAIN]
        else:
            self.read(tag.kids)

    def _cite(self, number: str, supplement: str) -> None:
        if self.parts[-2:] == [CITATION, "–"]:  # [1]–[3] stands for all three
            between = range(int(latin_digits(self.cites[-1])) + 1, int(latin_digits(number)))
            self.cites += [persian(skipped) for skipped in between]
            self.parts += [CITATION] * len(between)
        self.cites.append(number)
        self.parts += [CITATION, supplement] if supplement else [CITATION]


def _is_block(code: Tag) -> bool:
    return any(isinstance(kid, Tag) and kid.kind == "P" for kid in code.kids)


def _reading(formula: Tag) -> str:
    """The formula's reading, and its number with the mark of its check."""
    number = NUMBERED.search(normalized(formula.text))
    return f"{FORMULA}{formula.alt}{END}{number[0] if number else ''}"


def _equation(formula: Tag) -> Passage:
    return Passage("equation", _reading(formula), (letters(NUMBERED.sub("", normalized(formula.text))),),
                   page=formula.page)


def _code(code: Tag) -> Iterator[Passage]:
    """The lines; empty ones are left out."""
    if not _is_block(code):
        yield Passage("code", code.text, page=code.page)
        return
    for line in code.kids:
        if isinstance(line, Tag) and line.text.strip():
            yield Passage("code", line.text, page=line.page)
