"""Check the conventions without running anything: labels, references, captions, letters, footnotes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from gozaresh.common.errors import Place, Problem, nearest
from gozaresh.common.findings import Finding
from gozaresh.source.cells import Cell
from gozaresh.source.markup import CODE, DEFINED, FENCED, NOT_PROSE, REFERENCE, blanked, defined, is_crossref, undefined

ARABIC_LETTERS = {"ي": "ی", "ك": "ک", "ى": "ی"}
FLOATS = ("fig-", "tbl-", "lst-")
HEADING = re.compile(r"^(#{1,6}) \S", re.M)
EQUATION_LABEL = re.compile(r"(\$[ \t]*\n?[ \t>]*)?\{#(eq-[\w-]+)\}")  # perhaps after a formula
SIDE = "\u0620-\u06ef\u06fa-\u06ff\u200c"
LATIN_NUMBER = re.compile(f"(?<=[{SIDE}»،؛:] )[0-9][0-9.,]*(?=[ ،؛.:][{SIDE}]|[،؛]|[ .:]*$)", re.M)
RESULT = re.compile(r"[۰-۹]+٫[۰-۹]+٪?|[۰-۹]+٪|(?<![\w.])\d+\.\d+%?(?![\w.])|(?<![\w.])\d+%")


def lint(cells: Sequence[Cell], citations: Iterable[str], reserved: Iterable[str] = (), *, strict: bool = True,
         bare: bool = False) -> tuple[Problem, ...]:
    """Every breach in the chapters' cells, in order.

    ``citations`` are the bibliography's keys; ``reserved`` labels are defined elsewhere, in the appendix. Style is held
    against the cells if ``strict``; in a ``bare`` document a reference to nothing is a word.
    """
    labels, others = list(_labels(cells)), set(reserved)
    known = {label for label, _ in labels} | others
    unresolved = [] if bare else list(_unresolved(cells, known, set(citations) if strict else None))
    found = [*_duplicates(labels, others), *unresolved,
             *([] if bare else (*_loose_labels(cells), *_footnotes(cells)))]
    if strict:  # a misspelt reference is one fault, not two
        found += [*([] if unresolved else _unmentioned(cells)), *_uncaptioned(cells), *_letters(cells), *_leaps(cells)]
    return tuple(sorted(set(found)))


def style(cells: Sequence[Cell]) -> Iterator[Finding]:
    """What a house's style forbids and loses nothing, in the order of its kinds."""
    kinds = {"without caption or alternative text": _uncaptioned, "figure, table or listing that no text refers to":
             _unmentioned, "Arabic letter in a Persian word": _letters}
    for kind, found in kinds.items():
        yield from (Finding(problem.place, kind, problem.text) for problem in found(cells) if problem.place)


def prose(cell: Cell) -> str:
    """A cell's prose (a code cell's captions) with code and maths blanked out, line breaks kept."""
    options = cell.options
    text = cell.source if cell.kind == "markdown" else "\n".join(
        (options.fig_cap, options.tbl_cap, options.lst_cap, options.fig_alt))
    return blanked(NOT_PROSE, text)


def defined_labels(cells: Iterable[Cell]) -> dict[str, Place]:
    """Where each label is defined."""
    return dict(_labels(cells))


def _labels(cells: Iterable[Cell]) -> Iterator[tuple[str, Place]]:
    for cell in cells:
        if cell.kind == "markdown":
            for found in DEFINED.finditer(cell.source):
                yield found[1] or found[2], cell.place_at(found.start())
        for label in (cell.options.label, cell.options.lst_label):
            if label:
                yield label, cell.place_of(label)


def _duplicates(labels: Sequence[tuple[str, Place]], reserved: set[str]) -> Iterator[Problem]:
    first: dict[str, Place] = {}
    for label, place in labels:
        if label in reserved:
            yield Problem(place, f"label {label} is one of the appendix, which every report gets; choose another")
        if label in first:
            yield Problem(place, f"label {label} is already used at {first[label]}")
        first.setdefault(label, place)


def _loose_labels(cells: Sequence[Cell]) -> Iterator[Problem]:
    """Labels of equations that stand below or beside none: pandoc would print them as text."""
    for cell in cells:
        text = blanked(CODE, cell.source) if cell.kind == "markdown" else ""
        for found in EQUATION_LABEL.finditer(text):
            if not found[1]:
                yield Problem(cell.place_at(found.start(2)),
                              f"label {found[2]} stands alone: write {{#{found[2]}}} after the closing $$ of its "
                              "equation, on the same line")


