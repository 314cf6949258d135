"""Long work beside the training, kept by its own inputs: drawn faces, posteriors, the judge of smiles, its walks.

What is taken from the disk is bit for bit what would be computed, the state of torch's global generator included.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialize
from torch import Tensor, nn

from dgm.vae.analysis.refine import Refinement, refine
from dgm.vae.analysis.smile import EPOCHS, STEPS, SmileProbe, SmileWalk, network, train_probe, walk
from dgm.vae.common.console import say
from dgm.vae.common.device import arithmetic
from dgm.vae.common.files import write_whole
from dgm.vae.images.faces import Faces, LoadReport, Split
from dgm.vae.model.inference import encode
from dgm.vae.model.vae import VAE, Posterior
from dgm.vae.training.identity import code_digest
from dgm.vae.training.trainer import Metrics
from dgm.vae.worlds.faces import synthetic_faces

STATE = "torch's generator"
Make = Callable[[], tuple[dict[str, Tensor], dict[str, object]]]


def kept_faces(count: int, image_size: int, seed: int, folder: Path) -> Faces:
    """:func:`synthetic_faces`, drawn once."""
    def draw() -> tuple[dict[str, Tensor], dict[str, object]]:
        faces = synthetic_faces(count, image_size, seed)
        about: dict[str, object] = {"source": faces.report.source, "fingerprint": faces.report.fingerprint}
        return {"images": faces.images, "smiling": faces.smiling}, about

    tensors, about = _kept(folder, ("worlds/faces",), [count, image_size, seed], draw)
    return Faces(tensors["images"], tensors["smiling"], LoadReport(about["source"], True, about["fingerprint"]))


def kept_probe(faces: Faces, split: Split, seed: int, folder: Path) -> SmileProbe:
    """:func:`train_probe`, trained once."""
    def learn() -> tuple[dict[str, Tensor], dict[str, object]]:
        probe = train_probe(faces, split, seed)
        weights = {f"net.{name}": tensor for name, tensor in probe.net.state_dict().items()}
        return {**weights, STATE: torch.get_rng_state()}, {"accuracy": probe.accuracy}

    parts = hashlib.sha256(repr((split.train.tolist(), split.valid.tolist())).encode()).hexdigest()
    inputs = [faces.report.fingerprint, faces.images.shape[-1], parts, seed, EPOCHS]
    tensors, about = _kept(folder, ("analysis/smile",), inputs, learn)
    net = network()
    torch.set_rng_state(tensors[STATE])
    net.load_state_dict({name.removeprefix("net."): tensor for name, tensor in tensors.items() if name != STATE})
    return SmileProbe(net.eval(), about["accuracy"])


def kept_posterior(model: VAE, images: Tensor, folder: Path) -> Posterior:  # uint8 (N, 3, S, S) -> 2 x (N, D)
    """:func:`encode`, computed once."""
    def compute() -> tuple[dict[str, Tensor], dict[str, object]]:
        posterior = encode(model, images)
        return {"mean": posterior.mean, "log_variance": posterior.log_variance}, {}

    inputs: list[object] = [_network(model), _digest([images])]
    tensors, _ = _kept(folder, ("model/inference", "model/vae", "model/layers"), inputs, compute)
    return Posterior(tensors["mean"], tensors["log_variance"])


def kept_refinement(model: VAE, images: Tensor, beta: float, folder: Path) -> Refinement:  # uint8 (N, 3, S, S)
    """:func:`refine`, computed once."""
    def compute() -> tuple[dict[str, Tensor], dict[str, object]]:
        found = refine(model, images, beta)
        tensors = {"mean": found.posterior.mean, "log_variance": found.posterior.log_variance}
        return tensors, {"encoded": astuple(found.encoded), "refined": astuple(found.refined)}

    inputs: list[object] = [_network(model), _digest([images]), beta]
    tensors, about = _kept(folder, ("analysis/refine", "model/objective", "model/vae", "model/layers"), inputs, compute)
    return Refinement(Metrics(*about["encoded"]), Metrics(*about["refined"]),
                      Posterior(tensors["mean"], tensors["log_variance"]))


def kept_walk(model: VAE, z: Tensor, direction: Tensor, probe: SmileProbe, folder: Path,
              steps: Sequence[float] = STEPS) -> SmileWalk:  # (N, D), (D,)
    """:func:`walk`, gone once."""
    def go() -> tuple[dict[str, Tensor], dict[str, object]]:
        return {"probability": walk(model, z, direction, probe, steps).probability}, {}

    inputs: list[object] = [_network(model), _network(probe.net), _digest([z, direction]), list(steps)]
    tensors, _ = _kept(folder, ("analysis/smile", "model/inference", "model/vae", "model/layers"), inputs, go)
    return SmileWalk(tensors["probability"], tuple(steps))


def _network(net: nn.Module) -> list[object]:
    """A network as it judges: layers, weights, and where they lie."""
    state = net.eval().state_dict()
    return [repr(net), list(state), _digest(list(state.values())), next(net.parameters()).device.type]


def _digest(tensors: Sequence[Tensor]) -> str:
    """SHA-256 of shapes, types and values."""
    digest = hashlib.sha256()
    for tensor in tensors:
        whole = tensor.detach().cpu().contiguous()
        digest.update(f"{whole.dtype} {tuple(whole.shape)}".encode())
        digest.update(whole.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _kept(folder: Path, modules: Sequence[str], inputs: list[object],
          make: Make) -> tuple[Mapping[str, Tensor], Any]:
    """Tensors and numbers that were made from these inputs by this code, the first module's, now or before."""
    module = modules[0].rpartition("/")[2]
    asked = [module, code_digest(modules), arithmetic(torch.device("cpu")), *inputs]
    path = folder / f"{module}-{hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:32]}.safetensors"
    try:
        with safe_open(path, "pt") as stored:
            return {name: stored.get_tensor(name) for name in stored.keys()}, json.loads(  # noqa: SIM118  # not a dict
                stored.metadata()["about"])
    except FileNotFoundError:
        pass
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        say(f"{path} is damaged ({str(error).splitlines()[0]}); it is made anew")
    tensors, about = make()
    try:
        whole = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
        write_whole(path, serialize(whole, {"about": json.dumps(about)}))
    except OSError as error:
        say(f"{path.name} cannot be kept in {folder} ({error.strerror})")
    return tensors, about
