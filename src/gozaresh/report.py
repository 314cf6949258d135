"""The report as it was chosen: project, profile, overrides, and its paths."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nbformat import NotebookNode

from gozaresh.common import files
from gozaresh.common.digests import file_digest
from gozaresh.common.environment import environment
from gozaresh.common.errors import Problem, SourceError, raise_problems
from gozaresh.common.memo import Memo, key, memo
from gozaresh.common.text import read_text
from gozaresh.provenance.appendix import appendix
from gozaresh.provenance.record import Provenance
from gozaresh.provenance.trace import Chapter, trace
from gozaresh.settings import Literal, Project
from gozaresh.source.cells import Cell, read_chapter
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
    choice: tuple[str, ...] = ()  # the words by which profile and parameters were chosen

    @cached_property
    def cells(self) -> Mapping[str, tuple[Cell, ...]]:
        """The cells of each chapter by its name."""
        found: dict[str, tuple[Cell, ...]] = {}
        problems: list[Problem] = []
        for path in self.project.chapters:
            try:
                found[path.stem] = self._read(path)
            except SourceError as error:
                problems += error.problems
        raise_problems(problems)
        return found

    def _read(self, path: Path) -> tuple[Cell, ...]:
        name = self.project.relative(path)
        return self.memo("cells").get(key(read_text(path, name, SourceError), name), lambda: read_chapter(path, name))

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
        return built(self.executed_path(name), files.written_notebook)

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


def choose(project: Project, profile: str = "", given: Mapping[str, str] | None = None) -> Report:
    """Choose a profile (empty: the default one) and parameters.

    Raises:
        SettingsError: no such profile or parameter, or a value of the wrong type.
    """
    project.check()
    name, values = project.profile(profile, varied=bool(given), data=_data_alone(project, given or {}))
    report = Report(project, name, Overrides(values, dict(given or {})), {})
    for parameters in report.parameters.values():
        report.overrides.resolve(parameters, project.root)
    return report


def _data_alone(project: Project, given: Mapping[str, str]) -> str:
    """The SHA-256 of the data file, if that is all that was given."""
    path = project.root / given.get("data", "")
    return file_digest(path) if set(given) == {"data"} and path.is_file() else ""


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
        raise SourceError(f"{path.name} is not built yet: run the step before it, or 'make report'")
    return path


def chapters(report: Report) -> list[Chapter]:
    """The executed chapters with their parameters."""
    return [Chapter(name, report.parameters[name], report.executed(name)) for name in report.cells]
