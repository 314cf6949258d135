"""Whether another version of the code trains to the same bits, so that its records stand.

``python benchmarks/same_training.py OTHER [--adopt]``

OTHER is a checkout of the version that made the records in ``report/runs``. Both versions train every configuration
that is recorded there for a few steps, over the end of an epoch, with one thread in float32, and the trainings' states
are compared to the bit, and with them what is then measured of a sweep's runs, on as many images as recorded.
``--adopt``, if all are the same, gives the records this version's digests, and notes in each ``run.json`` by which code
it was made.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from dgm.vae.analysis.measure import measure
from dgm.vae.experiments.ablation import IMAGE_SIZE, VARIANTS, FreeDecoderTrainer
from dgm.vae.experiments.run import CODE, Run, run_of
from dgm.vae.images.faces import Faces, Split, stratified_split
from dgm.vae.training.factor import FactorTrainer
from dgm.vae.training.identity import code_digest
from dgm.vae.training.trainer import Trainer, TrainingConfig
from dgm.vae.worlds.faces import synthetic_faces
from dgm.vae.worlds.world import Known, known_images, world

HERE = Path(__file__).resolve().parents[1]
RUNS = HERE / "report/runs"
SCRIPT = Path(__file__).resolve().relative_to(HERE)
STEPS = 6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path)
    parser.add_argument("--adopt", action="store_true")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps({"code": _codes(), "states": dict(_states())}))
        return 0
    found = [_run(checkout) for checkout in (given.other, HERE)]
    for name, state in found[0]["states"].items():
        print(f"{'same' if state == found[1]['states'][name] else 'OTHER'}  {state[:16]}  {name}")
    same = found[0]["states"] == found[1]["states"]
    print(f"{len(found[0]['states'])} configurations, {STEPS} steps each: "
          f"{'all the same bits' if same else 'not the same'}")
    if same and given.adopt:
        _adopt(found[0]["code"], found[1]["code"])
    return 0 if same else 1


def _run(checkout: Path) -> dict[str, dict[str, str]]:
    """What ``checkout``'s code makes of it, in a process of its own and by its own copy of this script."""
    environment = {**os.environ, "PYTHONPATH": str(checkout.resolve() / "src")}
    command = [sys.executable, str(checkout / SCRIPT), str(checkout), "--child"]
    done = subprocess.run(command, env=environment, text=True, check=True, stdout=subprocess.PIPE)
    found: dict[str, dict[str, str]] = json.loads(done.stdout)
    return found


def _codes() -> dict[str, str]:
    return {"training": code_digest(), "sweep": code_digest(CODE)}


def _states() -> Iterator[tuple[str, str]]:
    """A digest of the state after some steps, by the name of the configuration."""
    torch.set_num_threads(1)
    for feature in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):  # float32, whatever the processor has
        setattr(torch.cpu, feature, lambda: False)
    cpu = torch.device("cpu")

    def faces_of(config: TrainingConfig, image_size: int) -> tuple[Faces, Split]:
        faces = synthetic_faces(4 * config.batch_size, image_size, 0)  # three batches an epoch
        return faces, stratified_split(faces.smiling, 0.8, 0)

    for path in sorted(RUNS.glob("*/run.json")):
        record = json.loads(path.read_bytes())
        config = TrainingConfig(**record["config"])
        yield path.parent.name, _after(Trainer(*faces_of(config, record["image_size"]), config, cpu))
    for name, variant in VARIANTS.items():
        kind = FreeDecoderTrainer if variant.free_decoder else Trainer
        yield f"ablation, {name}", _after(kind(*faces_of(variant.config, IMAGE_SIZE), variant.config, cpu))
    for path in sorted(RUNS.glob("sweep-*/results.json")):
        for row in json.loads(path.read_bytes()):
            run = run_of(row["inputs"])
            if run.factor.training.seed == 0:
                known = known_images(world(run.world), 4 * run.factor.training.batch_size, run.image_size, 0)
                trainer = FactorTrainer(known.images, known.split, run.factor, cpu)
                yield f"sweep, {run.label}", f"{_after(trainer)} {_measured(trainer, run, known)}"


def _after(trainer: Trainer) -> str:
    for _ in range(STEPS):
        trainer.step()
    state = trainer.state()
    digest = hashlib.sha256(json.dumps(state.numbers, sort_keys=True).encode())
    for name, tensor in sorted(state.tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def _measured(trainer: Trainer, run: Run, known: Known) -> str:
    """A digest of every score, as the record has it."""
    found = measure(trainer.model, world(run.world), known, run.factor.training.seed, run.sizes)
    return hashlib.sha256(json.dumps(found.numbers(), sort_keys=True).encode()).hexdigest()


def _adopt(before: dict[str, str], now: dict[str, str]) -> None:
    for path in (*RUNS.glob("*/run.json"), RUNS / "ablation/results.json"):
        text = path.read_text(encoding="utf-8")
        if path.name == "run.json" and '"made_by"' not in text and f'"code": "{before["training"]}"' in text:
            text = text.replace("{\n", f'{{\n"made_by": "{before["training"]}",\n', 1)
        path.write_text(text.replace(f'"code": "{before["training"]}"', f'"code": "{now["training"]}"'),
                        encoding="utf-8")
    for path in RUNS.glob("sweep-*/results.json"):
        for row in json.loads(path.read_bytes()):
            run = run_of(row["inputs"])
            picture = path.with_name(f"{_name({**run.inputs(), 'code': before['sweep']})}.png")
            if picture.exists() and row["inputs"]["code"] == before["sweep"]:
                picture.rename(path.with_name(f"{run.digest}.png"))
        path.write_text(path.read_text(encoding="utf-8").replace(before["sweep"], now["sweep"]), encoding="utf-8")


def _name(inputs: dict[str, object]) -> str:
    """As :attr:`dgm.vae.experiments.run.Run.digest` had it when that was another code's."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]


if __name__ == "__main__":
    sys.exit(main())
