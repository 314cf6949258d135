"""How long the report takes after nothing, after a prose edit, and in the watch: python benchmarks/build.py [-n N]

Four cases: ``make report`` with nothing changed; after a word more in a markdown cell of notebooks/03_elbo.py; the same
edit and a changed plot cell of that chapter with the watch running, from the save to the new PDF. Medians of N.

``--against FOLDER`` measures another version (a checkout with its Makefile and src/) on the same content, in turns with
this one, so that whatever else the machine does falls on both. Each version builds in a folder of its own. Beside the
seconds from start to end stand those of processor time (user and system), which a busy machine changes less.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("notebooks", "report", "pyproject.toml", "requirements.txt", "requirements-test.txt")
CHAPTER = "notebooks/03_elbo.py"
PROSE = ("این فصل دو پایهٔ", "این فصل {}دو پایهٔ")
WORDS = ("سپس ", "نیز ", "اکنون ", "همین ", "درختی ", "هم ")
PLOT = "#| label: fig-"
KEPT = ("cache", "images", "proofs", "runs")  # long work of builds here, minutes; taken only where it is the same
PATIENCE = 300.0  # seconds until a build must have ended
CASES = ("make report, nothing changed", "make report, prose edit", "watch, prose edit", "watch, plot cell")


class Seconds(NamedTuple):
    """How long something took."""

    whole: float  # from start to end
    used: float  # of processor time, user and system


class Clock:
    """Counts from its making on; ``process`` is one that goes on, else the ended ones count."""

    def __init__(self, process: psutil.Process | None = None) -> None:
        self._process = process
        self._started, self._used = time.perf_counter(), self._now()

    def read(self) -> Seconds:
        """The seconds since."""
        return Seconds(time.perf_counter() - self._started, self._now() - self._used)

    def _now(self) -> float:
        if self._process is None:
            ended = resource.getrusage(resource.RUSAGE_CHILDREN)
            return ended.ru_utime + ended.ru_stime
        times = self._process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)


class Version:
    """One version of the engine with the report's folder that it builds."""

    def __init__(self, source: Path, folder: Path, profile: str) -> None:
        self.folder, self._profile = folder, profile
        for part in PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, folder / part)
        shutil.copytree(source / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(source / "Makefile", folder)
        for name in KEPT:
            if (ROOT / "build" / name).is_dir():
                shutil.copytree(ROOT / "build" / name, folder / "build" / name)
        program = folder / ".venv" / "bin" / "gozaresh"
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gozaresh.cli "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        (folder / ".venv" / "ready").touch()
        self._environment = {**os.environ, "PYTHONPATH": str(folder / "src"), "SOURCE_DATE_EPOCH": "1735689600"}
        self._text = (folder / CHAPTER).read_text(encoding="utf-8")
        self._edits = 0

    def make(self) -> Seconds:
        """Seconds of ``make report``."""
        clock = Clock()
        done = subprocess.run(["make", "report", f"PROFILE={self._profile}"], cwd=self.folder, env=self._environment,
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        return clock.read()

    def edit_prose(self) -> None:
        """Put a word in; another one each time."""
        self._edits += 1
        old, new = PROSE
        assert old in self._text
        self._write(self._text.replace(old, new.format(WORDS[self._edits % len(WORDS)]), 1))

    def edit_plot(self) -> None:
        """Change the code of a cell that plots, though not its picture."""
        self._edits += 1
        before, found, cell = self._text.partition(PLOT)
        code, end, rest = cell.partition("\n# %%")
        self._write(before + found + code.rstrip() + f"  # {self._edits}\n" + end + rest)

    def put_back(self) -> None:
        """Undo every edit."""
        self._write(self._text)

    def _write(self, text: str) -> None:
        (self.folder / CHAPTER).write_text(text, encoding="utf-8")

    @contextmanager
    def watching(self) -> Iterator[tuple[Path, psutil.Process]]:
        """A watch that has built once: the file that holds what it says, and its process."""
        said = self.folder / "watch.txt"
        with said.open("w") as out:
            process = subprocess.Popen(
                [self.folder / ".venv" / "bin" / "gozaresh", "watch", ".", "--profile", self._profile],
                cwd=self.folder, env=self._environment, stderr=out)
            try:
                _until(said, 1)
                yield said, psutil.Process(process.pid)
            finally:
                process.terminate()
                process.wait()

    def saved(self, said: Path, process: psutil.Process) -> Seconds:
        """Seconds from now until the watch has put a new PDF in place."""
        clock, builds = Clock(process), said.read_text().count("waiting for a save")
        _until(said, builds + 1)
        return clock.read()


def _until(said: Path, builds: int) -> None:
    begun = time.perf_counter()
    while (text := said.read_text()).count("waiting for a save") < builds:
        if time.perf_counter() - begun > PATIENCE or "error" in text:
            raise SystemExit(text)
        time.sleep(0.005)


def measure(versions: dict[str, Version], times: int) -> dict[str, dict[str, list[Seconds]]]:
    """Seconds of each case by version, in turns."""
    found: dict[str, dict[str, list[Seconds]]] = {case: {name: [] for name in versions} for case in CASES}
    for name, version in versions.items():
        print(f"{name}: first build {version.make().whole:.1f} s", flush=True)
        version.edit_prose()
        version.make()
    for _ in range(times):
        for name, version in versions.items():
            found[CASES[0]][name].append(version.make())
            version.edit_prose()
            found[CASES[1]][name].append(version.make())
    for name, version in versions.items():
        with version.watching() as watch:
            for _ in range(times):
                version.edit_prose()
                found[CASES[2]][name].append(version.saved(*watch))
            for _ in range(times):
                version.edit_plot()
                found[CASES[3]][name].append(version.saved(*watch))
        version.put_back()
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=5, help="how often each case is measured")
    parser.add_argument("--against", type=Path, help="the folder of another version")
    parser.add_argument("--profile", default="smoke")
    options = parser.parse_args()
    sources = {**({"before": options.against} if options.against else {}), "after": ROOT}
    with tempfile.TemporaryDirectory() as scratch:
        versions = {}
        for name, source in sources.items():
            folder = Path(scratch) / name
            folder.mkdir()
            versions[name] = Version(source, folder, options.profile)
        found = measure(versions, options.n)
    print(f"| median of {options.n}, seconds (of processor time) | {' | '.join(sources)} |\n"
          f"|---|{'---:|' * len(sources)}")
    for case, measured in found.items():
        print(f"| {case} | " + " | ".join(_shown(measured[name]) for name in sources) + " |")


def _shown(measured: Sequence[Seconds]) -> str:
    whole, used = (statistics.median(values) for values in zip(*measured, strict=True))
    return f"{whole:.2f} ({used:.2f})"


if __name__ == "__main__":
    main()
