"""A run of a sweep as a notebook that Papermill executes, in a process of its own.

``python -m dgm.vae.experiments.kernel FOLDER`` reads a run's inputs as a line of JSON and prints what was found as
another,
the executed notebook in it. When its parent goes, or SIGTERM comes, the kernel saves its training's state, and both go.

Torch is imported by the kernel alone.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import papermill
import psutil
from nbformat import NotebookNode
from traitlets.config import Config

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "run.py"
GRACE = 30.0  # seconds that a kernel has to save its state
NAME = "run.ipynb"
OWN = ("DataError", "ModelError", "TrainingStopped")  # errors whose words say all


class RunStoppedError(Exception):
    """The run shall end; raised between two cells, where the kernel has nothing to interrupt."""


class Execution:
    """The kernel at work on one run, which may be told to stop."""

    def __init__(self, inputs: Mapping[str, object], folder: Path) -> None:
        self._parameters = {**{name: value for name, value in inputs.items() if name != "code"}, "folder": str(folder)}
        self._path = folder / NAME
        self._stopping = False
        self.failure = ""  # why there is no result
        self.record: dict[str, Any] = {}

    def run(self) -> None:
        """Execute the notebook; it stays in the folder as far as it came."""
        try:
            nbformat.write(jupytext.read(NOTEBOOK, fmt="py:percent"), self._path)
            with tempfile.TemporaryDirectory() as sockets:  # two kernels that start at once may choose the same port
                papermill.execute_notebook(
                    self._path, self._path, parameters=self._parameters, kernel_name="python3", language="python",
                    progress_bar=False, request_save_on_cell_execute=False, on_cell_start=self._begin,
                    config=Config({"KernelManager": {"transport": "ipc", "ip": f"{sockets}/kernel"}}),
                    extra_arguments=["--IPKernelApp.log_level=50"])
            self.record = self._found()
        except papermill.PapermillExecutionError as error:
            self.failure = _why(error)
        except RunStoppedError:
            self.failure = "stopped between two cells"
        except Exception as error:  # the kernel is gone, the disk is full
            self.failure = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"

    def stop(self) -> None:
        """Let the cell at work see Ctrl-C; what it trains saves its state."""
        self._stopping = True
        self._send(signal.SIGINT)

    def kill(self) -> None:
        """End a kernel that did not heed that."""
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        for kernel in psutil.Process().children():
            with suppress(psutil.NoSuchProcess):  # it has just ended
                kernel.send_signal(number)

    def _begin(self, cell: object, cell_index: int) -> None:
        if self._stopping:
            raise RunStoppedError

    def _found(self) -> dict[str, Any]:
        """The record that the last cell shows, with the notebook itself."""
        notebook = nbformat.read(self._path, as_version=4)
        record: dict[str, Any] = notebook.cells[-1].outputs[0]["data"]["application/json"]
        return {**record, "notebook": nbformat.writes(_to_keep(notebook))}


def _to_keep(notebook: NotebookNode) -> NotebookNode:
    """The notebook without its last output, the record, which the others show, and without this machine's paths."""
    notebook.cells[-1].outputs = []
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        if "injected-parameters" in cell.metadata.get("tags", ()):
            cell.source = "\n".join(line for line in cell.source.splitlines() if not line.startswith("folder = "))
    return notebook


def _why(error: papermill.PapermillExecutionError) -> str:
    says = (str(error.evalue).splitlines() or [""])[0]
    return says if error.ename in OWN else f"{error.ename}: {says}"


def main() -> int:
    """Work on the run that standard input names; the folder is the one argument."""
    folder = Path(sys.argv[1])
    execution = Execution(json.loads(os.fdopen(os.dup(0), "rb", buffering=0).readline()), folder)
    stop = threading.Event()
    worker = threading.Thread(target=_work, args=(execution, stop), daemon=True)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    threading.Thread(target=_follow_parent, args=(stop,), daemon=True).start()
    worker.start()
    stop.wait()
    execution.stop()  # nothing, where it is the work that has ended
    worker.join(GRACE)
    execution.kill()
    if not execution.record:
        print(f"error: {execution.failure or 'stopped; the kernel did not answer'}", file=sys.stderr)
        return 1
    print(json.dumps(execution.record), flush=True)  # before what it was made from goes
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def _work(execution: Execution, stop: threading.Event) -> None:
    """Not in the main thread, where Papermill's client would answer SIGTERM by killing the kernel."""
    try:
        execution.run()
    finally:
        stop.set()


def _follow_parent(stop: threading.Event) -> None:
    """When nobody waits for the result any more, stop as after SIGTERM."""
    while os.read(0, 4096):  # not sys.stdin, whose lock this thread would hold at the end
        pass
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
