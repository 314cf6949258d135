"""What is kept is bit for bit what would be computed, and only for the very same inputs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dgm.vae.analysis import cached as kept
from dgm.vae.analysis import smile
from dgm.vae.analysis import smile as probe
from dgm.vae.analysis.refine import refine
from dgm.vae.analysis.smile import train_probe
from dgm.vae.images.faces import stratified_split
from dgm.vae.model import inference
from dgm.vae.model.vae import VAE
from dgm.vae.worlds.faces import synthetic_faces


def never(*_: object) -> None:
    raise AssertionError("computed again")


def once(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_judge_of_other_threads_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faces = synthetic_faces(20, 16, 3)
    split = stratified_split(faces.smiling, 0.8, 0)
    for threads in (1, 7, 1):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        kept.kept_probe(faces, split, 1, tmp_path)
    assert len(list(tmp_path.glob("probe-*"))) == 2


def test_posterior_and_walk_come_back_bit_for_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faces = synthetic_faces(20, 32, 3)
    split = stratified_split(faces.smiling, 0.8, 0)
    torch.manual_seed(0)
    model, judge = VAE(32, 4).eval(), train_probe(faces, split, 1)
    posterior = inference.encode(model, faces.images)
    gone = smile.walk(model, posterior.mean, posterior.mean[0], judge)
    for _ in range(2):
        found = kept.kept_posterior(model.train(), faces.images, tmp_path)
        assert torch.equal(found.mean, posterior.mean)
        assert torch.equal(found.log_variance, posterior.log_variance)
        again = kept.kept_walk(model.train(), posterior.mean, posterior.mean[0], judge, tmp_path)
        assert torch.equal(again.probability, gone.probability)
        assert again.steps == gone.steps
        assert not model.training, "as after the computation"
        for name in ("encode", "walk"):
            monkeypatch.setattr(kept, name, never)


def test_a_refinement_comes_back_bit_for_bit_and_only_for_its_own_inputs(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = synthetic_faces(4, 16, 3).images
    torch.manual_seed(0)
    model = VAE(16, 4)
    plain = refine(model, images, 1.0)
    first = kept.kept_refinement(model, images, 1.0, tmp_path)
    heavier = kept.kept_refinement(model, images, 4.0, tmp_path)
    assert heavier.refined != first.refined
    monkeypatch.setattr(kept, "refine", never)
    second = kept.kept_refinement(model, images, 1.0, tmp_path)
    for found in (first, second):
        assert (found.encoded, found.refined) == (plain.encoded, plain.refined)
        assert torch.equal(found.posterior.mean, plain.posterior.mean)
        assert torch.equal(found.posterior.log_variance, plain.posterior.log_variance)
    with torch.no_grad():
        next(model.decoder.parameters()).mul_(2)
    with pytest.raises(AssertionError, match="computed again"):
        kept.kept_refinement(model, images, 1.0, tmp_path)


def test_another_weight_image_or_step_is_another_posterior_or_walk(tmp_path: Path) -> None:
    faces = synthetic_faces(6, 32, 3)
    torch.manual_seed(0)
    model, judge = VAE(32, 4).eval(), probe.SmileProbe(probe.network().eval(), 1.0)
    z = torch.zeros(2, 4)
    before = kept.kept_posterior(model, faces.images, tmp_path)
    walked = kept.kept_walk(model, z, z[0] + 1, judge, tmp_path)
    assert not torch.equal(kept.kept_posterior(model, faces.images.flip(0), tmp_path).mean, before.mean)
    assert kept.kept_walk(model, z, z[0] + 1, judge, tmp_path, (1.0, 2.0)).probability.shape == (2, 2)
    with torch.no_grad():
        next(model.encoder.parameters()).mul_(2)
        next(model.decoder.parameters()).mul_(2)
    assert torch.equal(kept.kept_posterior(model, faces.images, tmp_path).mean,
                       inference.encode(model, faces.images).mean)
    assert torch.equal(kept.kept_walk(model, z, z[0] + 1, judge, tmp_path).probability,
                       smile.walk(model, z, z[0] + 1, judge).probability)
    assert not torch.equal(smile.walk(model, z, z[0] + 1, judge).probability, walked.probability)


def test_other_inputs_or_a_damaged_file_are_computed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for asked in ((8, 16, 0), (9, 16, 0), (8, 24, 0), (8, 16, 1)):
        assert torch.equal(kept.kept_faces(*asked, tmp_path).images, synthetic_faces(*asked).images)
    paths = sorted(tmp_path.iterdir())
    assert len(paths) == 4
    for path in paths:
        path.write_bytes(path.read_bytes()[:-100])
    assert torch.equal(kept.kept_faces(8, 16, 0, tmp_path).images, synthetic_faces(8, 16, 0).images)
    assert "is damaged" in capsys.readouterr().err
