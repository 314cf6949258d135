"""One training step of Table 1's model, 128x128, batch 128: ours, a textbook loop and Pythae's, interleaved in one run.

``python benchmarks/training.py [--data faces.zip] [--rounds 7] [--steps 2] [--threads 2]``

Each loop lives in a process of its own. A round times every loop once, in random order, while the others sleep, so that
a busy moment of the machine strikes all alike; a ratio is the median over rounds. The machine's limits are measured
before and after, and the share of them that our step reaches is given.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import multiprocessing
import random
import statistics
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from dgm.vae.common.device import best_device, keep_freed_memory, mixed_precision
from dgm.vae.images.faces import Faces, stratified_split
from dgm.vae.model.layers import ReluDropout, UpConv2d
from dgm.vae.model.vae import VAE
from dgm.vae.training.trainer import Trainer, TrainingConfig
from dgm.vae.worlds.faces import synthetic_faces

SIZE, BATCH, LATENT, DROPOUT = 128, 128, 200, 0.1
IMAGES = 512  # files that the loops read; each loop goes through them again and again


class ImageFolder(Dataset):
    """torchvision's: every access decodes a file; then Resize, ToTensor and Normalize to [-1, 1]."""

    def __init__(self, folder: Path) -> None:
        self.files = sorted(folder.rglob("*.jpg"))

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, number: int) -> Tensor:
        with self.files[number].open("rb") as stream:
            image = Image.open(stream).convert("RGB").resize((SIZE, SIZE), Image.Resampling.BILINEAR)
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous().float().div(255)
        return (pixels - 0.5) / 0.5


class PlainVAE(nn.Module):
    """Table 1 from the usual modules alone."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(*_down(3, 32), *_down(32, 64), *_down(64, 64), *_down(64, 64), nn.Flatten())
        self.mean, self.log_variance = nn.Linear(4096, LATENT), nn.Linear(4096, LATENT)
        self.decoder = nn.Sequential(
            nn.Linear(LATENT, 4096), nn.ReLU(), nn.Unflatten(1, (64, 8, 8)), *_up(64, 64), *_up(64, 64), *_up(64, 32),
            nn.Upsample(scale_factor=2), nn.Conv2d(32, 3, 3, padding=1), nn.Tanh())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = self.encoder(x)
        mean, log_variance = self.mean(h), self.log_variance(h)
        return self.decoder(mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)), mean, log_variance


def _down(channels_in: int, channels_out: int) -> list[nn.Module]:
    return [nn.Conv2d(channels_in, channels_out, 3, stride=2, padding=1), nn.BatchNorm2d(channels_out), nn.ReLU(),
            nn.Dropout(DROPOUT)]


def _up(channels_in: int, channels_out: int) -> list[nn.Module]:
    return [nn.Upsample(scale_factor=2), nn.Conv2d(channels_in, channels_out, 3, padding=1),
            nn.BatchNorm2d(channels_out), nn.ReLU(), nn.Dropout(DROPOUT)]


def plain_loss(x: Tensor, output: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    drawn, mean, log_variance = output
    kl = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(1).mean()
    return 0.5 * F.mse_loss(drawn, x, reduction="sum") / len(x) + kl


def endless(loader: DataLoader) -> Iterator[Tensor]:
    while True:
        yield from loader


def loop(loader: DataLoader, device: torch.device) -> Callable[[], object]:
    """The step of a loop as it stands in textbooks."""
    model, batches = PlainVAE().to(device).train(), endless(loader)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-4)

    def step() -> float:
        x = next(batches).to(device)
        loss = plain_loss(x, model(x))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def textbook(folder: Path, faces: Faces, device: torch.device, steps: int) -> Callable[[], object]:
    """The images are decoded from ``folder`` again at every access."""
    return times(steps, loop(DataLoader(ImageFolder(folder), batch_size=BATCH, shuffle=True, drop_last=True), device))


def times(steps: int, step: Callable[[], object]) -> Callable[[], object]:
    return lambda: [step() for _ in range(steps)]


class InMemory(Dataset):
    """Pythae's BaseDataset: the images as floats in memory."""

    def __init__(self, images: Tensor) -> None:
        self.images = images.contiguous().float() / 255

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, number: int) -> Tensor:
        return self.images[number]


def pythae_stand_in(folder: Path, faces: Faces, device: torch.device, steps: int) -> Callable[[], object]:
    """What Pythae's BaseTrainer does with the same model: floats in memory, DataLoader, float32, Adam."""
    loader = DataLoader(InMemory(faces.images), batch_size=BATCH, shuffle=True, drop_last=True)
    return times(steps, loop(loader, device))


