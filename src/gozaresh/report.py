"""The report as it was chosen: project, profile, overrides, and its paths."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nbformat import NotebookNode

from gozaresh.common import files
from gozaresh.common.data import check_data
from gozaresh.common.digests import digest, file_digest
from gozaresh.common.environment import environment
from gozaresh.common.errors import Problem, SourceError, raise_problems
from gozaresh.common.store import Store, store_of
from gozaresh.common.text import read_text
from gozaresh.export.bibliography import Entry, read_bibliography
from gozaresh.export.pictures import Gallery
from gozaresh.export.reading import Reading, read_kept
from gozaresh.export.resolve import Conventions
from gozaresh.provenance.appendix import appendix
from gozaresh.provenance.record import Provenance
from gozaresh.provenance.trace import Chapter, trace
from gozaresh.settings import Cover, Literal, Project, Settings
from gozaresh.source.cells import Cell
from gozaresh.source.chapter import Source, read_source, title_of
from gozaresh.source.ipynb import LARGEST
from gozaresh.source.parameters import Overrides, Parameter, check_names, read_parameters
from gozaresh.uptodate import WatchedPath, watched_paths


@dataclass(frozen=True)
class Report:
    """A project with the profile and the parameters chosen for one build."""

    project: Project
    profile: str
    overrides: Overrides
    paths: Mapping[str, str]
    why: bool = False  # whether each chapter says which input made it run
    writes: bool = True  # whether results are kept on disk
    execute: bool = True  # whether code is run; else the outputs stand that the notebooks keep
    choice: tuple[str, ...] = ()  # the words by which profile and parameters were chosen

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """Each chapter by its name, as its author has it."""
        found: dict[str, Source] = {}
        problems: list[Problem] = []
        for path in self.project.chapters:
            try:
                found[path.stem] = self._read(path)
            except SourceError as error:
                problems += error.problems
        raise_problems(problems)
        return found

    @cached_property
    def cells(self) -> Mapping[str, tuple[Cell, ...]]:
        """The cells of each chapter by its name."""
        return {name: source.cells for name, source in self.sources.items()}

    def _read(self, path: Path) -> Source:
        name = self.project.relative(path)
        text = read_text(path, name, SourceError, largest=LARGEST)
        return self.store.get(digest("cells", text, name, self.execute),
                              lambda: read_source(path, name, run=self.execute), Source)

    @cached_property
    def parameters(self) -> Mapping[str, tuple[Parameter, ...]]:
        """The parameters of each chapter by its name."""
        found = {name: read_parameters(cells) for name, cells in self.cells.items()}
        everything = [parameter for parameters in found.values() for parameter in parameters]
        check_names(self.overrides, everything, self.project.relative(self.project.file))
        return found

    @cached_property
    def entries(self) -> Mapping[str, Entry]:
        """The entries of the bibliography by their keys."""
        return read_bibliography(bibliographies(self.project), self.project.root, self.store)

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """What is installed as the build begins."""
        return environment()

    @property
    def store(self) -> Store:
        """The store of the steps' results; a check only reads it."""
        return store_of(self.project.build / "store", writes=self.writes)

    def executed(self, name: str) -> NotebookNode:
        """The executed notebook of a chapter, not to be changed."""
        return built(self.executed_path(name), files.written_notebook)

    def reading(self, name: str) -> Reading:
        """An executed chapter as it is set: its settled blocks, its pictures, what is to be told of it."""
        path = self.executed_path(name)
        folders = (self.chapter_path(name).parent, self.project.file.parent, self.project.root)
        return read_kept(self.executed(name), Conventions(
            own=f"/{self.project.relative(self.project.figures)}", gallery=Gallery(tuple(dict.fromkeys(folders))),
            macros=self.project.settings.macros, citations=frozenset(self.entries), bare=self.project.bare,
            strict=self.project.settings.strict,
            levels=() if name == next(iter(self.cells)) else (1,)), self.store, file_digest(there(path)))

    def chapter_path(self, name: str) -> Path:
        """The source of a chapter."""
        return next(path for path in self.project.chapters if path.stem == name)

    @cached_property
    def provenance(self) -> Provenance:
        """Where each result comes from; asked for once all chapters are executed."""
        return trace(chapters(self), self.profile)

    @cached_property
    def appendix(self) -> str:
        """The appendix as Markdown; asked for once all chapters are executed."""
        return appendix(chapters(self), self.provenance)

    def notebook_path(self, name: str) -> Path:
        """Where the notebook of a chapter is written."""
        return self.project.build / "notebooks" / f"{name}.ipynb"

    def executed_path(self, name: str) -> Path:
        """Where the executed notebook of a chapter is written."""
        return self.project.build / "executed" / f"{name}.ipynb"

    def typst_path(self, name: str) -> Path:
        """Where the Typst markup of a chapter is written."""
        return self.project.build / "chapters" / f"{name}.typ"


