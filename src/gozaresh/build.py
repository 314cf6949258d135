"""The whole way of a report, step by step; ``gozaresh build`` calls :func:`build_report`, the Makefile each step."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from nbformat import NotebookNode

from gozaresh import uptodate
from gozaresh.common import files
from gozaresh.common.digests import digest, file_digest
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
from gozaresh.common.findings import Finding, grouped
from gozaresh.common.progress import say
from gozaresh.export.ledger import check_complete
from gozaresh.pdf.text import heading_pages
from gozaresh.proof.expected import expected_appendix, expected_chapter, expected_passages
from gozaresh.proof.proofread import Expectations, Proof, proofread
from gozaresh.provenance import record as origins
from gozaresh.provenance.appendix import labels
from gozaresh.report import Report, built, input_files, parameter_values, there, watched
from gozaresh.source.assignment import Question, points, read_assignment, unanswered
from gozaresh.source.cells import Cell
from gozaresh.source.lint import defined_labels, half_spaces, lint, style, typed_results
from gozaresh.source.notebook import SKIPPED, place_of, to_notebook
from gozaresh.uptodate import WatchedPath

if TYPE_CHECKING:
    from gozaresh.export.reading import Reading
    from gozaresh.run.execute import Reads
    from gozaresh.settings import Project


def build_report(report: Report) -> Path:
    """Run all the steps and return the PDF's path."""
    started = time.monotonic()
    check(report)
    with locked(report.project.build / "run" / "build.lock", "the report"):
        before = uptodate.contents(watched(report)) if report.choice else {}
        write_text(json.dumps([*report.choice]), report.project.build / uptodate.CHOICE)
        reads, figures = [], list[str]()
        for name in report.cells:
            make_notebook(report, name)
            reads.append(execute_chapter(report, name))
            figures += export_chapter(report, name)
        pdf = typeset_report(report)
        _remove_former(report.project, figures)
        if report.choice:
            _record(report, reads, before, figures)
    report.store.prune()
    if report.project.bare:
        _copy_beside(report, pdf)
    say(f"the whole report took {time.monotonic() - started:.1f} s")
    return pdf


def _copy_beside(report: Report, pdf: Path) -> None:
    """Put a document's PDF beside it; one that was not made here stays as it is."""
    project, target = report.project, report.project.file.with_suffix(".pdf")
    note = project.build / "memo" / f"{target.name}.sha256"
    if target.exists() and (not note.is_file() or note.read_text(encoding="utf-8") != file_digest(target)):
        say(f"{target.name} was not made here and stays as it is; the new one is {project.relative(pdf)}")
        return
    write_bytes(pdf.read_bytes(), target)
    write_text(file_digest(target), note)
    say(f"{target.name} is ready")


def _remove_former(project: Project, figures: Sequence[str]) -> None:
    """Remove the figures that the last build made and this one does not show; an author's own files stay."""
    last = uptodate.last_build(project.root)
    for name in set(last.figures if last else ()) - set(figures):
        if Path(name).parent == Path("figures"):
            (project.root / name).unlink(missing_ok=True)


def _record(report: Report, reads: Sequence[Reads], before: Mapping[str, str], figures: Sequence[str]) -> None:
    """Note what the report was made from, so that the next build can tell at once that nothing is to be done.

    ``before`` is what was read, as it was when the build began; what was saved since is not in this report.
    """
    project = report.project
    made = [WatchedPath(project.pdf), WatchedPath(project.build / "executed", ".ipynb"),
            WatchedPath(project.build / origins.FILE), *(WatchedPath(project.root / name) for name in figures),
            *(WatchedPath(path) for name in report.cells for path in report.reading(name).files)]
    note = uptodate.write_manifest(project.root, report.choice, [*watched(report), *made], before,
                           {path for read in reads for path in read.modules},
                           {name: digest for read in reads for name, digest in read.seen.items()}, figures)
    if note:
        write_text(note, project.build / uptodate.FILE)
    else:
        (project.build / uptodate.FILE).unlink(missing_ok=True)


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
    strict, bare = report.project.settings.strict, report.project.bare
    reserved = labels(len(report.cells))
    raise_problems([*lint(cells, report.entries, reserved, strict=strict, bare=bare), *_coverage(report, cells)])


