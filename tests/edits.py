"""A small report that is edited at random: what an edit is, and a double that runs cells in this process.

Every file gets the same time after each edit, so that nothing can be told from times, and many edits keep the size.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import os
import random
import sys
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from gozaresh.build import make_notebook
from gozaresh.common import environment as outside
from gozaresh.common.errors import ExecutionError
from gozaresh.common.files import read_notebook
from gozaresh.common.persian import persian
from gozaresh.report import choose
from gozaresh.run.execute import Job, execute
from gozaresh.run.file_audit import FileAudit
from gozaresh.run.recorder import Recorder
from gozaresh.settings import load_project
from gozaresh.source import inline

CHAPTER = "notebooks/01_edited.py"
TAIL = "\nacc = (globals().get('acc', 1) * 7 + {k}) % 99991\nprint('acc', acc)"
CODES = (
    "import near\nprint(near.value(scale), {k})",
    "from far.inner import deep\nprint(deep.DEPTH * {k})",
    "print(sum(map(int, open(table).read().split())) + {k})",
    "import importlib\nprint(importlib.import_module('hid' + 'den').VALUE, {k})",
    "print(open('undeclared.txt').read(), {k})",
    "from pathlib import Path\nprint(sorted(path.name for path in Path('more').glob('*.txt')), {k})",
    "print(globals().get('scale', 0) * {k})",
    "import importlib.metadata\nprint(importlib.metadata.version('numpy'), {k})",
)
FILES = {
    "src/near.py": "from far import inner\n\ndef value(x):\n    return x * {k} + inner.WIDTH\n",
    "src/far/__init__.py": "NAME = {k}\n",
    "src/far/inner/__init__.py": "from .deep import DEPTH\nWIDTH = DEPTH + {k}\n",
    "src/far/inner/deep.py": "DEPTH = {k}\n",
    "src/hidden.py": "VALUE = {k}\n",
    "src/unused.py": "VALUE = {k}\n",
    "data.txt": "1 2 {k}\n",
    "undeclared.txt": "so {k}\n",
    "more/a.txt": "{k}\n",
    "more/.draft": "{k}\n",
}
PROSE = "حرف"


@dataclass
class Draft:
    """The state of the report."""

    cells: list[list[str | int]] = field(default_factory=lambda: [[code, 10, PROSE] for code in CODES])
    numbers: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FILES, 10))
    extra: list[str] = field(default_factory=list)  # further files in the folder that is listed
    prose: int = 10
    values: int = 1  # inline values in the prose
    parameters: dict[str, int] = field(default_factory=dict)
    version: str = "1.0"
    theme: int = 10

    def script(self) -> str:
        """The chapter's text."""
        parts = ['# %% tags=["parameters"]\nscale: int = 3\ntable: "Path" = "data.txt"\n']
        for number, (code, k, caption) in enumerate(self.cells):
            options = f'#| label: lst-c{number}\n#| lst-cap: "{caption}"\n#| echo: true\n'
            parts.append(f"# %%\n{options}{str(code).format(k=k)}{TAIL.format(k=k)}\n")
        shown = " و ".join([f"@lst-c{n}" for n in range(len(self.cells))]
                           + [f"`{{python}} acc + {n}`" for n in range(self.values)])
        head = f'# %% [markdown]\n"""\n# سرخط {{#sec-a}}\n\nاین نوشتهٔ {persian(self.prose)} است.\n"""\n'
        return "\n".join([head, *parts, f'# %% [markdown]\n"""\nپایان {persian(self.prose)}: {shown}\n"""\n'])

    def write(self, folder: Path) -> None:
        """Write all files, their times all alike."""
        wanted = {CHAPTER: self.script(), **{name: text.format(k=self.numbers[name]) for name, text in FILES.items()},
                  **{f"more/{name}.txt": "" for name in self.extra}}
        wanted["report.toml"] = (f'chapters = ["{CHAPTER}"]\nmodules = ["src"]\n'
                                 f'[cover]\ntitle = "گزارش {persian(self.theme)}"\nauthor = "سارا محمدی"\n')
        for path in (folder / "more").glob("*.txt"):
            if f"more/{path.name}" not in wanted:
                path.unlink()
        for name, text in wanted.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            os.utime(path, (1_700_000_000, 1_700_000_000))


