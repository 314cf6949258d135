"""Bytecode that Python checks against the source itself.

Of itself Python takes a module's bytecode as fresh if the source's time (in whole seconds) and size are those it was
compiled from: an edit of the same length within a second, or a clock set back, would run the old module.
"""

from __future__ import annotations

import importlib.util
import py_compile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

CHECKED = (0b11).to_bytes(4, "little")  # PEP 552: validated by the hash of the source


def check_by_content(modules: Iterable[Path]) -> None:
    """Let Python compare the contents of these modules from now on, where it compared times."""
    for path in modules:
        compiled = Path(importlib.util.cache_from_source(str(path)))
        with suppress(OSError, py_compile.PyCompileError, ValueError):  # a fault in a module shows when it is imported
            if not _is_checked(compiled, path.read_bytes()):
                compiled.unlink(missing_ok=True)
                py_compile.compile(str(path), str(compiled), doraise=True,
                                   invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)


def _is_checked(compiled: Path, source: bytes) -> bool:
    try:
        with compiled.open("rb") as stream:
            head = stream.read(16)
    except OSError:
        return False
    return head[4:16] == CHECKED + importlib.util.source_hash(source)
