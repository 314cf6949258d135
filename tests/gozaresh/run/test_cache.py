"""The execution cache gives what a clean run gives, whatever was edited; times of files, kills and damage included."""

from __future__ import annotations

import errno
import importlib.metadata
import os
import random
from copy import deepcopy
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_output

from gozaresh.build import make_notebook
from gozaresh.common import environment as outside
from gozaresh.common.errors import ExecutionError
from gozaresh.common.files import read_notebook
from gozaresh.report import choose
from gozaresh.run.cache import KEPT, Cache
from gozaresh.run.execute import Job, execute
from gozaresh.run.recorder import coalesce_streams
from gozaresh.settings import load_project
from tests.edits import CHAPTER, EDITS, SILENT, Double, Draft

COUNT = 320


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What is installed, as the test says."""
    installed = {"package numpy": "1.0"}
    monkeypatch.setattr(outside, "environment", lambda: dict(installed))
    monkeypatch.setattr(importlib.metadata, "version", lambda name: installed[f"package {name}"])
    return installed


def executed(folder: Path, draft: Draft, double: Double, build: str = "build", why: bool = False) -> str:
    """The executed notebook of the chapter as text, or the error."""
    report = choose(load_project(folder), "", {name: str(value) for name, value in draft.parameters.items()})
    name = Path(CHAPTER).stem
    make_notebook(report, name)
    job = Job(name, read_notebook(report.notebook_path(name)), folder / build / "out.ipynb", draft.parameters,
              {"table": folder / "data.txt"}, [folder / "src"], folder, folder / build, "default",
              outside.environment(), why)
    try:
        execute(job, double)
    except ExecutionError as error:
        return str(error)
    done = read_notebook(job.target)
    del done.metadata["gozaresh"]["seconds"]
    return nbformat.writes(done)


def test_after_every_edit_the_outputs_are_those_of_a_clean_run(
        tmp_path: Path, environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    chance, drafts, tried = random.Random(6), [Draft()], dict.fromkeys(EDITS, 0)
    kept, clean = Double(), Double(fresh=True)
    for number in range(COUNT):
        draft = deepcopy(drafts[-1] if chance.random() > 0.15 else chance.choice(drafts[-9:]))  # some go back
        kind = chance.choice(list(EDITS)) if number else "prose"
        draft.cells = [cell for cell in draft.cells if "raise" not in str(cell[0])]
        draft.write(tmp_path)
        environment["package numpy"] = draft.version
        executed(tmp_path, draft, kept)
        before = kept.runs
        EDITS[kind](draft, chance)
        draft.write(tmp_path)
        environment["package numpy"] = draft.version
        found = executed(tmp_path, draft, kept)
        assert found == executed(tmp_path, draft, clean, f"build/clean/{number}"), f"edit {number}: {kind}"
        tried[kind] += 1
        assert kind not in SILENT or kept.runs == before, f"edit {number}: {kind} ran code"
        drafts.append(draft)
    assert clean.runs == COUNT
    assert kept.runs < COUNT, "what was run before is not run again"
    assert min(tried.values()) >= 5, tried
    assert "another output" not in capsys.readouterr().err
    assert len(list((tmp_path / "build" / "cache" / "01_edited").iterdir())) <= KEPT


def test_the_reasons_of_a_run_are_named(tmp_path: Path, environment: dict[str, str],
                                        capsys: pytest.CaptureFixture[str]) -> None:
    draft, double = Draft(), Double()

    def reasons() -> list[str]:
        draft.write(tmp_path)
        capsys.readouterr()
        executed(tmp_path, draft, double, why=True)
        return [line.partition(": runs, ")[2] for line in capsys.readouterr().err.splitlines() if "runs," in line]

    assert reasons() == ["as no run of it is kept"]
    assert reasons() == []
    draft.cells[1][1] = 11
    line = draft.script().split("\n").index("print(deep.DEPTH * 11)")  # the code's second line, counted from 1
    assert reasons() == [f"because: code of the cell at {CHAPTER}:{line}"]
    draft.parameters = {"scale": 5}
    assert reasons() == ["because: parameter scale: the chapter's own -> 5"]
    draft.parameters = {"scale": 6}
    assert reasons() == ["because: parameter scale: 5 -> 6"]
    for file, name in (
            ("src/far/inner/deep.py", "module src/far/inner/deep.py"), ("src/hidden.py", "module src/hidden.py"),
            ("data.txt", "data of parameter table"), ("undeclared.txt", "file undeclared.txt")):
        draft.numbers[file] += 1
        assert reasons() == [f"because: {name} changed"]
    draft.extra = ["b"]
    assert reasons() == ["because: folder more changed"]
    environment["package numpy"] = "2.0"
    assert reasons() == ["because: package numpy: 1.0 -> 2.0"]
    draft.cells.insert(0, ["1", 10, "حرف"])
    assert reasons() == [f"because: code of the cell at {CHAPTER}:16"]
    assert draft.cells.pop(0)
    assert reasons() == []
    draft.cells.pop()
    assert len(reasons()) == 1, "the inline values below belong to the last cell"
    draft.values = 0
    assert reasons() == [], "the first cells of a longer run are taken from it"


def test_a_cell_that_gives_another_output_from_the_same_inputs_is_named(
        tmp_path: Path, environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    draft, double = Draft(), Double()
    draft.cells.insert(2, ["import time\nprint(time.monotonic_ns())", 10, "حرف"])
    draft.write(tmp_path)
    executed(tmp_path, draft, double)
    assert "look again" not in capsys.readouterr().err
    draft.cells[-1][1] = 19
    draft.write(tmp_path)
    executed(tmp_path, draft, double)
    line = draft.script().split("\n").index("print(time.monotonic_ns())")
    assert [text for text in capsys.readouterr().err.splitlines() if "look again" in text] == [
        f"gozaresh: look again: the cell at {CHAPTER}:{line} gave another output than before from the same inputs"]


def test_a_run_whose_inputs_are_saved_meanwhile_is_not_kept(
        tmp_path: Path, environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    for file in ("src/near.py", "undeclared.txt"):
        draft, double = Draft(), Double()
        draft.write(tmp_path)

        def saving(job: Job, running, file: str = file, double: Double = double):
            done = double(job, running)
            (tmp_path / file).write_text((tmp_path / file).read_text() + "# saved\n")
            return done

        executed(tmp_path, draft, saving)
        kind = "module" if "src" in file else "file"
        assert f"not kept, as it was saved anew while the chapter ran: {kind} {file} changed" in capsys.readouterr().err
        executed(tmp_path, draft, double)
        assert double.runs == 2


def test_a_run_whose_reads_could_not_be_noted_is_not_kept(
        tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full for a moment, while a cell reads a file; what a cache kept of that run might lie later."""
    write, full = os.write, [True]

    def writing(file: int, data: bytes) -> int:
        if b"undeclared.txt" in data and full:
            full.clear()
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data)

    draft, double = Draft(), Double()
    draft.write(tmp_path)
    monkeypatch.setattr(os, "write", writing)
    with pytest.raises(OSError, match="could not be noted"):
        executed(tmp_path, draft, double)
    assert not full
    draft.numbers["undeclared.txt"] += 1
    draft.write(tmp_path)
    assert f"so {draft.numbers['undeclared.txt']}" in str(executed(tmp_path, draft, double))


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: b"", lambda data: data.replace(b"acc", b"cca"),
                                    lambda data: data[:70] + b"{}", lambda data: b"\xff" * 99])
