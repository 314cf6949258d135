"""Origins of the results of the last build, kept in ``build/provenance.json``; ``gozaresh why`` reads them at once.

This module imports little, so that the answer is there before a kernel or a converter could be loaded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gozaresh.common.errors import SettingsError, nearest
from gozaresh.common.paths import build_command

FILE = "provenance.json"
SHORT = 12  # characters of a digest that are shown
PLACE = re.compile(r"^(?P<file>.+):(?P<line>[0-9]+)$")
Literal = str | int | float | bool


@dataclass(frozen=True)
class Run:
    """The run of one chapter."""

    chapter: str
    file: str
    parameters: Mapping[str, Literal]  # those that differ from the chapter's own
    data: Mapping[str, str]  # SHA-256 of each input file or folder, by its parameter
    seeds: Mapping[str, Literal]
    device: str
    date: str
    key: str  # digest of everything that the outputs depend on


@dataclass(frozen=True)
class Origin:
    """Where one result comes from; ``code`` is empty where an author wrote it and no code made it."""

    name: str  # the label; of a computed value its expression
    chapter: str
    line: int  # the cell's first line, or the line on which the value stands
    last: int  # the cell's last line, or the same line
    code: str = ""  # SHA-256 of the cell's code, or of the line's expressions, and of all code above in the chapter
    text: str = ""  # the caption; of a computed value what the page says
    is_value: bool = False


@dataclass(frozen=True)
class Provenance:
    """All results of a build, in the order of the chapters and their lines."""

    profile: str
    runs: Sequence[Run]
    origins: Sequence[Origin]

    def run(self, chapter: str) -> Run:
        """The run of a chapter."""
        return next(run for run in self.runs if run.chapter == chapter)


def to_json(provenance: Provenance) -> str:
    """The record as JSON, one result a line, so that two can be compared by ``diff``."""
    head = {"profile": provenance.profile, "runs": [vars(run) for run in provenance.runs]}
    origins = ",\n  ".join(json.dumps(vars(origin), ensure_ascii=False) for origin in provenance.origins)
    return json.dumps(head, ensure_ascii=False, indent=1)[:-2] + f',\n "origins": [\n  {origins}\n ]\n}}\n'


def read(build: Path) -> Provenance:
    """The record of the last build.

    Raises:
        SettingsError: there was none.
    """
    again = build_command(build.parent)
    try:
        found = json.loads((build / FILE).read_text(encoding="utf-8"))
        return Provenance(found["profile"], [Run(**run) for run in found["runs"]],
                          [Origin(**origin) for origin in found["origins"]])
    except FileNotFoundError:
        raise SettingsError(f"{build.name}/{FILE}: no build is recorded yet; run {again} first") from None
    except (ValueError, KeyError, TypeError):
        raise SettingsError(f"{build.name}/{FILE}: not a record of this program; run {again} again") from None


def why(root: Path, what: str) -> Iterator[str]:
    """Say where a result comes from: a label, or a place as ``notebooks/04_vae.py:143``.

    Raises:
        SettingsError: no build is recorded, or it has no such result; the nearest one is named.
    """
    provenance = read(root / "build")
    for number, origin in enumerate(find(provenance, what)):
        run = provenance.run(origin.chapter)
        yield from [""] * bool(number)
        yield from _told(origin, run, provenance.profile)
        if _saved_since(root, run.file):
            yield f"  note        {run.file} was saved after this build; its lines may have moved"


def find(provenance: Provenance, what: str) -> list[Origin]:
    """The results that a label or a place names.

    Raises:
        SettingsError: there is none; the nearest one is named.
    """
    place = PLACE.match(what)
    if place:
        return _at(provenance, place["file"], int(place["line"]))
    found = [origin for origin in provenance.origins if origin.name == what and not origin.is_value]
    if not found:
        raise SettingsError(f"LABEL: no result {what!r}; {_nearest(what, provenance.origins)}")
    return found


def _nearest(what: str, origins: Iterable[Origin]) -> str:
    labels = {origin.name for origin in origins if not origin.is_value}
    kind = {label for label in labels if label.partition("-")[0] == what.partition("-")[0]}
    return nearest(what, kind or labels)


def _at(provenance: Provenance, file: str, line: int) -> list[Origin]:
    names = {name: run.chapter for run in provenance.runs
             for name in (run.file, run.file.rpartition("/")[2], run.chapter)}
    if file not in names:
        raise SettingsError(f"LABEL: no chapter {file!r}; {nearest(file, [run.file for run in provenance.runs])}")
    here = [origin for origin in provenance.origins if origin.chapter == names[file]]
    found = [origin for origin in here if origin.line <= line <= origin.last]
    if not found:
        beside = min(here, key=lambda origin: min(abs(origin.line - line), abs(origin.last - line)), default=None)
        rest = f"nearest: {file}:{beside.line}" if beside else "the chapter has none"
        raise SettingsError(f"LABEL: no result stands at {file}:{line}; {rest}")
    return [origin for origin in found if origin.is_value] or found


def _told(origin: Origin, run: Run, profile: str) -> Iterator[str]:
    yield f"`{origin.name}` = {origin.text}" if origin.is_value else f"{origin.name}  {origin.text}".rstrip()
    yield f"  {'stands at' if origin.is_value or not origin.code else 'made at':<11} {run.file}:{origin.line}"
    if not origin.code:
        yield "  code        none: the author wrote it"
        return
    above = "the values of this line and all code above it" if origin.is_value else "this cell and all code above it"
    data = {name: digest[:SHORT] for name, digest in run.data.items()}
    rows = {
        "code": f"{origin.code[:SHORT]} ({above})",
        "inputs": f"{run.key[:SHORT]} (code, parameters, modules, data, environment of the chapter)",
        "profile": profile,
        "parameters": _pairs(run.parameters) or "all as the chapter has them",
        "data": _pairs(data) or "the chapter reads no input file",
        "seed": _pairs(run.seeds) or "the chapter names none",
        "device": run.device,
        "date": run.date,
    }
    yield from (f"  {name:<11} {value}" for name, value in rows.items())


def _pairs(values: Mapping[str, Literal]) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(values.items()))


def _saved_since(root: Path, file: str) -> bool:
    try:
        return (root / file).stat().st_mtime > (root / "build" / FILE).stat().st_mtime
    except OSError:
        return False
