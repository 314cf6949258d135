"""Reports that the tests build: a two-page report of another subject, and the whole homework at its smallest."""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from gozaresh import cli
from gozaresh.common.persian import latin_digits

ROOT = Path(__file__).parent.parent
EPOCH = "1735689600"  # the moment by which every report is dated, so that builds can be compared to the byte

# A shell's `&` starts processes deaf to Ctrl-C, and what these start is deaf too.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Read when torch is imported: each worker has one core, and threads that wait leave theirs to what else is at work.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the whole homework as slow, and begin with them: no worker then waits for another's last."""
    whole = [item for item in items if "homework" in getattr(item, "fixturenames", ())]
    for item in whole:
        item.add_marker(pytest.mark.slow)
    items[:] = whole + [item for item in items if item not in whole]


@dataclass(frozen=True)
class Done:
    """A finished command."""

    status: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith("error:")]


def gozaresh(*arguments: str, cwd: Path) -> Done:
    """Run the command line as a user would: in a process that knows only what lies on the disk."""
    done = subprocess.run([sys.executable, "-m", "gozaresh.cli", *arguments], cwd=cwd, capture_output=True, text=True,
                          env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH}, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


def in_process(*arguments: str, cwd: Path) -> Done:
    """Run the command line in this process: quicker, and with what earlier calls left in memory, as in a watch."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(cwd)
        patch.setenv("SOURCE_DATE_EPOCH", EPOCH)
        try:
            status = cli.main(arguments)
        except SystemExit as ended:
            status = int(ended.code or 0)
    return Done(status, out.getvalue(), err.getvalue())


def captions(text: str, noun: str) -> list[int]:
    """The numbers of the captions in a PDF's text, in order; pdfium puts the colon before the number."""
    found = re.findall(rf"{noun}(?:\s?([۰-۹]+)\s?:|:\s?([۰-۹]+))", text)
    return list(dict.fromkeys(int(latin_digits(before or after)) for before, after in found))


def edit(folder: Path, old: str, new: str, chapter: str = "notebooks/01_pendulum.py") -> None:
    """Change a chapter as its author would."""
    path = folder / chapter
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def pendulum(tmp_path: Path) -> Path:
    """A fresh copy of the small report."""
    folder = tmp_path / "pendulum"
    shutil.copytree(ROOT / "tests" / "pendulum", folder)
    return folder


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first worker to need it makes and all workers share; no test changes what lies in it."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, whole = base / name, base / f"{name}.whole"
    with FileLock(base / f"{name}.lock"):
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a worker that failed
            make(folder)
            whole.touch()
    return folder


@pytest.fixture(scope="session")
def built_pendulum(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small report, built once."""
    def make(folder: Path) -> None:
        shutil.copytree(ROOT / "tests" / "pendulum", folder)
        done = gozaresh("build", str(folder), cwd=folder.parent)
        assert done.status == 0, done.err

    return made_once(tmp_path_factory, "pendulum", make)


@pytest.fixture(scope="session")
def moon(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small report with the Moon's gravity, built once, at a path of other letters."""
    def make(folder: Path) -> None:
        shutil.copytree(ROOT / "tests" / "pendulum", folder)
        done = gozaresh("build", str(folder), "--set", "gravity=1.62", cwd=folder.parent)
        assert done.status == 0, done.err

    return made_once(tmp_path_factory, "روی ماه", make)


@pytest.fixture
def pendulum_again(built_pendulum: Path, tmp_path: Path) -> Path:
    """A copy of the small report as it was built, to be changed."""
    folder = tmp_path / "again"
    shutil.copytree(built_pendulum, folder)
    return folder


@pytest.fixture(scope="module")
def split(faces):
    """The faces of a module of tests, four fifths of them to learn from."""
    from dgm.vae.images.faces import stratified_split  # brings torch, which most tests do without

    return stratified_split(faces.smiling, 0.8, 0)


HOMEWORK = ("Makefile", "pyproject.toml", "requirements.txt", "requirements-test.txt", "README.md", "CHANGELOG.md",
            "notebooks", "report", "src", "tests")


@pytest.fixture(scope="session")
def homework(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole homework, built once with the smoke profile from a copy of the sources."""
    def make(folder: Path) -> None:
        folder.mkdir()
        ignore = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*")
        for name in HOMEWORK:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, folder / name, ignore=ignore)
            else:
                shutil.copy(ROOT / name, folder / name)
        done = gozaresh("build", ".", "--profile", "smoke", cwd=folder)
        assert done.status == 0, done.err

    return made_once(tmp_path_factory, "homework", make)
