"""The variables that a chapter's kernel gets: the report's own, not those of whoever builds it.

Plots do not depend on a user's backend or matplotlibrc, sums not on warnings' filters or ``python -O``, dates not on a
time zone. Variables that decide how numbers are computed are kept, and are part of the cache key
(:func:`gozaresh.common.environment.numeric_variables`); a variable that a chapter's own code asks for is noted as a
file that it reads is (:mod:`gozaresh.run.file_audit`).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from gozaresh.run import file_audit

KEPT_OF_PYTHON = {"PYTHONPATH", "PYTHONHOME", "PYTHONNOUSERSITE", "PYTHONUSERBASE", "PYTHONPLATLIBDIR",
                  "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONMALLOC"}
DROPPED = ("MPLCONFIGDIR", "IPYKERNEL_CELL_NAME", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "BASH_ENV", "LANGUAGE")


@contextmanager
def kernel_environment(folder: Path, journal: Path, progress: Path, root: Path, roots: Sequence[Path],
                       ignored: Sequence[str]) -> Iterator[None]:
    """Set the variables for the block; ``folder`` is where the engine keeps the kernel's own files.

    ``roots`` hold the project's modules. What lies below ``ignored`` is not noted as read. No user's start-up files and
    no user's plot settings are read.
    """
    progress.write_text("", encoding="utf-8")
    settings = folder / "matplotlibrc"
    settings.write_text("", encoding="utf-8")
    modules = [*map(str, roots), *filter(None, [os.environ.get("PYTHONPATH", "")])]
    wanted = {
        "JUPYTER_PREFER_ENV_PATH": "1", "IPYTHONDIR": str(folder / "ipython"), "PYTHONHASHSEED": "0",
        "GOZARESH_PROGRESS": str(progress), "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "PYTHONPATH": os.pathsep.join(modules), "PYTHONUTF8": "1", "TZ": "UTC",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline", "MATPLOTLIBRC": str(settings),
        **({"LC_ALL": "C.UTF-8"} if sys.platform == "linux" else {}),
    }
    dropped = [name for name in os.environ if name in DROPPED or (
        name.startswith(("PYTHON", "LC_")) and name not in KEPT_OF_PYTHON)]
    given = {"journal": str(journal), "root": str(root), "ignored": [*ignored], "given": [*wanted, *dropped]}
    with _variables({**dict.fromkeys(dropped), **wanted, file_audit.SETTINGS: json.dumps(given)}):
        yield


@contextmanager
def _variables(wanted: Mapping[str, str | None]) -> Iterator[None]:
    """Set variables for the block, or take those away whose value is None."""
    before = {name: os.environ.get(name) for name in wanted}
    _set(wanted)
    try:
        yield
    finally:
        _set(before)


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
