"""A training's two files in a folder: ``weights.safetensors`` (never pickle), and all the rest in ``run.json``."""

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

# what reading a folder raises that has no such files, or damaged or other ones
UNREADABLE = (OSError, SafetensorError, KeyError, ValueError, TypeError, AttributeError, RuntimeError)


def write_files(folder: Path, record: Mapping[str, object], weights: dict[str, Tensor]) -> None:
    """Write both, a line for each of the record's entries, and into it the weights' SHA-256.

    Raises:
        OSError: the folder cannot be written to.
    """
    content = serialize(weights)
    whole = {**record, "weights": hashlib.sha256(content).hexdigest()}
    lines = [f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in whole.items()]
    write_whole(folder / "weights.safetensors", content)
    write_whole(folder / "run.json", ("{\n" + ",\n".join(lines) + "\n}\n").encode())


def read_files(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The record, and the weights as float32 whatever they are kept as.

    Raises:
        one of UNREADABLE: a file is missing or damaged, or they are not of one training.
    """
    record = json.loads((folder / "run.json").read_bytes())
    content = (folder / "weights.safetensors").read_bytes()
    if hashlib.sha256(content).hexdigest() != record["weights"]:
        raise ValueError("weights.safetensors is not the file that run.json was written with")
    return record, {name: tensor.float() if tensor.is_floating_point() else tensor
                    for name, tensor in parse(content).items()}


def reason(error: Exception) -> str:
    """Why a file could not be read, in one line."""
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
