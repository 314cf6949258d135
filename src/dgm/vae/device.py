"""What a training runs on, by the name that records give it."""

from __future__ import annotations

import re

import torch


def best_device() -> torch.device:
    """CUDA where it is, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_name(device: torch.device) -> str:
    """What a record says of where it was trained."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' if threads > 1 else ''}"


def cpu_threads(device: str) -> int:
    """How many threads a record's device had; 0 of what is no CPU.

    >>> cpu_threads("CPU, 1 thread"), cpu_threads("CPU, 8 threads"), cpu_threads("NVIDIA H100 80GB HBM3")
    (1, 8, 0)
    """
    found = re.fullmatch(r"CPU, ([0-9]+) threads?", device)
    return int(found[1]) if found else 0


def arithmetic(device: torch.device) -> str:
    """What sums are rounded by: the device, among how many threads they are shared there, torch's version."""
    return f"{device_name(device)}, torch {torch.__version__}"