def _a_cell(draft: Draft, chance: random.Random) -> list[str | int]:
    return chance.choice(draft.cells)


def _code(draft: Draft, chance: random.Random) -> None:
    _a_cell(draft, chance)[1] = chance.randrange(10, 20)


def _caption(draft: Draft, chance: random.Random) -> None:
    for cell in draft.cells:
        if "`" not in str(cell[2]):
            cell[2] = f"{PROSE} {persian(chance.randrange(10, 20))}"


def _caption_value(draft: Draft, chance: random.Random) -> None:
    _a_cell(draft, chance)[2] = f"{PROSE} `{{python}} acc * {chance.randrange(10, 20)}`"


def _order(draft: Draft, chance: random.Random) -> None:
    chance.shuffle(draft.cells)


def _delete(draft: Draft, chance: random.Random) -> None:
    if len(draft.cells) > 3:
        draft.cells.pop(chance.choice([-1, chance.randrange(len(draft.cells))]))


def _insert(draft: Draft, chance: random.Random) -> None:
    if len(draft.cells) < 12:
        at = chance.randrange(len(draft.cells) + 1)
        draft.cells.insert(at, [chance.choice(CODES), chance.randrange(10, 20), PROSE])


def _fault(draft: Draft, chance: random.Random) -> None:
    draft.cells.append(["raise ValueError({k})", chance.randrange(10, 20), PROSE])


def _number(*names: str) -> Callable[[Draft, random.Random], None]:
    def change(draft: Draft, chance: random.Random) -> None:
        draft.numbers[chance.choice(names)] = chance.randrange(10, 20)
    return change


def _listing(draft: Draft, chance: random.Random) -> None:
    draft.extra = chance.sample(["b", "c", "d"], chance.randrange(4))


def _prose(draft: Draft, chance: random.Random) -> None:
    draft.prose = chance.randrange(10, 99)


def _theme(draft: Draft, chance: random.Random) -> None:
    draft.theme = chance.randrange(10, 99)


def _inline(draft: Draft, chance: random.Random) -> None:
    draft.values = chance.randrange(4)


def _parameter(draft: Draft, chance: random.Random) -> None:
    draft.parameters = chance.choice([{}, {"scale": chance.randrange(3, 7)}])


def _version(draft: Draft, chance: random.Random) -> None:
    draft.version = chance.choice(["1.0", "1.1", "2.0"])


SILENT = {"prose", "caption", "theme", "module not imported", "hidden file"}  # these run no code
EDITS: dict[str, Callable[[Draft, random.Random], None]] = {
    "prose": _prose, "caption": _caption, "theme": _theme, "module not imported": _number("src/unused.py"),
    "hidden file": _number("more/.draft"), "caption's value": _caption_value, "code": _code, "order of cells": _order,
    "deleted cell": _delete, "new cell": _insert, "fault": _fault, "module": _number("src/near.py"),
    "nested module": _number("src/far/__init__.py", "src/far/inner/__init__.py", "src/far/inner/deep.py"),
    "module imported by name": _number("src/hidden.py"), "data byte": _number("data.txt"),
    "undeclared file": _number("undeclared.txt"), "folder's content": _listing, "inline value": _inline,
    "parameter": _parameter, "package version": _version,
}


class Double:
    """Runs a job's cells in this process as a kernel would, and counts the runs.

    A ``fresh`` one finds no bytecode of earlier runs.
    """

    listening: FileAudit | None = None
    hooked = False

    def __init__(self, fresh: bool = False) -> None:
        self.runs, self.fresh = 0, fresh
        if not Double.hooked:
            sys.addaudithook(lambda event, arguments: Double.listening and Double.listening.hook(event, arguments))
            Double.hooked = True

    def __call__(self, job: Job, recorder: Recorder) -> NotebookNode:
        self.runs += 1
        notebook = deepcopy(job.notebook)
        if job.parameters:
            code = "\n".join(f"{name} = {value!r}" for name, value in sorted(job.parameters.items()))
            injected = nbformat.v4.new_code_cell(code, id="injected", metadata={"tags": ["injected-parameters"]})
            at = next(n for n, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", ()))
            notebook.cells.insert(at + 1, injected)
        audit = FileAudit(recorder.journal, job.root, [job.build, *job.paths.values()])
        with _as_kernel(job, audit, self.fresh):
            names: dict[str, object] = {}
            for number, cell in enumerate(notebook.cells):
                if cell.cell_type == "code":
                    self._cell(cell, number, names, recorder, audit)
        return notebook

    def _cell(self, cell: NotebookNode, number: int, names: dict[str, object], recorder: Recorder,
              audit: FileAudit) -> None:
        recorder.started(cell, number)
        printed, fault = io.StringIO(), None
        try:
            with contextlib.redirect_stdout(printed):
                exec(cell.source, names)
        except Exception as error:
            fault = error
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=printed.getvalue())]
        cell.execution_count = number
        audit.modules()
        recorder.executed(cell, number, {"content": {"status": "error" if fault else "ok"}})
        if fault:
            raise ExecutionError(f"{recorder.place}: {fault}")


