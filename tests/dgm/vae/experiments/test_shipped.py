"""The records that the report ships are of this very code, and so are taken; else chapters would show empty tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dgm.vae.experiments import ablation
from dgm.vae.experiments.results import recorded
from dgm.vae.training.identity import code_digest
from tests.conftest import ROOT

RUNS = ROOT / "report" / "runs"


@pytest.mark.parametrize("path", sorted(RUNS.glob("*/run.json")), ids=lambda path: path.parent.name)
def test_a_training_is_of_this_code(path: Path) -> None:
    assert json.loads(path.read_bytes())["inputs"]["code"] == code_digest()


@pytest.mark.parametrize("path", sorted(RUNS.glob("sweep-*/results.json")), ids=lambda path: path.parent.name)
def test_every_run_of_a_sweep_is_taken_and_has_its_picture(path: Path) -> None:
    found = recorded(path)
    assert len(found) == len(json.loads(path.read_bytes())) > 0
    shown = {result.run.digest for result in found if result.run.factor.training.seed == 0}
    assert {picture.stem for picture in path.parent.glob("*.png")} == shown


def test_the_ablation_is_taken() -> None:
    found = ablation.recorded(RUNS / "ablation")
    assert {result.variant for result in found} == set(ablation.VARIANTS)