def findings(report: Report) -> list[Finding]:
    """What is to be told of a built report: what its style lacks, and what stands on paper in another form."""
    cells = [cell for chapter in report.cells.values() for cell in chapter]
    return sorted({*style(cells), *(found for name in report.cells for found in report.reading(name).findings)})


def advice(report: Report) -> list[str]:
    """A line for each question of the assignment, its page in the last PDF, and what should be looked at again."""
    cells = [cell for chapter in report.cells.values() for cell in chapter]
    known, found = defined_labels(cells), _questions(report)
    pages = heading_pages(report.project.pdf)
    lines = [f"{question.id}: {question.points} points, answered at {known[question.answers[0]]}"
             + (f", page {pages[question.answers[0]]}" if question.answers[0] in pages else "")
             for question in found if question.answers and set(question.answers) <= set(known)]
    if found:
        lines.append("{} of {} points answered".format(*points(found, known)))
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
    cells, keep = report.cells[name], not report.execute
    text = report.store.get(digest("notebook", cells, keep),
                            lambda: notebook_text(to_notebook(cells, keep=keep)), str)
    write_text(text, report.notebook_path(name))


def execute_chapter(report: Report, name: str) -> Reads:
    """Step 2: run the chapter's notebook, or take an earlier run of the same inputs; say what the run has read."""
    from gozaresh.run.execute import Job, Reads, execute

    if not report.execute:
        kept = built(report.notebook_path(name), files.read_written)
        digest = file_digest(report.chapter_path(name))
        kept.metadata["gozaresh"] = {"kept": digest, "key": digest, "parameters": {}, "files": {}}
        write_text(notebook_text(kept), report.executed_path(name))
        return Reads((), {})
    project = report.project
    values = parameter_values(report, report.parameters[name])
    return execute(Job(
        name=name, notebook=built(report.notebook_path(name), files.read_written), target=report.executed_path(name),
        parameters=values, paths=input_files(report, name, values),
        roots=[project.root / folder for folder in project.settings.modules],
        root=project.root, build=project.build, profile=report.profile,
        environment=report.environment, store=report.store, why=report.why, timeout=project.settings.execute.timeout))


def export_chapter(report: Report, name: str) -> list[str]:
    """Step 3: the executed notebook becomes Typst markup, its figures files named by their labels, which are given.

    Raises:
        SourceError: a code cell of the notebook was never run.
    """
    _check_run(report.executed(name))
    reading, macros = report.reading(name), report.project.settings.macros
    figures = f"/{report.project.relative(report.project.figures)}"
    executed = file_digest(there(report.executed_path(name)))
    markup, outputs = report.store.get(
        digest("export", executed, macros, figures, [part.blocks for part in reading.parts]),
        lambda: _exported(report.executed(name), reading, macros, figures), tuple[str, dict[str, bytes]])
    pictures = {f"build/pictures/{file}": data for file, data in reading.pictures.items()}
    for file, data in {**outputs, **pictures}.items():
        own = report.project.figures / file.removeprefix("figures/")
        write_bytes(data, own if file.startswith("figures/") else report.project.root / file)
    write_text(markup, report.typst_path(name))
    return sorted(outputs)


def _check_run(executed: NotebookNode) -> None:
    if "kept" in executed.metadata.get("gozaresh", {}):  # nothing was to be run
        return
    for cell in executed.cells:
        left = cell.cell_type == "code" and cell.source.strip() and cell.execution_count is None
        if left and SKIPPED not in cell.metadata.get("tags", ()):
            raise SourceError("this cell of the executed notebook was never run: run the chapter again", place_of(cell))


