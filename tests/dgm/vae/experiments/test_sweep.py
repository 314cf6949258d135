"""A sweep loses nothing: not by a failing run, a killed process, a stop, or a worker that goes away."""

from __future__ import annotations

import gc
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import nbformat
import psutil
import pytest
import torch
from filelock import FileLock

from dgm.errors import DataError, ModelError
from dgm.vae.__main__ import main
from dgm.vae.analysis.measure import Sizes
from dgm.vae.experiments import dask as scheduler
from dgm.vae.experiments import sweep
from dgm.vae.experiments.process import Outcome, run_in_subprocess
from dgm.vae.experiments.results import Result, read, recorded, summaries
from dgm.vae.experiments.run import Run, run_experiment, run_of, with_values
from dgm.vae.experiments.sweep import Grid, crossed
from dgm.vae.training.factor import FactorConfig
from dgm.vae.training.trainer import TrainingConfig

TINY = Run("sprites", 40, 16, FactorConfig(
    TrainingConfig(epochs=2, batch_size=16, latent_dim=3, sigma=0.3, dropout=0.0), discriminator_width=8,
    discriminator_layers=1, discriminator_learning_rate=1e-3), Sizes(images=200, groups=20, group=4, steps=5))
ROOT = Path(__file__).parents[4]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are made up, in threads: their rate is beta, their distortion falls with gamma and the seed."""
    monkeypatch.setattr(sweep, "run_in_subprocess", made_up)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """As every run of a sweep has."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def made_up(inputs: dict[str, object], folder: str) -> Outcome:
    run = run_of(inputs)
    training = run.factor.training
    if training.seed == 1 and training.beta == 2:
        return Outcome(None, "the loss is no longer a number")
    found = {"rate": training.beta, "distortion": 10.0 - run.factor.gamma - training.seed}
    return Outcome({"inputs": inputs, "findings": found, "history": {"kl": [1.0]}, "seconds": 1.0,
                         "traversals": "AAAA", "notebook": "{}"})


def findings(path: Path) -> list[dict[str, float]]:
    return [row["findings"] for row in json.loads(path.read_bytes())]


def test_inputs_name_a_run_wholly() -> None:
    assert run_of(TINY.inputs()) == TINY
    others = [replace(TINY, world="faces"), replace(TINY, images=41), with_values(TINY, 2, 10, 0),
              with_values(TINY, 1, 11, 0), with_values(TINY, 1, 10, 1)]
    assert len({TINY.digest, *(other.digest for other in others)}) == 6
    assert with_values(TINY, 1, 10, 0).digest == TINY.digest  # 1 is 1.0


@pytest.mark.usefixtures("quick")
def test_a_failing_run_loses_no_other_and_is_named_at_the_end(tmp_path: Path, capsys) -> None:
    grid = Grid(crossed((1.0, 2.0), (0.0, 5.0)), 2, TINY)
    swept = sweep.sweep(grid, tmp_path, jobs=2)
    assert len(swept.results) == 6
    assert sorted(swept.failures) == [f"sprites, beta 2, gamma {gamma}, seed 1" for gamma in (0, 5)]
    assert sweep.report(replace(swept, results=()), grid, tmp_path) == 1
    error = capsys.readouterr().err
    assert error.rstrip().endswith("error: sprites, beta 2, gamma 5, seed 1: the loss is no longer a number")


@pytest.mark.usefixtures("quick")
def test_what_is_done_is_not_done_again_and_what_failed_is(tmp_path: Path, monkeypatch, capsys) -> None:
    grid, asked = Grid(crossed((1.0, 2.0), (0.0,)), 2, TINY), []

    def counted(inputs: dict[str, object], folder: str) -> Outcome:
        asked.append(run_of(inputs))
        return made_up(inputs, folder)

    monkeypatch.setattr(sweep, "run_in_subprocess", counted)
    sweep.sweep(grid, tmp_path)
    assert len(asked) == 4
    sweep.sweep(Grid(crossed((1.0, 2.0, 4.0), (0.0,)), 2, TINY), tmp_path)
    again = [(run.factor.training.beta, run.factor.training.seed) for run in asked[4:]]
    assert sorted(again) == [(2.0, 1), (4.0, 0), (4.0, 1)]
    assert "3 of 6 runs are done already" in capsys.readouterr().err


