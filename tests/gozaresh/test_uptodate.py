"""A report stands as long as nothing differs that it was made from, whatever the times of files say."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gozaresh import uptodate
from tests.conftest import gozaresh, in_process

CHOICE = ("profile ", "data ", "document ", "kept False")


@pytest.fixture
def stood(built_pendulum: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the small report, built where it lies."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1735689600")
    shutil.copytree(built_pendulum, tmp_path / "report")
    assert not uptodate.is_up_to_date(tmp_path / "report", CHOICE), "what stands is told of one folder"
    assert in_process("build", ".", cwd=tmp_path / "report").status == 0
    return tmp_path / "report"


def same_size_and_time(path: Path) -> None:
    about, data = path.stat(), path.read_bytes()
    path.write_bytes(data[:-2] + data[-1:] + data[-2:-1])
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))


CHANGES: dict[str, Callable[[Path], object]] = {
    "a chapter's word": lambda folder: same_size_and_time(folder / "notebooks" / "01_pendulum.py"),
    "a setting": lambda folder: same_size_and_time(folder / "report.toml"),
    "a module that hides another": lambda folder: (folder / "numpy.py").write_text(""),
    "the PDF": lambda folder: same_size_and_time(folder / "build" / "report.pdf"),
    "the PDF is gone": lambda folder: (folder / "build" / "report.pdf").unlink(),
    "a figure": lambda folder: same_size_and_time(next((folder / "figures").iterdir())),
    "a figure is gone": lambda folder: next((folder / "figures").iterdir()).unlink(),
    "an executed chapter": lambda folder: same_size_and_time(next((folder / "build" / "executed").iterdir())),
    "the record is torn": lambda folder: (folder / "build" / uptodate.FILE).write_text("{"),
    "the record is another's": lambda folder: (folder / "build" / uptodate.FILE).write_text("[]"),
}


def test_it_stands_until_something_differs(stood: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(stood, tmp_path / "kept")
    for name, change in CHANGES.items():
        assert uptodate.is_up_to_date(stood, CHOICE), name
        change(stood)
        assert not uptodate.is_up_to_date(stood, CHOICE), name
        shutil.rmtree(stood)
        shutil.copytree(tmp_path / "kept", stood)
    for path in stood.rglob("*"):
        os.utime(path)
    assert uptodate.is_up_to_date(stood, CHOICE), "touched, and changed back"
    assert not uptodate.is_up_to_date(stood, ("profile smoke", *CHOICE[1:]))
    with monkeypatch.context() as other:
        other.setenv("OMP_NUM_THREADS", "7")
        assert not uptodate.is_up_to_date(stood, CHOICE), "sums are rounded otherwise"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1735789600")
    assert not uptodate.is_up_to_date(stood, CHOICE), "the cover's date"


def test_a_package_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = tmp_path / "toy-0.dist-info" / "METADATA"
    record.parent.mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    states = set()
    for version in ("", "1", "2"):
        record.write_text(f"Name: toy\nVersion: {version}\n", encoding="utf-8")
        states.add(uptodate.Manifest((), ()).state(tmp_path))
    assert len(states) == 3


def test_nothing_is_done_where_it_stands_and_all_where_it_does_not(stood: Path) -> None:
    before = (stood / "build" / "report.pdf").read_bytes()
    done = gozaresh("build", ".", cwd=stood)
    assert "stands" in done.err
    assert "is ready" not in done.err
    (stood / "build" / "report.pdf").write_bytes(b"")
    assert "is ready" in gozaresh("build", ".", cwd=stood).err
    assert (stood / "build" / "report.pdf").read_bytes() == before
