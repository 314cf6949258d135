"""The precision that a device multiplies in is chosen by what it is, and told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch

from dgm.vae.common import device
from dgm.vae.common.device import bfloat16_pays, device_name, mixed_precision

CPU = torch.device("cpu")


@pytest.fixture
def processor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Makes this one another."""
    def become(vendor: str, **features: bool) -> None:
        device._processor_pays.cache_clear()
        monkeypatch.setattr(device, "_processor", lambda: f"vendor_id : {vendor}")
        for name in ("amx_tile", "avx512_bf16"):
            monkeypatch.setattr(torch.cpu, f"_is_{name}_supported", lambda name=name: features.get(name, False),
                                raising=False)

    yield become
    monkeypatch.undo()
    device._processor_pays.cache_clear()


@pytest.mark.parametrize(("vendor", "features", "pays"), [
    ("GenuineIntel", {"amx_tile": True, "avx512_bf16": True}, True),
    ("GenuineIntel", {"avx512_bf16": True}, False),  # measured: half as fast as float32
    ("AuthenticAMD", {"avx512_bf16": True}, True),
    ("AuthenticAMD", {}, False),
])
def test_bfloat16_is_for_processors_that_are_faster_in_it(processor, vendor: str, features, pays: bool) -> None:
    processor(vendor, **features)
    assert bfloat16_pays(CPU) == pays
    assert device_name(CPU).endswith(", bfloat16") == pays
    x = torch.zeros(2, 2)
    with mixed_precision(x):
        assert (x @ x).dtype == (torch.bfloat16 if pays else torch.float32)
    with mixed_precision(x.double()):  # whoever asks for more digits gets them
        assert (x.double() @ x.double()).dtype == torch.float64


def test_a_torch_without_the_question_has_float32(processor, monkeypatch: pytest.MonkeyPatch) -> None:
    processor("AuthenticAMD", amx_tile=True)
    monkeypatch.delattr(torch.cpu, "_is_amx_tile_supported")
    assert not bfloat16_pays(CPU)
