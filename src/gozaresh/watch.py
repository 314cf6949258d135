"""``gozaresh watch``: the report is built again after each save, until Ctrl-C.

Files are found changed by asking for their times. That takes no further dependency, is alike on every system, on
network disks and in containers (where a kernel's notices of changes are lost), and is cheap: a few milliseconds for
some hundred files, and the pauses grow with them so that it never takes more than a twentieth of one core.

The chapters run in kernels of their own, so a changed module of the project needs nothing here. A changed module of the
engine does: the program then starts itself anew.
"""

from __future__ import annotations

import io
import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import TextIO

from gozaresh import build
from gozaresh.common.errors import GozareshError, from_os_error, quoted
from gozaresh.common.paths import ENGINE
from gozaresh.report import Report, inputs
from gozaresh.settings import Project, load_project
from gozaresh.uptodate import WatchedPath, watched_paths

PAUSE = 0.1  # seconds between two looks at the files
SHARE = 20  # a pause is at least so many times as long as the look
SETTLED = 0.05  # seconds without a further save, after which a build begins
Times = Mapping[Path, tuple[int, int, int]]


class Status(io.TextIOBase):
    """One line that says what is being done; what the engine writes to standard error becomes its text."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._terminal = out.isatty()
        self._begun = ""

    def isatty(self) -> bool:
        """Test if the line can be written over."""
        return self._terminal

    def write(self, text: str) -> int:
        """Show the last whole line that the engine wrote."""
        *whole, self._begun = (self._begun + text).replace("\r\x1b[K", "\n").split("\n")
        for line in whole:
            if line.strip():
                self.now(line.removeprefix("gozaresh: "))
        return len(text)

    def now(self, text: str) -> None:
        """Replace the line; where it is no terminal, add one."""
        line = f"watch: {text}"
        if self._terminal:
            line = f"\r\x1b[K{line[:shutil.get_terminal_size().columns - 1]}"
        self._out.write(line if self._terminal else line + "\n")
        self._out.flush()

    def lines(self, texts: Iterable[str]) -> None:
        """Print lines that stay, as errors do."""
        for text in texts:
            self._out.write(f"\r\x1b[K{text}\n" if self._terminal else f"{text}\n")
        self._out.flush()


def watch(folder: Path, choose: Callable[[Project], Report]) -> None:
    """Build the report of a folder, and again after each save, until the program is interrupted."""
    status = Status(sys.stderr)
    with _interrupted_by(signal.SIGTERM, signal.SIGHUP):
        try:
            _Watch(folder, choose, status).forever()
        except KeyboardInterrupt:
            logging.disable()  # that a kernel was stopped in the middle of a cell is no news now
            status.now("stopped")
            status.lines([""] if status.isatty() else [])


@contextmanager
def _interrupted_by(*signals: signal.Signals) -> Iterator[None]:
    """Let a closed terminal and a polite kill end the watch as Ctrl-C does: with its kernels."""
    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {name: signal.signal(name, interrupt) for name in signals}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def times(watched: Iterable[WatchedPath]) -> Times:
    """Time, size and number of each file; a file that is not there has none."""
    found = {}
    for root in watched:
        for path in root.files():
            try:
                about = path.stat()
            except OSError:
                continue
            found[path] = (about.st_mtime_ns, about.st_size, about.st_ino)
    return found


class _Watch:
    """The loop, with what it knows of the files between two builds."""

    def __init__(self, folder: Path, choose: Callable[[Project], Report], status: Status) -> None:
        self._folder, self._choose, self._status = folder.resolve(), choose, status
        settings = (self._folder / "report.toml", self._folder / "report" / "report.toml")
        self._roots = frozenset({*map(WatchedPath, settings), WatchedPath(ENGINE, ".py")})
        self._seen: Times = {}  # the files as they were when the last build began to read them
        self._cost = 0.0  # seconds that the last look at the files took
        self._good = ""  # when the last good PDF was made

    def forever(self) -> None:
        """Build, wait, build."""
        while True:
            self._once()
            changed = self._wait()
            engine = [path for path in changed if path.is_relative_to(ENGINE) and path.suffix == ".py"]
            if engine and self._sound(engine):
                self._restart(engine)
            self._status.now(f"building after a save of {_named(changed, self._folder)}")

    def _once(self) -> None:
        started = time.monotonic()
        self._seen = times(self._roots)
        try:
            with redirect_stderr(self._status):
                project = load_project(self._folder)
                self._now_watching(watched_paths(project))
                report = self._choose(project)
                self._now_watching(self._roots | inputs(report))
                build.build_report(report)
        except (GozareshError, OSError) as error:
            ours = from_os_error(error, self._folder) if isinstance(error, OSError) else error
            self._status.lines(quoted(ours, self._folder))
            count = len(str(ours).splitlines())
            kept = f"build/report.pdf is the one of {self._good}" if self._good else "no good PDF yet"
            told = f"{count} error{'s' * (count > 1)} after {time.monotonic() - started:.1f} s; {kept}"
        else:
            self._good = datetime.now().strftime("%H:%M:%S")
            told = f"build/report.pdf is ready, {self._good}, after {time.monotonic() - started:.1f} s"
        self._status.now(f"{told}; waiting for a save")

    def _now_watching(self, chosen: frozenset[WatchedPath]) -> None:
        """Watch other files from now on; those already looked at keep the times that they had then."""
        self._roots, now = chosen, times(chosen)
        self._seen = {path: self._seen.get(path, about) for path, about in now.items()}

    def _wait(self) -> list[Path]:
        """The files that were saved since the build began, once some were and no further save follows."""
        seen, now = self._seen, self._look(0)
        while now == seen:
            now = self._look(PAUSE)
        while (later := self._look(SETTLED)) != now:
            now = later
        return sorted(path for path in {*seen, *now} if seen.get(path) != now.get(path))

    def _look(self, pause: float) -> Times:
        time.sleep(max(pause, self._cost * SHARE) if pause else 0)
        started = time.monotonic()
        found = times(self._roots)
        self._cost = time.monotonic() - started
        return found

    def _sound(self, engine: Iterable[Path]) -> bool:
        """Test if the changed modules can be read as Python at all; a mistyped one would end the watch."""
        try:
            for path in engine:
                if path.is_file():
                    compile(path.read_bytes(), str(path), "exec")
        except (SyntaxError, ValueError) as error:
            self._status.lines([f"error: the engine stays as it was: {error}"])
            return False
        return True

    def _restart(self, engine: list[Path]) -> None:
        self._status.now(f"the engine itself changed ({_named(engine, self._folder)}): starting anew")
        self._status.lines([""] if self._status.isatty() else [])
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _named(paths: Iterable[Path], folder: Path) -> str:
    names = [str(path.relative_to(folder)) if path.is_relative_to(folder) else path.name for path in paths]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
