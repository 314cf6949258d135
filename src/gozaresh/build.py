"""The whole way of a report, step by step; ``gozaresh build`` calls :func:`build_report`, the Makefile each step."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from nbformat import NotebookNode

from gozaresh import files, origins, standing
from gozaresh.appendix import appendix
from gozaresh.bibliography import read_bibliography
from gozaresh.errors import GozareshError, ProofError, SettingsError, SourceError, TypesetError, nearest
from gozaresh.files import notebook_text, write_bytes, write_text
from gozaresh.fingerprint import environment, file_digest
from gozaresh.ledger import check_complete
from gozaresh.lint import (
    Problem,
    Question,
    defined_labels,
    lint,
    points,
    raise_first,
    read_assignment,
    typed_results,
    unanswered,
)
from gozaresh.lock import locked
from gozaresh.memo import Memo, key, memo
from gozaresh.notebook import to_notebook
from gozaresh.origins import Provenance
from gozaresh.parameters import Overrides, Parameter, check_names, read_parameters
from gozaresh.passage import Passage
from gozaresh.pdffaults import Margins
from gozaresh.pdfpages import heading_pages
from gozaresh.progress import say
from gozaresh.promised import appendix_promise, chapter_promise, promised
from gozaresh.proofread import Proof, proofread
from gozaresh.prose import SourceText, source_texts
from gozaresh.provenance import Chapter, trace
from gozaresh.reads import Root, roots
from gozaresh.settings import Literal, Project
from gozaresh.source import Cell, read_chapter
from gozaresh.spelling import half_spaces

if TYPE_CHECKING:
    from gozaresh.execute import Reads


@dataclass(frozen=True)
class Report:
    """A project with the profile and the parameters chosen for one build."""

    project: Project
    profile: str
    overrides: Overrides
    paths: Mapping[str, str]
    why: bool = False  # whether each chapter says which input made it run
    choice: tuple[str, ...] = ()  # the words by which profile and parameters were chosen

    @cached_property
    def cells(self) -> Mapping[str, tuple[Cell, ...]]:
        """The cells of each chapter by its name."""
        return {path.stem: self._read(path) for path in self.project.chapters}

    def _read(self, path: Path) -> tuple[Cell, ...]:
        name = self.project.relative(path)
        return self.memo("cells").get(key(path.read_bytes(), name), lambda: read_chapter(path, name))

    @cached_property
    def parameters(self) -> Mapping[str, tuple[Parameter, ...]]:
        """The parameters of each chapter by its name."""
        found = {name: read_parameters(cells) for name, cells in self.cells.items()}
        everything = [parameter for parameters in found.values() for parameter in parameters]
        check_names(self.overrides, everything, self.project.relative(self.project.file))
        return found

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """What is installed as the build begins."""
        return environment()

    def memo(self, name: str) -> Memo:
        """Where a step keeps its pieces by the digest of what they were made from."""
        return memo(self.project.build / "memo" / name)

    def executed(self, name: str) -> NotebookNode:
        """The executed notebook of a chapter, not to be changed."""
        return _built(self.executed_path(name), files.written_notebook)

    @cached_property
    def provenance(self) -> Provenance:
        """Where each result comes from; asked for once all chapters are executed."""
        return trace(_chapters(self), self.profile)

    @cached_property
    def appendix(self) -> str:
        """The appendix as Markdown; asked for once all chapters are executed."""
        return appendix(_chapters(self), self.provenance)

    def notebook_path(self, name: str) -> Path:
        """Where the notebook of a chapter is written."""
        return self.project.build / "notebooks" / f"{name}.ipynb"

    def executed_path(self, name: str) -> Path:
        """Where the executed notebook of a chapter is written."""
        return self.project.build / "executed" / f"{name}.ipynb"

    def sheet_path(self, name: str) -> Path:
        """Where the Typst markup of a chapter is written."""
        return self.project.build / "chapters" / f"{name}.typ"


def choose(project: Project, profile: str = "", given: Mapping[str, str] | None = None) -> Report:
    """Choose a profile (empty: the default one) and parameters.

    Raises:
        SettingsError: no such profile or parameter, or a value of the wrong type.
    """
    name, values = project.profile(profile, varied=bool(given), data=_data_alone(project, given or {}))
    report = Report(project, name, Overrides(values, dict(given or {})), {})
    for parameters in report.parameters.values():
        report.overrides.resolve(parameters, project.root)
    return report


def _data_alone(project: Project, given: Mapping[str, str]) -> str:
    """The SHA-256 of the data file, if that is all that was given."""
    path = project.root / given.get("data", "")
    return file_digest(path) if set(given) == {"data"} and path.is_file() else ""


def build_report(report: Report) -> Path:
    """Run all the steps and return the PDF's path."""
    started = time.monotonic()
    check(report)
    with locked(report.project.build / "run" / "build.lock", "the report"):
        before = standing.contents(_read(report)) if report.choice else {}
        reads = []
        for name in report.cells:
            make_notebook(report, name)
            reads.append(execute_chapter(report, name))
            export_chapter(report, name)
        pdf = typeset_report(report)
        if report.choice:
            _record(report, reads, before)
    say(f"the whole report took {time.monotonic() - started:.1f} s")
    return pdf