@pytest.mark.usefixtures("quick")
def test_a_second_sweep_of_a_folder_waits_for_the_first(tmp_path: Path, capsys) -> None:
    said = ""
    with ThreadPoolExecutor(1) as pool:
        with FileLock(tmp_path / "lock"):
            second = pool.submit(sweep.sweep, Grid(((1.0, 0.0),), 2, TINY), tmp_path)
            while "waiting" not in said and not second.done():
                time.sleep(0.01)
                said += capsys.readouterr().err
            assert not second.done()
            assert not list(tmp_path.glob("*.json"))
        assert len(second.result().results) == 2
    assert f"another sweep is at work in {tmp_path}; waiting" in said


def test_a_folder_that_cannot_be_is_one_line(tmp_path: Path, capsys) -> None:
    (tmp_path / "file").touch()
    assert main(["sweep", "--folder", str(tmp_path / "file")]) == 1
    assert capsys.readouterr().err == f"error: {tmp_path / 'file'}: a sweep cannot be kept there (File exists)\n"


def test_a_run_of_other_code_or_that_was_given_up_is_a_failure(tmp_path: Path, monkeypatch, capsys) -> None:
    def other(inputs: dict[str, object], folder: str) -> Outcome:
        done = made_up(inputs, folder)
        return replace(done, record={**done.record, "inputs": {**inputs, "code": "another"}})

    grid = Grid(((1.0, 0.0),), 1, TINY)
    monkeypatch.setattr(sweep, "run_in_subprocess", other)
    swept = sweep.sweep(grid, tmp_path)
    assert "by other code" in swept.failures["sprites, beta 1, gamma 0, seed 0"]
    assert sweep.report(swept, grid, tmp_path) == 1
    given_up: Future[Outcome] = Future()
    given_up.cancel()
    assert "gave it up" in sweep._keep(given_up, TINY, tmp_path)


@pytest.mark.usefixtures("quick")
def test_a_record_that_is_damaged_or_of_other_inputs_is_none(tmp_path: Path) -> None:
    grid = Grid(crossed((1.0,), (0.0,)), 2, TINY)
    sweep.sweep(grid, tmp_path)
    one, other = grid.runs()
    path = tmp_path / f"{one.digest}.json"
    shutil.copy(tmp_path / f"{other.digest}.json", path)  # a name proves nothing
    assert read(tmp_path, one) is None
    path.write_bytes(path.read_bytes()[:-20])
    assert read(tmp_path, one) is None
    assert read(tmp_path, other) is not None


@pytest.mark.usefixtures("quick")
def test_the_results_are_read_back_only_for_their_own_inputs(tmp_path: Path) -> None:
    grid = Grid(crossed((1.0, 4.0), (0.0,)), 3, TINY)
    swept = sweep.sweep(grid, tmp_path)
    path = tmp_path / "results.json"
    assert recorded(path) == swept.results
    rows = json.loads(path.read_bytes())
    rows[0]["inputs"]["code"] = "another"
    rows[1]["inputs"]["world"] = "none"
    path.write_text(json.dumps(rows))
    assert recorded(path) == ()  # the second is of no world at all
    path.write_text(json.dumps([rows[0], *rows[2:]]))
    assert recorded(path) == swept.results[2:]
    assert recorded(tmp_path / "none.json") == ()
    path.write_text("[{")
    assert recorded(path) == ()


def test_summaries_are_means_and_deviations_and_points_have_the_theorys_slope() -> None:
    results = [Result(with_values(TINY, beta, gamma, seed), {"rate": 10 / beta, "distortion": float(seed)}, {}, 1.0)
               for beta in (4, 1) for gamma in (0, 10) for seed in (0, 2)]
    found = summaries(results)
    assert [(one.beta, one.gamma, one.seeds) for one in found] == [(1, 0, 2), (1, 10, 2), (4, 0, 2), (4, 10, 2)]
    assert found[0].findings == {"rate": (10.0, 0.0), "distortion": (1.0, pytest.approx(2**0.5))}
    assert summaries(results[:1]) == ()