def test_a_damaged_entry_is_no_entry(tmp_path: Path, environment: dict[str, str], damage) -> None:
    draft, double = Draft(), Double()
    draft.write(tmp_path)
    first = executed(tmp_path, draft, double)
    entry, = (tmp_path / "build" / "cache" / "01_edited").iterdir()
    entry.write_bytes(damage(entry.read_bytes()))
    (entry.parent / ".x.entry.999999999").write_bytes(b"torn")
    assert executed(tmp_path, draft, double) == first
    assert double.runs == 2
    assert executed(tmp_path, draft, double) == first
    assert double.runs == 2
    assert list(entry.parent.iterdir()) == [entry]


def test_the_newest_entries_are_kept(tmp_path: Path, environment: dict[str, str]) -> None:
    draft, double = Draft(), Double()
    for k in range(KEPT + 4):
        draft.cells[0][1] = 10 + k
        draft.write(tmp_path)
        executed(tmp_path, draft, double)
    kept = Cache(tmp_path / "build" / "cache" / "01_edited", tmp_path).entries()
    assert [entry.number for entry in kept] == list(range(KEPT + 4, 4, -1))
    executed(tmp_path, draft, double)
    assert double.runs == KEPT + 4


def test_what_is_printed_is_one_piece_however_it_was_flushed() -> None:
    def stream(name: str, text: str) -> NotebookNode:
        return new_output("stream", name=name, text=text)

    shown = new_output("display_data", data={"text/plain": "x"})
    pieces = [stream("stdout", "1.1"), stream("stderr", "w"), stream("stdout", " 10\n"), shown, stream("stdout", "b")]
    kept = deepcopy(pieces)
    whole = coalesce_streams(pieces)
    assert whole == [stream("stdout", "1.1 10\n"), stream("stderr", "w"), shown, stream("stdout", "b")]
    assert pieces == kept
    assert coalesce_streams(whole) == whole
