"""Step 4: the chapters' Typst markup becomes one tagged PDF whose text can be copied."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from gozaresh.common.environment import now
from gozaresh.common.errors import Place, Problem, TypesetError, nearest, one_line, raise_problems
from gozaresh.common.files import write_bytes, write_text
from gozaresh.common.persian import jalali, latin_digits
from gozaresh.common.store import Store
from gozaresh.common.typst_code import typst_string
from gozaresh.settings import Cover, Project
from gozaresh.typeset.glyphs import missing_glyphs
from gozaresh.typeset.textlayer import repair

WHERE = re.compile(r"┌─ (?P<file>[^:\n]+):(?P<line>[0-9]+):(?P<column>[0-9]+)")
XREF = re.compile(r"#xref\(<([\w-]+)>")
LABEL = re.compile(r"(?<!xref\()(?<!cite\()<([a-z]+-[\w-]+)>")


@dataclass(frozen=True)
class TypstFiles:
    """The parts of the report as Typst files below ``build/``: chapters in order, then the appendix."""

    chapters: tuple[Path, ...]
    appendix: Path


def typeset(project: Project, sources: TypstFiles, store: Store | None = None) -> Path:
    """Set the report and return the path of the PDF, which is a draft until it is proven.

    ``store`` holds the pages that an earlier repair mended.

    Raises:
        SourceError: a reference has no target.
        TypesetError: no font has a character, or Typst refuses the markup, or warns.
    """
    _check_references(project, sources)
    copy_theme(project)
    _check_glyphs(project, sources)
    main = project.build / "report.typ"
    write_text(main_document(project, sources), main)
    write_bytes(repair(_compile(main, project), store), project.draft)
    return project.draft


def _check_references(project: Project, sources: TypstFiles) -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in (*sources.chapters, sources.appendix)}
    known = {label for text in texts.values() for label in LABEL.findall(text)}
    raise_problems(
        Problem(_place_at(project.relative(path), text, found.start(1)),
                f"computed text refers to {found[1]!r}; {nearest(found[1], known)}")
        for path, text in texts.items() for found in XREF.finditer(text) if found[1] not in known)


def _check_glyphs(project: Project, sources: TypstFiles) -> None:
    texts = {project.relative(path): path.read_text(encoding="utf-8") for path in (*sources.chapters, sources.appendix)}
    raise_problems(missing_glyphs(texts, project.build / "theme" / "fonts"), TypesetError)


def _place_at(file: str, text: str, index: int) -> Place:
    return Place(file, text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index) - 1)


def copy_theme(project: Project) -> None:
    """Typst reads nothing outside the report's folder, so the theme is copied below ``build/``."""
    target = project.build / "theme"
    if not (project.theme / "theme.typ").is_file():
        raise TypesetError("no theme.typ in the theme's folder", Place(project.relative(project.theme)))
    for path in sorted(project.theme.rglob("*")):
        if path.is_file():  # each appears whole: another build may be reading them
            write_bytes(path.read_bytes(), target / path.relative_to(project.theme))


def main_document(project: Project, sources: TypstFiles) -> str:
    """The Typst document that puts cover, chapters, references and appendix together."""
    day = now().date()
    includes = "\n".join(f'#include "/{project.relative(path)}"' for path in sources.chapters)
    return f"""#import "/build/theme/theme.typ": *
#show: report.with(cover: {_cover(project.settings.cover, day)},
  date: datetime(year: {day.year}, month: {day.month}, day: {day.day}){', flowing: true' if project.bare else ''})
{includes}
#references({_bibliography(project)})
#appendix[
#include "/{project.relative(sources.appendix)}"
]
"""


def _cover(cover: Cover, day: date) -> str:
    fields = cover.model_dump() | {"date": cover.date or jalali(day), "student": latin_digits(cover.student)}
    pairs = ", ".join(f"{name}: {typst_string(value)}" for name, value in fields.items())
    return f"({pairs})"


def _bibliography(project: Project) -> str:
    given: Mapping[str, str] = project.settings.bibliography
    folder = project.file.parent
    return ", ".join(f'{name}: "/{project.relative(folder / path)}"' for name, path in sorted(given.items()))


def _compile(main: Path, project: Project) -> bytes:
    import typst

    try:
        pdf, warnings = compiled(main, project.root)
    except typst.TypstError as error:
        raise TypesetError(problems=typst_problems(error, project.root)) from None
    raise_problems([problem for warning in warnings for problem in typst_problems(warning, project.root)], TypesetError)
    return pdf


def typst_problems(error: Any, root: Path) -> list[Problem]:
    """Typst's errors or warnings, each with the place that its diagnostic names, seen from the report's folder.

    Where Typst was deep in the theme, the place is that of the call, the first that is not in the theme.
    """
    problems = []
    for told in re.split(r"^(?=error: |warning: )", error.diagnostic or "", flags=re.M)[1:]:
        message = told.partition("\n")[0].partition(": ")[2]
        places = [_seen_from(root, found) for found in WHERE.finditer(told)]
        own = [place for place in places if not place.file.startswith("build/theme/")]
        problems.append(Problem(next(iter((*own, *places)), None), f"typst: {one_line(message)}"))
    return problems or [Problem(None, f"typst: {one_line(error.message)}")]


def _seen_from(root: Path, found: re.Match[str]) -> Place:
    path = Path(os.path.abspath(found["file"]))
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else found["file"].lstrip("/")
    return Place(name, int(found["line"]), int(found["column"]))


def compiled(main: Path, root: Path) -> tuple[bytes, list[Any]]:
    """The PDF of a Typst document, and Typst's warnings.

    Raises:
        typst.TypstError: Typst refuses the markup.
    """
    import typst

    pdf, warnings = typst.compile_with_warnings(
        main, root=root, font_paths=[root / "build" / "theme" / "fonts"], ignore_system_fonts=True,
        pdf_standards=["ua-1", "a-2a"])
    return bytes(pdf), warnings
