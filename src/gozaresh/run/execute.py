"""Step 2: Papermill runs a chapter with its parameters, or an earlier run of the very same inputs is taken."""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbclient.exceptions import CellTimeoutError
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode

from gozaresh.common import environment
from gozaresh.common.digests import digest
from gozaresh.common.environment import now, took
from gozaresh.common.errors import ExecutionError, Place, first_line
from gozaresh.common.files import locked, read_notebook, write_notebook
from gozaresh.common.progress import follow, say
from gozaresh.common.store import Store
from gozaresh.run.cache import Cache, Entry, changed, restore_outputs
from gozaresh.run.cache_key import CacheKey, Dependencies, dependencies, differences
from gozaresh.run.kernel_environment import kernel_environment
from gozaresh.run.modules import check_by_content
from gozaresh.run.recorder import Recorder
from gozaresh.settings import Literal
from gozaresh.source.notebook import option_lines, place_of

if TYPE_CHECKING:
    from papermill import PapermillExecutionError

NAMED = re.compile(r"(?P<file>[^\s:][^:\n]*):(?P<line>[0-9]+): (?P<text>.*)")  # a message that begins with a place


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
    environment: Mapping[str, str]  # as gozaresh.run.modules.environment() tells it
    why: bool = False  # whether to say which input made it run
    timeout: float | None = None  # seconds that one cell may take
    store: Store = field(default_factory=Store)  # what each module imports is kept in it

    @property
    def inputs(self) -> Dependencies:
        """What the outputs depend on, as it is now."""
        return dependencies(self.notebook, self.parameters, self.paths, self.root, self.roots,
                         self.environment, self.store)


@dataclass(frozen=True)
class Reads:
    """What a chapter's outputs come from beside its parameters' files: modules, and what the code read undeclared."""

    modules: tuple[Path, ...]
    seen: Mapping[str, str]  # SHA-256 by kind and name


def execute(job: Job, run: Callable[[Job, Recorder], NotebookNode] | None = None) -> Reads:
    """Run a chapter, or take the outputs of an earlier run of the same inputs, and write it to ``job.target``.

    ``run`` runs the cells; without it Papermill does.

    Raises:
        ExecutionError: a cell raised or the kernel died; the notebook so far is kept beside the target.
    """
    with locked(job.build / "run" / f"{job.name}.lock", job.name):
        gathered = job.inputs
        cache = Cache(job.build / "cache" / job.name, job.root)
        found = cache.load(gathered.inputs)
        if found is None:
            nearest = cache.nearest(gathered.inputs)
            if job.why:
                for line in _reasons(nearest, gathered.inputs, job.root):
                    say(f"{job.name}: {line}")
            found = _run_and_keep(job, gathered, cache, run or _run)
            for place in _changed_by_chance(nearest, found):
                say(f"look again: the cell at {place} gave another output than before from the same inputs")
        else:
            say(f"{job.name}: unchanged, outputs of the earlier run are used")
        done = restore_outputs(found, job.notebook)
        done.metadata["gozaresh"] |= {"key": gathered.inputs.key, "profile": job.profile}
        write_notebook(done, job.target)
    return Reads(gathered.modules, found.seen(len(found.cells)))


def _reasons(nearest: Entry | None, inputs: CacheKey, root: Path) -> Iterator[str]:
    """Why no run that is kept can be taken: in what the nearest one differs."""
    if nearest is None:
        yield "runs, as no run of it is kept"
        return
    reasons = [*differences(nearest.inputs, inputs), *changed(nearest.seen(nearest.common(inputs.keys)), root)]
    if not reasons:
        reasons = [f"the last run stopped before the cell at {inputs.cells[len(nearest.cells)].place} was done"]
    yield from (f"runs, because: {reason}" for reason in reasons)


def _run_and_keep(job: Job, gathered: Dependencies, cache: Cache,
                  run: Callable[[Job, Recorder], NotebookNode]) -> Entry:
    """Run a chapter; what it gave is kept if its inputs are still the same at the end."""
    inputs = gathered.inputs
    cells = sum(cell.cell_type == "code" for cell in job.notebook.cells)
    say(f"{job.name}: running {cells} cells")
    check_by_content({*gathered.modules, *(path for root in job.roots for path in root.rglob("*.py"))})
    recorder = Recorder(job.build / "run" / f"{job.name}.seen", job.root, frozenset(inputs.modules))
    recorder.journal.parent.mkdir(parents=True, exist_ok=True)
    recorder.journal.unlink(missing_ok=True)
    started = time.monotonic()
    executed = None
    try:
        executed = run(job, recorder)
        seconds = time.monotonic() - started
        say(f"{job.name}: done in {seconds:.1f} s")
    finally:
        seconds = time.monotonic() - started
        for cell in recorder.injected:
            _hide_paths(cell, job)
        entry = recorder.entry(inputs, job.notebook, _record(job, gathered, seconds), executed)
        if entry.cells:
            _keep(job, entry, cache)
    return entry


def _keep(job: Job, entry: Entry, cache: Cache) -> None:
    after = replace(job, environment=environment.environment()).inputs.inputs
    saved = changed(entry.seen(len(entry.cells)), job.root)
    if after.key == entry.inputs.key and not saved:
        cache.store(entry)
        return
    found = [*differences(entry.inputs, after), *(saved if after.key == entry.inputs.key else ())]
    say(f"{job.name}: not kept, as it was saved anew while the chapter ran: {'; '.join(found)}")


