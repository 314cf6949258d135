"""A record stands in for a training when, and only when, it is that very training."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dgm.errors import ModelError
from dgm.vae.__main__ import main
from dgm.vae.common.device import cpu_threads, device_name
from dgm.vae.images.faces import stratified_split
from dgm.vae.model.vae import VAE
from dgm.vae.training import record
from dgm.vae.training import record as checkpoint
from dgm.vae.training.identity import code_digest, identify
from dgm.vae.training.loop import History, Metrics, Segment, Trained, TrainingConfig, train
from dgm.vae.training.record import find_record, write_record
from dgm.vae.worlds.faces import synthetic_faces

CONFIG = TrainingConfig(epochs=2, batch_size=32, latent_dim=4)


@pytest.fixture(scope="module")
def faces():
    return synthetic_faces(100, 16, seed=0)


def keep(trained: Trained, faces, split, folder: Path) -> None:
    write_record(trained, faces.report, identify(faces, split, trained.config, torch.device("cpu")), folder)


@pytest.fixture
def runs(faces, split, tmp_path: Path) -> Path:
    keep(train(faces, split, CONFIG), faces, split, tmp_path / "small")
    return tmp_path


def test_a_record_is_found_again_and_says_that_it_is_one(faces, split, runs) -> None:
    found = find_record(runs, faces, split, CONFIG)
    assert found is not None
    assert found.origin is not None
    assert found.origin.name == "small"
    assert len(found.origin.date) == 10
    again = train(faces, split, CONFIG)
    assert again.origin is None
    assert found.history == again.history
    for name, tensor in again.model.state_dict().items():
        torch.testing.assert_close(found.model.state_dict()[name], tensor, rtol=1 / 128, atol=1e-6)


def test_a_record_says_which_epochs_were_trained_where(faces, split, tmp_path: Path) -> None:
    segments = (Segment(1, "CPU, 1 thread, torch 2.13.0"), Segment(2, "CPU, 2 threads, torch 2.13.0"))
    keep(replace(train(faces, split, CONFIG), segments=segments), faces, split, tmp_path / "moved")
    found = find_record(tmp_path, faces, split, CONFIG)
    assert found is not None
    assert found.segments == segments


def test_other_inputs_find_nothing(faces, split, runs, monkeypatch) -> None:
    assert find_record(runs, faces, split, replace(CONFIG, beta=2.0)) is None
    assert find_record(runs, faces, stratified_split(faces.smiling, 0.8, 1), CONFIG) is None
    assert find_record(runs, synthetic_faces(100, 16, seed=1), split, CONFIG) is None
    assert find_record(runs / "none", faces, split, CONFIG) is None
    monkeypatch.setattr("dgm.vae.training.identity.code_digest", lambda: "other code")
    assert find_record(runs, faces, split, CONFIG) is None


def test_an_unfinished_record_does_not_keep_a_card_from_training(faces, split, tmp_path: Path, monkeypatch) -> None:
    whole = train(faces, split, CONFIG)
    half = replace(whole, history=History(whole.history.train[:1], whole.history.valid[:1]))
    keep(half, faces, split, tmp_path / "half")
    found = find_record(tmp_path, faces, split, CONFIG)
    assert found is not None
    assert (found.epochs, found.finished) == (1, False)
    monkeypatch.setattr("dgm.vae.training.record.best_device", lambda: torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA H100")
    assert find_record(tmp_path, faces, split, CONFIG) is None
    keep(whole, faces, split, tmp_path / "half")
    assert find_record(tmp_path, faces, split, CONFIG) is not None


def test_a_damaged_record_is_an_error_not_a_silent_retraining(faces, split, runs) -> None:
    (runs / "small" / "weights.safetensors").write_bytes(b"x")
    with pytest.raises(ModelError, match="small: not a stored training"):
        find_record(runs, faces, split, CONFIG)
    (runs / "small" / "run.json").write_text("{")
    assert find_record(runs, faces, split, CONFIG) is None


def test_the_paper_profiles_record_is_small(faces, tmp_path: Path) -> None:
    """Six megabytes at the sheet's size, with a thousand epochs of history."""
    measures = (Metrics(-41234.56789, 871.23456789, 0.00212345),) * 1000
    config = TrainingConfig()
    whole = Trained(VAE(128, 200), config, History(measures, measures), 1.0, "CPU", VAE(128, 200))
    checkpoint.save(whole, faces.report, tmp_path, torch.bfloat16)
    assert (tmp_path / "weights.safetensors").stat().st_size < 6_000_000
    assert (tmp_path / "run.json").stat().st_size < 150_000
    assert checkpoint.load(tmp_path).finished


def test_the_command_works_in_pieces_and_records_the_true_number_of_epochs(
        tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["--name", "tiny", "--synthetic", "100", "--image-size", "16", "--batch-size", "16", "--latent-dim", "4",
               "--epochs", "30"]
    assert record.main([*command, "--minutes", "0.003"]) == record.UNFINISHED
    assert "of 30 epochs" in capsys.readouterr().out
    assert not Path("report").exists()
    while record.main([*command, "--minutes", "0.003", "--as-it-stands"]):
        pass  # not even one epoch yet
    stored = json.loads(Path("report/runs/tiny/run.json").read_text(encoding="utf-8"))
    assert 0 < stored["epochs"] < 30
    assert record.main(command) == 0
    stored = json.loads(Path("report/runs/tiny/run.json").read_text(encoding="utf-8"))
    assert stored["epochs"] == len(stored["history"]["train"]["kl"]) == 30
    assert [one["first"] for one in stored["segments"]] == [1]
    faces = synthetic_faces(100, 16, seed=0)
    found = find_record(Path("report/runs"), faces, stratified_split(faces.smiling, 0.8, 0),
                        TrainingConfig(epochs=30, batch_size=16, latent_dim=4))
    assert found is not None
    assert found.finished


def test_a_wrong_value_is_one_line(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["record", "--name", "x", "--epochs", "0"]) == 1
    assert capsys.readouterr().err == "error: epochs = 0 is too small; nearest: 1\n"
    assert main(["record", "--name", "x", "--data", "none.zip"]) == 1
    assert main(["record", "--name", "x", "--synthetic", "100", "--image-size", "16", "--go-on-from", "none"]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: none: not a training's checkpoint (")


@pytest.mark.parametrize("precision", ["", ", bfloat16"])
def test_a_device_is_named_alike_in_old_and_new_records(monkeypatch: pytest.MonkeyPatch, precision: str) -> None:
    monkeypatch.setattr("dgm.vae.common.device.bfloat16_pays", lambda device: bool(precision))
    for threads, name in ((1, f"CPU, 1 thread{precision}"), (8, f"CPU, 8 threads{precision}")):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        assert device_name(torch.device("cpu")) == name
        assert cpu_threads(name) == cpu_threads(f"CPU, {threads} threads") == threads


def test_a_record_is_of_the_code_that_began_it(tmp_path: Path, monkeypatch) -> None:
    """The code's files may be another version's when a long training ends."""
    monkeypatch.chdir(tmp_path)

    def training(*given, **options) -> Trained:
        trained = train(*given, **options)
        monkeypatch.setattr("dgm.vae.training.identity.code_digest", lambda: "other code")
        return trained

    command = ["--name", "tiny", "--synthetic", "100", "--image-size", "16", "--batch-size", "32", "--epochs", "1"]
    began = code_digest()
    assert record.main(command, training) == 0
    assert json.loads(Path("report/runs/tiny/run.json").read_bytes())["inputs"]["code"] == began
