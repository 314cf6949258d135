"""Environment of a build: time, device, threads, interpreter and installed packages."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
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
    """Test if two builds shall be alike to the byte, so that nothing may tell how long anything took."""
    return bool(os.environ.get("SOURCE_DATE_EPOCH"))


def took(seconds: float) -> dict[str, float]:
    """A duration for a record; empty where builds shall be alike."""
    return {} if repeatable() else {"seconds": round(seconds, 1)}


@cache
def cuda_present() -> bool:
    """Test if a CUDA card answers: asked once, of the driver's own tool, so that torch need not be imported."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return False
    answer = subprocess.run([tool, "--list-gpus"], capture_output=True, text=True, check=False)
    return answer.returncode == 0 and "GPU" in answer.stdout


def threads() -> str:
    """Processors and settings that decide among how many threads a sum is shared, and so how it is rounded."""
    free = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return " ".join([str(free), *(os.environ.get(name, "-") for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"))])


NUMERIC = re.compile("(OMP|KMP|GOMP|MKL|OPENBLAS|BLIS|VECLIB|NUMEXPR|CUDA|CUBLAS|NVIDIA|TORCH|PYTORCH|ATEN|JAX|XLA"
                     "|TF)_")


def numeric_variables() -> dict[str, str]:
    """Variables by which the libraries decide how numbers are computed, those of :func:`threads` aside."""
    return {f"variable {name}": value for name, value in sorted(os.environ.items())
            if NUMERIC.match(name) and name not in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}


def environment() -> dict[str, str]:
    """All that results depend on outside of a report, the one list of it for keys, manifests and records.

    Interpreter, machine, device, threads, if durations are told, and every installed package's version.
    """
    packages = sorted(_package(found) for found in distributions())
    return {
        "python": platform.python_version(), "machine": platform.machine(), "system": sys.platform,
        "device": "cuda" if cuda_present() else "cpu", "threads": threads(),
        "durations": "not told" if repeatable() else "told", **numeric_variables(),
        **dict(packages),
    }


def version(name: str) -> str:
    """The version of an installed package, or the empty string."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _package(found: Distribution) -> tuple[str, str]:
    """Name and version from the head of a package's own record; its long description need not be parsed."""
    record = found.read_text("METADATA") or found.read_text("PKG-INFO") or ""
    fields = dict(reversed(FIELD.findall(record.partition("\n\n")[0])))
    return f"package {fields.get('Name', '').lower()}", fields.get("Version", "")