def pythae(folder: Path, faces: Faces, device: torch.device, steps: int) -> Callable[[], object]:
    """Pythae's own trainer, an epoch of ``steps`` steps."""
    from pythae import models
    from pythae.data.datasets import BaseDataset
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            plain = PlainVAE()
            self.features, self.mean, self.log_variance = plain.encoder, plain.mean, plain.log_variance

        def forward(self, x: Tensor) -> ModelOutput:
            h = self.features(x)
            return ModelOutput(embedding=self.mean(h), log_covariance=self.log_variance(h))

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.net = PlainVAE().decoder

        def forward(self, z: Tensor) -> ModelOutput:
            return ModelOutput(reconstruction=self.net(z))

    logging.disable(logging.CRITICAL)
    images = faces.images[: steps * BATCH].contiguous().float() / 255
    config = models.VAEConfig(input_dim=(3, SIZE, SIZE), latent_dim=LATENT)
    model = models.VAE(config, encoder=Encoder(), decoder=Decoder())
    with tempfile.TemporaryDirectory() as scratch:
        trainer = BaseTrainer(model, BaseDataset(images, torch.zeros(len(images))), None, BaseTrainerConfig(
            output_dir=scratch, per_device_train_batch_size=BATCH, learning_rate=5e-4, num_epochs=1))
        trainer.prepare_training()
    return lambda: trainer.train_step(1)


def ours(folder: Path, faces: Faces, device: torch.device, steps: int) -> Callable[[], object]:
    """The step of :mod:`dgm.vae`, without the measuring of validation images at an epoch's end."""
    keep_freed_memory()
    split = stratified_split(faces.smiling, 0.99, 0)
    trainer = Trainer(faces, split, TrainingConfig(batch_size=BATCH, latent_dim=LATENT, dropout=DROPOUT), device)

    def step() -> float:
        if trainer.position == len(trainer.loader) - 1:
            trainer._begin_epoch()
        trainer.step()
        return trainer.values[-1][0].item()

    return times(steps, step)


LOOPS = {"textbook": textbook, "Pythae": pythae, "as Pythae (a stand-in)": pythae_stand_in, "ours": ours}


class Runner:
    """A loop in a process of its own, which sleeps until it is asked for some steps."""

    def __init__(self, name: str, given: argparse.Namespace, folder: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=_serve, args=(other, name, given, folder), daemon=True)
        self.process.start()
        self.pipe.recv()

    def seconds(self) -> float:
        """Of one call, as its process measures it."""
        self.pipe.send(True)
        return self.pipe.recv()

    def stop(self) -> None:
        self.pipe.send(False)
        self.process.join()


def _serve(pipe: Connection, name: str, given: argparse.Namespace, folder: Path) -> None:
    torch.set_num_threads(given.threads)
    device = best_device()
    call = LOOPS[name](folder, synthetic_faces(IMAGES, SIZE, 0), device, given.steps)
    for _ in range(2):
        call()
    pipe.send("ready")
    while pipe.recv():
        call()  # not timed: the system may have taken the sleeper's memory back
        wait(device)
        started = time.perf_counter()
        call()
        wait(device)
        pipe.send(time.perf_counter() - started)


@dataclass(frozen=True)
class Limits:
    """What the device reaches: GEMM in float operations a second, a copy in bytes a second."""

    bf16: float
    fp32: float
    bandwidth: float

    @property
    def flops(self) -> float:
        return max(self.bf16, self.fp32)


def best_seconds(call: Callable[[], object], device: torch.device, rounds: int = 5) -> float:
    call()
    taken = []
    for _ in range(rounds):
        wait(device)
        started = time.perf_counter()
        call()
        wait(device)
        taken.append(time.perf_counter() - started)
    return min(taken)


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def measure_limits(device: torch.device) -> Limits:
    side = 8192 if device.type == "cuda" else 2048
    peaks = []
    for dtype in (torch.bfloat16, torch.float32):
        a = torch.randn(side, side, device=device, dtype=dtype)
        peaks.append(2 * side**3 / best_seconds(lambda a=a: a @ a, device))
    source = torch.empty(2**28, dtype=torch.uint8, device=device).random_()
    target = torch.empty_like(source)
    return Limits(*peaks, 2 * len(source) / best_seconds(lambda: target.copy_(source), device))


def best_of(one: Limits, other: Limits) -> Limits:
    return Limits(max(one.bf16, other.bf16), max(one.fp32, other.fp32), max(one.bandwidth, other.bandwidth))


@dataclass(frozen=True)
class Work:
    """Float operations and bytes of one layer in one training step."""

    name: str
    flops: float
    bytes: float


