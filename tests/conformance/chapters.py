"""One chapter of prose set and proved in this process, with nothing run: for test sets of hundreds of inputs.

The steps are those of a build (lint, export, Typst, text layer, proof); the cover and the appendix are left out.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from multiprocessing import get_context
from pathlib import Path

import typst
from nbformat import NotebookNode

from gozaresh.common.errors import GozareshError, TypesetError, raise_problems
from gozaresh.common.paths import THEME
from gozaresh.export.error_places import Chapters, locate_typst_error
from gozaresh.export.exporter import TypstExporter
from gozaresh.export.reading import Reading, read_chapter
from gozaresh.export.resolve import Conventions
from gozaresh.proof.expected import expected_chapter, expected_passages
from gozaresh.proof.page_checks import Margins
from gozaresh.proof.proofread import proofread
from gozaresh.source.cells import Cell
from gozaresh.source.lint import lint
from gozaresh.source.notebook import to_notebook
from gozaresh.typeset.glyphs import missing_glyphs
from gozaresh.typeset.textlayer import repair
from gozaresh.typeset.typeset import typst_problems

FILE = "c.md"


@dataclass(frozen=True)
class Outcome:
    """How a chapter ended: proved, refused by an error, unproven by the proof, or broken; its lines; its advice."""

    kind: str
    lines: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """Whether it was proved, or refused in one line that begins with a line of the chapter."""
        return self.kind == "proved" or (
            self.kind == "refused" and len(self.lines) == 1 and self.lines[0].startswith(f"{FILE}:"))


class Workshop:
    """A folder in which chapters are set one after the other, as documents without report.toml unless ``strict``."""

    def __init__(self, root: Path, *, strict: bool = False) -> None:
        self.root, self.strict = root, strict
        self.count = 0  # each chapter has a sheet of its own, for Typst reads only the changes of a file anew
        shutil.copytree(THEME, self.root / "build" / "theme")
        (self.root / "build" / "chapters").mkdir()

    @cached_property
    def compiler(self) -> typst.Compiler:
        return typst.Compiler(self.root / "build" / "report.typ", root=self.root, ignore_system_fonts=True,
                              font_paths=[self.fonts])

    @property
    def fonts(self) -> Path:
        return self.root / "build" / "theme" / "fonts"

    def outcome(self, markdown: str) -> Outcome:
        """Build and prove a chapter of one Markdown cell."""
        cells = [Cell("markdown", markdown, FILE, 1)]
        return self._ended(lambda: raise_problems(
            lint(cells, (), strict=self.strict, bare=not self.strict)), to_notebook(cells))

    def outcome_of(self, notebook: NotebookNode) -> Outcome:
        """Build and prove an executed chapter."""
        return self._ended(lambda: None, notebook)

    def _ended(self, check: Callable[[], None], notebook: NotebookNode) -> Outcome:
        try:
            check()
            return self._proved(notebook)
        except GozareshError as error:
            return Outcome("refused", tuple(str(error).splitlines()))
        except Exception as error:  # a fault of the program, which a table of outcomes is to show and not to end at
            return Outcome("broken", (f"{type(error).__name__}: {error}",))

    def _proved(self, notebook: NotebookNode) -> Outcome:
        reading = self.exported(notebook)
        found = self.findings(self.set(notebook), notebook, reading)
        return Outcome("unproven" if found else "proved", found, tuple(map(str, reading.findings)))

    @property
    def sheet(self) -> Path:
        """The last chapter's Typst markup."""
        return self.root / "build" / "chapters" / f"c{self.count}.typ"

    def exported(self, notebook: NotebookNode) -> Reading:
        """Write the chapter's markup and figures."""
        exporter = TypstExporter(theme="/build/theme/theme.typ", figure_path="/figures")
        exporter.reading = reading = read_chapter(
            notebook, Conventions(bare=not self.strict, strict=self.strict))
        markup, resources = exporter.from_notebook_node(notebook)
        self.count += 1
        self.sheet.write_text(markup, encoding="utf-8")
        for name, data in resources["outputs"].items():
            (self.root / name).parent.mkdir(exist_ok=True)
            (self.root / name).write_bytes(data)
        (self.root / "build" / "report.typ").write_text(
            '#import "/build/theme/theme.typ": *\n#set document(title: "x")\n#show: styled\n'
            f'#include "/build/chapters/{self.sheet.name}"\n', encoding="utf-8")
        return reading

    def set(self, notebook: NotebookNode) -> Path:
        """Set the markup as it is now."""
        pdf = self.root / "build" / "report.pdf"
        try:
            pdf.write_bytes(repair(self._compiled()))
        except TypesetError as error:
            raise locate_typst_error(error, Chapters(self.root, {self.sheet.stem: notebook}, "theme")) from None
        return pdf

    def findings(self, pdf: Path, notebook: NotebookNode, reading: Reading) -> tuple[str, ...]:
        """What the proof says of a PDF."""
        proof = proofread(pdf, expected_passages([expected_chapter(notebook, reading)]), Margins(56, 56),
                          strict=self.strict)
        return tuple(str(fault) for fault in (*proof.missing, *proof.faults))

    def _compiled(self) -> bytes:
        markup = {f"build/chapters/{self.sheet.name}": self.sheet.read_text(encoding="utf-8")}
        raise_problems(missing_glyphs(markup, self.fonts), TypesetError)
        try:
            pdf, warnings = self.compiler.compile_with_warnings(format="pdf", pdf_standards=["ua-1", "a-2a"])
        except typst.TypstError as error:
            raise TypesetError(problems=typst_problems(error, self.root)) from None
        raise_problems([problem for warning in warnings for problem in typst_problems(warning, self.root)],
                       TypesetError)
        return bytes(pdf)


def outcomes(chapters: Sequence[str], *, strict: bool = False) -> list[Outcome]:
    """What becomes of each chapter, in order; they are set on all cores."""
    parts = 8 * (os.cpu_count() or 1)
    spawned = get_context("spawn")  # a fork would inherit the locks of Typst's threads
    with ProcessPoolExecutor(mp_context=spawned) as pool:
        done = list(pool.map(partial(_part, strict=strict), [chapters[at::parts] for at in range(parts)]))
    return [done[at % parts][at // parts] for at in range(len(chapters))]


def _part(chapters: Sequence[str], *, strict: bool) -> list[Outcome]:
    with tempfile.TemporaryDirectory(prefix="chapters-") as folder:
        workshop = Workshop(Path(folder), strict=strict)
        return [workshop.outcome(chapter) for chapter in chapters]
