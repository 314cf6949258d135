"""Step 6: the hand-in, one zip that is the same bytes when made twice, checked by unpacking it elsewhere."""

from __future__ import annotations

import getpass
import re
import shutil
import subprocess
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from gozaresh.common.errors import BundleError, Place, one_line
from gozaresh.common.paths import build_command
from gozaresh.common.persian import latin_digits
from gozaresh.common.progress import say
from gozaresh.provenance.appendix import PACKAGES
from gozaresh.report import Report, inputs
from gozaresh.settings import LONGEST_NAME
from gozaresh.uptodate import LastBuild, last_build

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold; real times would make no two zips alike
LASTNAME = re.compile(r"^[^\W\d_]+(?:[ \u200c'-][^\W\d_]+)*$")
UNWANTED = re.compile(r"(^|/)(\.[^/]*|__pycache__|[^/]*\.egg-info|[^/]*\.pyc)(/|$)")
TEXT = {".py", ".ipynb", ".toml", ".md", ".json", ".txt", ".typ", ".bib", ".svg", ""}


def standing_build(root: Path) -> LastBuild:
    """The build whose PDF lies in ``build/report.pdf``, if that still stands for these very sources and data.

    Raises:
        BundleError: there was no build that went well, or a file is not what it was then; it is named.
    """
    last = last_build(root)
    if last is None:
        raise BundleError(f"no proven build/report.pdf of this folder is there: run {build_command(root)} first")
    changed = last.changed(root)
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise BundleError(f"{changed[0]}{more} changed since build/report.pdf was proven, so it is not the report of "
                          f"these files: run {build_command(root)} again")
    return last


def bundle(report: Report, last: LastBuild, lastname: str, student: str) -> Path:
    """Make the hand-in of the last build and check it; returns its path.

    Raises:
        BundleError: a name that cannot be part of the file's name, a file that gives this machine away, or a zip that
            is not complete.
    """
    project = report.project
    name = bundle_name(project.settings.bundle.name, lastname, student)
    entries = dict(sorted(_entries(report, last)))
    _check_private(entries, project.root)
    target = project.build / f"{name}.zip"
    partial = project.build / "run" / "hand-in.partial"  # one name, so that what a kill left is written over
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        _write(entries, name, partial)
        _check_unpacked(partial, entries, name)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    for path in _outside(report, last):
        say(f"not packed, as it lies outside the report's folder: {path}")
    say(f"{project.relative(target)} is ready: {len(entries)} files, unpacked elsewhere and checked")
    return target


def bundle_name(pattern: str, lastname: str, student: str) -> str:
    """The zip's name; Persian digits of the student's number are written as ASCII.

    >>> bundle_name("HW1_{lastname}_{student}", "Ahmadi", "۸۱۰۱۰۲۱۲۳")
    'HW1_Ahmadi_810102123'

    Raises:
        BundleError: a last name that is no name, or a student's number that is no number.
    """
    number = latin_digits(student.strip())
    if not re.fullmatch(r"[0-9]+", number):
        raise BundleError(f"STUDENT={student!r} is not a number, as in STUDENT=810100123")
    surname = unicodedata.normalize("NFC", lastname.strip())
    if not LASTNAME.match(surname):
        raise BundleError(f"LASTNAME={lastname!r} is not a name of letters, spaces and hyphens, as in LASTNAME=Ahmadi")
    name = pattern.replace("{lastname}", surname.replace(" ", "-")).replace("{student}", number)
    if len(f"{name}.zip".encode()) > LONGEST_NAME:
        raise BundleError(f"LASTNAME and STUDENT make a name of {len(name.encode())} bytes; a file's name may have "
                          f"{LONGEST_NAME}")
    return name


def _entries(report: Report, last: LastBuild) -> Iterator[tuple[str, bytes]]:
    """Every file of the hand-in, by its name in it: what the report shows, and what it needs to be built again."""
    project = report.project
    yield "report.pdf", project.pdf.read_bytes()
    for item in project.settings.bundle.include:
        yield from _files(project.root / item, item)
    for path in _needed(report, last):
        if path.is_relative_to(project.root):
            yield from _files(path, project.relative(path))
    for name in report.cells:
        yield f"executed/{name}.ipynb", report.executed_path(name).read_bytes()
    for figure in last.figures:
        yield figure, (project.root / figure).read_bytes()
    for record in sorted((project.build / "runs").rglob("*.json")):
        yield f"runs/{record.relative_to(project.build / 'runs').as_posix()}", record.read_bytes()
    yield "SOURCES.md", _sources(report).encode()


