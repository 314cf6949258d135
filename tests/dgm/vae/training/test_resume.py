"""A training goes on after every kind of end as if there had been none."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from dgm.errors import ModelError
from dgm.vae.common.device import device_name
from dgm.vae.images.faces import stratified_split
from dgm.vae.model.layers import ReluDropout
from dgm.vae.model.vae import VAE
from dgm.vae.training import identity, trainer
from dgm.vae.training import record as checkpoint
from dgm.vae.training.checkpoint import Checkpointer, Segment
from dgm.vae.training.identity import identify
from dgm.vae.training.loop import TrainingConfig, TrainingStopped, train
from dgm.vae.training.record import write_record
from dgm.vae.training.trainer import Trainer, accumulate_gradients
from dgm.vae.worlds.faces import synthetic_faces

CPU = torch.device("cpu")
CONFIG = TrainingConfig(epochs=3, batch_size=16, latent_dim=4, dropout=0.1, flip=True, warmup=1)

# Forks a training again and again from one process that has imported everything, and kills it at random moments.
KILLER = """
import hashlib, json, os, random, signal, sys, time
from dataclasses import asdict
from pathlib import Path
from safetensors.torch import save
from dgm.vae.images.faces import stratified_split
from dgm.vae.worlds.faces import synthetic_faces
from dgm.vae.training.loop import TrainingConfig, train

def life(folder, out):
    child = os.fork()
    if child == 0:
        faces = synthetic_faces(200, 16, seed=1)
        config = TrainingConfig(epochs=24, batch_size=16, latent_dim=4, dropout=0.1, flip=True)
        done = train(faces, stratified_split(faces.smiling, 0.8, 0), config, folder, checkpoint_seconds=0.02)
        weights = {name: tensor.contiguous() for name, tensor in done.model.state_dict().items()}
        digest = hashlib.sha256(save(weights)).hexdigest()
        Path(out).write_text(json.dumps([digest, asdict(done.history)]))
        os._exit(0)
    return child

scratch, kills, chance = Path(sys.argv[1]), 0, random.Random(int(sys.argv[2]))
life(None, scratch / "never")
os.wait()
while kills < 20:
    child = life(scratch / "run", scratch / "killed")
    time.sleep(chance.uniform(0.05, 0.2))
    os.kill(child, signal.SIGKILL)
    kills += os.WIFSIGNALED(os.wait()[1])
