"""Ablation: one choice of the training changed at a time, over several seeds, and the record of it.

``python -m dgm.vae ablation`` runs what is missing and keeps each result as it comes, so that it can be stopped.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch import nn

from dgm.errors import ModelError
from dgm.vae.analysis import latent
from dgm.vae.analysis.smile import SmileProbe, train_probe, walk
from dgm.vae.common.device import best_device
from dgm.vae.common.files import write_whole
from dgm.vae.experiments.results import spreads
from dgm.vae.images.faces import Faces, Split, stratified_split
from dgm.vae.model import inference
from dgm.vae.model.layers import UpConv2d
from dgm.vae.model.objective import psnr
from dgm.vae.training.identity import code_digest
from dgm.vae.training.loop import TrainingConfig, run
from dgm.vae.training.trainer import Trainer
from dgm.vae.worlds.faces import synthetic_faces

FOLDER = Path("report/runs/ablation")
BASE = TrainingConfig(epochs=14, batch_size=16, learning_rate=1e-3, dropout=0.02)
FACES, IMAGE_SIZE, SEEDS = 1600, 64, (0, 1, 2)


@dataclass(frozen=True)
class Variant:
    """A training, and whether its decoder learns all taps of its transposed convolutions."""

    config: TrainingConfig
    free_decoder: bool = False

    def inputs(self) -> dict[str, object]:
        """What its results depend on."""
        return {**asdict(self.config), **({"free_decoder": True} if self.free_decoder else {})}


# what is changed, by the name that a table shows
VARIANTS: dict[str, Variant] = {
    "پایه": Variant(BASE),
    "درست‌نمایی با s برابر ۱": Variant(replace(BASE, sigma=1.0)),
    "گرم کردن KL در ۷ دوره": Variant(replace(BASE, warmup=7)),
    "بی برون‌اندازی": Variant(replace(BASE, dropout=0.0)),
    "برون‌اندازی ۰٫۲": Variant(replace(BASE, dropout=0.2)),
    "آینه کردن تصویرها": Variant(replace(BASE, flip=True)),
    "بُعد نهان ۶۴": Variant(replace(BASE, latent_dim=64)),
    "کانولوشن ترانهاده": Variant(BASE, free_decoder=True),
}


class FreeDecoderTrainer(Trainer):
    """In the decoder, a transposed convolution (kernel 4, stride 2) of free weights for each :class:`UpConv2d`.

    It has 16 weights where doubling and a 3x3 convolution have 9, starts at the same function, and can do more.
    """

    def __init__(self, faces: Faces, split: Split, config: TrainingConfig, device: torch.device) -> None:
        super().__init__(faces, split, config, device)
        layers = self.model.decoder.net
        for number, layer in enumerate(layers):
            if isinstance(layer, UpConv2d):
                layers[number] = freed(layer)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=config.learning_rate, fused=True)


def freed(layer: UpConv2d) -> nn.ConvTranspose2d:
    """The same map, without the tie between its taps."""
    plain, taps = layer.conv, layer.taps
    free = nn.ConvTranspose2d(plain.in_channels, plain.out_channels, 4, 2, 1, bias=plain.bias is not None)
    with torch.no_grad():
        free.weight.copy_(torch.einsum("ak,oikl,bl->ioab", taps, plain.weight, taps))
        if plain.bias is not None and free.bias is not None:
            free.bias.copy_(plain.bias)
    return free.to(plain.weight.device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


@dataclass(frozen=True)
class Result:
    """One run on unseen faces: PSNR in dB, KL in nats, active units, smile probability at the first and last step."""

    variant: str
    seed: int
    psnr: float
    kl: float
    active: int
    smile_first: float
    smile_last: float

    def findings(self) -> dict[str, float]:
        """Measures by name."""
        return {name: value for name, value in asdict(self).items() if name not in ("variant", "seed")}


@dataclass(frozen=True)
class Summary:
    """Mean and standard deviation over the seeds of each finding, by its name."""

    variant: str
    seeds: int
    findings: dict[str, tuple[float, float]]


def summaries(results: Sequence[Result]) -> tuple[Summary, ...]:
    """A summary a variant, in the order of :data:`VARIANTS`; only of those with at least two runs."""
    groups = {name: [r for r in results if r.variant == name] for name in VARIANTS}
    return tuple(Summary(name, len(group), spreads([one.findings() for one in group]))
                 for name, group in groups.items() if len(group) > 1)


def inputs() -> dict[str, object]:
    """What the results depend on; a record of other inputs is not used. The faces are drawn by the code itself."""
    return {"code": code_digest(), "faces": FACES, "image_size": IMAGE_SIZE,
            "variants": {name: variant.inputs() for name, variant in VARIANTS.items()}}


def recorded(folder: Path = FOLDER) -> tuple[Result, ...]:
    """The results kept in ``folder`` that were made with the very inputs that they have here."""
    try:
        record = json.loads((folder / "results.json").read_bytes())
    except (OSError, ValueError):
        return ()
    found, wanted = record.get("inputs", {}), json.loads(json.dumps(inputs()))
    made, _ = found.pop("variants", {}), wanted.pop("variants")
    if found != wanted:
        return ()
    same = {name for name, settings in made.items() if name in VARIANTS and _variant(settings) == VARIANTS[name]}
    return tuple(Result(**row) for row in record["results"] if row["variant"] in same)


def _variant(settings: dict[str, Any]) -> Variant | None:
    """The variant that a record names; a setting that it does not name had its default."""
    try:
        given = dict(settings)
        return Variant(free_decoder=given.pop("free_decoder", False), config=TrainingConfig(**given))
    except (TypeError, ModelError):
        return None


def run_missing(folder: Path = FOLDER) -> Iterator[Result]:
    """Run what is not recorded yet, one training after the other."""
    faces, split = _data()
    done = list(recorded(folder))
    probe = train_probe(faces, split)
    for seed, name in product(SEEDS, VARIANTS):
        if any(r.variant == name and r.seed == seed for r in done):
            continue
        done.append(_result(name, seed, faces, split, probe))
        record = {"inputs": inputs(), "results": [asdict(r) for r in done]}
        write_whole(folder / "results.json", (json.dumps(record, ensure_ascii=False, indent=1) + "\n").encode())
        yield done[-1]


def _data() -> tuple[Faces, Split]:
    faces = synthetic_faces(FACES, IMAGE_SIZE, 0)
    return faces, stratified_split(faces.smiling, 0.8, 0)


def _result(name: str, seed: int, faces: Faces, split: Split, probe: SmileProbe) -> Result:
    variant = VARIANTS[name]
    config = replace(variant.config, seed=seed)
    trainer = (FreeDecoderTrainer if variant.free_decoder else Trainer)(faces, split, config, best_device())
    run(trainer, None, faces.images[:1], math.inf, 0, math.inf)
    model, last = trainer.model.eval(), trainer.history.valid[-1]
    posterior = inference.encode(model, faces.images)
    unsmiling = split.valid[~faces.smiling[split.valid]][:200]
    direction = latent.smile_direction(posterior.mean, faces.smiling).vector
    means = walk(model, posterior.mean[unsmiling], direction, probe).means
    return Result(name, seed, psnr(last.squared_error), last.kl, latent.active_units(posterior), means[0], means[-1])


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: run all that is missing, a line a result."""
    parser = argparse.ArgumentParser(prog="python -m dgm.vae ablation", description=main.__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the record lies (%(default)s)")
    for result in run_missing(parser.parse_args(arguments).folder):
        print(f"{result.variant}, seed {result.seed}: {result.psnr:.2f} dB, KL {result.kl:.0f} nats, smile "
              f"{result.smile_first:.2f} to {result.smile_last:.2f}", flush=True)
    return 0