def _changed_by_chance(before: Entry | None, now: Entry) -> Iterator[str]:
    """The cells that gave something else than in an earlier run although nothing that they depend on changed."""
    for old, new, cell in zip(before.cells if before else (), now.cells, now.inputs.cells, strict=False):
        if old.key != new.key or old.seen.items() ^ new.seen.items():
            return
        if _without_count(old.outputs) != _without_count(new.outputs):
            yield cell.place


def _without_count(outputs: Sequence[Mapping[str, Any]]) -> str:
    return digest([{name: value for name, value in output.items() if name != "execution_count"} for output in outputs])


def _run(job: Job, recorder: Recorder) -> NotebookNode:
    """Run the notebook in a fresh kernel whose working directory is the report's folder."""
    import papermill

    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # its errors are told in our own line

    source = job.build / "run" / f"{job.name}.in.ipynb"
    partial = job.target.with_suffix(".partial.ipynb")
    partial.parent.mkdir(parents=True, exist_ok=True)
    write_notebook(job.notebook, source)
    progress = job.build / "run" / f"{job.name}.progress"
    ignored = [str(job.build), *map(str, job.paths.values())]
    with (kernel_environment(source.parent, recorder.journal, progress, job.root, job.roots, ignored),
          follow(progress, job.name, recorder.now)):
        try:
            papermill.execute_notebook(
                str(source), str(partial), parameters=dict(job.parameters), cwd=str(job.root), kernel_name="python3",
                progress_bar=False, log_output=False, request_save_on_cell_execute=False,
                execution_timeout=math.ceil(job.timeout) if job.timeout else None,
                on_cell_start=recorder.started, on_cell_executed=recorder.executed,
                extra_arguments=["--IPKernelApp.extra_extensions=gozaresh.run.file_audit",
                                 "--IPKernelApp.log_level=50"])  # it calls its own shutdown an error
        except papermill.PapermillExecutionError as error:
            raise _error_of_cell(error, partial, job) from None
        except ExecutionError:  # of the recorder
            raise
        except CellTimeoutError:
            raise ExecutionError(f"the cell took longer than execute.timeout of report.toml, {job.timeout:g} s",
                                 recorder.place or Place(job.name)) from None
        except Exception as error:  # nbclient's DeadKernelError, zmq's failures: all mean that the kernel is gone
            where = "the kernel was lost while this cell ran" if recorder.place else "the kernel was lost"
            raise ExecutionError(f"{where}: {type(error).__name__}: {first_line(error)}",
                                 recorder.place or Place(job.name)) from None
    executed = read_notebook(partial)
    _check_whole(executed, recorder)
    partial.unlink()
    return executed


def _check_whole(executed: NotebookNode, recorder: Recorder) -> None:
    """See that every code cell ran to its end, whatever ended the run.

    Raises:
        ExecutionError: one did not; at the line that ended the run, where one did.
    """
    codes = [cell for cell in executed.cells if cell.cell_type == "code" and cell.source.strip()]
    left = [cell for cell in codes if not recorder.is_done(cell)]
    if left:
        ended = next((output for output in left[0].outputs if output.output_type == "error"), None)
        after = f"; {len(left) - 1} cells below it were never run" if len(left) > 1 else ""
        place = _failed_line(left[0], ended.traceback) if ended else place_of(left[0], 1 + option_lines(left[0]))
        what = f"{ended.ename} ended the run here" if ended else "this cell was never run"
        raise ExecutionError(f"{what}{after}; every cell of a chapter must run to its end", place)


def _record(job: Job, gathered: Dependencies, seconds: float) -> dict[str, Any]:
    """The engine's record of a run, which later steps read from the notebook's metadata."""
    return {
        "key": gathered.inputs.key, "files": dict(gathered.files),
        "parameters": {name: _public(name, value, job) for name, value in job.parameters.items()},
        **took(seconds), "finished": now().strftime("%Y-%m-%d"),
    }


def _public(name: str, value: Literal, job: Job) -> Literal:
    return Path(str(value)).name if name in job.paths and Path(str(value)).is_absolute() else value


def _hide_paths(injected: NotebookNode, job: Job) -> None:
    """Keep the folders, the times and the chance of this machine out of the notebook that will be handed in."""
    for name in job.paths:
        value = str(job.parameters.get(name, ""))
        if Path(value).is_absolute():
            injected.source = injected.source.replace(value, Path(value).name)
    for name in ("papermill", "execution"):
        injected.metadata.pop(name, None)
    injected.id = digest(injected.source)[:8]


def _error_of_cell(error: PapermillExecutionError, partial: Path, job: Job) -> ExecutionError:
    """The error at the line that raised it, or at that of a file which the code read and found at fault."""
    place = _failed_line(_failed_cell(partial), error.traceback)
    named = NAMED.match(first_line(error.evalue))
    if named and (job.root / named["file"]).is_file():
        return ExecutionError(f"{named['text']} (read at {place})", Place(named["file"], int(named["line"])))
    return ExecutionError(f"{error.ename}: {first_line(error.evalue)}", place)


def _failed_cell(partial: Path) -> NotebookNode:
    """The first cell that shows an error; Papermill's index of it does not count the cells that it puts in itself."""
    cells: list[NotebookNode] = read_notebook(partial).cells
    return next(cell for cell in cells
                if any(output.output_type == "error" for output in cell.get("outputs", ())))


def _failed_line(cell: NotebookNode, traceback: Sequence[str]) -> Place:
    """The line of the cell at which it raised: the first frame that IPython shows, which is the cell's own."""
    text = strip_ansi("\n".join(traceback))
    arrow = re.search(r"^-+> (\d+) ", text, re.M) or re.search(r"\bline (\d+)", text)
    return place_of(cell, int(arrow[1]) if arrow else 1)