def _unresolved(cells: Sequence[Cell], labels: set[str], citations: set[str] | None) -> Iterator[Problem]:
    for cell in cells:
        for found in REFERENCE.finditer(prose(cell)):
            key, place = found[1], cell.place_of(f"@{found[1]}")
            if is_crossref(key):
                if key not in labels:
                    yield Problem(place, f"no label {key!r}; {nearest(key, labels)}")
            elif citations is not None and key not in citations:
                yield Problem(place, f"no bibliography entry {key!r}; {nearest(key, citations)}")


def _uncaptioned(cells: Sequence[Cell]) -> Iterator[Problem]:
    for cell in cells:
        options = cell.options
        if options.kind in ("fig", "tbl") and not options.caption:
            yield Problem(cell.place_of(options.label), f"{options.label} has no caption: '#| {options.kind}-cap: …'")
        if (options.kind == "lst" or options.lst_label) and not options.lst_cap:
            yield Problem(cell.place_of("label"), f"{options.lst_label or options.label} has no '#| lst-cap: …'")
        if options.kind == "fig" and not options.fig_alt:
            yield Problem(cell.place_of(options.label), f"{options.label} has no alternative text: '#| fig-alt: …'")
        for kind, caption in (("fig", options.fig_cap), ("tbl", options.tbl_cap)):
            if caption and options.kind != kind:
                yield Problem(cell.place_of(f"{kind}-cap"), f"a {kind}-cap needs '#| label: {kind}-…'")


def _letters(cells: Sequence[Cell]) -> Iterator[Problem]:
    for cell in cells:
        text = prose(cell)
        for wrong, right in ARABIC_LETTERS.items():
            at = text.find(wrong)
            if at >= 0:
                yield Problem(cell.place_at(at, text),
                              f"Arabic letter {wrong!r} (U+{ord(wrong):04X}) where Persian has {right!r}")


def _unmentioned(cells: Sequence[Cell]) -> Iterator[Problem]:
    """Figures, tables and listings that no text refers to, be it computed text; their own captions do not count."""
    mentioned = {found[1] for cell in cells for found in REFERENCE.finditer(_speaking(cell))}
    for cell in cells:
        for label in dict.fromkeys((cell.options.label, cell.options.lst_label)):
            if label.startswith(FLOATS) and label not in mentioned:
                yield Problem(cell.place_of(label), f"no text refers to {label}: write @{label} where it is spoken of")


def _speaking(cell: Cell) -> str:
    return prose(cell) if cell.kind == "markdown" else cell.code


def _leaps(cells: Sequence[Cell]) -> Iterator[Problem]:
    """Headings more than one level below the one before them."""
    level = 0
    for cell in cells:
        if cell.kind != "markdown":
            continue
        for found in HEADING.finditer(blanked(FENCED, cell.source)):
            deep = len(found[1])
            if deep > level + 1:
                right = "#" * (level + 1)
                yield Problem(cell.place_at(found.start()),
                              f"a heading of level {deep} stands below one of level {level}; write {right}")
            level = deep


def _footnotes(cells: Sequence[Cell]) -> Iterator[Problem]:
    """Footnotes that no cell of their chapter writes."""
    for file in dict.fromkeys(cell.file for cell in cells):
        chapter = [cell for cell in cells if cell.file == file]
        names = {name for cell in chapter if cell.kind == "markdown" for name in defined(cell.source)}
        for cell in chapter:
            text = prose(cell)
            for at, problem in undefined(text, names):
                place = cell.place_at(at) if cell.kind == "markdown" else cell.place_of(text[at:text.index("]", at)])
                yield Problem(place, problem)


def typed_results(cells: Iterable[Cell]) -> Iterator[Problem]:
    """Numbers in prose that look like results and are typed by hand; not a breach, for they may be settings."""
    for cell in cells:
        if cell.kind == "markdown":
            text = prose(cell)
            for found in RESULT.finditer(text):
                yield Problem(cell.place_at(found.start(), text),
                              f"«{found[0]}» looks like a result typed by hand; if it is one: `{{python}} …`")


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
