"""Which files a build reads beside its data."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gozaresh.settings import Project

ENGINE = Path(__file__).parent
SETTINGS = ("*.toml", "*.bib", "*.csl")


@dataclass(frozen=True)
class Root:
    """A file or folder that is read; of a folder only the files whose names end so."""

    path: Path
    ending: str = ""
    whole: bool = False  # whether nothing of the folder is left out, as of data

    def files(self) -> Iterator[Path]:
        """The file, or what counts of the folder: nothing hidden, nothing that a build or an editor writes beside."""
        if not self.path.is_dir():
            yield self.path
            return
        for folder, names, entries in os.walk(self.path):
            names[:] = [name for name in names
                        if self.whole or not (name.startswith(".") or name in ("__pycache__", "build"))]
            yield from (Path(folder, entry) for entry in entries
                        if self.whole or (entry.endswith(self.ending) and not entry.startswith(".")
                                          and not entry.endswith("~")))


def roots(project: Project) -> frozenset[Root]:
    """What a build reads beside its data: settings, chapters, modules, theme, and the engine."""
    beside = (path for pattern in SETTINGS for path in project.file.parent.glob(pattern))
    named = (project.file.parent / name for name in (*project.settings.bibliography.values(),
                                                     project.settings.assignment) if name)
    chapters = (project.root / name for name in project.settings.chapters)
    whole = (Root(path) for path in (project.file, project.theme, *beside, *named, *chapters))
    modules = (Root(project.root / name, ".py") for name in project.settings.modules)
    return frozenset({*whole, *modules, Root(ENGINE, ".py")})
