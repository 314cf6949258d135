"""A cached result is bit for bit what would be computed, and is taken only for the very same inputs."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from dgm.errors import ModelError
from dgm.vae.analysis.cached import Cache
from dgm.vae.analysis.refine import Refinement, refine, refinements
from dgm.vae.analysis.smile import SmileProbe, smile_rows, train_probe
from dgm.vae.images.faces import Faces, Split, stratified_split
from dgm.vae.model.inference import encode
from dgm.vae.model.vae import VAE
from dgm.vae.worlds.faces import synthetic_faces


@pytest.fixture
def made(monkeypatch) -> list[str]:
    """Names of the functions that are really called."""
    names: list[str] = []
    original = Cache._made

    def noted(self, make, inputs):
        names.append(make.__name__)
        return original(self, make, inputs)

    monkeypatch.setattr(Cache, "_made", noted)
    return names


def same(one: object, other: object) -> bool:
    """Equal to the last bit, through all parts."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, nn.Module) and isinstance(other, nn.Module):
        return same(tuple(one.state_dict().values()), tuple(other.state_dict().values()))
    if is_dataclass(one):
        return type(one) is type(other) and all(
            same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one))
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


@pytest.fixture(scope="module")
def faces() -> Faces:
    return synthetic_faces(40, 16, 3)


@pytest.fixture(scope="module")
def split(faces: Faces) -> Split:
    return stratified_split(faces.smiling, 0.8, 0)


@pytest.fixture
def model() -> VAE:
    torch.manual_seed(0)
    return VAE(16, 4).eval()


@pytest.fixture(scope="module")
def judge(faces: Faces, split: Split) -> SmileProbe:
    return train_probe(faces, split, 1)


def test_all_kinds_of_results_come_back_bit_for_bit(faces, split, model, judge, tmp_path: Path) -> None:
    asked = [(synthetic_faces, 40, 16, 3), (train_probe, faces, split, 1), (encode, model, faces.images),
             (refine, model, faces.images[:4], 1.0, 2), (refinements, model, faces, split, 1.0, 2),
             (smile_rows, model, faces, split, judge, judge)]
    chance = torch.get_rng_state()
    for make, *inputs in asked:
        first, again = (Cache(tmp_path)(make, *inputs) for _ in range(2))
        assert same(first, again), make.__name__
        assert same(again, make(*inputs)), make.__name__
    assert torch.equal(torch.get_rng_state(), chance), "no chance but its own is touched"
    assert len(list(tmp_path.iterdir())) == len(asked)


def test_what_is_there_is_not_computed(model, faces, made, tmp_path: Path) -> None:
    for _ in range(3):
        Cache(tmp_path)(encode, model, faces.images)
    assert made == ["encode"]


def test_any_other_input_is_computed(model, faces, split, made, tmp_path: Path) -> None:
    other, images = VAE(16, 4).eval(), faces.images[:4]
    for inputs in ((model, images, 1.0, 1), (model, images, 2.0, 1), (model, images, 1.0, 2), (other, images, 1.0, 1),
                   (model, images.flip(0), 1.0, 1)):
        assert same(Cache(tmp_path)(refine, *inputs), refine(*inputs))
    renamed = replace(faces, report=replace(faces.report, fingerprint="other"))
    for data in (faces, renamed):
        Cache(tmp_path)(train_probe, data, split, 1, 1)
    assert made == ["refine"] * 5 + ["train_probe"] * 2


def test_a_function_whose_code_is_not_known_is_refused(tmp_path: Path) -> None:
    def outside(number: int) -> int:
        return number

    with pytest.raises(ModelError, match="only functions of dgm"):
        Cache(tmp_path)(outside, 1)


def test_of_another_arithmetic_only_a_shipped_result_is_taken(model, faces, made, tmp_path: Path, monkeypatch) -> None:
    cache = Cache(tmp_path / "own")
    cache(encode, model, faces.images)
    monkeypatch.setattr("dgm.vae.analysis.cached.arithmetic", lambda _: "another machine")
    Cache(tmp_path / "new", shipped=tmp_path / "own")(encode, model, faces.images)
    assert made == ["encode"]
    cache(encode, model, faces.images)
    assert made == ["encode"] * 2


@pytest.mark.parametrize("damage", [lambda content: content[:-100], lambda content: b"", lambda content: b"x" * 99])
def test_a_damaged_file_is_said_and_made_anew(model, faces, damage, tmp_path: Path, capsys) -> None:
    found: Refinement = Cache(tmp_path)(refine, model, faces.images[:4], 1.0, 2)
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert same(Cache(tmp_path)(refine, model, faces.images[:4], 1.0, 2), found)
    assert "is damaged" in capsys.readouterr().err
    assert same(Cache(tmp_path)(refine, model, faces.images[:4], 1.0, 2), found)
    assert capsys.readouterr().err == ""


def test_where_nothing_can_be_written_it_is_computed(model, faces, tmp_path: Path, capsys) -> None:
    (tmp_path / "file").touch()
    assert same(Cache(tmp_path / "file")(encode, model, faces.images), encode(model, faces.images))
    assert "cannot be kept" in capsys.readouterr().err
