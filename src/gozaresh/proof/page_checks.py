"""Checks of every page, whatever the sources say: tofu, fonts not embedded, text in the margins, Latin numbering."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pikepdf
from pikepdf import Dictionary

from gozaresh.pdf.tags import PageContent, Placed, Tag, TaggedPdf
from gozaresh.pdf.text import Page
from gozaresh.proof.comparison import Fault
from gozaresh.settings import Project

SAYINGS = {
    "an unresolved reference": re.compile(r"\?\?|؟؟"),
    "an unreadable character (U+FFFD)": re.compile("\ufffd"),
}
LETTERS = {"an Arabic yeh or kaf": re.compile("[\u0643\u064a]")}  # style, which loses nothing
LATIN_NUMBER = re.compile(r"\s*[0-9]+\s*")
LATIN_DIGIT = re.compile("[0-9]")
FONT_FILES = ("/FontFile", "/FontFile2", "/FontFile3")
OVERHANG = 0.4  # ems by which punctuation may hang into the margin


@dataclass(frozen=True)
class Margins:
    """The width of a page's left and right margins, in points."""

    left: float = 0.0
    right: float = 0.0


def page_faults(pdf: TaggedPdf, margins: Margins) -> Iterator[Fault]:
    """Faults of the pages and of the tags."""
    for page in pdf.pages:
        for font, count in sorted(page.missing_glyphs.items()):
            yield Fault(page.number, f"{count} characters without a glyph in {font}")
        if page.loose:
            yield Fault(page.number, f"{page.loose} pieces of text have no tag")
        yield from _outside(page, margins)
        yield from (Fault(page.number, f"«{run.text.strip()}» is a page's number in Latin digits")
                    for run in page.runs if run.artifact and LATIN_NUMBER.fullmatch(run.text) and _is_foot(run, page))
    yield from _untold(pdf.root)
    yield from _latin_contents(pdf.root)


def _outside(page: PageContent, margins: Margins) -> Iterator[Fault]:
    """The first run of each line that reaches into a margin or beyond the page."""
    lines: set[int] = set()
    for run in page.runs:
        if not run.text.strip() or round(run.start[1]) in lines:
            continue
        left, right = sorted((run.start[0], run.end[0]))
        allowed = OVERHANG * run.size
        low, high = sorted((run.start[1], run.end[1]))
        if (left < margins.left - allowed or right > page.width - margins.right + allowed
                or low < 0 or high > page.height):
            lines.add(round(run.start[1]))
            yield Fault(page.number, f"«{run.text.strip()[:40]}» reaches outside the margins")


def _is_foot(run: Placed, page: PageContent) -> bool:
    return run.start[1] < page.height / 8


def _untold(root: Tag) -> Iterator[Fault]:
    """Figures and formulas without alternative text, and those that show nothing."""
    for tag in root.tags():
        if tag.kind in ("Figure", "Formula"):
            if not tag.alt.strip():
                yield Fault(tag.page, f"a {tag.kind.lower()} has no alternative text")
            if not any(shown.painted for shown in tag.shown()):
                yield Fault(tag.page, f"the {tag.kind.lower()} «{tag.alt[:60]}» shows nothing")


def _latin_contents(root: Tag) -> Iterator[Fault]:
    """Entries of the contents whose own or page's number has Latin digits."""
    for entry in (tag for tag in root.tags() if tag.kind == "TOCI"):
        texts = [below.text for below in entry.tags() if below.kind == "Lbl"]
        own = [shown.text for shown in entry.shown()]
        if any(map(LATIN_DIGIT.search, texts)) or (own and LATIN_NUMBER.fullmatch(own[-1])):
            yield Fault(entry.page, f"the contents' entry «{''.join(own).strip()[:40]}» has a number in Latin digits")


def text_faults(pages: Sequence[Page], sources: Iterable[str] = (), *, strict: bool = True) -> Iterator[Fault]:
    """Faults of what a reader's program copies; what an author wrote in one of the sources is none."""
    texts = list(sources)
    for page in pages:
        for what, pattern in (SAYINGS | (LETTERS if strict else {})).items():
            if pattern.search(page.text) and not any(map(pattern.search, texts)):
                yield Fault(page.number, what)


def unembedded_fonts(pdf: pikepdf.Pdf) -> Iterator[Fault]:
    """Fonts that the PDF names without holding them."""
    for number, page in enumerate(pdf.pages, 1):
        for name in sorted(set(_not_embedded(page.resources, set()))):
            yield Fault(number, f"the font {name} is not embedded")


def _not_embedded(resources: pikepdf.Object, seen: set[tuple[int, int]]) -> Iterator[str]:
    for font in dict(resources.get("/Font", Dictionary()).items()).values():
        inner = font["/DescendantFonts"][0] if "/DescendantFonts" in font else font
        descriptor = inner.get("/FontDescriptor", Dictionary())
        if font.get("/Subtype") != "/Type3" and not any(file in descriptor for file in FONT_FILES):
            yield str(font.get("/BaseFont", "without a name"))[1:]
    for form in dict(resources.get("/XObject", Dictionary()).items()).values():
        if form.objgen not in seen and "/Resources" in form:
            seen.add(form.objgen)
            yield from _not_embedded(form["/Resources"], seen)


def margins(project: Project) -> Margins:
    """The margins of the theme's pages; none if the theme does not tell, as ``theme.margin`` with lengths for x."""
    import typst

    asked = """#import "/build/theme/theme.typ": theme
#metadata(("left", "right").map(side => theme.margin.at(side, default: theme.margin.at("x", default: 0pt)).pt())) <m>"""
    try:
        told = json.loads(typst.Compiler(asked.encode(), root=project.root).query("<m>", field="value", one=True))
    except typst.TypstError:
        return Margins()
    return Margins(*told)
