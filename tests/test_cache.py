"""The execution cache gives what a clean run gives, whatever was edited; times of files, kills and damage included."""

from __future__ import annotations

import importlib.metadata
import random
import signal
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import nbformat
import pytest

from gozaresh import fingerprint
from gozaresh.build import choose, execute_chapter, make_notebook, read_notebook
from gozaresh.cache import KEPT, Cache
from gozaresh.errors import ExecutionError
from gozaresh.execute import Job, execute
from gozaresh.settings import load_project
from tests.conftest import edit, gozaresh
from tests.edits import CHAPTER, EDITS, SILENT, Double, Draft

COUNT = 320


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What is installed, as the test says."""
    installed = {"package numpy": "1.0"}
    monkeypatch.setattr(fingerprint, "environment", lambda: dict(installed))
    monkeypatch.setattr(importlib.metadata, "version", lambda name: installed[f"package {name}"])
    return installed


def executed(folder: Path, draft: Draft, double: Double, build: str = "build", why: bool = False) -> str:
    """The executed notebook of the chapter as text, or the error."""
    report = choose(load_project(folder), "", {name: str(value) for name, value in draft.parameters.items()})
    name = Path(CHAPTER).stem
    make_notebook(report, name)
    job = Job(name, read_notebook(report.notebook_path(name)), folder / build / "out.ipynb", draft.parameters,
              {"table": folder / "data.txt"}, [folder / "src"], folder, folder / build, "default", why)
    try:
        done = execute(job, double)
    except ExecutionError as error:
        return str(error)
    del done.metadata["gozaresh"]["seconds"]
    return nbformat.writes(done)


def test_after_every_edit_the_outputs_are_those_of_a_clean_run(
        tmp_path: Path, environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    chance, drafts, tried = random.Random(6), [Draft()], dict.fromkeys(EDITS, 0)
    kept, clean = Double(), Double()
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
