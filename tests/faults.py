"""Faults to try reports with: damaged files, values of the wrong kind, and a disk that refuses."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gozaresh import cli
from tests.conftest import Done

LONGEST = 10.0  # seconds in which a fault is to be told
CHAPTER = '# %% [markdown]\n# # آزمون {#sec-a}\n#\n# متن [@kingma].\n\n# %%\nprint(1)\n'
BIB = "@article{kingma, title={Auto-Encoding Variational Bayes}, author={Kingma, D.}, year={2014}}\n"
ASSIGNMENT: dict[str, Any] = {"question": [{"id": "q1", "points": 3, "answers": ["sec-a"], "bonus": False}]}
SETTINGS: dict[str, Any] = {
    "chapters": ["c.py"], "modules": ["src"], "assignment": "assignment.toml", "default_profile": "quick",
    "varied_profile": "quick", "cuda_profile": "", "theme": "", "macros": r"\newcommand{\x}{x}",
    "cover": {"title": "آزمون", "author": "سارا"}, "bibliography": {"latin": "refs.bib"},
    "data_profiles": {"0" * 64: "quick"}, "profiles": {"quick": {}},
    "bundle": {"name": "R_{lastname}_{student}", "include": ["c.py"]}, "execute": {"timeout": 60},
}
LINE = re.compile(r"error: |gozaresh: |  \d+ \| ")
FILES = ("report.toml", "c.py", "refs.bib", "assignment.toml")


def toml(data: Mapping[str, Any]) -> str:
    """Settings as TOML, one key a line, tables after the plain keys."""
    plain = [f"{_key(key)} = {toml_value(value)}" for key, value in data.items() if not isinstance(value, dict)]
    tables = [f"[{_key(key)}]\n" + "".join(f"{_key(name)} = {toml_value(inner)}\n" for name, inner in value.items())
              for key, value in data.items() if isinstance(value, dict)]
    return "\n".join([*plain, *tables]) + "\n"


def toml_value(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)} = {toml_value(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return str(value).lower() if isinstance(value, bool | float) else json.dumps(value)


def _key(name: str) -> str:
    return json.dumps(name)


def small_report(folder: Path) -> Path:
    """A report with every file that settings can name, and the marks of an earlier build."""
    (folder / "src").mkdir(parents=True)
    (folder / "report.toml").write_text(toml(SETTINGS), encoding="utf-8")
    (folder / "c.py").write_text(CHAPTER, encoding="utf-8")
    (folder / "refs.bib").write_text(BIB, encoding="utf-8")
    (folder / "assignment.toml").write_text(
        "".join(f"[[question]]\n{toml(question)}" for question in ASSIGNMENT["question"]), encoding="utf-8")
    (folder / "build" / "cache" / "c").mkdir(parents=True)
    (folder / "build" / "report.pdf").write_bytes(b"the last good PDF")
    (folder / "build" / "cache" / "c" / "x.entry").write_bytes(b"what was computed")
    return folder


def kept(folder: Path) -> dict[str, bytes]:
    """Everything below build/, the engine's memos aside."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted((folder / "build").rglob("*"))
            if path.is_file() and "store" not in path.parts}


def _too_long(*_: object) -> None:
    pytest.fail("it waits for ever")


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Done:
    """Run a command in this process; it must end soon, without a trace, and have foreseen what happened."""
    capsys.readouterr()
    begun = time.monotonic()
    before = signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(int(3 * LONGEST))  # what waits for ever fails as well
    try:
        status = cli.main(arguments)
    except SystemExit as ended:
        status = int(ended.code or 0)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    seconds = time.monotonic() - begun
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err, err
    assert status != cli.UNFORESEEN, err
    assert seconds < LONGEST, f"{arguments}: {seconds:.1f} s"
    return Done(status, out, err)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The first of the lines with which a command refuses: one for each problem, and the source's own below it."""
    done = told(capsys, *arguments)
    assert done.status != 0, f"accepted: {done.err}"
    assert done.errors, done.err
    assert all(LINE.match(line) for line in done.err.splitlines()), done.err
    return done.errors[0]


# --- damage ---
def _replaced(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "binary": lambda path: path.write_bytes(bytes(range(256)) * 40),
    "with a NUL": lambda path: path.write_bytes(path.read_bytes()[:40] + b"\0" + path.read_bytes()[40:]),
    "UTF-16": lambda path: path.write_bytes(path.read_text(encoding="utf-8").encode("utf-16")),
    "Windows-1256": lambda path: path.write_bytes("متن = ".encode("cp1256") + path.read_bytes()),
    "a folder": lambda path: _replaced(path, Path.mkdir),
    "a FIFO": lambda path: _replaced(path, os.mkfifo),
    "a link to itself": lambda path: _replaced(path, lambda new: new.symlink_to(new)),
    "a link to nothing": lambda path: _replaced(path, lambda new: new.symlink_to("nothing")),
    "a device": lambda path: _replaced(path, lambda new: new.symlink_to("/dev/zero")),
    "a terminal": lambda path: _replaced(path, lambda new: new.symlink_to("/dev/tty")),
    "too large": lambda path: os.truncate(path, 2**40),
}


def cut(path: Path, at: float) -> None:
    """Leave the first part of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * at)])


# --- a disk that refuses. Root may do everything, so what Python asks of the system is refused before it is asked. ---
WRITES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "os.link", "os.symlink", "os.utime")
_refusing: list[Callable[[str, tuple[Any, ...]], None]] = []
_hooked: list[bool] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    for refuse in _refusing:
        refuse(event, arguments)


@contextmanager
def refusing(folder: Path, number: int, *, reads: bool) -> Iterator[None]:
    """Let the system refuse to write below a folder, or to read from it, with an error of this number."""
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked.append(True)

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            writes = bool(set("wax+") & set(mode)) if isinstance(mode, str) else bool(
                isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        elif event in WRITES:
            path, writes = arguments[0], True
        else:
            return
        if writes != reads and isinstance(path, str | bytes | os.PathLike):
            name = os.path.abspath(os.fsdecode(path))
            if name == str(folder) or name.startswith(f"{folder}{os.sep}"):
                raise OSError(number, os.strerror(number), name)

    _refusing.append(refuse)
    try:
        yield
    finally:
        _refusing.remove(refuse)


REFUSALS = {"read-only": errno.EROFS, "not permitted": errno.EACCES, "full": errno.ENOSPC, "quota": errno.EDQUOT,
            "failing": errno.EIO, "in use": errno.ETXTBSY}
