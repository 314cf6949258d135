"""A run of a sweep in a process of its own, so that none can take the others down.

This module imports nothing heavy: it is all that a scheduler's worker needs beside what the run's process loads.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    """A run's record, or one line of why there is none."""

    record: dict[str, object] | None
    failure: str = ""


def run_in_subprocess(inputs: dict[str, object], folder: str) -> Outcome:
    """The notebook of a run (:mod:`dgm.vae.experiments.kernel`) in a process of its own, whatever becomes of it.

    Its state and progress lie in ``folder``. The process computes with one thread, so that its result does not depend
    on how many run beside it.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    settings = {**os.environ, "OMP_NUM_THREADS": "1", "GOZARESH_PROGRESS": str(place / "progress"),
                "JUPYTER_PREFER_ENV_PATH": "1", "IPYTHONDIR": str(place.resolve() / "ipython"),  # no user's kernels
                "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = subprocess.Popen([sys.executable, "-m", "dgm.vae.experiments.kernel", folder],
                                 stdin=subprocess.PIPE, stdout=out,
                                 stderr=err, env=settings, start_new_session=True)  # Ctrl-C is the parent's
        assert child.stdin is not None
        with child, child.stdin:  # which stays open until the child ends
            try:
                child.stdin.write(json.dumps(inputs).encode() + b"\n")
                child.stdin.flush()
            except OSError:  # it is gone already, and its status says why
                pass
            status = child.wait()
        out.seek(0)
        err.seek(0)
        return _outcome(status, out.read(), err.read().decode(errors="replace"))


def _outcome(status: int, out: bytes, err: str) -> Outcome:
    if status == 0:
        return Outcome(json.loads(out))
    lines = [line for line in err.splitlines() if line.strip()]
    if status < 0:
        return Outcome(None, f"killed by {signal.Signals(-status).name}")
    return Outcome(None, lines[-1].removeprefix("error: ") if lines else f"exit status {status}")
