"""A cached result is bit for bit what would be computed, and is taken only for the very same inputs."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from dgm.vae.analysis.cached import Cache
from dgm.vae.analysis.refine import Refinement, refine, refinements
from dgm.vae.analysis.smile import SmileProbe, smile_rows, train_probe
from dgm.vae.images.faces import Faces, Split, stratified_split
from dgm.vae.model.inference import encode
from dgm.vae.model.vae import VAE, Posterior
from dgm.vae.worlds.faces import synthetic_faces

calls: list[str] = []


def posterior(model: VAE, images: Tensor) -> Posterior:
    calls.append("posterior")
    return encode(model, images)


def scaled(model: VAE, numbers: tuple[float, ...], name: str) -> tuple[Tensor, ...]:
    calls.append(name)
    return tuple(number * next(model.parameters()).detach() for number in numbers)


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


def test_what_is_there_is_not_computed(model, faces, tmp_path: Path) -> None:
    calls.clear()
    for _ in range(3):
        Cache(tmp_path)(posterior, model, faces.images)
    assert calls == ["posterior"]


def test_any_other_input_is_computed(model, faces, tmp_path: Path) -> None:
    other = VAE(16, 4).eval()
    calls.clear()
    for inputs in ((model, (1.0, 2.0), "a"), (model, (1.0, 3.0), "a"), (model, (1.0,), "a"), (other, (1.0, 2.0), "a"),
                   (model, (1.0, 2.0), "b")):
        assert same(Cache(tmp_path)(scaled, *inputs), scaled(*inputs))
    assert len(calls) == 10
    changed = replace(faces, report=replace(faces.report, fingerprint="other"))
    assert len({path.name for one in (faces, changed) for path in _files(Cache(tmp_path / "x"), one)}) == 2


def _files(cache: Cache, faces: Faces) -> list[Path]:
    cache(train_probe, faces, stratified_split(faces.smiling, 0.8, 0), 1)
    return list(cache.folder.iterdir())


def test_of_another_arithmetic_only_a_shipped_result_is_taken(model, faces, tmp_path: Path, monkeypatch) -> None:
    cache, calls[:] = Cache(tmp_path / "own"), []
    cache(posterior, model, faces.images)
    monkeypatch.setattr("dgm.vae.analysis.cached.arithmetic", lambda _: "another machine")
    Cache(tmp_path / "new", shipped=tmp_path / "own")(posterior, model, faces.images)
    assert calls == ["posterior"]
    cache(posterior, model, faces.images)
    assert calls == ["posterior"] * 2


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
