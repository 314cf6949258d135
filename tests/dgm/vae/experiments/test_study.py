"""The study is recorded whole or not at all, and says beforehand how long it takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dgm.vae.__main__ import main
from dgm.vae.analysis.measure import Sizes
from dgm.vae.experiments import study, sweep
from dgm.vae.experiments.process import Outcome
from dgm.vae.experiments.results import recorded
from dgm.vae.experiments.run import Run, run_of
from dgm.vae.experiments.sweep import Grid
from dgm.vae.training.factor import FactorConfig
from dgm.vae.training.trainer import TrainingConfig

TINY = Run("sprites", 120, 16, FactorConfig(
    TrainingConfig(epochs=2, batch_size=16, latent_dim=3, sigma=0.3, dropout=0.0), discriminator_width=8,
    discriminator_layers=1), Sizes(images=100, groups=10, group=4, steps=3))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tiny grids, whose runs are made up; a run of seed 1 on faces fails while FAIL lies beside it."""
    def made_up(inputs: dict[str, object], folder: str) -> Outcome:
        run = run_of(inputs)
        if run.world == "faces" and run.factor.training.seed == 1 and (Path(folder).parent / "FAIL").exists():
            return Outcome(None, "no luck")
        return Outcome({"inputs": inputs, "findings": dict.fromkeys(MEASURES, 1.0), "history": {}, "seconds": 1.0,
                        "notebook": "{}", "traversals": "AAAA"})

    threads = torch.get_num_threads()
    monkeypatch.setattr(sweep, "run_in_subprocess", made_up)
    monkeypatch.setattr(study, "GRIDS", {name: Grid(study.SETTINGS, 2, replace(TINY, world=name))
                                         for name in ("sprites", "faces")})
    yield
    torch.set_num_threads(threads)


MEASURES = ("rate", "distortion", "total_correlation", "active", "factor_metric", "mig", "disentanglement", "sap",
            "modularity")


def test_the_grids_are_those_of_the_report() -> None:
    assert {name: len(grid.runs()) for name, grid in study.GRIDS.items()} == {"sprites": 30, "faces": 30}
    assert {run.factor.training.sigma for grid in study.GRIDS.values() for run in grid.runs()} == {study.SIGMA}


@pytest.mark.usefixtures("small")
def test_a_world_is_recorded_when_none_of_its_runs_is_missing(tmp_path: Path, capsys) -> None:
    folder, record = tmp_path / "sweep", tmp_path / "record"
    folder.mkdir()
    (folder / "FAIL").touch()
    given = ["--folder", str(folder), "--record", str(record), "--jobs", "2"]
    assert main(["study", *given]) == 1
    assert len(recorded(record / "sweep-sprites" / "results.json")) == 12
    assert recorded(record / "sweep-faces" / "results.json") == ()
    (folder / "FAIL").unlink()
    assert study.main(given) == 0
    assert len(recorded(record / "sweep-faces" / "results.json")) == 12
    assert len(list(record.glob("*/*.png"))) == 2 * 6
    assert "sprites: 0 of 12 runs to do" in capsys.readouterr().out


@pytest.mark.usefixtures("small")
def test_it_says_how_long_it_takes_and_does_nothing_more(tmp_path: Path, capsys) -> None:
    assert study.main(["--estimate", "--folder", str(tmp_path / "none"), "--world", "sprites", "--jobs", "3"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("sprites: 12 of 12 runs to do, about ")
    assert line.endswith("with 3 side by side")
    assert not (tmp_path / "none").exists()