finished_early = (scratch / "killed").exists()
life(scratch / "run", scratch / "killed")
os.wait()
print(kills, finished_early)
"""


@pytest.fixture(scope="module")
def faces():
    return synthetic_faces(120, 16, seed=1)


@pytest.fixture(scope="module")
def uninterrupted(faces, split):
    return train(faces, split, CONFIG)


def assert_same(one, other) -> None:
    assert one.history == other.history
    for name, tensor in one.model.state_dict().items():
        assert torch.equal(tensor, other.model.state_dict()[name]), name


def checkpoint_of(folder: Path) -> dict[str, torch.Tensor]:
    (path,) = folder.glob("checkpoint-*.safetensors")
    return load_file(path)


@pytest.mark.slow
def test_killed_at_twenty_random_moments_and_resumed_it_is_bit_for_bit_the_same(tmp_path: Path) -> None:
    if not hasattr(os, "fork"):
        pytest.skip("no fork here")
    done = subprocess.run([sys.executable, "-c", KILLER, tmp_path, "0"], capture_output=True, text=True, check=False)
    assert done.stdout == "20 False\n", done.stderr[-2000:]
    assert (tmp_path / "killed").read_text() == (tmp_path / "never").read_text()
    assert len(list((tmp_path / "run").glob("checkpoint-*"))) == 1
    assert not list((tmp_path / "run").glob(".*")), "torn files are cleared away"


def test_in_many_short_pieces_it_is_the_same(faces, split, uninterrupted, tmp_path: Path) -> None:
    pieces = [train(faces, split, CONFIG, tmp_path, budget=0.03)]
    while not pieces[-1].finished:
        pieces.append(train(faces, split, CONFIG, tmp_path, budget=0.03))
        assert len(pieces) < 100
    assert len(pieces) > 2
    assert pieces[0].epochs < CONFIG.epochs
    assert_same(pieces[-1], uninterrupted)
    again = [train(faces, split, CONFIG, tmp_path) for _ in range(2)]  # nothing left to do
    assert_same(again[0], uninterrupted)
    assert pieces[-1].seconds == again[0].seconds == again[1].seconds


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_once_and_says_how_to_go_on(faces, split, uninterrupted, tmp_path, monkeypatch, number) -> None:
    former, steps = signal.getsignal(number), []

    def step(self: Trainer) -> None:
        original(self)
        steps.append(self.position)
        if len(steps) == 8:
            signal.raise_signal(number)

    original = Trainer.step
    monkeypatch.setattr(Trainer, "step", step)
    with pytest.raises(TrainingStopped, match=r"after epoch 1 of 3 and 2 steps; saved in .*, go on with: make report$"):
        train(faces, split, CONFIG, tmp_path)
    assert signal.getsignal(number) is former
    assert len(steps) == 8
    assert_same(train(faces, split, CONFIG, tmp_path), uninterrupted)
    assert len(steps) == 18  # none was computed twice


def test_a_full_disk_keeps_the_last_checkpoint_and_the_training_goes_on(
        faces, split, uninterrupted, tmp_path, monkeypatch, capsys) -> None:
    train(faces, split, CONFIG, tmp_path, budget=0.05)
    good = {path.name: path.read_bytes() for path in tmp_path.glob("checkpoint-*")}

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert_same(train(faces, split, CONFIG, tmp_path), uninterrupted)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("dgm:")]
    assert lines == [f"dgm: no checkpoint written to {tmp_path} (No space left on device); the last one is kept, "
                     "the training goes on"]
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*checkpoint-*")} == good


def test_an_unwritable_folder_does_not_stop_the_training(faces, split, uninterrupted, tmp_path, capsys) -> None:
    (tmp_path / "file").write_text("")
    assert_same(train(faces, split, CONFIG, tmp_path / "file" / "run", strip_epochs=1), uninterrupted)
    assert "there is none yet, the training goes on" in capsys.readouterr().err


def test_a_damaged_checkpoint_is_named_and_not_used(faces, split, uninterrupted, tmp_path, capsys) -> None:
    train(faces, split, CONFIG, tmp_path, budget=0.05)
    (path,) = tmp_path.glob("checkpoint-*")
    path.write_bytes(path.read_bytes()[:-10])
    assert_same(train(faces, split, CONFIG, tmp_path), uninterrupted)
    assert "is damaged" in capsys.readouterr().err


def test_divergence_names_the_step_and_keeps_the_last_good_state(faces, split, tmp_path, monkeypatch) -> None:
    steps = []

    def spoiled(*arguments):
        terms = original(*arguments)
        if torch.is_grad_enabled():
            steps.append(terms)
        return terms if len(steps) < 9 else replace(terms, squared_error=terms.squared_error * torch.nan)

    original = trainer.forward
    monkeypatch.setattr(trainer, "forward", spoiled)
    with pytest.raises(ModelError, match=r"epoch 2, step 3: the loss is no longer a number; .*last good state is kept"):
        train(faces, split, CONFIG, tmp_path, checkpoint_seconds=0)
    stored = checkpoint_of(tmp_path)
    assert len(stored["train"]) == 1
    assert len(stored["values"]) == 2
    assert all(bool(tensor.isfinite().all()) for tensor in stored.values() if tensor.is_floating_point())


def test_a_checkpoint_of_other_inputs_is_not_resumed(faces, split, tmp_path) -> None:
    train(faces, split, CONFIG, tmp_path, budget=0.05)
    other = TrainingConfig(epochs=2, batch_size=16, latent_dim=4)
    assert_same(train(faces, split, other, tmp_path), train(faces, split, other))
    assert len(list(tmp_path.glob("checkpoint-*"))) == 2
    path = Checkpointer(Trainer(faces, split, other, CPU), tmp_path, identify(faces, split, other, CPU)).path
    changed = TrainingConfig(epochs=2, batch_size=16, latent_dim=4, seed=5)
    renamed = Checkpointer(Trainer(faces, split, changed, CPU), tmp_path, identify(faces, split, changed, CPU))
    path.rename(renamed.path)  # a name proves nothing
    assert renamed.restore() == 0.0


def test_an_identity_is_of_every_input(faces, split) -> None:
    known = identify(faces, split, CONFIG, CPU)
    others = [identify(synthetic_faces(120, 16, seed=2), split, CONFIG, CPU),
              identify(faces, stratified_split(faces.smiling, 0.8, 1), CONFIG, CPU),
              identify(faces, split, TrainingConfig(beta=2), CPU)]
    assert known.digest == identify(faces, split, replace(CONFIG, beta=1), CPU).digest  # 1 is 1.0
    assert len({known.digest, *(other.digest for other in others)}) == 4


@pytest.fixture
def elsewhere(faces, split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint after one epoch of CONFIG, as another version of torch left it."""
    with monkeypatch.context() as other:
        other.setattr(torch, "__version__", "1.0")
        train(faces, split, CONFIG, tmp_path, budget=0.0)
        resumed = Trainer(faces, split, CONFIG, CPU)
        stored = Checkpointer(resumed, tmp_path, identify(faces, split, CONFIG, CPU))
        while resumed.epoch < 1:
            resumed.step()
        stored.save(7.0)
        return stored.path


