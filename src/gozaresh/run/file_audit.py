"""Runs in the kernel: notes every file and folder that a chapter's code reads, declared or not.

Python itself reports each opening of a file (an audit hook, PEP 578), so a data file read by ``open``, NumPy, Pillow or
pandas is seen without being declared. A library that opens files in C or Rust, and a command after ``!``, are not seen:
what they read is to be declared, as a parameter marked "Path".
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import pkgutil
import site
import stat
import sys
import tempfile
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

ABSENT = "absent"
SPECIAL = "special"
CELLS = "cell"  # the folder that the file names of cells begin with, in warnings and tracebacks
OF_KERNEL = {"TERM", "PAGER", "GIT_PAGER", "CLICOLOR", "FORCE_COLOR", "CLICOLOR_FORCE"}  # ipykernel sets these
SETTINGS = "GOZARESH_FILE_AUDIT"  # JSON: journal, root, and the folders and files that are not to be noted
SYSTEM = ("/proc", "/sys", "/dev", "/etc", "/usr", "/lib", "/lib64", "/run", "/var", "/opt/conda")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
IMPORTERS = ("<frozen importlib", os.path.dirname(importlib.__file__), pkgutil.__file__)
READERS = ("os.py", "_collections_abc.py", "<frozen os>", "<frozen _collections_abc>", __file__)
INSTALLED = {"site-packages", "dist-packages"}
ENGINE = Path(__file__).parents[1]
CREATED = ("__pycache__", "build", "figures")


def digest_of(kind: str, path: Path) -> str:
    """SHA-256 of a file's bytes, of the names in a folder, or of a variable's value.

    What comes and goes by itself does not count. A variable is the last part of the path. A FIFO, a socket or a device
    has no content that could be compared: it counts by being one.
    """
    try:
        if kind == "variable":
            value = os.environ.get(path.name)
            return ABSENT if value is None else hashlib.sha256(os.fsencode(value)).hexdigest()
        if kind == "folder":
            names = sorted(name for name in os.listdir(path) if not name.startswith(".") and name not in CREATED)
            return hashlib.sha256("\n".join(names).encode()).hexdigest()
        if not (stat.S_ISREG(path.stat().st_mode)):
            return SPECIAL
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ABSENT


class FileAudit:
    """Writes a line of JSON to the journal for each thing read or written, at the moment it is."""

    def __init__(self, journal: Path, root: Path, ignored: Iterable[Path]) -> None:
        self._root = root
        own = [Path(sys.prefix), Path(sys.base_prefix), *map(Path, site.getsitepackages()), *ignored]
        around = [Path(tempfile.gettempdir()), *(Path.home() / name for name in (".cache", ".ipython", ".local")),
                  *map(Path, SYSTEM)]
        self._ignored = [path for path in own if not root.is_relative_to(path)] + list(ignored)
        self._outside = [*own, *around]
        self._known: set[tuple[str, str]] = set()
        self._modules: set[str] = set()
        self._busy = threading.local()
        self._path = journal
        self._journal = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def hook(self, event: str, arguments: tuple[object, ...]) -> None:
        """The audit hook; it must never stop what it hears of."""
        if event not in ("open", "os.listdir", "os.scandir", "os.rename") or getattr(self._busy, "now", False):
            return
        with suppress(Exception):
            self._note_event(event, arguments)

    def _note_event(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "os.rename":
            self._note("wrote", arguments[1])
        elif event != "open":
            self._note("folder", arguments[0] if arguments[0] is not None else ".")
        elif arguments[0] is not None and not isinstance(arguments[0], int):
            mode, flags = arguments[1], arguments[2]
            writes = set("wax+") & set(mode) if isinstance(mode, str) else isinstance(flags, int) and flags & WRITING
            self._note("wrote" if writes else "file", arguments[0])

    def _note(self, kind: str, named: object) -> None:
        if _by_import():
            return
        path = Path(os.path.abspath(os.fsdecode(named)))  # type: ignore[arg-type]
        if (kind, str(path)) not in self._known and self.counts(path):
            self._known.add((kind, str(path)))
            self._noted(kind, path)

    def counts(self, path: Path) -> bool:
        """Test if a change of this file would be the author's, not one of the installed programs."""
        inside = path.is_relative_to(self._root)
        outside = self._ignored if inside else self._outside
        return not INSTALLED & set(path.parts) and not any(path.is_relative_to(prefix) for prefix in outside)

    def _noted(self, kind: str, path: Path) -> None:
        self._busy.now = True  # to read the file is no news
        digest = "" if kind == "wrote" else digest_of(kind if kind in ("folder", "variable") else "file", path)
        line = f"{json.dumps({'kind': kind, 'path': str(path), 'digest': digest})}\n".encode()
        try:
            whole = os.write(self._journal, line) == len(line)
        except OSError:  # a full disk
            whole = False
        if not whole:
            self._path.unlink(missing_ok=True)  # a journal that misses something is none
        self._busy.now = False

    def variable(self, name: str) -> None:
        """Note a variable of the environment, if the chapter's own code, not a library, asks for it."""
        frame = sys._getframe(1)
        while frame.f_back is not None and frame.f_code.co_filename.endswith(READERS):
            frame = frame.f_back
        asked_by = frame.f_code.co_filename
        own = asked_by.startswith(CELLS + os.sep) or (
            Path(asked_by).is_relative_to(self._root) and self.counts(Path(asked_by)))
        if own and ("variable", name) not in self._known:
            self._known.add(("variable", name))
            self._noted("variable", Path(name))

    def modules(self) -> None:
        """Note the modules of the project that are loaded by now, however they were imported."""
        added = sys.modules.keys() - self._modules
        self._modules |= added
        names = {getattr(sys.modules.get(name), "__file__", None) for name in added} - {__file__}
        for name in sorted(name for name in names if isinstance(name, str) and name.endswith(".py")):
            if self.counts(Path(name)) and not Path(name).is_relative_to(ENGINE):
                self._noted("module", Path(name))


