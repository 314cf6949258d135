"""Reading order of a run of text: its codes from left to right, so that readers put the words together as written.

Readers get the codes of a right-to-left run in visual order and turn them round, each in its own way. What was learned
of them, by name, stands at the function that deals with it: poppler 22.12, pdfium 8149, mupdf 1.28, pdf.js 5.6.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

from gozaresh.pdf.content import Cluster, Glyph, Run

JOINERS = "\u200c\u200d"
RIGHT_TO_LEFT_MARK = "\u200f"
ARABIC_LETTER_MARK = "\u061c"
FIRM_SPACE = RIGHT_TO_LEFT_MARK + " "
STRONG = {"L", "R", "AL", "EN", "AN", "NSM"}
SEPARATORS = ".,:/،%٪+-−\u00a0"  # weak in UAX #9
# thousandths of an em
GAP = 70  # too narrow to be a space for pdf.js, wide enough to part words for poppler
WIDEST = 450  # pdf.js breaks a line at wider gaps
ASIDE = 0.001  # ems to the left of the next letter that a code without ink stands, for readers that go by places
STEP = 40  # between the widths of new glyphs


class Emission(NamedTuple):
    """A glyph of the written run (None: nothing is drawn), what it says in visual order, and where it stands."""

    glyph: int | None
    text: str
    x: float
    wider: int = 0  # thousandths of an em added to the glyph's width


def emit_codes(run: Run, *, spaced: bool) -> list[Emission]:
    """What the run says; ``spaced``: a space shall be said before it, for a gap parts it from the run before."""
    if not run.right_to_left:
        said = [Emission(cluster.glyphs[0].code, cluster.text, cluster.glyphs[0].x) for cluster in run.clusters]
        return [Emission(None, FIRM_SPACE, said[0].x, GAP), *said] if spaced else said
    said = [with_direction_mark(item) for cluster in gather_marks(run) for item in _letter_emissions(cluster, run)]
    return with_edges(filled_gaps(list(_with_borders(join_joiners(said))), run), run, spaced) if said else []


def ink_only(run: Run) -> list[Glyph]:
    """The glyphs of a right-to-left run that say nothing and are ink alone: marks, and parts of one character."""
    return [glyph for cluster in gather_marks(run) for glyph in cluster.glyphs if glyph not in _letters(cluster, run)]


def with_direction_mark(item: Emission) -> Emission:
    """The code with a direction mark before a sign of numbers («٪», «−»), which mupdf takes for left-to-right."""
    is_sign = unicodedata.bidirectional(item.text[0]) in ("ES", "ET")
    return item._replace(text=RIGHT_TO_LEFT_MARK + item.text) if is_sign else item


def join_joiners(said: Iterable[Emission]) -> list[Emission]:
    """The codes with each joiner said by the code of the letter before it (which stands to its right).

    pdf.js drops a code that says a format character at its end, alone or after others, but not before another one.
    """
    out: list[Emission] = []
    for item in said:
        if out and out[-1].glyph is None and set(out[-1].text) <= set(JOINERS):
            between = ARABIC_LETTER_MARK if is_mark(item.text) else ""
            out[-1] = item._replace(text=out[-1].text + between + item.text)
        else:
            out.append(item)
    return out


def filled_gaps(said: Sequence[Emission], run: Run) -> list[Emission]:
    """The codes with no gap before a mark at a word's end, and none that is very wide.

    pdf.js looks for gaps at letters only, not at the marks to their left, and would say the space that it finds
    between a mark and its letter. So the letter across the space is made wide enough to fill it, all but a little:
    poppler parts words at gaps. mupdf does so too, but for the gap after the space, which is set close. At wide gaps
    pdf.js ends its line, and the words of a line would stand in visual order.
    """
    out: list[Emission] = []  # all that is settled: words, and after them blanks before the next word
    for blank, group in groupby(said, _is_void):
        items = list(group)
        out += items if blank else [*_closed(out, items[0], run), *items]
    return out


def _closed(settled: list[Emission], following: Emission, run: Run) -> list[Emission]:
    """Take the blanks at the end of what is settled, and the word before them, and give them closed up to what follows.

    Where no space is among the blanks there is no gap to close, and they stay as they are.
    """
    first = next((at for at in range(len(settled), 0, -1) if not _is_void(settled[at - 1])), 0)
    blanks = settled[first:]
    space = next((at for at, blank in enumerate(blanks) if blank.text.isspace()), None)
    if space is None:
        return []
    del settled[first:]
    word = settled.pop() if settled else None
    mark = is_mark(following.text)
    if word is not None:
        word = _reaching(word, following.x, GAP if mark else WIDEST, run)
        end = word.x + (run.font.width(word.glyph) + word.wider / 1000) * run.size
        blanks[:space] = [blank._replace(x=end) for blank in blanks[:space]]
    if mark:
        near = blanks[space] if word is not None else firm(blanks[space])
        blanks[space] = near._replace(x=following.x - run.font.width(blanks[space].glyph) * run.size)
    return [*([word] if word is not None else []), *blanks]


def _is_void(item: Emission) -> bool:
    """Test if a code shows no ink and says no mark: a space or a direction mark."""
    return item.text.isspace() or (item.glyph is None and not is_mark(item.text))


def _reaching(said: Emission, end: float, left: int, run: Run) -> Emission:
    """The code so wide that no more than ``left`` is left up to ``end``. Steps keep the number of new glyphs low."""
    gap = (end - said.x) / run.size * 1000 - run.font.width(said.glyph) * 1000
    return said if gap <= left else said._replace(wider=max(0, round((gap - left) / STEP) * STEP))


def _hangs(space: Emission, letter: Emission, run: Run) -> bool:
    """Test if a space lies on the letter after it, as at a line's end; pdf.js would part the two."""
    return space.text[-1].isspace() and letter.x - space.x < (run.font.width(space.glyph) - 0.1) * run.size


