"""The ablation's record: summed up over seeds, taken only when it is of these very inputs, and made in pieces."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dgm.vae.analysis.smile import SmileWalk
from dgm.vae.experiments import ablation
from dgm.vae.experiments.ablation import FreeDecoderTrainer, Result, Variant, freed, recorded, run_missing, summaries
from dgm.vae.images.faces import stratified_split
from dgm.vae.model.layers import UpConv2d
from dgm.vae.training.loop import TrainingConfig
from dgm.vae.training.trainer import Trainer
from dgm.vae.worlds.faces import synthetic_faces


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two variants and two seeds on a few small faces."""
    base = TrainingConfig(epochs=1, batch_size=8, latent_dim=4)
    monkeypatch.setattr(ablation, "VARIANTS", {"پایه": Variant(base, free_decoder=True),
                                               "بی برون‌اندازی": Variant(replace(base, dropout=0.0))})
    monkeypatch.setattr(ablation, "FACES", 60)
    monkeypatch.setattr(ablation, "IMAGE_SIZE", 16)
    monkeypatch.setattr(ablation, "SEEDS", (0, 1))


@pytest.mark.usefixtures("small")
def test_the_record_is_made_in_pieces_and_used_only_for_its_own_inputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = next(run_missing(tmp_path))
    assert recorded(tmp_path) == (first,)
    rest = list(run_missing(tmp_path))
    assert len(rest) == 3  # what was there is not run again
    assert recorded(tmp_path) == (first, *rest)
    assert list(run_missing(tmp_path)) == []
    monkeypatch.setattr(ablation, "VARIANTS", {"پایه": replace(ablation.VARIANTS["پایه"], free_decoder=False),
                                               "بی برون‌اندازی": ablation.VARIANTS["بی برون‌اندازی"]})
    assert recorded(tmp_path) == tuple(one for one in (first, *rest) if one.variant == "بی برون‌اندازی")
    monkeypatch.setattr(ablation, "FACES", 61)
    assert recorded(tmp_path) == ()


def test_a_freed_layer_starts_at_the_same_map_and_is_all_that_is_other() -> None:
    layer = UpConv2d(3, 5).double()
    x = torch.randn(2, 3, 6, 6, dtype=torch.float64)
    torch.testing.assert_close(freed(layer).double()(x), layer(x), rtol=1e-6, atol=1e-6)
    faces = synthetic_faces(20, 16, 0)
    given = (faces, stratified_split(faces.smiling, 0.8, 0), TrainingConfig(epochs=1, batch_size=8, latent_dim=4),
             torch.device("cpu"))
    free, plain = FreeDecoderTrainer(*given), Trainer(*given)
    assert not any(isinstance(part, UpConv2d) for part in free.model.modules())
    trained = [parameter for group in free.optimizer.param_groups for parameter in group["params"]]
    assert set(map(id, trained)) == set(map(id, free.model.parameters()))
    z = torch.randn(3, 4)
    torch.testing.assert_close(free.model.decoder(z), plain.model.decoder(z))


def test_a_damaged_record_is_none(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps({"inputs": {}})[:-2])
    assert recorded(tmp_path) == ()


def test_summaries_are_means_and_deviations_in_the_variants_order() -> None:
    results = [Result(name, seed, 20.0 + seed, 100.0, 5, 0.1, 0.9) for name in reversed(ablation.VARIANTS)
               for seed in (0, 2)]
    found = summaries(results)
    assert [s.variant for s in found] == list(ablation.VARIANTS)
    assert found[0].findings["psnr"] == (21.0, pytest.approx(2**0.5))
    assert found[0].findings["kl"] == (100.0, 0.0)
    assert summaries(results[:1]) == ()


def test_a_walk_rises_only_where_no_step_falls() -> None:
    steps = (0.0, 1.0, 2.0)
    found = SmileWalk(torch.tensor([[0.1, 0.2, 0.3], [0.1, 0.3, 0.2], [0.5, 0.5, 0.5]]), steps)
    assert found.rising == pytest.approx(1 / 3)
    assert found.means == pytest.approx([0.7 / 3, 1 / 3, 1 / 3])
