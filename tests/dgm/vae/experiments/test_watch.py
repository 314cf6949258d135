"""What is seen of a training while it runs, which changes nothing of its result."""

from __future__ import annotations

import json
import re
import sys
import types
from pathlib import Path

import pytest
from PIL import Image

from dgm.vae.training import reporting as observe
from dgm.vae.training.loop import TrainingConfig, train
from dgm.vae.worlds.faces import synthetic_faces

CONFIG = TrainingConfig(epochs=4, batch_size=16, latent_dim=4)


@pytest.fixture(scope="module")
def faces():
    return synthetic_faces(60, 16, seed=1)


def test_strips_are_drawn_every_few_epochs_and_change_nothing(faces, split, tmp_path: Path) -> None:
    watched = train(faces, split, CONFIG, tmp_path, strip_epochs=2)
    assert [path.name for path in sorted(tmp_path.glob("strip-*"))] == ["strip-0002.png", "strip-0004.png"]
    with Image.open(tmp_path / "strip-0004.png") as strip:
        assert strip.width > 4 * strip.height / 2
    assert watched.history == train(faces, split, CONFIG).history


def test_the_progress_line_tells_both_terms_the_speed_and_the_time_left(faces, split, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("GOZARESH_PROGRESS", str(tmp_path / "progress"))
    train(faces, split, CONFIG, tmp_path, budget=0.01)
    train(faces, split, CONFIG, tmp_path)
    lines = (tmp_path / "progress").read_text(encoding="utf-8").splitlines()
    told = [json.loads(line) for line in lines]
    assert [(one["unit"], one["done"], one["total"]) for one in told] == [("epoch", done, 4) for done in range(1, 5)]
    pattern = r"reconstruction -?\d+ \+ KL \d+ nats, \d+ images/s, \d+ s left"
    assert all(re.fullmatch(pattern, one["text"]) for one in told)


def test_tensorboard_gets_every_measure_where_it_is_installed(faces, split, tmp_path, monkeypatch) -> None:
    scalars: list[tuple[str, float, int]] = []

    class Writer:
        def __init__(self, folder: str) -> None:
            self.folder = folder

        def add_scalar(self, name: str, value: float, epoch: int) -> None:
            scalars.append((name, value, epoch))

    monkeypatch.setattr(observe.importlib.util, "find_spec", lambda name: name)
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", types.SimpleNamespace(SummaryWriter=Writer))
    history = train(faces, split, CONFIG, tmp_path).history
    assert len(scalars) == 4 * 6
    assert ("kl/valid", history.valid[2].kl, 3) in scalars
