"""The execution cache gives what a clean run gives, whatever was edited; times of files, kills and damage included."""

from __future__ import annotations

import errno
import os
import random
from copy import deepcopy
from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_output

from gozaresh.run.cache import KEPT, Cache
from gozaresh.run.execute import Job
from gozaresh.run.recorder import coalesce_streams
from tests.edits import CHAPTER, EDITS, Double, Draft, edited, executed, installed


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What is installed, as the test says."""
    return installed(monkeypatch)


def test_after_every_edit_the_outputs_are_those_of_a_clean_run(
        tmp_path: Path, environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(6)
    kinds = [*EDITS] * 5
    chance.shuffle(kinds)
    runs = edited(tmp_path, environment, kinds, chance)
    assert runs < len(kinds), "what was run before is not run again"
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
    assert "could not be noted" in executed(tmp_path, draft, double)
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
