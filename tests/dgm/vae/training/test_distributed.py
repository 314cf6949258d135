"""Two processes that share each batch make the training of one process, up to rounding."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from dgm.vae.__main__ import main
from dgm.vae.images.faces import stratified_split
from dgm.vae.training.trainer import Trainer, TrainingConfig
from dgm.vae.worlds.faces import synthetic_faces

CONFIG = TrainingConfig(epochs=3, batch_size=13, latent_dim=4, dropout=0.0, flip=True, warmup=1)  # 13 is odd: 7 and 6
SOURCE = Path(__file__).parents[4] / "src"

# What both processes do; the first one writes down what came out.
WORK = """
import json, sys
from dataclasses import asdict, replace
from pathlib import Path
import torch
import torch.distributed as dist
from safetensors.torch import save_file
from torch import nn
from dgm.vae.common import device
from dgm.vae.images.faces import stratified_split
from dgm.vae.training.distributed import DistributedTrainer, GlobalBatchNorm2d, group, summed, train_together
from dgm.vae.worlds.faces import synthetic_faces
from dgm.vae.training.trainer import TrainingConfig

out, config = Path(sys.argv[1]), TrainingConfig(**json.loads(sys.argv[2]))
torch.set_num_threads(1)
device._processor_pays = lambda: False  # float32's rounding is compared, whatever the processor prefers

def normalised():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(5, 3, 4, 4, dtype=torch.float64, generator=generator) * 3 + 7
    weight = torch.randn(5, 3, 4, 4, dtype=torch.float64, generator=generator)
    share = slice(0, 3) if dist.get_rank() == 0 else slice(3, 5)
    own = x[share].clone().requires_grad_()
    layer = GlobalBatchNorm2d(3).double()
    y = layer(own)
    (y * weight[share]).sum().backward()
    whole = torch.zeros(2, 5, 3, 4, 4, dtype=torch.float64)
    whole[0, share], whole[1, share] = y.detach(), own.grad
    parameters = torch.stack([layer.weight.grad, layer.bias.grad])
    for total in (whole, parameters):
        dist.all_reduce(total)
    return {"y": whole[0].clone(), "dx": whole[1].clone(), "dw": parameters, "mean": layer.running_mean.clone(),
            "variance": layer.running_var.clone()}

def work():
    faces = synthetic_faces(60, 16, seed=1)
    split = stratified_split(faces.smiling, 0.8, 0)
    tensors = normalised()
    first = DistributedTrainer(faces, split, config, torch.device("cpu"))
    first.step()
    tensors |= {f"gradient {name}": parameter.grad.contiguous() for name, parameter in first.model.named_parameters()}
    whole = train_together(faces, split, config)
    pieces, count = None, 0
    while pieces is None or not pieces.finished:
        pieces, count = train_together(faces, split, config, out / "pieces", budget=0.05), count + 1
    dropped = train_together(faces, split, replace(config, dropout=0.1))
    if dist.get_rank() == 0:
        save_file(tensors, out / "tensors")
        (out / "found").write_text(json.dumps({"whole": asdict(whole.history), "pieces": asdict(pieces.history),
            "count": count, "dropped": asdict(dropped.history), "device": whole.device,
            "checkpoints": len(list((out / "pieces").glob("checkpoint-*")))}))

with group():
    work()
"""

# The command, and which threads it leaves behind: none of the group's, lest one aborts the ending process.
COMMAND = """
import os, sys
from pathlib import Path
from dgm.vae.__main__ import main

code = main(["distributed", *sys.argv[1:]])
names = [Path(f"/proc/self/task/{task}/comm").read_text().strip() for task in os.listdir("/proc/self/task")]
Path("threads-" + os.environ["RANK"]).write_text("\\n".join(names))
sys.exit(code)
"""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes found."""
    out = tmp_path_factory.mktemp("both")
    (out / "work.py").write_text(WORK)
    done = torchrun(out, str(out / "work.py"), str(out), json.dumps(asdict(CONFIG)))
    assert done.returncode == 0, done.stderr[-3000:]
    return out


