"""Files of a recorded training (``run.json`` and safetensors, never pickle), and atomic, durable file writes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as parse
from safetensors.torch import save as serialize
from torch import Tensor

BESIDE = ("best", "prior")  # what a record may hold beside the weights after its last epoch
# what reading a folder raises that has no such files, or damaged or other ones
UNREADABLE = (OSError, SafetensorError, KeyError, ValueError, TypeError, AttributeError, RuntimeError)


def write_files(folder: Path, record: Mapping[str, object], tensors: Mapping[str, dict[str, Tensor]]) -> None:
    """Write ``run.json``, a line for each of the record's entries, and a safetensors file for each of ``tensors``.

    Under a file's name the record holds its SHA-256. ``run.json`` is written last.

    Raises:
        OSError: the folder cannot be written to.
    """
    contents = {name: serialize(one) for name, one in tensors.items()}
    for name, content in contents.items():
        write_whole(folder / f"{name}.safetensors", content)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    whole = {**record, **digests}
    lines = [f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in whole.items()]
    write_whole(folder / "run.json", ("{\n" + ",\n".join(lines) + "\n}\n").encode())


def read_files(folder: Path) -> tuple[dict[str, Any], dict[str, dict[str, Tensor]]]:
    """The record, and the tensors of each file that it names, as float32 whatever they are kept as.

    Raises:
        one of UNREADABLE: a file is missing or damaged, or they are not of one training.
    """
    record = json.loads((folder / "run.json").read_bytes())
    names = ["weights", *(name for name in BESIDE if name in record)]
    return record, {name: _read_tensors(folder / f"{name}.safetensors", record[name]) for name in names}


def best_weights(record: Mapping[str, Any], tensors: Mapping[str, dict[str, Tensor]]) -> dict[str, Tensor]:
    """Weights of a record's best epoch, which may be its last; none where the record does not name it."""
    return tensors.get("best", tensors["weights"]) if "best_epoch" in record else {}


def _read_tensors(path: Path, digest: str) -> dict[str, Tensor]:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise ValueError(f"{path.name} is not the file that run.json was written with")
    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in parse(content).items()}


def reason(error: Exception) -> str:
    """First line of an error's message, or its kind where it says nothing."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place, flush it to the disk, and only then move it there.

    Raises:
        OSError: no room or no right to write; what stood at ``path`` stands there still.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """Make the new name last as well; Windows can do neither this nor needs it."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
