"""Random edits of a small report, each built on what the builds before left and built clean: the PDFs must be equal.

``python benchmarks/edits.py --count 300 --seed 0`` runs real kernels and compares the PDFs byte for byte; with
``--kills 30`` builds are also killed (SIGKILL) at random moments, and the next one must give that PDF.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.edits import EDITS, Draft  # noqa: E402  # found by the line above

ENVIRONMENT = {**os.environ, "SOURCE_DATE_EPOCH": "1735689600", "PYTHONDONTWRITEBYTECODE": ""}  # bytecode may lie
PACKAGE = "toy"  # its version is edited; the report prints it


@dataclass
class Builds:
    """One report built in two folders."""

    folder: Path
    seconds: list[float] = field(default_factory=list)
    clean_seconds: list[float] = field(default_factory=list)
    ran: int = 0

    def write(self, draft: Draft, where: Path) -> None:
        draft.write(where)
        chapter = where / "notebooks" / "01_edited.py"
        chapter.write_text(chapter.read_text(encoding="utf-8").replace("version('numpy')", f"version('{PACKAGE}')"),
                           encoding="utf-8")
        about = where / "src" / f"{PACKAGE}-0.dist-info" / "METADATA"
        about.parent.mkdir(exist_ok=True)
        about.write_text(f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {draft.version}\n", encoding="utf-8")

    def build(self, where: Path, draft: Draft) -> tuple[bytes | str, str]:
        """The PDF, or the error; and what was said."""
        done = subprocess.run(self.command(where, draft), env=self.environment(where), capture_output=True, text=True)
        pdf = where / "build" / "report.pdf"
        errors = [line for line in done.stderr.splitlines() if line.startswith("error:")]
        return (pdf.read_bytes() if done.returncode == 0 else "\n".join(errors) or done.stderr), done.stderr

    def command(self, where: Path, draft: Draft) -> list[str]:
        given = [f"{name}={value}" for name, value in draft.parameters.items()]
        return [sys.executable, "-m", "gozaresh.cli", "build", str(where), *(["--set", *given] if given else [])]

    def environment(self, where: Path) -> dict[str, str]:
        return {**ENVIRONMENT, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(where / "src")])}

    def compare(self, draft: Draft, kind: str) -> str:
        """What is wrong, or nothing."""
        kept, clean = self.folder / "kept", self.folder / "clean"
        shutil.rmtree(clean, ignore_errors=True)
        for where in (kept, clean):
            self.write(draft, where)
        started = time.monotonic()
        found, told = self.build(kept, draft)
        self.seconds.append(time.monotonic() - started)
        started = time.monotonic()
        wanted, _ = self.build(clean, draft)
        self.clean_seconds.append(time.monotonic() - started)
        ran = bool(re.search(r"running \d+ cells", told))
        self.ran += ran
        if found != wanted:
            return f"{kind}: another result than a clean build: {found[:200]!r} and {wanted[:200]!r}"
        return ""

    def kill(self, draft: Draft, chance: random.Random) -> None:
        """Begin a build and kill it."""
        building = subprocess.Popen(self.command(self.folder / "kept", draft), stderr=subprocess.DEVNULL,
                                    env=self.environment(self.folder / "kept"))
        time.sleep(chance.uniform(0.1, max(1.0, statistics.median(self.seconds))))
        building.send_signal(signal.SIGKILL)
        building.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    chance, tried, wrong, drafts = random.Random(given.seed), Counter[str](), 0, [Draft()]
    with tempfile.TemporaryDirectory() as scratch:
        builds = Builds(Path(scratch))
        builds.compare(drafts[0], "first")
        for number in range(given.count):
            draft = deepcopy(drafts[-1] if chance.random() > 0.15 else chance.choice(drafts[-9:]))
            draft.cells = [cell for cell in draft.cells if "raise" not in str(cell[0])]
            kind = chance.choice(list(EDITS))
            EDITS[kind](draft, chance)
            drafts.append(draft)
            if number < given.kills:
                builds.write(draft, builds.folder / "kept")
                builds.kill(draft, chance)
            fault = builds.compare(draft, kind)
            tried[kind] += 1
            wrong += bool(fault)
            print(f"{number + 1:4} {kind:24} {builds.seconds[-1]:5.1f} s, clean {builds.clean_seconds[-1]:5.1f} s"
                  f"{'  WRONG ' + fault if fault else ''}", flush=True)
    print(f"{given.count} edits, {min(given.kills, given.count)} kills, {wrong} wrong; "
          f"{builds.ran} builds ran code; median {statistics.median(builds.seconds):.2f} s, "
          f"clean {statistics.median(builds.clean_seconds):.2f} s")
    print(", ".join(f"{kind} {times}" for kind, times in sorted(tried.items())))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
