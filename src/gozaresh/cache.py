"""Executed chapters by the digest of everything that their outputs depend on; prose and captions are not in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from gozaresh import fingerprint, inline
from gozaresh.files import read_notebook, write_notebook
from gozaresh.notebook import code_of
from gozaresh.settings import Literal

ENGINE_MODULES = ("author", "persian", "inline")


@dataclass(frozen=True)
class Inputs:
    """All that the outputs of a chapter depend on."""

    code: tuple[str, ...]
    parameters: Mapping[str, Literal]
    modules: str
    files: Mapping[str, str]
    environment: Mapping[str, str]

    @property
    def key(self) -> str:
        """The name of the cache entry."""
        return fingerprint.digest([self.code, dict(self.parameters), self.modules, dict(self.files),
                                   dict(self.environment)])


def inputs_of(notebook: NotebookNode, parameters: Mapping[str, Literal], paths: Mapping[str, Path],
              roots: Sequence[Path]) -> Inputs:
    """Gather a chapter's inputs; ``paths`` are its input files by parameter, ``roots`` hold the project's modules.

    A file counts by its content, not by its name: the same data elsewhere is the same data.
    """
    code = tuple(code_of(cell) for cell in notebook.cells if cell.cell_type == "code")
    engine = Path(__file__).parent
    own = [fingerprint.file_digest(engine / f"{name}.py") for name in ENGINE_MODULES]
    return Inputs(
        code=code,
        parameters={name: value for name, value in parameters.items() if name not in paths},
        modules=fingerprint.digest([own, fingerprint.modules_digest(code, roots)]),
        files={name: fingerprint.file_digest(path) for name, path in sorted(paths.items())},
        environment=fingerprint.environment(),
    )


@dataclass(frozen=True)
class Cache:
    """A folder of executed notebooks named by their inputs' key."""

    folder: Path

    def load(self, key: str, fresh: NotebookNode) -> NotebookNode | None:
        """``fresh`` with the outputs of an earlier run of the same inputs, or None if there is no such run."""
        path = self.folder / f"{key}.ipynb"
        if not path.is_file():
            return None
        try:
            stored = read_notebook(path)
        except (ValueError, OSError):
            return None  # an unreadable entry is no entry
        return graft(stored, fresh)

    def store(self, key: str, executed: NotebookNode) -> None:
        """Keep an executed notebook; the entry appears whole or not at all."""
        write_notebook(executed, self.folder / f"{key}.ipynb")


def graft(executed: NotebookNode, fresh: NotebookNode) -> NotebookNode:
    """Put the outputs of ``executed`` onto the cells of ``fresh``, which has the same code in the same order."""
    done = [cell for cell in executed.cells if cell.cell_type == "code" and not is_injected(cell)]
    todo = [cell for cell in fresh.cells if cell.cell_type == "code"]
    for old, new in zip(done, todo, strict=True):
        new.outputs, new.execution_count = old.outputs, old.execution_count
    fresh.metadata["gozaresh"] = executed.metadata.get("gozaresh", {})
    _keep_injected(executed, fresh)
    return fresh


def _keep_injected(executed: NotebookNode, fresh: NotebookNode) -> None:
    injected = [cell for cell in executed.cells if is_injected(cell)]
    at = next((n for n, cell in enumerate(fresh.cells) if "parameters" in cell.metadata.get("tags", ())), -1)
    fresh.cells[at + 1:at + 1] = injected


def is_injected(cell: NotebookNode) -> bool:
    """Whether Papermill put a cell in to set the parameters."""
    return "injected-parameters" in cell.metadata.get("tags", ())


def is_values(cell: NotebookNode) -> bool:
    """Whether a cell was put in to compute inline values."""
    return inline.TAG in cell.metadata.get("tags", ())


def metadata(notebook: NotebookNode) -> dict[str, Any]:
    """The engine's own record in an executed notebook's metadata."""
    found: dict[str, Any] = notebook.metadata.get("gozaresh", {})
    return found
