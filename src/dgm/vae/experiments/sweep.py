"""Runs over beta, gamma and seeds, side by side: on this machine's cores, or where a Dask scheduler sends them.

``python -m dgm.vae sweep --beta 1 4 --gamma 0 10 --seeds 5`` runs what has no record yet. Each run's
record lies under its inputs' digest, so that a sweep that was stopped, or that shares runs with another, goes on from
what there is.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, TypedDict

from filelock import FileLock, Timeout
from tqdm import tqdm

from dgm.errors import ModelError
from dgm.vae.common.console import say
from dgm.vae.common.files import write_whole
from dgm.vae.experiments.dask import workers_of
from dgm.vae.experiments.process import Outcome, run_in_subprocess
from dgm.vae.experiments.results import Result, read, summaries, table, write_results
from dgm.vae.experiments.run import Run, run_of, with_values
from dgm.vae.training.factor import FactorConfig
from dgm.vae.training.trainer import TrainingConfig

FOLDER = Path("build/sweep")
LOOK = 2.0  # seconds between two looks at how far the runs are

# What is trained where nothing else is said: small enough for one core of a laptop in two minutes. sigma is fixed: were
# it learnt, beta would lose its meaning (Rybkin et al. 2021).
BASE = Run(images=20000, image_size=16, factor=FactorConfig(
    TrainingConfig(epochs=48, batch_size=64, learning_rate=1e-3, latent_dim=10, sigma=0.15, dropout=0.0),
    discriminator_width=256, discriminator_layers=4, discriminator_learning_rate=1e-3, network="dense"))


@dataclass(frozen=True)
class Grid:
    """Runs that differ in beta, gamma and seed alone; ``settings`` are the pairs of beta and gamma.

    Raises:
        ModelError: no seed, or a value out of its range.
    """

    settings: tuple[tuple[float, float], ...]
    seeds: int
    base: Run = BASE

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise ModelError(f"seeds = {self.seeds} is too small; nearest: 1")
        self.runs()

    def runs(self) -> tuple[Run, ...]:
        """All of them; seed by seed, so that a sweep cut short has every setting about as often."""
        return tuple(with_values(self.base, beta, gamma, seed)
                     for seed in range(self.seeds) for beta, gamma in self.settings)


def crossed(betas: Sequence[float], gammas: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """Every beta with every gamma.

    Raises:
        ModelError: a value is given twice, or none is given.
    """
    for name, values in (("beta", betas), ("gamma", gammas)):
        if not values or len(set(values)) < len(values):
            raise ModelError(f"{name} = {' '.join(f'{value:g}' for value in values) or 'nothing'}: a sweep wants "
                             "values, each of them once")
    return tuple(product(betas, gammas))


@dataclass(frozen=True)
class Swept:
    """What is known after a sweep: the results in the grid's order, and why others failed, by their labels."""

    results: tuple[Result, ...]
    failures: dict[str, str]


class _Shown(TypedDict):
    mininterval: float


def sweep(grid: Grid, folder: Path = FOLDER, jobs: int | None = None, scheduler: str = "") -> Swept:
    """Run what of the grid has no record in ``folder``, and write all of its records into ``results.json`` there.

    Raises:
        ModelError: fewer than one job, the folder cannot be written to, no scheduler answers at the address, or its
            package is not installed.
    """
    runs, jobs = grid.runs(), side_by_side(jobs)
    with _alone(folder):
        missing = [run for run in runs if read(folder, run) is None]
        if len(missing) < len(runs):
            say(f"{len(runs) - len(missing)} of {len(runs)} runs are done already")
        failures = _run_all(missing, folder, jobs, scheduler) if missing else {}
        results = tuple(result for run in runs if (result := read(folder, run)) is not None)
        write_results(results, folder / "results.json")
    return Swept(results, failures)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder, in which two sweeps would do the same runs twice; while another process has it, wait."""
    lock = FileLock(folder / "lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout:
        say(f"another sweep is at work in {folder}; waiting")
        lock.acquire()
    except OSError as error:
        raise ModelError(f"{folder}: a sweep cannot be kept there ({error.strerror})") from None
    try:
        yield
    finally:
        lock.release()


def side_by_side(jobs: int | None) -> int:
    """How many runs at once: as many as asked for, else one a processor.

    Raises:
        ModelError: fewer than one.
    """
    if jobs is not None and jobs < 1:
        raise ModelError(f"jobs = {jobs} is too small; nearest: 1")
    return jobs or cores()


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _run_all(missing: Sequence[Run], folder: Path, jobs: int, scheduler: str) -> dict[str, str]:
    """Why runs failed, by their labels; a result is written as soon as it is there."""
    failures: dict[str, str] = {}
    with workers_of(scheduler) if scheduler else _processes(jobs) as executor, _Watch(missing, folder) as watch:
        waiting = {executor.submit(run_in_subprocess, run.inputs(), str(folder / run.digest)): run for run in missing}
        while waiting:
            done, _ = wait(waiting, timeout=LOOK, return_when=FIRST_COMPLETED)
            for future in done:
                run = waiting.pop(future)
                failure = _keep(future, run, folder)
                if failure:
                    failures[run.label] = failure
                    say(f"{run.label} failed: {failure}")
            watch.look({run.digest for run in waiting.values()})
    return {run.label: failures[run.label] for run in missing if run.label in failures}  # in the grid's order


def _keep(future: Future[Outcome], run: Run, folder: Path) -> str:
    """Write a run's record; why there is none otherwise."""
    if future.cancelled():
        return "the scheduler gave it up"
    error = future.exception()
    if error is not None:  # of the executor: a worker that went away too often, say
        return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
    outcome = future.result()
    if outcome.record is None:
        return outcome.failure
    record = dict(outcome.record)
    if record["inputs"] != run.inputs():
        return "it was computed by other code than asked for: the program changed meanwhile, or a worker has another"
    picture, notebook = base64.b64decode(str(record.pop("traversals"))), str(record.pop("notebook"))
    try:
        write_whole(folder / f"{run.digest}.png", picture)
        write_whole(folder / f"{run.digest}.ipynb", notebook.encode())
        write_whole(folder / f"{run.digest}.json", _lines(record))
    except OSError as problem:
        return f"its record cannot be written to {folder} ({problem.strerror})"
    return ""


