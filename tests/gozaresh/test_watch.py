"""The watch builds after a save, keeps the last good PDF, and leaves nothing behind."""

from __future__ import annotations

import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from gozaresh.build import promote
from gozaresh.pdf.text import read_pages
from gozaresh.report import choose, inputs
from gozaresh.settings import load_project
from gozaresh.uptodate import WatchedPath, watched_paths
from gozaresh.watch import Status, times
from tests.conftest import EPOCH, ROOT, edit, in_process

PATIENCE = 60.0  # seconds until a line must have come


class Watching:
    """A running watch of a report."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gozaresh.cli", "watch", str(folder)], stderr=subprocess.PIPE, text=True,
            cwd=folder.parent, env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH})
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.put(line.rstrip("\n"))

    def until(self, words: str) -> list[str]:
        """The lines up to the first that holds the words."""
        seen: list[str] = []
        while not seen or words not in seen[-1]:
            seen.append(self._lines.get(timeout=PATIENCE))
        return seen

    def rest(self) -> list[str]:
        """The lines that still come, until none comes for a while."""
        seen: list[str] = []
        with suppress(queue.Empty):
            while True:
                seen.append(self._lines.get(timeout=1.5))
        return seen

    def end(self, how: signal.Signals = signal.SIGINT) -> int:
        children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(how)
        status = self.process.wait(PATIENCE)
        _, alive = psutil.wait_procs(children, timeout=10)
        assert not alive, "a process is left behind"
        return status

    @property
    def pdf(self) -> Path:
        return self.folder / "build" / "report.pdf"


@pytest.fixture
def watching(pendulum_again: Path) -> Iterator[Watching]:
    started = Watching(pendulum_again)
    yield started
    if started.process.poll() is None:
        started.process.kill()


@pytest.mark.slow
def test_a_save_builds_again_and_an_error_keeps_the_last_good_pdf(watching: Watching) -> None:
    assert "is ready" in watching.until("waiting")[-1]
    edit(watching.folder, "داده می‌شود؛", "به‌سادگی داده می‌شود؛")
    lines = watching.until("waiting")
    assert lines[0] == "watch: building after a save of notebooks/01_pendulum.py"
    assert not [line for line in lines if "running" in line], "a prose edit runs no code"
    good = watching.pdf.read_bytes()
    assert "به‌سادگی" in " ".join(page.text for page in read_pages(watching.pdf))

    edit(watching.folder, "np.linspace", "np.linspce")
    *_, error, shown, told = watching.until("waiting")
    assert error.startswith("error: notebooks/01_pendulum.py:23: AttributeError")
    assert shown == "  23 | length = np.linspce(0.1, 2, lengths)"
    assert re.match(r"watch: 1 error after [0-9.]+ s; build/report.pdf is the one of [0-9:]+; waiting", told)
    assert watching.pdf.read_bytes() == good
    assert not list((watching.folder / "build").glob("report.draft*"))

    edit(watching.folder, "np.linspce", "np.linspace")
    edit(watching.folder, "به‌سادگی ", "")
    assert "is ready" in watching.until("waiting")[-1]
    assert watching.pdf.read_bytes() != good

    edit(watching.folder, 'title = "آونگ ساده"', "title = 3", chapter="report.toml")
    assert "error: report.toml:4: cover.title = 3" in "\n".join(watching.until("waiting"))
    edit(watching.folder, "title = 3", 'title = "آونگ دیگر"', chapter="report.toml")
    assert "is ready" in watching.until("waiting")[-1]
    assert watching.end() == 0
    assert watching.until("stopped")


@pytest.mark.slow
def test_saves_in_quick_succession_are_one_build_with_which_a_later_one_agrees(watching: Watching) -> None:
    watching.until("waiting")
    path = watching.folder / "notebooks" / "01_pendulum.py"
    text = path.read_text(encoding="utf-8")

    def last_is_there() -> bool:
        return "هشت بار" in " ".join(" ".join(page.text for page in read_pages(watching.pdf)).split())

    for words in ("یک", "دو", "سه", "چهار", "پنج", "شش", "هفت", "هشت"):
        path.write_text(text.replace("داده می‌شود؛", f"داده می‌شود {words} بار؛"), encoding="utf-8")
    lines = watching.until("waiting")
    if not last_is_there():
        lines += watching.until("waiting")
    assert last_is_there()
    lines += watching.rest()
    assert sum("building after" in line for line in lines) <= 2, "two only where the machine pauses between the saves"
    watching.end()
    done = in_process("build", ".", cwd=watching.folder)
    assert done.status == 0
    assert "running" not in done.err
    assert "unchanged" in done.err or "stands" in done.err


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_ends_cleanly_in_the_middle_of_a_cell(pendulum: Path, how: signal.Signals) -> None:
    flag = pendulum / "flag"
    edit(pendulum, "fig, ax =", f"import time; open({str(flag)!r}, 'w').close(); time.sleep(600)\nfig, ax =")
    watching = Watching(pendulum)
    try:
        watching.until("running")
        waited = threading.Event()
        for _ in range(int(PATIENCE * 10)):
            if flag.exists():
                break
            waited.wait(0.1)
        assert psutil.Process(watching.process.pid).children(recursive=True), "a kernel runs"
        assert watching.end(how) == 0
        assert "Traceback" not in "\n".join(watching.until("stopped"))
    finally:
        if watching.process.poll() is None:
            watching.process.kill()


@pytest.mark.slow
def test_a_changed_engine_starts_itself_anew(
        tmp_path: Path, pendulum_again: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "src" / "gozaresh", tmp_path / "src" / "gozaresh")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "src"))
    watching = Watching(pendulum_again)
    try:
        watching.until("waiting")
        module = tmp_path / "src" / "gozaresh" / "report.py"
        module.write_text(module.read_text(encoding="utf-8") + "\ndef broken(:\n", encoding="utf-8")
        assert "the engine stays as it was" in "\n".join(watching.until("waiting"))
        module.write_text(module.read_text(encoding="utf-8").replace("def broken(:", "WHOLE = 1"), encoding="utf-8")
        assert watching.until("starting anew")[-1] == "watch: the engine itself changed (report.py): starting anew"
        assert "is ready" in watching.until("waiting")[-1]
        assert watching.end() == 0
    finally:
        if watching.process.poll() is None:
            watching.process.kill()


def test_what_a_build_reads_is_watched_and_what_it_writes_is_not(built_pendulum: Path) -> None:
    project = load_project(built_pendulum)
    watched = watched_paths(project) | inputs(choose(project))
    found = {path.relative_to(built_pendulum).as_posix() for path in times(watched)
             if path.is_relative_to(built_pendulum)}
    assert found == {"report.toml", "notebooks/01_pendulum.py"}
    own = set(times(watched_paths(load_project(ROOT)) | inputs(choose(load_project(ROOT)))))
    for name in ("notebooks/04_vae.py", "report/report.toml", "report/references.bib", "report/graphs.toml",
                 "report/assignment.toml", "src/dgm/vae/model/vae.py", "src/gozaresh/theme/theme.typ",
                 "src/gozaresh/build.py"):
        assert ROOT / name in own, name
    assert not [path for path in own if path.suffix == ".pyc" or (ROOT / "build") in path.parents]


def test_a_file_counts_as_saved_by_time_size_or_replacement(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("1")
    root = {WatchedPath(tmp_path, ".py")}
    first = times(root)
    assert times(root) == first
    os.utime(file, ns=(0, 0))
    second = times(root)
    assert second != first
    (tmp_path / "b.py~").write_text("an editor's own")
    (tmp_path / ".b.py").write_text("an editor's own")
    assert times(root) == second
    file.unlink()
    assert times(root) == {}


def test_the_same_bytes_leave_the_pdf_alone(tmp_path: Path) -> None:
    draft, target = tmp_path / "draft", tmp_path / "target"
    for text, moved in (("one", True), ("one", False), ("two", True)):
        number = target.stat().st_ino if target.exists() else 0
        draft.write_text(text)
        promote(draft, target)
        assert target.read_text() == text
        assert not draft.exists()
        assert (target.stat().st_ino != number) == moved


def test_one_line_on_a_terminal() -> None:
    class Terminal:
        def __init__(self) -> None:
            self.text = ""

        def write(self, text: str) -> None:
            self.text += text

        def flush(self) -> None: ...

        def isatty(self) -> bool:
            return True

    out = Terminal()
    status = Status(out)  # type: ignore[arg-type]
    print("gozaresh: 04_vae: running", file=status)
    status.write("\r\x1b[K04_vae: epoch 1")
    status.now("ready")
    assert "\n" not in out.text
    assert out.text.split("\r\x1b[K")[1:] == ["watch: 04_vae: running", "watch: ready"]
    status.lines(["error: x"])
    assert out.text.endswith("\r\x1b[Kerror: x\n")
