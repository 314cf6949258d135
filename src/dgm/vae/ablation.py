"""What each choice of the training is worth: one changed at a time, over several seeds, and the record of it.

``python -m dgm.vae.ablation`` runs what is missing and keeps each result as it comes, so that it can be stopped.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from statistics import mean, stdev

from dgm.vae import latent
from dgm.vae.atomic import write_whole
from dgm.vae.data import Faces, Split, stratified_split
from dgm.vae.faces import synthetic_faces
from dgm.vae.identity import code_digest
from dgm.vae.probe import SmileProbe, train_probe
from dgm.vae.smile import walk
from dgm.vae.train import TrainingConfig, train

FOLDER = Path("report/runs/ablation")
BASE = TrainingConfig(epochs=14, batch_size=16, learning_rate=1e-3, dropout=0.02)
FACES, IMAGE_SIZE, SEEDS = 1600, 64, (0, 1, 2)

# what is changed, by the name that a table shows
VARIANTS: dict[str, TrainingConfig] = {
    "پایه": BASE,
    "درست‌نمایی با s برابر ۱": replace(BASE, sigma=1.0),
    "گرم کردن KL در ۷ دوره": replace(BASE, warmup=7),
    "بی برون‌اندازی": replace(BASE, dropout=0.0),
    "برون‌اندازی ۰٫۲": replace(BASE, dropout=0.2),
    "آینه کردن تصویرها": replace(BASE, flip=True),
    "بُعد نهان ۶۴": replace(BASE, latent_dim=64),
}


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


@dataclass(frozen=True)
class Summary:
    """Mean and standard deviation over the seeds of each of a result's measures, by its name."""

    variant: str
    seeds: int
    measures: dict[str, tuple[float, float]]


def summaries(results: Sequence[Result]) -> tuple[Summary, ...]:
    """A summary a variant, in the order of :data:`VARIANTS`; only of those with at least two runs."""
    groups = {name: [r for r in results if r.variant == name] for name in VARIANTS}
    names = ("psnr", "kl", "active", "smile_first", "smile_last")
    return tuple(
        Summary(name, len(group), {key: _spread([float(getattr(r, key)) for r in group]) for key in names})
        for name, group in groups.items() if len(group) > 1)


def _spread(values: Sequence[float]) -> tuple[float, float]:
    return mean(values), stdev(values)


def inputs() -> dict[str, object]:
    """What the results depend on; a record of other inputs is not used. The faces are drawn by the code itself."""
    return {"code": code_digest(), "faces": FACES, "image_size": IMAGE_SIZE,
            "variants": {name: asdict(config) for name, config in VARIANTS.items()}}


def recorded(folder: Path = FOLDER) -> tuple[Result, ...]:
    """The results kept in ``folder`` that were made with the very inputs that they have here."""
    try:
        record = json.loads((folder / "results.json").read_bytes())
    except (OSError, ValueError):
        return ()
    found, wanted = record.get("inputs", {}), json.loads(json.dumps(inputs()))
    made, kept = found.pop("variants", {}), wanted.pop("variants")
    if found != wanted:
        return ()
    return tuple(Result(**row) for row in record["results"] if row["variant"] in kept
                 and made.get(row["variant"]) == kept[row["variant"]])


def run(folder: Path = FOLDER) -> Iterator[Result]:
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
    trained = train(faces, split, replace(VARIANTS[name], seed=seed))
    posterior = latent.encode(trained.model, faces.images)
    unsmiling = split.valid[~faces.smiling[split.valid]][:200]
    direction = latent.smile_direction(posterior.mean, faces.smiling).vector
    means = walk(trained.model, posterior.mean[unsmiling], direction, probe).means
    return Result(name, seed, trained.psnr, trained.history.valid[-1].kl, latent.active_units(posterior),
                  means[0], means[-1])


def main() -> None:
    """Run all, a line a result."""
    parser = argparse.ArgumentParser(prog="python -m dgm.vae.ablation", description=main.__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the record lies (%(default)s)")
    for result in run(parser.parse_args().folder):
        print(f"{result.variant}, seed {result.seed}: {result.psnr:.2f} dB, KL {result.kl:.0f} nats, smile "
              f"{result.smile_first:.2f} to {result.smile_last:.2f}", flush=True)


if __name__ == "__main__":
    main()