def test_a_checkpoint_from_elsewhere_goes_on_where_it_is_asked_to(
        faces, split, uninterrupted, elsewhere: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    assert train(faces, split, CONFIG, tmp_path, budget=0.0).epochs == 0  # not by itself
    begun = train(faces, split, CONFIG, here, source=elsewhere, budget=0.0)
    assert (begun.epochs, begun.seconds >= 7.0) == (1, True)
    ended = train(faces, split, CONFIG, here, source=elsewhere)
    assert_same(ended, uninterrupted)  # the versions differ in name alone
    name = device_name(CPU)
    assert ended.segments == (Segment(1, f"{name}, torch 1.0"), Segment(2, f"{name}, torch {torch.__version__}"))
    assert [segment.device for segment in ended.segments] == [name, name]
    moved_on, = here.glob("checkpoint-*")
    third = train(faces, split, CONFIG, tmp_path / "third", source=moved_on)
    assert third.segments == ended.segments, "there was nothing left to train"
    again = train(faces, split, CONFIG, here, source=elsewhere)
    assert again.segments == ended.segments
    assert again.seconds == ended.seconds, "the folder's own checkpoint comes before the other"


def test_only_a_checkpoint_of_the_same_inputs_is_gone_on_from(
        faces, split, elsewhere: Path, tmp_path: Path, monkeypatch) -> None:
    here = tmp_path / "here"
    with pytest.raises(ModelError, match="a checkpoint of other data, split, configuration or code"):
        train(faces, split, replace(CONFIG, beta=2.0), here, source=elsewhere)
    (tmp_path / "text").write_text("text")
    for none in (tmp_path / "text", tmp_path / "nothing"):
        with pytest.raises(ModelError, match=f"{none}: not a training's checkpoint"):
            train(faces, split, CONFIG, here, source=none)
    monkeypatch.setattr("dgm.vae.common.device.device_name", lambda device: "NVIDIA H100")
    with pytest.raises(ModelError, match="its random numbers are of another kind of device"):
        train(faces, split, CONFIG, here, source=elsewhere)
    assert not here.exists()


def test_a_training_goes_on_from_its_record_to_where_it_would_have_come(
        faces, split, uninterrupted, tmp_path: Path) -> None:
    """As close as rounded weights and other noise let it: the same batches, and what was measured before stays."""
    known, arithmetic = identify(faces, split, CONFIG, CPU), f"{device_name(CPU)}, torch {torch.__version__}"
    done = CONFIG.epochs - 1
    trainer = Trainer(faces, split, CONFIG, CPU)
    while trainer.epoch < done:
        trainer.step()
    stopped = replace(uninterrupted, model=trainer.model, last=trainer.model, history=trainer.history, seconds=7.0)
    write_record(stopped, faces.report, known,
                 tmp_path / "record")
    new = Trainer(faces, split, CONFIG, CPU)
    stored = Checkpointer(new, tmp_path / "here", known, tmp_path / "record")
    assert stored.restore() == 7.0
    assert (new.epoch, new.history) == (done, trainer.history)
    for batch, other in zip(new.batches, trainer.batches, strict=True):
        assert torch.equal(batch, other)
    for name, tensor in trainer.model.state_dict().items():
        torch.testing.assert_close(new.model.state_dict()[name], tensor, rtol=1 / 128, atol=1e-6)
    assert stored.segments == (Segment(1, arithmetic), Segment(done + 1, arithmetic, from_record=True))
    ended = train(faces, split, CONFIG, tmp_path / "here", source=tmp_path / "record")
    assert ended.finished
    assert ended.history.train[:done] == uninterrupted.history.train[:done]
    came_to, would_have = (one.history.valid[-1].squared_error for one in (ended, uninterrupted))
    assert came_to == pytest.approx(would_have, rel=0.2)
    write_record(ended, faces.report, known, tmp_path / "whole")
    assert checkpoint.load(tmp_path / "whole").segments == stored.segments


def test_only_a_whole_record_of_the_same_inputs_is_gone_on_from(faces, split, tmp_path: Path) -> None:
    write_record(train(faces, split, CONFIG), faces.report, identify(faces, split, CONFIG, CPU), tmp_path / "record")
    with pytest.raises(ModelError, match="a record of other data, split, configuration or code"):
        train(faces, split, replace(CONFIG, beta=2.0), tmp_path / "here", source=tmp_path / "record")
    (tmp_path / "record" / "weights.safetensors").write_bytes(b"x")
    with pytest.raises(ModelError, match=r"record: not a record \(weights.safetensors is not the file"):
        train(faces, split, CONFIG, tmp_path / "here", source=tmp_path / "record")


def test_threads_share_a_processors_sums_and_no_cards(faces, split, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA H100")

    def named(device: str) -> set[str]:
        digests = set()
        for threads in (1, 7):
            monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
            digests.add(identify(faces, split, CONFIG, torch.device(device)).digest)
        return digests

    assert (len(named("cpu")), len(named("cuda"))) == (2, 1)


def words(source: str) -> list[str]:
    return list(identity._tokens(identity.ast.parse(source)))


def test_the_codes_digest_is_deaf_to_wording_alone() -> None:
    plain = "class A:\n    x: int = 1\n    def f(self, y):\n        return y + 1\n"
    worded = ('"""What."""\nclass A:\n    """Who."""\n\n    x: "int" = (1)  # one\n'
              '    def f(self, y: int) -> int:\n        """How."""\n        return (y\n                + 1)\n')
    assert words(plain) == words(worded)
    for change in (("y + 1", "y + 2"), ("y + 1", "y - 1"), ("x: int = 1", "x: int = 2"), ("f(self", "g(self")):
        assert words(plain.replace(*change)) != words(plain)
    assert words("f(a=[])") != words("f()")


def test_a_batch_too_large_is_split_and_the_training_goes_on(faces, split, tmp_path, monkeypatch, capsys) -> None:
    def small_memory(model, x, *rest):
        if torch.is_grad_enabled() and len(x) > 5:
            raise torch.OutOfMemoryError
        return original(model, x, *rest)

    original = trainer.forward
    monkeypatch.setattr(trainer, "forward", small_memory)
    trained = train(faces, split, CONFIG, tmp_path)
    assert trained.history.valid[-1].reconstruction < trained.history.valid[0].reconstruction
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("dgm:")]
    assert [line.split("computed in ")[1].split(" and")[0] for line in lines] == ["2 parts", "4 parts"]
    resumed = Trainer(faces, split, CONFIG, CPU)
    Checkpointer(resumed, tmp_path, identify(faces, split, CONFIG, CPU)).restore()
    assert resumed.micro_batches == 4


def test_not_one_image_fits(faces, split, monkeypatch) -> None:
    def no_memory(*_):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(trainer, "forward", no_memory)
    with pytest.raises(ModelError, match="not even one image fits"):
        train(faces, split, CONFIG)


def without_batch_norm(module: nn.Module) -> nn.Module:
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(module, name, nn.Identity())
        elif isinstance(child, ReluDropout):
            setattr(module, name, nn.ReLU())
        else:
            without_batch_norm(child)
    return module


@pytest.mark.parametrize("variance", [None, 0.3])
@pytest.mark.parametrize("parts", [2, 3])
def test_the_gradients_of_parts_are_those_of_the_whole(parts: int, variance: float | None) -> None:
    torch.manual_seed(0)
    model = without_batch_norm(VAE(16, 3, 0.0)).double()
    x, noise = torch.rand(7, 3, 16, 16, dtype=torch.float64), torch.randn(7, 3, dtype=torch.float64)
    fixed = None if variance is None else torch.tensor(variance, dtype=torch.float64)
    terms = trainer.forward(model, x, noise, fixed)
    whole = torch.autograd.grad(terms.loss(0.7), list(model.parameters()))
    values = accumulate_gradients(model, x, noise, fixed, 0.7, parts)
    torch.testing.assert_close(values.float(), trainer.metrics_of(terms).float(), rtol=1e-5, atol=1e-5)
    for parameter, gradient in zip(model.parameters(), whole, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-4, atol=1e-6)
