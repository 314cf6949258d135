"""Manifest of the last build: tells if all that the report was made from, and all that was made, is as it was then.

Asked before anything heavy is imported, so that a build with nothing to do takes a fraction of a second. Times of
files prove nothing: each content is read again. What is not certain counts as changed; the build then sees for itself,
step by step, what is to be done.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gozaresh.common.digests import digest
from gozaresh.common.environment import environment, now
from gozaresh.common.paths import ENGINE
from gozaresh.run.file_audit import digest_of

FILE = "manifest.json"
CHOICE = "choice.json"
FORMAT = 2
VARIABLES = ("PYTHONPATH", "PYPANDOC_PANDOC", "SOURCE_DATE_EPOCH")


@dataclass(frozen=True)
class Manifest:
    """What a report depends on, and what it consists of."""

    roots: Sequence[tuple[str, str, bool]]  # as gozaresh.uptodate.WatchedPath has them
    seen: Sequence[str]  # what the chapters' code read undeclared, as the witness names it, and the modules' folders

    def held(self, root: Path) -> tuple[dict[str, str], dict[str, str]]:
        """SHA-256 of each file, and of each thing seen, as they are now."""
        files = contents(WatchedPath(Path(path), ending, whole) for path, ending, whole in self.roots)
        return files, {name: digest_of(name.partition(" ")[0], root / name.partition(" ")[2]) for name in self.seen}

    def state(self, root: Path, held: tuple[dict[str, str], dict[str, str]] | None = None) -> str:
        """The digest of all this and of the machine."""
        variables = [os.environ.get(name, "") for name in VARIABLES]
        return digest(str(root), *(held or self.held(root)), environment(), str(now().date()), variables)


def contents(roots: Iterable[WatchedPath]) -> dict[str, str]:
    """SHA-256 of each file below the roots."""
    return {str(path): digest_of("file", path) for root in roots for path in root.files()}


def is_up_to_date(root: Path, choice: Sequence[str]) -> bool:
    """Test if a build of this choice would give what lies there."""
    try:
        kept = json.loads((root / "build" / FILE).read_text(encoding="utf-8"))
        same = kept["format"] == FORMAT and kept["choice"] == [*choice]
        return bool(same and kept["state"] == Manifest(kept["roots"], kept["seen"]).state(root))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def write_manifest(root: Path, choice: Sequence[str], roots: Iterable[WatchedPath], before: Mapping[str, str],
           modules: Iterable[Path], seen: Mapping[str, str], figures: Iterable[str] = ()) -> str:
    """What :func:`is_up_to_date` is to find in ``build/manifest.json`` after a build that went well.

    Nothing, if a file holds something else than ``before`` the build, or than when a chapter read it (``seen``).
    """
    folders = {root, *(path.parent for path in modules)}
    parts = Manifest(sorted((str(one.path), one.ending, one.whole) for one in {*roots, WatchedPath(ENGINE / "theme")}),
                  sorted({*seen, *(f"folder {folder}" for folder in folders)}))
    held = parts.held(root)
    if before.items() - held[0].items() or seen.items() - held[1].items():
        return ""
    return json.dumps({"format": FORMAT, "choice": [*choice], "roots": parts.roots, "seen": parts.seen,
                       "state": parts.state(root, held), "root": str(root), "files": held[0], "read": held[1],
                       "figures": [*figures]})


@dataclass(frozen=True)
class LastBuild:
    """The last build that went well: by which choice, from which files, with which figures."""

    root: Path
    choice: tuple[str, ...]  # as the command line wrote it: "profile …", "data …", then names and values
    files: Mapping[str, str]  # SHA-256 of all that was read or made
    read: Mapping[str, str]  # of what the chapters' code read undeclared, by kind and name
    figures: tuple[str, ...]
    parts: Manifest

    def changed(self, root: Path) -> list[str]:
        """The files that are not what they were, as seen from the report's folder, those that an author wrote first."""
        if self.root != root:
            return ["the report's folder"]
        files, read = self.parts.held(root)
        names = {name for name in {*files, *self.files} if files.get(name) != self.files.get(name)}
        names |= {name.partition(" ")[2] for name in read if read[name] != self.read.get(name)
                  and not name.startswith("folder ")}
        seen = [name.removeprefix(f"{root}{os.sep}") for name in names]
        return sorted(seen, key=lambda name: (name.startswith(("build", "figures", "/")), name))


def last_build(root: Path) -> LastBuild | None:
    """What the last build of a report's folder noted; None where there was none that went well."""
    try:
        kept = json.loads((root / "build" / FILE).read_text(encoding="utf-8"))
        if kept["format"] != FORMAT:
            return None
        return LastBuild(Path(kept["root"]), tuple(kept["choice"]), dict(kept["files"]), dict(kept["read"]),
                         tuple(kept["figures"]), Manifest(kept["roots"], kept["seen"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def last_choice(root: Path) -> tuple[str, ...]:
    """The choice of the last build that was begun; empty where there was none."""
    try:
        kept = json.loads((root / "build" / CHOICE).read_text(encoding="utf-8"))
        return tuple(kept) if isinstance(kept, list) and all(isinstance(word, str) for word in kept) else ()
    except (OSError, ValueError):
        return ()


if TYPE_CHECKING:
    from gozaresh.settings import Project

SETTINGS = ("*.toml", "*.bib", "*.csl")


@dataclass(frozen=True)
class WatchedPath:
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


def watched_paths(project: Project) -> frozenset[WatchedPath]:
    """What a build reads beside its data: settings, chapters, modules, theme, and the engine."""
    beside = (path for pattern in SETTINGS for path in project.file.parent.glob(pattern))
    named = (project.file.parent / name for name in (*project.settings.bibliography.values(),
                                                     project.settings.assignment) if name)
    chapters = (project.root / name for name in project.settings.chapters)
    whole = (WatchedPath(path) for path in (project.file, project.theme, *beside, *named, *chapters))
    modules = (WatchedPath(project.root / name, ".py") for name in project.settings.modules)
    return frozenset({*whole, *modules, WatchedPath(ENGINE, ".py")})
