"""Step 6: the hand-in, one zip that is the same bytes when made twice, checked by unpacking it elsewhere."""

from __future__ import annotations

import getpass
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from gozaresh.common.errors import BundleError, Place, one_line
from gozaresh.common.persian import latin_digits
from gozaresh.common.progress import say
from gozaresh.provenance.appendix import PACKAGES
from gozaresh.report import Report

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold; real times would make no two zips alike
LASTNAME = re.compile(r"^[^\W\d_]+(?:[ \u200c'-][^\W\d_]+)*$")
UNWANTED = re.compile(r"(^|/)(\.[^/]*|__pycache__|[^/]*\.egg-info|[^/]*\.pyc)(/|$)")
TEXT = {".py", ".ipynb", ".toml", ".md", ".json", ".txt", ".typ", ".bib", ".svg", ""}


def bundle(report: Report, lastname: str, student: str) -> Path:
    """Make the hand-in and check it; returns its path.

    Raises:
        BundleError: a name that cannot be part of the file's name, no report yet, a file that gives this machine
            away, or a zip that is not complete.
    """
    name = bundle_name(report.project.settings.bundle.name, lastname, student)
    if not report.project.pdf.is_file():
        raise BundleError("build/report.pdf is not there yet: run 'make report' first")
    entries = dict(sorted(_entries(report)))
    _check_private(entries, report.project.root)
    target = report.project.build / f"{name}.zip"
    partial = target.with_suffix(".partial")
    _write(entries, name, partial)
    try:
        _check_unpacked(partial, entries, name)
    except BundleError:
        partial.unlink()
        raise
    partial.replace(target)
    say(f"{report.project.relative(target)} is ready: {len(entries)} files, unpacked elsewhere and checked")
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
    surname = lastname.strip()
    if not LASTNAME.match(surname):
        raise BundleError(f"LASTNAME={lastname!r} is not a name of letters, spaces and hyphens, as in LASTNAME=Ahmadi")
    return pattern.format(lastname=surname.replace(" ", "-"), student=number)


def _entries(report: Report) -> Iterator[tuple[str, bytes]]:
    """Every file of the hand-in, by its name in it."""
    project = report.project
    yield "report.pdf", project.pdf.read_bytes()
    for item in project.settings.bundle.include:
        path = project.root / item
        if not path.exists():
            place = Place(project.relative(project.file))
            raise BundleError(f"bundle.include names {item!r}, which is not there", place)
        yield from _files(path, item)
    for name in report.cells:
        yield f"executed/{name}.ipynb", report.executed_path(name).read_bytes()
    yield from _files(project.figures, "figures")
    for record in sorted((project.build / "runs").rglob("*.json")):
        yield f"runs/{record.relative_to(project.build / 'runs').as_posix()}", record.read_bytes()
    yield "SOURCES.md", _sources(report).encode()


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