def _needed(report: Report, last: LastBuild) -> Iterator[Path]:
    """Files and folders that the report is built from, wherever they lie."""
    project = report.project
    settings, beside = project.settings, project.file.parent
    yield from (project.file, *project.chapters)
    yield from (path for name in report.cells for path in report.reading(name).files)
    yield from (beside / name for name in (*settings.bibliography.values(), settings.assignment) if name)
    yield from (project.root / name for name in (settings.theme,) if name)
    for name in settings.modules:
        folder = project.root / name
        yield from [folder] if folder != project.root else folder.glob("*.py")
    for root in inputs(report):
        yield root.path
    for name in last.read:
        kind, _, path = name.partition(" ")
        if kind in ("file", "module") and (project.root / path).is_file():
            yield project.root / path


def _outside(report: Report, last: LastBuild) -> list[str]:
    root = report.project.root
    return sorted({str(path) for path in _needed(report, last) if not path.is_relative_to(root)})


def _files(path: Path, name: str) -> Iterator[tuple[str, bytes]]:
    if path.is_file():
        yield name, path.read_bytes()
        return
    for file in sorted(path.rglob("*")):
        inside = f"{name}/{file.relative_to(path).as_posix()}"
        if file.is_file() and not UNWANTED.search(inside):
            yield inside, file.read_bytes()


def _sources(report: Report) -> str:
    """The list of the ready-made software and the literature that the report stands on."""
    lines = ["# Sources used", "", "## Software", ""]
    for package in PACKAGES:
        try:
            about = metadata(package)
        except PackageNotFoundError:
            continue
        licences = [str(about[key]) for key in ("License-Expression", "License") if key in about]
        licence = " ".join((licences or ["licence: see the package"])[0].split())[:60]
        lines.append(f"- {package} {about['Version']} ({licence})")
    lines += ["", "The fonts are Vazirmatn and Noto Emoji (OFL) and those that come with Typst.", "", "## Literature",
              ""]
    for kind, name in sorted(report.project.settings.bibliography.items()):
        text = (report.project.file.parent / name).read_text(encoding="utf-8")
        lines += [f"### {kind}", "", "```bibtex", text.strip(), "```", ""]
    return "\n".join(lines)


def _check_private(entries: Mapping[str, bytes], root: Path) -> None:
    """No file of the hand-in may name a folder of this machine or its user."""
    telling = [str(root), str(Path.home())]
    user = getpass.getuser()
    telling += [f"/home/{user}", f"/Users/{user}"]
    for name, data in entries.items():
        if Path(name).suffix not in TEXT:
            continue
        for number, line in enumerate(data.decode("utf-8", errors="replace").splitlines(), 1):
            for word in telling:
                if re.search(re.escape(word) + r"(/|\b)", line) and len(word) > 1:
                    raise BundleError(f"names a folder of this machine: {word}", Place(name, number))


def _write(entries: Mapping[str, bytes], folder: str, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in entries.items():
            entry = zipfile.ZipInfo(f"{folder}/{name}", EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, wherever it is made
            entry.external_attr = (0o755 if name.endswith("/run") else 0o644) << 16
            archive.writestr(entry, data)


def _check_unpacked(path: Path, entries: Mapping[str, bytes], folder: str) -> None:
    """Unpack in a fresh folder, compare every file, and let make resolve the report's target there.

    Raises:
        BundleError: something is missing, differs, or make cannot resolve its targets.
    """
    with tempfile.TemporaryDirectory() as fresh:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(fresh)
        root = Path(fresh) / folder
        _compare(entries, root)
        make = shutil.which("make")
        if make and "Makefile" in entries:
            done = subprocess.run([make, "-n", "report"], cwd=root, capture_output=True, text=True, check=False)
            if done.returncode:
                raise BundleError(f"'make -n report' fails in the unpacked hand-in: {one_line(done.stderr[-200:])}")


def _compare(entries: Mapping[str, bytes], root: Path) -> None:
    found = {file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file()}
    for name in _differences(entries, found):
        raise BundleError(f"the hand-in is not complete: {name}")
    for name, data in entries.items():
        if (root / name).read_bytes() != data:
            raise BundleError(f"the hand-in is damaged: {name} differs after unpacking")


def _differences(entries: Mapping[str, bytes], found: set[str]) -> Iterable[str]:
    return sorted(set(entries) ^ found)