def _exported(executed: NotebookNode, reading: Reading, macros: str, figures: str) -> tuple[str, dict[str, bytes]]:
    """Markup, and files by their names."""
    from gozaresh.export.exporter import TypstExporter

    exporter = TypstExporter(theme="/build/theme/theme.typ", figure_path=figures, macros=macros)
    exporter.reading = reading
    markup, resources = exporter.from_notebook_node(executed)
    return markup, resources["outputs"]


def export_appendix(report: Report) -> Path:
    """Step 3 for the appendix, which the engine writes from the record of the run."""
    from gozaresh.export.typst_writer import to_typst

    path, text = report.typst_path("appendix"), report.appendix
    markup = report.store.get(digest("appendix", text), lambda: to_typst(text), str)
    write_text('#import "/build/theme/theme.typ": *\n\n' + markup, path)
    return path


def typeset_report(report: Report) -> Path:
    """Steps 4 and 5: set the PDF, read it back, and hold it against the executed cells."""
    from gozaresh.typeset.typeset import TypstFiles, copy_theme, typeset

    project = report.project
    check_complete([report.executed(name) for name in report.cells])
    sources = TypstFiles(tuple(report.typst_path(name) for name in report.cells), export_appendix(report))
    copy_theme(project)  # the proof asks it for the margins
    with ThreadPoolExecutor(1) as pool:  # Typst leaves time for what the proof needs
        wanted = pool.submit(_wanted, report)
        try:
            pdf = typeset(report.project, sources, report.store)
        except (SourceError, TypesetError) as error:
            raise _at_home(error, report) from None
        told = findings(report)
        wrong = [found.problem for found in told if found.loss or project.settings.strict]
        if wrong:
            raise SourceError(problems=_kept(report, pdf, wrong))
        proof = prove(report, pdf, wanted.result())
    promote(pdf, project.pdf)
    write_text(origins.to_json(report.provenance), project.build / origins.FILE)
    for line in grouped(told):
        say(f"advice: {line}")
    kinds = proof.passages
    say(f"{project.relative(project.pdf)} is ready (profile {report.profile}); read back, all in their places: "
        f"{proof.words} words in {kinds['text']} paragraphs and captions, {kinds['equation']} equations, "
        f"{kinds['figure']} figures, {kinds['cell']} table cells, {kinds['code']} lines of code")
    return project.pdf


def promote(draft: Path, target: Path) -> None:
    """Make a proven draft the report; one of the same bytes leaves it as it is, so that no viewer loads it again."""
    if target.is_file() and target.read_bytes() == draft.read_bytes():
        draft.unlink()
    else:
        draft.replace(target)


def _at_home(error: GozareshError, report: Report) -> GozareshError:
    from gozaresh.export.error_places import Chapters, locate_typst_error

    project = report.project
    executed = {name: report.executed(name) for name in report.cells}
    return locate_typst_error(error, Chapters(project.root, executed, project.relative(project.theme)))


def _wanted(report: Report) -> Expectations:
    from gozaresh.proof.page_checks import margins

    chapters = {name: report.executed(name) for name in report.cells}
    promises = [*(expected_chapter(notebook, report.reading(name)) for name, notebook in chapters.items()),
                expected_appendix(report.appendix)]
    passages = expected_passages(promises, report.project.settings.macros, report.store)
    return Expectations(passages, margins(report.project))


def prove(report: Report, pdf: Path, wanted: Expectations) -> Proof:
    """Step 5: hold the finished PDF against what the executed chapters promise.

    Raises:
        ProofError: something is missing or unsound, a line each; the PDF is kept as ``report.unproven.pdf``.
    """
    proof = proofread(pdf, wanted.passages, wanted.margins, report.entries, report.store,
                      strict=report.project.settings.strict)
    if not proof.sound:
        raise ProofError(problems=_kept(report, pdf, proof.problems))
    return proof


def _kept(report: Report, pdf: Path, problems: Sequence[Problem]) -> list[Problem]:
    """The first problems, and where the PDF that has them is kept."""
    unproven = pdf.with_name("report.unproven.pdf")
    pdf.replace(unproven)
    return [*problems[:20], Problem(None, f"the PDF is kept as {report.project.relative(unproven)}")]
