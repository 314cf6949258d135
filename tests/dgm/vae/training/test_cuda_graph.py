"""A replayed step is a plain one: here with a stand-in for the card's graph, which no CPU has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from dgm.vae.images.faces import Split
from dgm.vae.training import cuda_graph as graphed
from dgm.vae.training.cuda_graph import GraphedTrainer, Pass
from dgm.vae.training.trainer import Trainer, TrainingConfig
from dgm.vae.worlds.faces import synthetic_faces

FACES = synthetic_faces(80, 16, 0)
SPLIT = Split(torch.arange(64), torch.arange(64, 80))
CONFIG = TrainingConfig(epochs=3, batch_size=16, latent_dim=4, dropout=0.2, warmup=2, flip=True)
CPU = torch.device("cpu")


def stand_in(work: Pass, forget: Callable[[], None], chance: torch.Generator) -> Pass:
    """Warms up as a capture does, then works anew at each replay, into gradients made anew."""
    for _ in range(graphed.WARM_UP):
        forget()
        work()
    measures = work()

    def replay() -> Tensor:
        forget()
        measures.copy_(work())  # a graph gives its measures in the same memory each time
        return measures

    return replay


def finish(trainer: Trainer) -> Trainer:
    while not trainer.finished:
        trainer.step()
    return trainer


def assert_same(one: Trainer, other: Trainer) -> None:
    assert one.history == other.history
    for name, tensor in one.state().tensors.items():
        assert torch.equal(tensor, other.state().tensors[name]), name


@pytest.mark.parametrize("sigma", [0.0, 0.3])
def test_a_replayed_training_is_the_plain_one(monkeypatch: pytest.MonkeyPatch, sigma: float) -> None:
    monkeypatch.setattr(graphed, "captured", stand_in)
    config = replace(CONFIG, sigma=sigma)
    assert_same(finish(GraphedTrainer(FACES, SPLIT, config, CPU)), finish(Trainer(FACES, SPLIT, config, CPU)))


def test_a_replayed_training_goes_on_where_it_was_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphed, "captured", stand_in)
    first, second = GraphedTrainer(FACES, SPLIT, CONFIG, CPU), GraphedTrainer(FACES, SPLIT, CONFIG, CPU)
    for _ in range(6):
        first.step()
    second.restore(first.state())
    assert_same(finish(second), finish(Trainer(FACES, SPLIT, CONFIG, CPU)))


@pytest.mark.parametrize("error", [RuntimeError("operation not permitted when stream is capturing\nmore"),
                                   torch.OutOfMemoryError("out of memory")])
def test_what_cannot_be_captured_is_said_and_trained_all_the_same(monkeypatch, capsys, error: Exception) -> None:
    lost = []

    def refused(work: Pass, forget: Callable[[], None], chance: torch.Generator) -> Pass:
        work()
        lost.append(chance)
        raise error

    monkeypatch.setattr(graphed, "captured", refused)
    trained = finish(GraphedTrainer(FACES, SPLIT, CONFIG, CPU))
    assert_same(trained, finish(Trainer(FACES, SPLIT, CONFIG, CPU)))
    assert lost, "the capture was tried"
    assert trained.noise is not lost[0], "a card's generator is held by the capture that failed"
    assert not [layer for layer in trained.model.modules() if getattr(layer, "generator", None) is lost[0]]
    said = [line for line in capsys.readouterr().err.splitlines() if "CUDA graph" in line]
    assert len(said) == 1
    assert str(error).splitlines()[0] in said[0]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA card")
def test_a_card_replays_what_it_would_have_launched() -> None:
    card = torch.device("cuda")
    ours, plain = (finish(kind(FACES, SPLIT, CONFIG, card)) for kind in (GraphedTrainer, Trainer))
    for mine, theirs in zip(ours.history.train, plain.history.train, strict=True):
        assert mine.reconstruction == pytest.approx(theirs.reconstruction, rel=2e-2)
        assert mine.kl == pytest.approx(theirs.kl, rel=5e-2, abs=0.5)
