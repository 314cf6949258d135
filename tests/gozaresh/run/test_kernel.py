"""What ends a run, what it may take from the machine, and what is said while it lasts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import faults
from tests.conftest import Done
from tests.faults import told

CELL = "# %%\n"


def chapter(folder: Path, *cells: str, settings: str = "") -> Path:
    """A report of one chapter with these code cells; the first begins on line 4 of c.py."""
    folder.mkdir(exist_ok=True)
    (folder / "report.toml").write_text(f'chapters = ["c.py"]\n{settings}\n[cover]\ntitle = "آزمون"\n',
                                        encoding="utf-8")
    prose = "# %% [markdown]\n# # آزمون {#sec-a}\n\n"
    (folder / "c.py").write_text(prose + "\n\n".join(f"# %%{cell}" for cell in cells) + "\n", encoding="utf-8")
    return folder


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Done:
    monkeypatch.chdir(folder)
    assert told(capsys, "source", "c").status == 0
    return told(capsys, "execute", "c")


def executed(folder: Path) -> str:
    return (folder / "build" / "executed" / "c.ipynb").read_text(encoding="utf-8")


@pytest.mark.parametrize(("cells", "line", "words"), [
    (["\nprint(1)\nimport sys\nsys.exit(0)", "\nprint(2)"], 7, "SystemExit ended the run here; 1 cells below"),
    (["\ndef f():\n    raise SystemExit\nf()", "\n1", "\n2"], 7, "SystemExit ended the run here; 2 cells below"),
    (["\n1", "\n\nquit(); raise SystemExit('x')"], 9,
     ("SystemExit: x", "the kernel was lost while this cell ran")),  # by the exception or by quit, as the kernel ends
    ([' tags=["skip-execution"]\nprint(1)', "\nprint(2)"], 5, "this cell was never run"),
    ([' tags=["raises-exception"]\n1 / 0', "\nprint(2)"], 5, "ZeroDivisionError"),
    (["\nimport shutil\nshutil.rmtree('build')"], 5, "has removed build/run"),
    (["\nimport os\nos._exit(0)", "\n1"], 5, "the kernel was lost"),
])
def test_a_run_that_does_not_reach_the_end_never_passes(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], cells: list[str],
        line: int, words: str | tuple[str, str]) -> None:
    done = run(chapter(tmp_path / "r", *cells), monkeypatch, capsys)
    assert done.status == 1
    assert len(done.errors) == 1
    assert done.errors[0].startswith(f"error: c.py:{line}: ")
    assert any(one in done.errors[0] for one in ([words] if isinstance(words, str) else words))
    assert not (tmp_path / "r" / "build" / "executed" / "c.ipynb").exists()


def test_a_cell_that_takes_too_long_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("gozaresh.common.progress.QUIET_INTERVAL", 1.0)
    cells = "\n1", "\n\nimport time\ntime.sleep(60)"
    done = run(chapter(tmp_path / "r", *cells, settings="execute.timeout = 3"), monkeypatch, capsys)
    assert done.errors == ["error: c.py:9: the cell took longer than execute.timeout of report.toml, 3 s"]
    assert "c: the cell at c.py:9 has been running for" in done.err


def test_a_file_at_fault_is_named_before_the_cell_that_read_it(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "g.toml").write_text("a\nb\n", encoding="utf-8")
    folder = chapter(tmp_path, "\n1", "\nraise ValueError('g.toml:2: no b; nearest: c')")
    done = run(folder, monkeypatch, capsys)
    assert done.errors == ["error: g.toml:2: no b; nearest: c (read at c.py:8)"]


SEEN = """
import os, warnings, json
import matplotlib
warnings.warn("careful")
print(json.dumps([matplotlib.get_backend(), matplotlib.rcParams["lines.linewidth"], os.environ.get("MINE", ""),
                  os.environ.get("TZ"), __debug__]))"""


def test_the_machine_of_whoever_builds_it_shows_nowhere_or_is_in_the_key(tmp_path: Path) -> None:
    """Each build is a process of its own, with another environment."""
    config = tmp_path / "config"
    (config / "matplotlib").mkdir(parents=True)
    (config / "matplotlib" / "matplotlibrc").write_text("lines.linewidth: 7\n", encoding="utf-8")
    foreign = {"MPLBACKEND": "Agg", "XDG_CONFIG_HOME": str(config), "TZ": "Asia/Tehran", "PYTHONOPTIMIZE": "1",
               "MATPLOTLIBRC": str(config / "matplotlib" / "matplotlibrc"), "PYTHONWARNINGS": "ignore"}
    folder = chapter(tmp_path / "r", SEEN)
    plain = {**os.environ, "SOURCE_DATE_EPOCH": "1735689600"}

    def build(**more: str) -> tuple[str, str]:
        done = subprocess.run([sys.executable, "-m", "gozaresh.cli", "execute", "c"], cwd=folder,
                              env={**plain, **more}, capture_output=True, text=True, check=True)
        return done.stderr, executed(folder)

    subprocess.run([sys.executable, "-m", "gozaresh.cli", "source", "c"], cwd=folder, check=True, capture_output=True)
    _, first = build()
    said, again = build(**foreign)
    assert "unchanged" in said
    for path in (folder / "build" / "cache" / "c").iterdir():
        path.unlink()
    said, other = build(**foreign)
    assert "running" in said
    assert first == again == other, "no process, no backend, no plot settings, no time zone of a machine"
    assert json.loads(json.loads(first)["cells"][1]["outputs"][0]["text"][0])[2:] == ["", "UTC", True]
    said, mine = build(MINE="x")
    assert "running" in said, "a variable that the code asks for is part of the key"
    assert mine != first


def test_the_reports_own_plot_settings_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    folder = chapter(tmp_path / "r", '\nimport matplotlib\nprint(matplotlib.rcParams["lines.linewidth"])')
    for width in ("7.0", "9.0"):
        (folder / "matplotlibrc").write_text(f"lines.linewidth: {width}\n", encoding="utf-8")
        assert run(folder, monkeypatch, capsys).status == 0
        assert width in executed(folder)


@pytest.mark.parametrize("special", ["fifo", "device"])
def test_a_cell_that_looks_at_a_special_file_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                  capsys: pytest.CaptureFixture[str], special: str) -> None:
    folder = chapter(tmp_path / "r", "\nimport os\nos.close(os.open('special', os.O_RDONLY | os.O_NONBLOCK))")
    path = folder / "special"
    os.mkfifo(path) if special == "fifo" else path.symlink_to("/dev/zero")
    assert run(folder, monkeypatch, capsys).status == 0
    assert faults.told(capsys, "execute", "c").status == 0
