"""The whole way of a report, step by step; ``gozaresh build`` calls :func:`build_report`, the Makefile each step."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from nbformat import NotebookNode

from gozaresh import uptodate
from gozaresh.common import files
from gozaresh.common.digests import file_digest
from gozaresh.common.errors import (
    GozareshError,
    Problem,
    ProofError,
    SettingsError,
    SourceError,
    TypesetError,
    nearest,
    raise_problems,
)
from gozaresh.common.files import locked, notebook_text, write_bytes, write_text
from gozaresh.common.memo import key
from gozaresh.common.progress import say
from gozaresh.export.ledger import check_complete
from gozaresh.pdf.text import heading_pages
from gozaresh.proof.expected import expected_appendix, expected_chapter, expected_passages
from gozaresh.proof.proofread import Expectations, Proof, proofread
from gozaresh.proof.words import source_texts
from gozaresh.provenance import record as origins
from gozaresh.report import Report, bibliographies, built, input_files, parameter_values, there, watched
from gozaresh.source.assignment import Question, points, read_assignment, unanswered
from gozaresh.source.bibliography import read_bibliography
from gozaresh.source.cells import Cell
from gozaresh.source.lint import defined_labels, half_spaces, lint, typed_results
from gozaresh.source.notebook import to_notebook
from gozaresh.uptodate import WatchedPath

if TYPE_CHECKING:
    from gozaresh.run.execute import Reads


def build_report(report: Report) -> Path:
    """Run all the steps and return the PDF's path."""
    started = time.monotonic()
    check(report)
    with locked(report.project.build / "run" / "build.lock", "the report"):
        before = uptodate.contents(watched(report)) if report.choice else {}
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


def _record(report: Report, reads: Sequence[Reads], before: Mapping[str, str]) -> None:
    """Note what the report was made from, so that the next build can tell at once that nothing is to be done.

    ``before`` is what was read, as it was when the build began; what was saved since is not in this report.
    """
    project = report.project
    made = [WatchedPath(project.pdf), WatchedPath(project.figures), WatchedPath(project.build / "executed", ".ipynb"),
            WatchedPath(project.build / origins.FILE)]
    note = uptodate.write_manifest(project.root, report.choice, [*watched(report), *made], before,
                           {path for read in reads for path in read.modules},
                           {name: digest for read in reads for name, digest in read.seen.items()})
    if note:
        write_text(note, project.build / uptodate.FILE)


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
    raise_problems([*lint(cells, set(read_bibliography(bibliographies(report.project)))), *_coverage(report, cells)])


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
    from gozaresh.run.execute import Job, execute

    project = report.project
    values = parameter_values(report, report.parameters[name])
    return execute(Job(
        name=name, notebook=built(report.notebook_path(name), files.read_written), target=report.executed_path(name),
        parameters=values, paths=input_files(report, name, values),
        roots=[project.root / folder for folder in project.settings.modules],
        root=project.root, build=project.build, profile=report.profile,
        environment=report.environment, why=report.why))


def export_chapter(report: Report, name: str) -> None:
    """Step 3: the executed notebook becomes Typst markup, its figures files named by their labels."""
    macros = report.project.settings.macros
    kept = report.memo(f"export-{name}")
    digest = file_digest(there(report.executed_path(name)))
    markup, outputs = kept.get(key(digest, macros), lambda: _exported(report.executed(name), macros))
    for file, data in outputs.items():
        write_bytes(data, report.project.root / file)
    write_text(markup, report.typst_path(name))


def _exported(executed: NotebookNode, macros: str) -> tuple[str, dict[str, bytes]]:
    """Markup, and files by their names."""
    from gozaresh.export.exporter import TypstExporter

    exporter = TypstExporter(theme="/build/theme/theme.typ", figure_path="/figures", macros=macros)
    markup, resources = exporter.from_notebook_node(executed)
    return markup, resources["outputs"]


def export_appendix(report: Report) -> Path:
    """Step 3 for the appendix, which the engine writes from the record of the run."""
    from gozaresh.export.typst_writer import to_typst

    path, text = report.typst_path("appendix"), report.appendix
    kept = report.memo("export-appendix")
    write_text('#import "/build/theme/theme.typ": *\n\n' + kept.get(key(text), lambda: to_typst(text)), path)
    return path


def typeset_report(report: Report) -> Path:
    """Steps 4 and 5: set the PDF, read it back, and hold it against the executed cells."""
    from gozaresh.typeset.typeset import TypstFiles, typeset

    check_complete([report.executed(name) for name in report.cells])
    sources = TypstFiles(tuple(report.typst_path(name) for name in report.cells), export_appendix(report))
    with ThreadPoolExecutor(1) as pool:  # Typst leaves time for what the proof needs
        wanted = pool.submit(_wanted, report)
        try:
            pdf = typeset(report.project, sources, report.memo("pages"))
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
    from gozaresh.export.error_places import Chapters, locate_typst_error

    project = report.project
    executed = {name: report.executed(name) for name in report.cells}
    return locate_typst_error(error, Chapters(project.root, executed, project.relative(project.theme)))


def _wanted(report: Report) -> Expectations:
    from gozaresh.proof.page_checks import margins

    notebooks = [report.executed(name) for name in report.cells]
    promises = [*map(expected_chapter, notebooks), expected_appendix(report.appendix)]
    kept = report.memo("passages")
    passages = expected_passages(promises, report.project.settings.macros, kept)
    return Expectations(passages, [text for notebook in notebooks for text in source_texts(notebook)],
                  margins(report.project))


def prove(report: Report, pdf: Path, wanted: Expectations) -> Proof:
    """Step 5: hold the finished PDF against what the executed chapters promise.

    Raises:
        ProofError: something is missing or unsound, a line each; the PDF is kept as ``report.unproven.pdf``.
    """
    proof = proofread(pdf, wanted.passages, wanted.sources, wanted.margins,
                      read_bibliography(bibliographies(report.project)), report.memo("pages"))
    if not proof.sound:
        unproven = pdf.with_name("report.unproven.pdf")
        pdf.replace(unproven)
        kept = Problem(None, f"the PDF is kept as {report.project.relative(unproven)}")
        raise ProofError(problems=[*proof.problems[:20], kept])
    return proof