def _lines(record: dict[str, object]) -> bytes:
    return ("{\n" + ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in record.items())
            + "\n}\n").encode()


@contextmanager
def _processes(jobs: int) -> Iterator[Executor]:
    """Threads that each wait for a process of this machine."""
    executor = ThreadPoolExecutor(jobs)
    try:
        yield executor
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


@dataclass
class _Watch:
    """A bar over the epochs of all runs, as far as their processes' progress can be seen from here."""

    runs: Sequence[Run]
    folder: Path
    begun: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> _Watch:
        self.epochs = {run.digest: run.factor.training.epochs for run in self.runs}
        settings: _Shown = {"mininterval": 0.1 if sys.stderr.isatty() else 15.0}
        already = sum(self._reached(digest) for digest in self.epochs)
        self.bar = tqdm(total=sum(self.epochs.values()), initial=already, unit="epoch", **settings)
        self.bar.set_postfix_str(f"0 of {len(self.runs)} runs")
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def look(self, waiting: set[str]) -> None:
        """Count again; ``waiting`` are the runs that are not done."""
        reached = sum(self._reached(digest) if digest in waiting else epochs for digest, epochs in self.epochs.items())
        self.bar.set_postfix_str(f"{len(self.runs) - len(waiting)} of {len(self.runs)} runs", refresh=False)
        self.bar.update(max(reached - self.bar.n, 0))

    def _reached(self, digest: str) -> int:
        """Epochs that the last line of a run's progress (JSON) says are done."""
        try:
            lines = (self.folder / digest / "progress").read_bytes().splitlines()
            return int(json.loads(lines[-1])["done"])
        except (OSError, ValueError, IndexError, KeyError, TypeError):
            return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; the exit status is 1 if a run failed."""
    given = _parser().parse_args(arguments)
    grid = Grid(crossed(given.beta, given.gamma), given.seeds, _base(given))
    return report(sweep(grid, given.folder, given.jobs, given.scheduler), grid, given.folder)


def report(swept: Swept, grid: Grid, folder: Path) -> int:
    """Print what a sweep found, and what is missing; the exit status."""
    if grid.seeds > 1:
        print(table(summaries(swept.results)))
    print(f"{len(swept.results)} of {len(grid.runs())} runs: {folder / 'results.json'}")
    for label, failure in swept.failures.items():
        print(f"error: {label}: {failure}", file=sys.stderr)
    return 1 if swept.failures else 0


def _base(given: argparse.Namespace) -> Run:
    record: dict[str, Any] = BASE.inputs()
    training = {"epochs": given.epochs, "latent_dim": given.latent_dim}
    factor = {**record["factor"], "training": {**record["factor"]["training"], **training}}
    return run_of({**record, "world": given.world, "images": given.images, "image_size": given.image_size,
                   "factor": factor})


def _parser() -> argparse.ArgumentParser:
    shown = "(%(default)s)"
    base, training = BASE, BASE.factor.training
    parser = argparse.ArgumentParser(prog="python -m dgm.vae sweep", description="Runs over beta, gamma and seeds.")
    parser.add_argument("--beta", type=float, nargs="+", default=[1.0, 4.0], help=f"weights of the KL {shown}")
    parser.add_argument("--gamma", type=float, nargs="+", default=[0.0, 10.0],
                        help=f"weights of the total correlation {shown}")
    parser.add_argument("--seeds", type=int, default=5, help=f"how many, from 0 {shown}")
    parser.add_argument("--world", default=base.world, help=f"sprites or faces {shown}")
    parser.add_argument("--images", type=int, default=base.images, help=f"how many are drawn {shown}")
    parser.add_argument("--image-size", type=int, default=base.image_size, help=shown)
    parser.add_argument("--epochs", type=int, default=training.epochs, help=shown)
    parser.add_argument("--latent-dim", type=int, default=training.latent_dim, help=shown)
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"where records lie {shown}")
    parser.add_argument("--jobs", type=int, default=None, help="runs side by side (as many as there are cores)")
    parser.add_argument("--scheduler", default="", help="address of a Dask scheduler, tcp://host:port")
    return parser
