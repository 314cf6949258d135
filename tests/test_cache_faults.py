"""With real kernels: a lost kernel, kills, two builds at once, and edits that leave size and time as they were."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import edit, gozaresh

SCRIPT = "notebooks/01_pendulum.py"
FIXED = (1_700_000_000, 1_700_000_000)


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "gozaresh.cli", "build", str(folder)], stderr=subprocess.PIPE,
                            text=True, env={**os.environ, "SOURCE_DATE_EPOCH": "1735689600"}, cwd=folder.parent)


def test_a_lost_kernel_names_the_cell(pendulum: Path) -> None:
    edit(pendulum, "def period(", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\ndef period(")
    done = gozaresh("build", ".", cwd=pendulum)
    assert done.errors == [f"error: {SCRIPT}:47: the kernel was lost while this cell ran: DeadKernelError: Kernel died"]
    assert "47 | import os, signal" in done.err
    edit(pendulum, "os.kill(os.getpid(), signal.SIGKILL)\n", "")
    done = gozaresh("build", ".", "--why", cwd=pendulum)
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
    pdf = Path("build", "report.pdf")
    assert (pendulum / pdf).read_bytes() == (built_pendulum / pdf).read_bytes()
    assert "unchanged" in gozaresh("build", ".", cwd=pendulum).err


def test_two_builds_at_once_run_once(pendulum: Path, built_pendulum: Path) -> None:
    both = [start(pendulum), start(pendulum)]
    told = [building.communicate()[1] for building in both]
    assert [building.returncode for building in both] == [0, 0], told
    assert sum("running" in text for text in told) == 1
    assert sum("another build is at work on it; waiting" in text for text in told) == 1
    pdf = Path("build", "report.pdf")
    assert (pendulum / pdf).read_bytes() == (built_pendulum / pdf).read_bytes()


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
        done = gozaresh("build", ".", "--why", cwd=widened)
        assert done.status == 0, done.err
        reason = ("as no run", "because: module lib/constants.py changed", "because: file note.txt changed")[number]
        assert reason in done.err
        executed = (widened / "build" / "executed" / "01_pendulum.ipynb").read_text(encoding="utf-8")
        assert f'\\"FACTOR\\": \\"{"۲۳۳"[number]}\\"' in executed
        assert f'\\"note\\": \\"{("۱۷", "۱۷", "۱۸")[number]}\\"' in executed
