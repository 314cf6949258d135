"""What is kept is bit for bit what would be computed, and only for the very same inputs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dgm.vae import kept
from dgm.vae.data import stratified_split
from dgm.vae.faces import synthetic_faces
from dgm.vae.probe import train_probe


def once(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(kept, "train_probe", never)
    monkeypatch.setattr(kept, "synthetic_faces", never)


def test_faces_and_judge_come_back_bit_for_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faces = synthetic_faces(40, 16, 3)
    split = stratified_split(faces.smiling, 0.8, 0)
    judge = train_probe(faces, split, 1)
    after = torch.rand(3)
    for _ in range(2):
        drawn = kept.kept_faces(40, 16, 3, tmp_path)
        assert drawn.report == faces.report
        assert torch.equal(drawn.images, faces.images)
        assert torch.equal(drawn.smiling, faces.smiling)
        found = kept.kept_probe(drawn, split, 1, tmp_path)
        assert torch.equal(torch.rand(3), after), "the global generator stands where the training leaves it"
        assert found.accuracy == judge.accuracy
        assert torch.equal(found.probability(faces.images / 255), judge.probability(faces.images / 255))
        once(monkeypatch)


def test_other_inputs_or_a_damaged_file_are_computed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for asked in ((8, 16, 0), (9, 16, 0), (8, 24, 0), (8, 16, 1)):
        assert torch.equal(kept.kept_faces(*asked, tmp_path).images, synthetic_faces(*asked).images)
    paths = sorted(tmp_path.iterdir())
    assert len(paths) == 4
    for path in paths:
        path.write_bytes(path.read_bytes()[:-100])
    assert torch.equal(kept.kept_faces(8, 16, 0, tmp_path).images, synthetic_faces(8, 16, 0).images)
    assert "is damaged" in capsys.readouterr().err