@pytest.mark.usefixtures("one_thread")
@pytest.mark.slow
def test_a_run_is_the_same_alone_and_apart_and_leaves_nothing_behind(tmp_path: Path) -> None:
    apart = run_in_subprocess(TINY.inputs(), str(tmp_path / "run")).record
    alone = run_experiment(TINY)
    assert apart is not None
    assert apart["history"] == alone["history"]
    assert len(apart["history"]["accuracy"]) == 2
    assert apart["inputs"] == TINY.inputs()
    assert set(apart["findings"]) == set(alone["findings"])
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_runs_notebook_shows_what_the_run_found_and_no_machines_paths(tmp_path: Path) -> None:
    swept = sweep.sweep(Grid(crossed((1.0,), (5.0,)), 1, TINY), tmp_path / "sweep")
    (result,) = swept.results
    text = (tmp_path / "sweep" / f"{result.run.digest}.ipynb").read_text(encoding="utf-8")
    assert str(tmp_path) not in text
    cells = nbformat.reads(text, 4).cells
    shown = [output for cell in cells for output in cell.get("outputs", [])]
    assert "error" not in {output.output_type for output in shown}
    assert sum("image/png" in output.get("data", {}) for output in shown) == 2
    findings = next(output.data["text/markdown"] for output in shown if "| rate |" in str(output.get("data")))
    assert f"| mig | {result.findings['mig']:.4g} |" in findings
    assert 'world = "sprites"\nimages = 40\n' in cells[2].source


@pytest.mark.slow
def test_a_cell_that_raises_is_one_line_and_its_notebook_stays(tmp_path: Path) -> None:
    inputs = {**TINY.inputs(), "sizes": {"images": 1}}
    failure = run_in_subprocess(inputs, str(tmp_path)).failure
    assert re.fullmatch(r"\w+Error: .+", failure)
    cells = nbformat.read(tmp_path / "run.ipynb", 4).cells
    assert [output.ename for cell in cells for output in cell.get("outputs", []) if output.output_type == "error"] == [
        failure.partition(":")[0]]


@pytest.mark.parametrize(("number", "failure"), [(signal.SIGKILL, "killed by SIGKILL"),
                                                 (signal.SIGTERM, "stopped after epoch")])
@pytest.mark.slow
def test_a_process_that_is_killed_or_stopped_is_one_failed_run(tmp_path: Path, number: int, failure: str) -> None:
    long = replace(TINY, factor=replace(TINY.factor, training=replace(TINY.factor.training, epochs=100_000)))
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(run_in_subprocess, long.inputs(), str(tmp_path))
        try:
            wait_for((tmp_path / "progress").exists)
        finally:
            child = child_of(os.getpid(), tmp_path)
            kernels = [kernel.pid for kernel in psutil.Process(child).children()]
            os.kill(child, number)
        assert len(kernels) == 1
        wait_for(lambda: not alive(kernels[0]))
        assert future.result(timeout=120).failure.startswith(failure)
    assert bool(list(tmp_path.glob("checkpoint-*"))) == (number == signal.SIGTERM)


def child_of(parent: int, place: Path) -> int:
    """The process that works on the run of this folder."""
    return next(child.pid for child in psutil.Process(parent).children() if child.cmdline()[-1:] == [str(place)])


def places_of(worker: subprocess.Popen[bytes]) -> list[Path]:
    """The folders of the runs that a worker is at."""
    return [Path(line[-1]) for child in psutil.Process(worker.pid).children() if (line := child.cmdline())]


def wait_for(condition, seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
@pytest.mark.slow
def test_when_the_parent_goes_its_runs_save_their_state_and_end(tmp_path: Path, number: int, status: int) -> None:
    parent = subprocess.Popen([sys.executable, "-m", "dgm.vae", "sweep", "--beta", "1", "--gamma", "0",
                               "--seeds", "1",
                               "--images", "100", "--image-size", "16", "--epochs", "100000", "--folder", tmp_path],
                              stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT / "src")})
    try:
        wait_for(lambda: list(tmp_path.glob("*/progress")))
        (place,) = (path.parent for path in tmp_path.glob("*/progress"))
        child = child_of(parent.pid, place)
        kernels = [kernel.pid for kernel in psutil.Process(child).children()]
        parent.send_signal(number)
        _, said = parent.communicate(timeout=120)
    finally:
        parent.kill()
    assert parent.returncode == status
    assert ("sweep: stopped; what is done is kept" in said) == (number == signal.SIGINT)
    wait_for(lambda: list(place.glob("checkpoint-*")))
    wait_for(lambda: not any(alive(process) for process in (child, *kernels)))


