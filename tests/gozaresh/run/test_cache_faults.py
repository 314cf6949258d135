"""With real kernels: a lost kernel, kills, a full disk, two builds at once, and times of files that say nothing."""

from __future__ import annotations

import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from gozaresh.pdf.text import read_pages
from tests.conftest import EPOCH, edit, gozaresh, in_process

pytestmark = pytest.mark.slow
SCRIPT = "notebooks/01_pendulum.py"
PDF = Path("build", "report.pdf")
FIXED = (1_700_000_000, 1_700_000_000)


def start(folder: Path, largest: int = resource.RLIM_INFINITY) -> subprocess.Popen[str]:
    """Begin a build, no file of which can become larger than ``largest`` bytes, as where the disk is full."""
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))

    return subprocess.Popen([sys.executable, "-m", "gozaresh.cli", "build", str(folder)], stderr=subprocess.PIPE,
                            text=True, env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH}, cwd=folder.parent,
                            preexec_fn=limit)


def test_a_lost_kernel_names_the_cell(pendulum: Path) -> None:
    edit(pendulum, "def period(", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\ndef period(")
    done = in_process("build", ".", cwd=pendulum)
    assert done.errors == [f"error: {SCRIPT}:47: the kernel was lost while this cell ran: DeadKernelError: Kernel died"]
    assert "47 | import os, signal" in done.err
    edit(pendulum, "os.kill(os.getpid(), signal.SIGKILL)\n", "")
    done = in_process("build", ".", "--why", cwd=pendulum)
    assert done.status == 0
    assert f"01_pendulum: runs, because: code of the cell at {SCRIPT}:47" in done.err


def test_killed_at_random_moments_the_next_build_is_right(pendulum: Path, built_pendulum: Path) -> None:
    chance = random.Random(8)
    for _ in range(3):
        building = start(pendulum)
        time.sleep(chance.uniform(0.2, 4))
        building.send_signal(signal.SIGKILL)
        building.communicate()
    assert gozaresh("build", ".", cwd=pendulum).status == 0
    assert (pendulum / PDF).read_bytes() == (built_pendulum / PDF).read_bytes()
    assert "stands" in gozaresh("build", ".", cwd=pendulum).err


def failed_for_room(folder: Path, largest: int) -> str:
    """What a build says that finds no room."""
    building = start(folder, largest)
    told = building.communicate()[1]
    assert building.returncode == 1, told
    assert "Traceback" not in told
    error, = [line for line in told.splitlines() if line.startswith("error:")]
    assert re.search("no file may become so large|is the disk full", error)
    assert not [path for path in folder.rglob(".*") if path.is_file()], "a torn file is left behind"
    return told


def test_a_full_disk_is_one_line_and_the_next_build_is_right(pendulum: Path, built_pendulum: Path) -> None:
    """The disk is full at one file after the other: a notebook, an entry of the cache, a font, the PDF."""
    for largest in (600, 20_000, 60_000):
        failed_for_room(pendulum, largest)
    told = failed_for_room(pendulum, (built_pendulum / PDF).stat().st_size - 1)
    assert not (pendulum / PDF).exists()
    assert "running" not in told, "the entry was written before, so no cell runs again"
    assert gozaresh("build", ".", cwd=pendulum).status == 0
    assert (pendulum / PDF).read_bytes() == (built_pendulum / PDF).read_bytes()


def test_a_full_disk_keeps_the_last_good_pdf(pendulum_again: Path) -> None:
    good = (pendulum_again / PDF).read_bytes()
    edit(pendulum_again, "داده می‌شود؛", "به‌سادگی داده می‌شود؛")
    failed_for_room(pendulum_again, len(good) - 1000)
    assert (pendulum_again / PDF).read_bytes() == good
    assert gozaresh("build", ".", cwd=pendulum_again).status == 0
    assert "به‌سادگی" in " ".join(page.text for page in read_pages(pendulum_again / PDF))


def shifted(folder: Path, years: int) -> None:
    """Give all files the times that a clock would which is wrong by so much."""
    for path in folder.rglob("*"):
        moment = path.stat().st_mtime + years * 365 * 86_400
        os.utime(path, (moment, moment))


def test_times_of_files_prove_nothing(pendulum_again: Path, built_pendulum: Path) -> None:
    """As after a clock was set back, or put right: what was built seems older, or newer, than any save."""
    shifted(pendulum_again / "build", -30)
    done = gozaresh("build", ".", cwd=pendulum_again)
    assert done.status == 0
    assert "running" not in done.err
    assert (pendulum_again / PDF).read_bytes() == (built_pendulum / PDF).read_bytes()
    edit(pendulum_again, "داده می‌شود؛", "به‌سادگی داده می‌شود؛")
    edit(pendulum_again, "gravity: float = 9.81", "gravity: float = 1.62")
    shifted(pendulum_again / "build", 60)
    done = gozaresh("build", ".", cwd=pendulum_again)
    assert done.status == 0
    assert "running" in done.err
    text = " ".join(page.text for page in read_pages(pendulum_again / PDF))
    assert "به‌سادگی" in text
    assert "۱٫۶۲" in text


def test_a_kernel_lost_in_one_chapter_leaves_the_others_alone(pendulum: Path, built_pendulum: Path) -> None:
    flag = pendulum / "flag"
    second = pendulum / "notebooks" / "02_second.py"
    second.write_text(f"# %%\nimport time\nopen({str(flag)!r}, 'w').close()\ntime.sleep(600)\n", encoding="utf-8")
    edit(pendulum, f'"{SCRIPT}"', f'"{SCRIPT}", "notebooks/02_second.py"', "report.toml")
    building = start(pendulum)
    for _ in range(1800):
        if flag.exists():
            break
        time.sleep(0.1)
    for kernel in psutil.Process(building.pid).children(recursive=True):
        kernel.kill()
    told = building.communicate()[1]
    assert "error: notebooks/02_second.py:2: the kernel was lost while this cell ran" in told
    assert "  2 | import time" in told
    second.write_text('# %% [markdown]\n"""\nپایان.\n"""\n', encoding="utf-8")
    done = gozaresh("build", ".", cwd=pendulum)
    assert done.status == 0, done.err
    assert "01_pendulum: unchanged" in done.err


def test_two_builds_at_once_run_once(pendulum: Path, built_pendulum: Path) -> None:
    both = [start(pendulum), start(pendulum)]
    told = [building.communicate()[1] for building in both]
    assert [building.returncode for building in both] == [0, 0], told
    assert sum("running" in text for text in told) == 1
    assert sum("another build is at work on it; waiting" in text for text in told) == 1
    assert (pendulum / PDF).read_bytes() == (built_pendulum / PDF).read_bytes()


@pytest.fixture
def widened(pendulum: Path) -> Path:
    """The small report with a module and a file that it reads without saying so."""
    (pendulum / "lib").mkdir()
    (pendulum / "lib" / "constants.py").write_text("FACTOR = 2\n", encoding="utf-8")
    (pendulum / "note.txt").write_text("17", encoding="utf-8")
    edit(pendulum, "[cover]", 'modules = ["lib"]\n[cover]', "report.toml")
    edit(pendulum, "report_style()\n",
         "report_style()\nfrom constants import FACTOR\nnote = int(open('note.txt').read())\n")
    edit(pendulum, "ثانیه است", "و `{python} FACTOR` و `{python} note` ثانیه است")
    return pendulum


def test_an_edit_that_keeps_size_and_time_is_seen(widened: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a clock was set back; Python's own bytecode would be stale then as well."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    for number, name, old, new in ((0, "", "", ""), (1, "lib/constants.py", "2", "3"), (2, "note.txt", "17", "18")):
        if name:
            edit(widened, old, new, name)
        for path in (widened / "lib" / "constants.py", widened / "note.txt", widened / SCRIPT):
            os.utime(path, FIXED)
        done = in_process("build", ".", "--why", cwd=widened)
        assert done.status == 0, done.err
        reason = ("as no run", "because: module lib/constants.py changed", "because: file note.txt changed")[number]
        assert reason in done.err
        executed = (widened / "build" / "executed" / "01_pendulum.ipynb").read_text(encoding="utf-8")
        assert f'\\"FACTOR\\": \\"{"۲۳۳"[number]}\\"' in executed
        assert f'\\"note\\": \\"{("۱۷", "۱۷", "۱۸")[number]}\\"' in executed