def torchrun(cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    settings = {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1", "GOZARESH_PROGRESS": os.devnull}
    return subprocess.run([sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
                           *arguments], cwd=cwd, env=settings, capture_output=True, text=True, check=False, timeout=170)


@pytest.fixture(scope="module")
def found(both: Path):
    return json.loads((both / "found").read_text())


@pytest.fixture(scope="module")
def alone() -> Trainer:
    faces = synthetic_faces(60, 16, seed=1)
    trainer = Trainer(faces, stratified_split(faces.smiling, 0.8, 0), CONFIG, torch.device("cpu"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dgm.vae.common.device._processor_pays", lambda: False)
        trainer.step()
        trainer.first_gradients = {name: parameter.grad.clone() for name, parameter in trainer.model.named_parameters()}
        while not trainer.finished:
            trainer.step()
    return trainer


def curve(history) -> torch.Tensor:
    return torch.tensor([[list(measure.values()) for measure in history[part]] for part in ("train", "valid")])


@pytest.mark.slow
def test_the_loss_curve_is_that_of_one_process(found, alone: Trainer) -> None:
    torch.testing.assert_close(curve(found["whole"]), curve(asdict(alone.history)), rtol=2e-3, atol=1e-3)
    assert found["device"].startswith("2 processes, ")


@pytest.mark.slow
def test_the_first_steps_gradients_are_those_of_one_process(both: Path, alone: Trainer) -> None:
    tensors = load_file(both / "tensors")
    for name, gradient in alone.first_gradients.items():
        scale = float(gradient.abs().max())
        torch.testing.assert_close(tensors[f"gradient {name}"], gradient, rtol=1e-3, atol=1e-4 * scale, msg=name)


@pytest.mark.slow
def test_statistics_over_both_shares_are_those_of_the_batch(both: Path) -> None:
    """The layer, its input's and its parameters' gradients and its running statistics, against torch's own."""
    tensors, generator = load_file(both / "tensors"), torch.Generator().manual_seed(0)
    x = (torch.randn(5, 3, 4, 4, dtype=torch.float64, generator=generator) * 3 + 7).requires_grad_()
    layer = nn.BatchNorm2d(3).double()
    y = layer(x)
    (y * torch.randn(5, 3, 4, 4, dtype=torch.float64, generator=generator)).sum().backward()
    gradients = torch.stack([layer.weight.grad, layer.bias.grad])
    for name, expected in (("y", y.detach()), ("dx", x.grad), ("dw", gradients), ("mean", layer.running_mean),
                           ("variance", layer.running_var)):
        torch.testing.assert_close(tensors[name], expected, rtol=1e-9, atol=1e-10)


@pytest.mark.slow
def test_stopped_and_gone_on_together_it_is_bit_for_bit_the_same(found) -> None:
    assert found["count"] > 1
    assert found["pieces"] == found["whole"]
    assert found["checkpoints"] == 1


@pytest.mark.slow
def test_with_dropout_it_trains_as_well(found) -> None:
    measures = found["dropped"]["train"]
    assert measures[-1]["reconstruction"] < measures[0]["reconstruction"]
    assert found["dropped"] != found["whole"]


@pytest.mark.slow
def test_the_command_makes_a_record_as_one_process_does(tmp_path: Path) -> None:
    (tmp_path / "command.py").write_text(COMMAND)
    done = torchrun(tmp_path, "command.py", "--name", "two", "--runs", "runs", "--synthetic", "40",
                    "--image-size", "16", "--epochs", "1", "--batch-size", "8", "--latent-dim", "3")
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("recorded: runs/two") == 1
    stored = json.loads((tmp_path / "runs" / "two" / "run.json").read_bytes())
    assert stored["epochs"] == 1
    assert stored["device"].startswith("2 processes")
    left = [(tmp_path / f"threads-{rank}").read_text().split() for rank in (0, 1)]
    assert [name for names in left for name in names if "gloo" in name] == []


def test_without_torchrun_it_says_what_to_do(capsys, monkeypatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    assert main(["distributed", "--name", "x"]) == 1
    assert "start it with torchrun --nproc-per-node N" in capsys.readouterr().err