def work_of_layers(model: VAE, width: int) -> list[Work]:
    """A convolution's or linear layer's backward pass costs twice its forward pass (the first one's once).

    The least a layer moves, at ``width`` bytes a number: forward its input and output, backward the output's gradient,
    the input and its gradient. Adam reads four and writes three floats a parameter, and its gradient is written once.
    """
    found: list[Work] = []

    def note(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        forward = 2 * _multiplications(layer, inputs[0], output)
        first = getattr(layer, "in_channels", 0) == 3
        moved = width * (3 * inputs[0].numel() + 2 * output.numel())
        found.append(Work(type(layer).__name__, forward * (2 if first else 3), moved))

    kinds = (nn.Conv2d, nn.Linear, nn.BatchNorm2d, ReluDropout, UpConv2d, nn.Sigmoid, nn.ReLU)
    inner = {id(layer.conv) for layer in model.modules() if isinstance(layer, UpConv2d)}
    hooks = [layer.register_forward_hook(note) for layer in model.modules()
             if isinstance(layer, kinds) and id(layer) not in inner]
    with torch.no_grad():
        model.eval()(torch.zeros(BATCH, 3, SIZE, SIZE), torch.zeros(BATCH, LATENT))
    for hook in hooks:
        hook.remove()
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return [*found, Work("Adam", 0, 8 * 4 * parameters)]


def _multiplications(layer: nn.Module, x: Tensor, output: Tensor) -> int:
    if isinstance(layer, UpConv2d):
        return x[:, 0].numel() * layer.conv.in_channels * layer.conv.out_channels * 16
    if isinstance(layer, nn.Conv2d):
        return output.numel() * layer.in_channels * 9
    if isinstance(layer, nn.Linear):
        return output.numel() * layer.in_features
    return 0


def computes_in_bf16(device: torch.device) -> bool:
    x = torch.zeros(2, 2, device=device)
    with mixed_precision(x):
        return (x @ x).dtype == torch.bfloat16


def report_limits(limits: Limits, seconds: float, device: torch.device) -> None:
    work = work_of_layers(VAE(SIZE, LATENT, DROPOUT), 2 if computes_in_bf16(device) else 4)
    flops, moved = sum(one.flops for one in work), sum(one.bytes for one in work)
    bound = sum(max(one.flops / limits.flops, one.bytes / limits.bandwidth) for one in work)
    print(f"limits of {device}: GEMM bf16 {limits.bf16 / 1e9:.0f} and fp32 {limits.fp32 / 1e9:.0f} GFLOP/s, "
          f"copy {limits.bandwidth / 1e9:.1f} GB/s")
    arithmetic = "bf16" if computes_in_bf16(device) else "fp32"
    print(f"a step in {arithmetic}: {flops / 1e9:.1f} GFLOP, at least {moved / 1e9:.2f} GB")
    print(f"our step {seconds * 1e3:.0f} ms: {flops / seconds / 1e9:.0f} GFLOP/s = "
          f"{100 * flops / seconds / limits.bf16:.0f} % of bf16 GEMM, {100 * flops / seconds / limits.fp32:.0f} % of "
          f"fp32 GEMM, {100 * moved / seconds / limits.bandwidth:.0f} % of the bandwidth; "
          f"{100 * bound / seconds:.0f} % of the roofline over layers ({bound * 1e3:.0f} ms)")


def write_folder(faces: Faces, folder: Path) -> None:
    for name, members in (("smile", faces.smiling), ("non_smile", ~faces.smiling)):
        (folder / name).mkdir(parents=True)
        for number, image in enumerate(faces.images[members].permute(0, 2, 3, 1)):
            Image.fromarray(image.contiguous().numpy()).resize((64, 64)).save(folder / name / f"{number:05}.jpg")


def time_loops(names: list[str], given: argparse.Namespace, folder: Path) -> dict[str, list[float]]:
    """Seconds a step of each loop, one value a round."""
    runners = {name: Runner(name, given, folder) for name in names}
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(given.rounds):
        for name in random.sample(names, len(names)):
            seconds[name].append(runners[name].seconds() / given.steps)
    for runner in runners.values():
        runner.stop()
    return seconds


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a .zip of JPEG files for the textbook loop; else faces are drawn")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if given.data:
            zipfile.ZipFile(given.data).extractall(folder)
        else:
            write_folder(synthetic_faces(IMAGES, SIZE, 0), folder)
        other = "Pythae" if importlib.util.find_spec("pythae") else "as Pythae (a stand-in)"
        before = measure_limits(best_device())
        seconds = time_loops(["textbook", other, "ours"], given, folder)
        limits = best_of(before, measure_limits(best_device()))
    report(seconds, limits, given.threads, best_device())


def report(seconds: dict[str, list[float]], limits: Limits, threads: int, device: torch.device) -> None:
    print(f"torch {torch.__version__}, {device}, {threads} threads; {SIZE}x{SIZE}, batch {BATCH}, dropout {DROPOUT}")
    for name, taken in seconds.items():
        ratios = [slow / fast for slow, fast in zip(seconds["textbook"], taken, strict=True)]
        print(f"{name:22s} {statistics.median(taken) * 1e3:8.0f} ms a step  {BATCH / statistics.median(taken):7.0f} "
              f"images/s  x{statistics.median(ratios):.1f} (of {min(ratios):.1f} to {max(ratios):.1f})")
    other = next(name for name in seconds if "Pythae" in name)
    ratios = [slow / fast for slow, fast in zip(seconds[other], seconds["ours"], strict=True)]
    print(f"ours beside {other}: x{statistics.median(ratios):.1f}")
    report_limits(limits, statistics.median(seconds["ours"]), device)


if __name__ == "__main__":
    main()