def with_edges(said: Sequence[Emission], run: Run, spaced: bool) -> list[Emission]:
    """The codes with edges that keep the spaces and the direction of the run's ends.

    pdf.js forgets a space at the edge of a run, unless a direction mark shares its code. poppler and mupdf take
    neutral characters beside a left-to-right word for its own, unless a direction mark stands between.
    """
    out = list(said)
    for edge in {0, len(out) - 1}:
        if out[edge].text.isspace():
            out[edge] = firm(out[edge])
    if len(out) > 1 and _hangs(out[0], out[1], run):
        out[0] = Emission(None, out[0].text, out[0].x, GAP)
    if is_mark(out[0].text):
        out.insert(0, Emission(None, FIRM_SPACE, out[0].x, GAP))
    if is_neutral(out[0].text[0]):
        out.insert(0, Emission(None, RIGHT_TO_LEFT_MARK, out[0].x))
    if spaced:
        out.append(Emission(None, FIRM_SPACE, run.end, GAP))
    if is_neutral(out[-1].text[-1]):
        out.append(Emission(None, RIGHT_TO_LEFT_MARK, run.end))
    return out


def firm(space: Emission) -> Emission:
    """A space that pdf.js keeps."""
    return space._replace(text=RIGHT_TO_LEFT_MARK + space.text)


def is_mark(text: str) -> bool:
    """Test if a mark is among the characters."""
    return any(map(unicodedata.combining, text))


def gather_marks(run: Run) -> list[Cluster]:
    """The clusters with each mark that was drawn on its own put to its letter, which follows it and says the same."""
    gathered: list[Cluster] = []
    for cluster in run.clusters:
        last = gathered[-1] if gathered else None
        if last is not None and last.text == cluster.text and _is_lone_mark(last, run):
            gathered[-1] = last._replace(glyphs=last.glyphs + cluster.glyphs)
        else:
            gathered.append(cluster)
    return gathered


def _is_lone_mark(cluster: Cluster, run: Run) -> bool:
    has_width = any(run.font.width(glyph.code) > 0 for glyph in cluster.glyphs)
    return not has_width and len(cluster.text) > 1 and is_mark(cluster.text)


def _letters(cluster: Cluster, run: Run) -> list[Glyph]:
    """The glyphs that shall say a character."""
    wide = [glyph for glyph in cluster.glyphs if run.font.width(glyph.code) > 0]
    return (wide or list(cluster.glyphs[-1:]))[:max(1, len(cluster.text))]


def _letter_emissions(cluster: Cluster, run: Run) -> list[Emission]:
    return _emit(_letters(cluster, run), cluster.text, run)


def _emit(letters: Sequence[Glyph], text: str, run: Run) -> list[Emission]:
    """One code a character, from left to right, so the text's last character first.

    No two codes without ink are the same, for pdfium drops what is shown twice in one place («الله»).
    """
    chars = text[::-1]
    if len(letters) > 1:  # the first glyphs say a character each, the last one all the others
        first, char = letters[0], chars[0]
        return [Emission(first.code, char, first.x), *_emit(letters[1:], text[:-1], run)]
    letter = letters[0]
    right = letter.x + (run.font.width(letter.code) - ASIDE) * run.size
    drawn = next((at for at, char in enumerate(chars) if not _is_light(char)), 0)
    return [Emission(letter.code, char, letter.x) if at == drawn
            else Emission(None, char, letter.x if at < drawn else right, chars[:at].count(char))
            for at, char in enumerate(chars)]


def _with_borders(said: Sequence[Emission]) -> Iterator[Emission]:
    """The codes with a right-to-left mark between punctuation and the mark of the letter before it («حتماً،»).

    pdfium takes marks and separators alike for weak characters and does not turn a row of them round, so that the two
    would change places.
    """
    for last, item in pairwise([None, *said]):
        if last and item and last.text in SEPARATORS and is_mark(item.text):
            yield Emission(None, RIGHT_TO_LEFT_MARK, item.x)
        if item:
            yield item


def _is_light(char: str) -> bool:
    """Marks and joiners: characters that do not stand on the line by themselves."""
    return unicodedata.combining(char) != 0 or char in JOINERS


def is_neutral(text: str) -> bool:
    """Test if nothing in the text has a direction: blanks and punctuation alone."""
    return not any(unicodedata.bidirectional(char) in STRONG for char in text)