@contextlib.contextmanager
def _as_kernel(job: Job, audit: FileAudit, fresh: bool):
    """The folder, the path and the modules of a kernel that has just begun."""
    folder, path, show = Path.cwd(), list(sys.path), inline.show_values
    os.chdir(job.root)
    sys.path[:0] = [str(root) for root in job.roots]
    inline.show_values = lambda thunks: print({name: persian(thunk()) for name, thunk in thunks.items()})
    _forget(job.root)
    sys.pycache_prefix, writes = str(job.build / "bytecode") if fresh else None, sys.dont_write_bytecode
    sys.dont_write_bytecode = False
    Double.listening = audit
    try:
        yield
    finally:
        Double.listening = sys.pycache_prefix = None
        sys.dont_write_bytecode = writes
        inline.show_values, sys.path[:] = show, path
        os.chdir(folder)
        _forget(job.root)


def _forget(root: Path) -> None:
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(f"{root}{os.sep}"):
            del sys.modules[name]
    for entry in [entry for entry in sys.path_importer_cache if entry.startswith(str(root))]:
        del sys.path_importer_cache[entry]


def installed(patch: pytest.MonkeyPatch) -> dict[str, str]:
    """The packages that are installed, by their versions, as a test goes on to say."""
    versions = {"package numpy": "1.0"}
    patch.setattr(outside, "environment", lambda: dict(versions))
    patch.setattr(importlib.metadata, "version", lambda name: versions.get(f"package {name}", ""))
    return versions


def executed(folder: Path, draft: Draft, double: Double, build: str = "build", why: bool = False) -> str:
    """The executed notebook of the chapter as text, or the error."""
    report = choose(load_project(folder), "", {name: str(value) for name, value in draft.parameters.items()})
    name = Path(CHAPTER).stem
    make_notebook(report, name)
    job = Job(name, read_notebook(report.notebook_path(name)), folder / build / "out.ipynb", draft.parameters,
              {"table": folder / "data.txt"}, [folder / "src"], folder, folder / build, "default",
              outside.environment(), why)
    try:
        execute(job, double)
    except ExecutionError as error:
        return str(error)
    done = read_notebook(job.target)
    del done.metadata["gozaresh"]["seconds"]
    return nbformat.writes(done)


def edited(folder: Path, environment: dict[str, str], kinds: Sequence[str], chance: random.Random) -> int:
    """Make an edit of each kind, after which the cache must give what a clean run gives; return the runs it needed."""
    kept, clean, drafts = Double(), Double(fresh=True), [Draft()]
    for number, kind in enumerate(kinds):
        draft = deepcopy(drafts[-1] if chance.random() > 0.15 else chance.choice(drafts[-9:]))  # some go back
        draft.cells = [cell for cell in draft.cells if "raise" not in str(cell[0])]
        draft.write(folder)
        environment["package numpy"] = draft.version
        executed(folder, draft, kept)
        before = kept.runs
        EDITS[kind](draft, chance)
        draft.write(folder)
        environment["package numpy"] = draft.version
        found = executed(folder, draft, kept)
        assert found == executed(folder, draft, clean, f"build/clean/{number}"), f"edit {number}: {kind}"
        assert kind not in SILENT or kept.runs == before, f"edit {number}: {kind} ran code"
        drafts.append(draft)
    return kept.runs
