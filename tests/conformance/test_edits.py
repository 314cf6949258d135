"""Hundreds of random edits: the execution cache gives what a clean run gives."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.edits import EDITS, edited, installed


@pytest.mark.parametrize("seed", range(6))
def test_after_hundreds_of_edits_the_outputs_are_those_of_a_clean_run(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    chance = random.Random(seed)
    kinds = chance.choices([*EDITS], k=300)
    assert edited(tmp_path, installed(monkeypatch), kinds, chance) < len(kinds)