def inputs(report: Report) -> frozenset[Root]:
    """The input files and folders that the chapters' parameters name."""
    return frozenset(Root(path, whole=True) for name, parameters in report.parameters.items()
                     for path in _input_files(report, name, _values(report, parameters)).values())


def _read(report: Report) -> frozenset[Root]:
    return roots(report.project) | inputs(report)


def _record(report: Report, reads: Sequence[Reads], before: Mapping[str, str]) -> None:
    """Note what the report was made from, so that the next build can tell at once that nothing is to be done.

    ``before`` is what was read, as it was when the build began; what was saved since is not in this report.
    """
    project = report.project
    made = [Root(project.pdf), Root(project.figures), Root(project.build / "executed", ".ipynb"),
            Root(project.build / origins.FILE)]
    note = standing.record(project.root, report.choice, [*_read(report), *made], before,
                           {path for read in reads for path in read.modules},
                           {name: digest for read in reads for name, digest in read.seen.items()})
    if note:
        write_text(note, project.build / standing.FILE)


def chapter(report: Report, name: str) -> str:
    """``name`` if it is a chapter's.

    Raises:
        SettingsError: it is not; the nearest chapter is named.
    """
    if name not in report.cells:
        raise SettingsError(f"no chapter {name!r}; {nearest(name, report.cells)}")
    return name


def check(report: Report) -> None:
    """Hold the sources against the conventions and the assignment, without running anything.

    Raises:
        SourceError: with a line for every breach.
    """
    cells = [cell for chapter in report.cells.values() for cell in chapter]
    raise_first([*lint(cells, set(read_bibliography(_bibliographies(report.project)))), *_coverage(report, cells)])


def advice(report: Report) -> list[str]:
    """A line for each question of the assignment, its page in the last PDF, and what should be looked at again."""
    cells = [cell for chapter in report.cells.values() for cell in chapter]
    labels, found = defined_labels(cells), _questions(report)
    pages = heading_pages(report.project.pdf)
    lines = [f"{question.id}: {question.points} points, answered at {labels[question.answers[0]]}"
             + (f", page {pages[question.answers[0]]}" if question.answers[0] in pages else "")
             for question in found if question.answers and set(question.answers) <= set(labels)]
    if found:
        lines.append("{} of {} points answered".format(*points(found, labels)))
    return [*lines, *(f"look again: {problem}" for problem in (*typed_results(cells), *half_spaces(cells)))]


def _bibliographies(project: Project) -> list[Path]:
    return [project.file.parent / name for name in project.settings.bibliography.values()]


def _coverage(report: Report, cells: Sequence[Cell]) -> tuple[Problem, ...]:
    shown = report.project.relative(report.project.file.parent / report.project.settings.assignment)
    return unanswered(_questions(report), defined_labels(cells), shown)


def _questions(report: Report) -> tuple[Question, ...]:
    """The assignment's questions; none where there is no assignment."""
    name = report.project.settings.assignment
    path = report.project.file.parent / name
    return read_assignment(path, report.project.relative(path)) if name else ()


def make_notebook(report: Report, name: str) -> None:
    """Step 1: the chapter's percent script becomes a notebook that Papermill can run."""
    kept, cells = report.memo(f"notebook-{name}"), report.cells[name]
    write_text(kept.get(key(cells), lambda: notebook_text(to_notebook(cells))), report.notebook_path(name))


def execute_chapter(report: Report, name: str) -> Reads:
    """Step 2: run the chapter's notebook, or take an earlier run of the same inputs; say what the run has read."""
    from gozaresh.execute import Job, execute

    project = report.project
    values = _values(report, report.parameters[name])
    return execute(Job(
        name=name, notebook=_built(report.notebook_path(name), files.read_written), target=report.executed_path(name),
        parameters=values, paths=_input_files(report, name, values),
        roots=[project.root / folder for folder in project.settings.modules],
        root=project.root, build=project.build, profile=report.profile,
        environment=report.environment, why=report.why))


def _values(report: Report, parameters: Sequence[Parameter]) -> dict[str, Literal]:
    return report.overrides.resolve(parameters, report.project.root)


def _input_files(report: Report, name: str, values: Mapping[str, Literal]) -> dict[str, Path]:
    given = {p.name: str(values.get(p.name, p.default)) for p in report.parameters[name] if p.is_path}
    return {parameter: report.project.root / value for parameter, value in given.items() if value}