def open_document(path: Path, *, execute: bool = True) -> Project:
    """A document by itself as a report of one chapter: its title from its head, its first heading or its name.

    Raises:
        SourceError: it cannot be read.
    """
    whole = path.resolve()
    source = read_source(whole, whole.name, run=execute)
    head = source.head
    cover = Cover(title=title_of(source, whole), subtitle=head.subtitle, author=head.author, date=head.date)
    return Project(whole.parent, whole, Settings(cover=cover, chapters=(whole.name,)), bare=True)


def choose(project: Project, profile: str = "", given: Mapping[str, str] | None = None, *,
           execute: bool = True, writes: bool = True) -> Report:
    """Choose a profile (empty: the default one) and parameters; for the rest see :class:`Report`.

    Raises:
        SettingsError: no such profile or parameter, or a value of the wrong type.
    """
    project.check()
    name, values = project.profile(profile, varied=bool(given), data=_data_alone(project, given or {}))
    report = Report(project, name, Overrides(values, dict(given or {})), {}, writes=writes, execute=execute)
    for parameters in report.parameters.values():
        report.overrides.resolve(parameters, project.root)
    return report


def _data_alone(project: Project, given: Mapping[str, str]) -> str:
    """The SHA-256 of the data file, if that is all that was given."""
    path = project.root / given.get("data", "")
    if set(given) != {"data"} or not path.is_file():
        return ""
    with suppress(OSError, ValueError):  # which are told where the parameter is read
        check_data(path)
        return file_digest(path)
    return ""


def inputs(report: Report) -> frozenset[WatchedPath]:
    """The input files and folders that the chapters' parameters name."""
    return frozenset(WatchedPath(path, whole=True) for name, parameters in report.parameters.items()
                     for path in input_files(report, name, parameter_values(report, parameters)).values())


def watched(report: Report) -> frozenset[WatchedPath]:
    """All files and folders that a build reads."""
    return watched_paths(report.project) | inputs(report)


def bibliographies(project: Project) -> list[Path]:
    """The bibliography files that the settings name."""
    return [project.file.parent / name for name in project.settings.bibliography.values()]


def parameter_values(report: Report, parameters: Sequence[Parameter]) -> dict[str, Literal]:
    """The values of parameters after profile and overrides."""
    return report.overrides.resolve(parameters, report.project.root)


def input_files(report: Report, name: str, values: Mapping[str, Literal]) -> dict[str, Path]:
    """The files that a chapter's path parameters name, by parameter."""
    given = {p.name: str(values.get(p.name, p.default)) for p in report.parameters[name] if p.is_path}
    return {parameter: report.project.root / value for parameter, value in given.items() if value}


def built(path: Path, read: Callable[[Path], NotebookNode]) -> NotebookNode:
    """Read a notebook that an earlier step wrote."""
    return read(there(path))


def there(path: Path) -> Path:
    """``path``, if an earlier step wrote it.

    Raises:
        SourceError: it is not there.
    """
    if not path.is_file():
        raise SourceError(f"{path.name} is not built yet: run the step before it, or the whole build")
    return path


def chapters(report: Report) -> list[Chapter]:
    """The executed chapters with their parameters."""
    return [Chapter(name, report.parameters[name], report.executed(name)) for name in report.cells]
