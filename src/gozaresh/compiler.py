"""Typst, which keeps what it has set in memory: what is the same the next time is not set again.

A fresh process has nothing of that. So it first sets what the last build left, in a thread of its own, while chapters
are read and run; of the new markup only what differs is then left to set. What Typst keeps it finds by content alone.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

_begun: dict[Path, threading.Thread] = {}  # by the report's folder


def compiled(main: Path, root: Path) -> tuple[bytes, list[Any]]:
    """The PDF of a Typst document, and Typst's warnings.

    Raises:
        typst.TypstError: Typst refuses the markup.
    """
    if root in _begun:
        _begun[root].join()
    return _compiled(main, root)


def warm_up(root: Path) -> None:
    """Begin to set again what the last build of a report's folder left, once a process, if a core is free for it."""
    main = root / "build" / "report.typ"
    free = os.getloadavg()[0] < (os.cpu_count() or 1)
    if free and main.is_file() and root not in _begun:
        _begun[root] = threading.Thread(target=_try, args=(main, root))
        _begun[root].start()


def _try(main: Path, root: Path) -> None:
    import typst

    with suppress(typst.TypstError, OSError):  # whatever is wrong, the new markup will tell
        _compiled(main, root)


def _compiled(main: Path, root: Path) -> tuple[bytes, list[Any]]:
    import typst

    pdf, warnings = typst.compile_with_warnings(
        main, root=root, font_paths=[root / "build" / "theme" / "fonts"], ignore_system_fonts=True,
        pdf_standards=["ua-1", "a-2a"])
    return bytes(pdf), warnings