def _built(path: Path, read: Callable[[Path], NotebookNode]) -> NotebookNode:
    """Read a notebook that an earlier step wrote."""
    return read(_there(path))


def _there(path: Path) -> Path:
    """``path``, if an earlier step wrote it.

    Raises:
        SourceError: it is not there.
    """
    if not path.is_file():
        raise SourceError(f"{path.name} is not built yet: run the step before it, or 'make report'")
    return path


def export_chapter(report: Report, name: str) -> None:
    """Step 3: the executed notebook becomes Typst markup, its figures files named by their labels."""
    macros = report.project.settings.macros
    kept = report.memo(f"export-{name}")
    digest = file_digest(_there(report.executed_path(name)))
    markup, outputs = kept.get(key(digest, macros), lambda: _exported(report.executed(name), macros))
    for file, data in outputs.items():
        write_bytes(data, report.project.root / file)
    write_text(markup, report.sheet_path(name))


def _exported(executed: NotebookNode, macros: str) -> tuple[str, dict[str, bytes]]:
    """Markup, and files by their names."""
    from gozaresh.export import TypstExporter

    exporter = TypstExporter(theme="/build/theme/theme.typ", figure_path="/figures", macros=macros)
    markup, resources = exporter.from_notebook_node(executed)
    return markup, resources["outputs"]


def export_appendix(report: Report) -> Path:
    """Step 3 for the appendix, which the engine writes from the record of the run."""
    from gozaresh.markdown import to_typst

    path, text = report.sheet_path("appendix"), report.appendix
    kept = report.memo("export-appendix")
    write_text('#import "/build/theme/theme.typ": *\n\n' + kept.get(key(text), lambda: to_typst(text)), path)
    return path


def _chapters(report: Report) -> list[Chapter]:
    return [Chapter(name, report.parameters[name], report.executed(name)) for name in report.cells]


def typeset_report(report: Report) -> Path:
    """Steps 4 and 5: set the PDF, read it back, and hold it against the executed cells."""
    from gozaresh.typeset import Sheets, typeset

    check_complete([report.executed(name) for name in report.cells])
    sheets = Sheets(tuple(report.sheet_path(name) for name in report.cells), export_appendix(report))
    with ThreadPoolExecutor(1) as pool:  # Typst leaves time for what the proof needs
        wanted = pool.submit(_wanted, report)
        try:
            pdf = typeset(report.project, sheets, report.memo("pages"))
        except (SourceError, TypesetError) as error:
            raise _at_home(error, report) from None
        proof = prove(report, pdf, wanted.result())
    write_text(origins.to_json(report.provenance), report.project.build / origins.FILE)
    kinds = proof.passages
    say(f"{report.project.relative(pdf)} is ready (profile {report.profile}); read back, all in their places: "
        f"{proof.words} words in {kinds['text']} paragraphs and captions, {kinds['equation']} equations, "
        f"{kinds['figure']} figures, {kinds['cell']} table cells, {kinds['code']} lines of code")
    return pdf


def _at_home(error: GozareshError, report: Report) -> GozareshError:
    from gozaresh.homing import Chapters, home_of_sheet

    project = report.project
    executed = {name: report.executed(name) for name in report.cells}
    theme, macros = project.relative(project.theme), project.settings.macros
    return home_of_sheet(error, Chapters(project.root, executed, theme, macros))


@dataclass(frozen=True)
class Wanted:
    """What the PDF must hold."""

    passages: Sequence[Passage]
    sources: Sequence[SourceText]
    margins: Margins


def _wanted(report: Report) -> Wanted:
    from gozaresh.typeset import margins

    notebooks = [report.executed(name) for name in report.cells]
    promises = [*map(chapter_promise, notebooks), appendix_promise(report.appendix)]
    kept = report.memo("passages")
    passages = promised(promises, report.project.settings.macros, kept)
    return Wanted(passages, [text for notebook in notebooks for text in source_texts(notebook)],
                  margins(report.project))


def prove(report: Report, pdf: Path, wanted: Wanted) -> Proof:
    """Step 5: hold the finished PDF against what the executed chapters promise.

    Raises:
        ProofError: something is missing or unsound, a line each; the PDF is kept as ``report.unproven.pdf``.
    """
    proof = proofread(pdf, wanted.passages, wanted.sources, wanted.margins,
                      read_bibliography(_bibliographies(report.project)), report.memo("pages"))
    if not proof.sound:
        unproven = pdf.with_name("report.unproven.pdf")
        pdf.replace(unproven)
        lines = [str(found) for found in (*proof.missing, *proof.faults)]
        raise ProofError("\n".join([*lines[:20], f"the PDF is kept as {report.project.relative(unproven)}"]))
    return proof