def alive(number: int) -> bool:
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(("arguments", "message"), [
    (["--beta", "1", "1"], "error: beta = 1 1: a sweep wants values, each of them once"),
    (["--beta", "-1"], "error: beta = -1.0 is too small; nearest: 0"),
    (["--gamma", "-1"], "error: gamma = -1.0 is not in [0, inf); nearest: 0"),
    (["--seeds", "0"], "error: seeds = 0 is too small; nearest: 1"),
    (["--world", "sprite"], "error: world = 'sprite' is not known; nearest: sprites"),
    (["--image-size", "33"], "error: image_size = 33 is none of [16, 32, 64, 128]; nearest: 32"),
    (["--jobs", "0"], "error: jobs = 0 is too small; nearest: 1"),
    (["--images", "10"], "error: images = 10 are too few for a batch of 64; nearest: 81"),
    (["--scheduler", "tcp://127.0.0.1:9"], "error: SCHEDULER=tcp://127.0.0.1:9: no scheduler answers there"),
    (["--scheduler", "nonsense"], "error: SCHEDULER=nonsense: no scheduler answers there"),
])
def test_what_cannot_be_is_one_line(arguments: list[str], message: str, tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(scheduler, "PATIENCE", "1s")
    assert main(["sweep", *arguments, "--folder", str(tmp_path)]) == 1
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert errors[0].startswith(message)


@pytest.mark.parametrize("address", ["nonsense", "tcp://127.0.0.1:9", "tls://127.0.0.1:9"])
def test_a_refused_scheduler_leaves_no_client_behind(address: str, monkeypatch) -> None:
    """One that is left ends when it is collected, at any later moment, and can then wait for ever for a lock."""
    monkeypatch.setattr(scheduler, "PATIENCE", "1s")
    client = pytest.importorskip("distributed").Client
    before = set(threading.enumerate())
    with pytest.raises(ModelError, match="no scheduler answers there"), scheduler.workers_of(address):
        pass
    assert set(threading.enumerate()) == before
    assert not [left for left in gc.get_objects() if type(left) is client]


def test_without_its_package_a_scheduler_is_refused_in_words(monkeypatch, tmp_path) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ModelError, match="needs the package 'distributed', which is not installed"):
        sweep.sweep(Grid(crossed((1.0,), (0.0,)), 1, TINY), tmp_path, scheduler="tcp://127.0.0.1:9")


def test_an_unknown_world_is_named() -> None:
    with pytest.raises(DataError, match="nearest: faces"):
        replace(TINY, world="face")


@pytest.fixture
def at_work(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts parts of Dask, processes of their own, which end with the test."""
    settings = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "DASK_DISTRIBUTED__DASHBOARD__ENABLED": "false"}
    processes: list[subprocess.Popen[bytes]] = []

    def start(part: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{part}", "--no-dashboard", *arguments]
        processes.append(subprocess.Popen(command, env=settings, cwd=tmp_path, stdout=subprocess.DEVNULL,
                                          stderr=subprocess.DEVNULL))
        return processes[-1]

    yield start
    for process in reversed(processes):
        process.kill()
        process.wait()


@pytest.fixture
def address(at_work, tmp_path: Path) -> str:
    """Where a Dask scheduler answers, on the loopback."""
    pytest.importorskip("distributed")
    about = tmp_path / "scheduler.json"
    at_work("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(about))
    wait_for(lambda: about.exists() and about.read_text().rstrip().endswith("}"))
    return str(json.loads(about.read_text())["address"])


def test_a_scheduler_without_workers_is_said(address: str, capsys) -> None:
    with scheduler.workers_of(address):
        assert capsys.readouterr().err == f"dgm: the scheduler at {address} has no workers yet; waiting for one\n"


@pytest.mark.usefixtures("one_thread")
@pytest.mark.slow
def test_on_a_scheduler_a_killed_worker_loses_no_run(address: str, at_work, tmp_path: Path) -> None:
    workers = [at_work("dask_worker", address, "--nthreads", "1", "--no-nanny", "--local-directory",
                       str(tmp_path / f"worker{number}")) for number in range(2)]
    with pytest.importorskip("distributed").Client(address) as client:
        client.wait_for_workers(2, timeout=90)
    base = replace(TINY, factor=replace(TINY.factor, training=replace(TINY.factor.training, epochs=60)))
    grid, folder = Grid(crossed((1.0,), (0.0, 5.0)), 1, base), tmp_path / "sweep"
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(sweep.sweep, grid, folder, None, address)
        wait_for(lambda: [place for place in places_of(workers[0]) if (place / "progress").exists()])
        (place,) = places_of(workers[0])
        workers[0].kill()
        assert not place.with_suffix(".json").exists()
        swept = future.result(timeout=300)
    assert swept.failures == {}
    assert [(r.beta, r.gamma) for r in swept.results] == [(1, 0), (1, 5)]
    assert swept.results[0].history == run_experiment(grid.runs()[0])["history"]  # as on this machine
    assert len(findings(folder / "results.json")) == 2
