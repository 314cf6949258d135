"""Environment of a build: time, device, threads, interpreter and installed packages."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import Distribution, distributions

from gozaresh.common.errors import SettingsError

FIELD = re.compile(r"^(Name|Version): *(.*?) *$", re.M)


EPOCH = "SOURCE_DATE_EPOCH"
LATEST = 253402300799  # the last second of the year 9999


def check_epoch() -> None:
    """See that SOURCE_DATE_EPOCH, where it is set, is a moment of the calendar.

    Raises:
        SettingsError: it is not.
    """
    epoch = os.environ.get(EPOCH, "")
    if epoch and not (re.fullmatch("[0-9]{1,12}", epoch) and int(epoch) <= LATEST):
        raise SettingsError(f"{EPOCH}={epoch[:40]!r} is not a number of seconds since 1970, from 0 to {LATEST}")


def now() -> datetime:
    """The time of the build, in UTC.

    Raises:
        SettingsError: SOURCE_DATE_EPOCH is no moment of the calendar.
    """
    check_epoch()
    epoch = os.environ.get(EPOCH)
    return datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)


def repeatable() -> bool:
    """Whether two builds shall be alike to the byte, so that nothing may tell how long anything took."""
    return bool(os.environ.get("SOURCE_DATE_EPOCH"))


def took(seconds: float) -> dict[str, float]:
    """What a record says of a duration: nothing, where builds shall be alike."""
    return {} if repeatable() else {"seconds": round(seconds, 1)}


def cuda_present() -> bool:
    """Whether a CUDA card answers; asked of the driver's own tool, so that torch need not be imported."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return False
    answer = subprocess.run([tool, "--list-gpus"], capture_output=True, text=True, check=False)
    return answer.returncode == 0 and "GPU" in answer.stdout


def threads() -> str:
    """What settles among how many threads a sum is shared, and so how it is rounded: processors, and what was asked."""
    free = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return " ".join([str(free), *(os.environ.get(name, "-") for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"))])


def environment() -> dict[str, str]:
    """Interpreter, machine, device, threads, whether durations are told, and every installed package's version."""
    packages = sorted(_package(found) for found in distributions())
    return {
        "python": platform.python_version(), "machine": platform.machine(), "system": sys.platform,
        "device": "cuda" if cuda_present() else "cpu", "threads": threads(),
        "durations": "not told" if repeatable() else "told",
        **dict(packages),
    }


def _package(found: Distribution) -> tuple[str, str]:
    """Name and version from the head of a package's own record; its long description need not be parsed."""
    record = found.read_text("METADATA") or found.read_text("PKG-INFO") or ""
    fields = dict(reversed(FIELD.findall(record.partition("\n\n")[0])))
    return f"package {fields.get('Name', '').lower()}", fields.get("Version", "")
