"""Step 2: Papermill runs a chapter with its parameters, or an earlier run of the very same inputs is taken."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from gozaresh.cache import Cache, inputs_of, is_injected
from gozaresh.clock import now
from gozaresh.errors import ExecutionError, Place
from gozaresh.files import read_notebook, write_notebook
from gozaresh.notebook import place_of
from gozaresh.progress import follow, say
from gozaresh.settings import Literal

ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Job:
    """One chapter to be run: where from, where to, with what."""

    name: str
    notebook: NotebookNode
    target: Path
    parameters: Mapping[str, Literal]
    paths: Mapping[str, Path]
    roots: Sequence[Path]
    root: Path
    build: Path
    profile: str


def execute(job: Job) -> NotebookNode:
    """Run a chapter, or take the outputs of an earlier run of the same inputs, and write it to ``job.target``.

    Raises:
        ExecutionError: a cell raised or the kernel died; the notebook so far is kept beside the target.
    """
    inputs = inputs_of(job.notebook, job.parameters, job.paths, job.roots)
    cache = Cache(job.build / "cache")
    done = cache.load(inputs.key, job.notebook)
    if done is None:
        done = _run(job, inputs.key)
        done.metadata["gozaresh"]["files"] = dict(inputs.files)
        cache.store(inputs.key, done)
    else:
        say(f"{job.name}: unchanged, outputs of the earlier run are used")
    done.metadata["gozaresh"]["profile"] = job.profile
    write_notebook(done, job.target)
    return done


def _run(job: Job, key: str) -> NotebookNode:
    """Run the notebook in a fresh kernel whose working directory is the report's folder."""
    import papermill

    cells = sum(cell.cell_type == "code" for cell in job.notebook.cells)
    say(f"{job.name}: running {cells} cells")
    source = job.build / "run" / f"{job.name}.in.ipynb"
    partial = job.target.with_suffix(".partial.ipynb")
    partial.parent.mkdir(parents=True, exist_ok=True)
    write_notebook(job.notebook, source)
    started = time.monotonic()
    progress = job.build / "run" / f"{job.name}.progress"
    with _kernel_environment(job.build, progress), follow(progress, job.name):
        try:
            papermill.execute_notebook(
                str(source), str(partial), parameters=dict(job.parameters), cwd=str(job.root), kernel_name="python3",
                progress_bar=False, log_output=False, request_save_on_cell_execute=False,
                extra_arguments=["--IPKernelApp.log_level=50"])  # it calls its own shutdown an error
        except papermill.PapermillExecutionError as error:
            raise ExecutionError(_one_line(error, partial, job)) from None
        except Exception as error:  # nbclient's DeadKernelError, zmq's failures: all mean that the kernel is gone
            raise ExecutionError(f"{job.name}: the kernel was lost: {type(error).__name__}: {_first(error)}") from None
    executed = read_notebook(partial)
    partial.unlink()
    say(f"{job.name}: done in {time.monotonic() - started:.1f} s")
    return _record(executed, job, key, time.monotonic() - started)


def _record(executed: NotebookNode, job: Job, key: str, seconds: float) -> NotebookNode:
    """Replace Papermill's own metadata, which holds paths of this machine, by the engine's record."""
    executed.metadata.pop("papermill", None)
    for cell in executed.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
    executed.metadata["gozaresh"] = {
        "key": key, "parameters": {name: _public(name, value, job) for name, value in job.parameters.items()},
        "seconds": round(seconds, 1), "finished": now().strftime("%Y-%m-%d"),
    }
    _hide_paths(executed, job)
    return executed


def _public(name: str, value: Literal, job: Job) -> Literal:
    return Path(str(value)).name if name in job.paths and Path(str(value)).is_absolute() else value


def _hide_paths(executed: NotebookNode, job: Job) -> None:
    """Keep the folders of this machine out of the notebook that will be handed in."""
    for cell in executed.cells:
        if is_injected(cell):
            for name in job.paths:
                value = str(job.parameters.get(name, ""))
                if Path(value).is_absolute():
                    cell.source = cell.source.replace(value, Path(value).name)


@contextmanager
def _kernel_environment(build: Path, progress: Path) -> Iterator[None]:
    """What the kernel inherits: this environment's own kernel, no user's start-up files, a place for progress."""
    progress.parent.mkdir(parents=True, exist_ok=True)
    progress.write_text("", encoding="utf-8")
    wanted = {"JUPYTER_PREFER_ENV_PATH": "1", "IPYTHONDIR": str(build / "run" / "ipython"), "PYTHONHASHSEED": "0",
              "GOZARESH_PROGRESS": str(progress), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _one_line(error: Exception, partial: Path, job: Job) -> str:
    """Chapter, line of the percent script, and the last line of the traceback."""
    executed = read_notebook(partial)
    for cell in executed.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                place = _failed_line(cell, output.traceback)
                return f"{place}: {output.ename}: {_first(output.evalue)}"
    return f"{job.name}: {_first(error)}"


def _failed_line(cell: NotebookNode, traceback: Sequence[str]) -> Place:
    """The line of the cell at which it raised: the first frame that IPython shows, which is the cell's own."""
    text = ANSI.sub("", "\n".join(traceback))
    arrow = re.search(r"^-+> (\d+) ", text, re.M) or re.search(r"\bline (\d+)", text)
    return place_of(cell, int(arrow[1]) if arrow else 1)


def _first(value: object) -> str:
    lines = [line for line in str(value).strip().splitlines() if line.strip()]
    return lines[0] if lines else "no message"