def _by_import() -> bool:
    """Test if Python's import asks; a module's path is searched and its bytecode read that way."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back  # type: ignore[assignment]
    return frame is not None and frame.f_code.co_filename.startswith(IMPORTERS)


def _observe_variables(audit: FileAudit, ours: Iterable[str]) -> None:
    """Let ``os.environ`` tell which variables are asked for; those that the engine or the code set are no news."""
    known = set(ours)

    class Observed(type(os.environ)):  # type: ignore[misc]
        def __getitem__(self, name: str) -> str:
            if name not in known:
                with suppress(Exception):
                    audit.variable(name)
            return str(super().__getitem__(name))

        def __setitem__(self, name: str, value: str) -> None:
            known.add(name)
            super().__setitem__(name, value)

        def __delitem__(self, name: str) -> None:
            known.add(name)
            super().__delitem__(name)

    os.environ.__class__ = Observed


def _tell_exits(shell: InteractiveShell) -> None:
    """Let a SystemExit show the line that raised it, which IPython leaves out."""
    show = shell.showtraceback

    def shown(*arguments: Any, exception_only: bool = False, **options: Any) -> None:
        options["exception_only"] = exception_only and not isinstance(sys.exc_info()[1], SystemExit)
        show(*arguments, **options)

    shell.showtraceback = shown  # type: ignore[method-assign]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Begin to listen, if the engine has asked for it."""
    if SETTINGS not in os.environ:
        return
    import ipykernel.compiler

    given = json.loads(os.environ[SETTINGS])
    audit = FileAudit(Path(given["journal"]), Path(given["root"]), [Path(path) for path in given["ignored"]])
    sys.addaudithook(audit.hook)
    _observe_variables(audit, {*given["given"], *OF_KERNEL, SETTINGS})
    ipykernel.compiler.get_tmp_directory = lambda: CELLS  # a warning names no process and no machine's folder
    _tell_exits(shell)
    shell.events.register("post_run_cell", lambda *_: audit.modules())
