"""Experiment of the report: beta-VAE and FactorVAE over five seeds on both worlds, and the record of it.

``python -m dgm.vae study`` first says how long it will take, then runs what has no record yet, and can be stopped.
``--estimate`` only says how long.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from dgm.errors import ModelError
from dgm.vae.analysis.measure import measure
from dgm.vae.common.files import write_whole
from dgm.vae.experiments.results import read
from dgm.vae.experiments.run import Run
from dgm.vae.experiments.sweep import BASE, FOLDER, Grid, cores, report, side_by_side, sweep
from dgm.vae.training.factor import FactorTrainer
from dgm.vae.worlds.world import known_images, world

RECORD = Path("report/runs")
SEEDS = 5
SIGMA = BASE.factor.training.sigma
SETTINGS = ((1.0, 0.0), (2.0, 0.0), (4.0, 0.0), (8.0, 0.0), (1.0, 10.0), (1.0, 30.0))  # beta and gamma

# Faces have twice the factors, and so get more dimensions.
GRIDS = {"sprites": Grid(SETTINGS, SEEDS, BASE),
         "faces": Grid(SETTINGS, SEEDS, replace(BASE, world="faces", factor=replace(
             BASE.factor, training=replace(BASE.factor.training, latent_dim=16))))}


def seconds_of(run: Run, steps: int = 12) -> float:
    """How long one run takes in this process: some of its steps, timed, and all that is measured once, timed."""
    some = replace(run, images=8 * run.factor.training.batch_size)
    known = known_images(world(some.world), some.images, some.image_size, 0)
    trainer = FactorTrainer(known.images, known.split, some.factor, torch.device("cpu"))
    trainer.step()
    taken = []
    for _ in range(steps):
        started = time.monotonic()
        trainer.step()
        taken.append(time.monotonic() - started)
    whole = run.images * 4 // 5 // run.factor.training.batch_size * run.factor.training.epochs
    started = time.monotonic()
    measure(trainer.model, world(run.world), known, 0, run.sizes)
    return sorted(taken)[len(taken) // 2] * whole * 1.07 + time.monotonic() - started  # the epochs' ends: a fifteenth


def estimate(names: Sequence[str], folder: Path, jobs: int) -> str:
    """A line for each world: what is missing, and about how long it takes."""
    torch.set_num_threads(1)
    jobs, lines = side_by_side(jobs), []
    for name in names:
        grid = GRIDS[name]
        missing = [run for run in grid.runs() if read(folder, run) is None]
        one = seconds_of(grid.base) if missing else 0.0
        lines.append(f"{name}: {len(missing)} of {len(grid.runs())} runs to do, about {one / 60:.1f} minutes each, "
                     f"{one * len(missing) / jobs / 60:.0f} minutes in all with {jobs} side by side")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit status is that of :mod:`dgm.vae.experiments.sweep`."""
    parser = argparse.ArgumentParser(prog="python -m dgm.vae study", description="The experiment of the report.")
    parser.add_argument("--world", nargs="+", choices=sorted(GRIDS), default=["sprites", "faces"], help="(%(default)s)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where single runs lie (%(default)s)")
    parser.add_argument("--record", type=Path, default=RECORD, help="where records are written (%(default)s)")
    parser.add_argument("--jobs", type=int, default=cores(), help="runs side by side (%(default)s)")
    parser.add_argument("--scheduler", default="", help="address of a Dask scheduler, tcp://host:port")
    parser.add_argument("--estimate", action="store_true", help="only say how long it takes")
    given = parser.parse_args(arguments)
    print(estimate(given.world, given.folder, given.jobs), flush=True)
    return 0 if given.estimate else max(_work(name, given) for name in given.world)


def _work(name: str, given: argparse.Namespace) -> int:
    """One world's grid; its record is written when none of its runs is missing, with a picture for each setting."""
    grid, record = GRIDS[name], given.record / f"sweep-{name}"
    status = report(sweep(grid, given.folder, given.jobs, given.scheduler), grid, given.folder)
    if status == 0:
        _copy(given.folder, record, [*(f"{run.digest}.png" for run in grid.runs()[: len(grid.settings)]),  # one seed's
                                     "results.json"])
        print(f"recorded: {record}")
    return status


def _copy(folder: Path, record: Path, names: Sequence[str]) -> None:
    try:
        for name in names:
            write_whole(record / name, (folder / name).read_bytes())
    except OSError as error:
        raise ModelError(f"{record}: the record cannot be written there ({error.strerror})") from None
