"""What a training runs on, in which precision it multiplies, and by which name records tell it."""

from __future__ import annotations

import ctypes
import re
import sys
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path

import torch
from torch import Tensor


def best_device() -> torch.device:
    """CUDA where it is, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_name(device: torch.device) -> str:
    """What a record says of where it was trained."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' if threads > 1 else ''}{', bfloat16' if bfloat16_pays(device) else ''}"


def cpu_threads(device: str) -> int:
    """How many threads a record's device had; 0 of what is no CPU.

    >>> cpu_threads("CPU, 1 thread"), cpu_threads("CPU, 8 threads, bfloat16"), cpu_threads("NVIDIA H100 80GB HBM3")
    (1, 8, 0)
    """
    found = re.fullmatch(r"CPU, ([0-9]+) threads?(, bfloat16)?", device)
    return int(found[1]) if found else 0


def mixed_precision(x: Tensor) -> AbstractContextManager[object]:
    """For a model's pass over x: convolutions and linear layers in bfloat16 where that pays, if x is float32."""
    return torch.autocast(x.device.type, torch.bfloat16, enabled=x.dtype == torch.float32 and bfloat16_pays(x.device))


def bfloat16_pays(device: torch.device) -> bool:
    """Whether a device multiplies matrices faster in bfloat16 than in float32.

    Cards do, and processors with matrix units (AMX). Of AVX-512's bfloat16 alone AMD's processors do: on two cores of
    an EPYC of family 25 it was measured to be 2.8 times as fast, on Intel's half as fast as float32.
    """
    return device.type == "cuda" or _processor_pays()


@cache
def _processor_pays() -> bool:
    return torch.backends.mkldnn.is_available() and (
        _supports("amx_tile") or (_supports("avx512_bf16") and "AuthenticAMD" in _processor()))


def _supports(name: str) -> bool:
    known = getattr(torch.cpu, f"_is_{name}_supported", None)  # private, so it may be gone in a later torch
    return known is not None and bool(known())


def _processor() -> str:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def arithmetic(device: torch.device) -> str:
    """What sums are rounded by: the device, its threads that share them and its precision, and torch's version."""
    return f"{device_name(device)}, torch {torch.__version__}"

MMAP_MAX, TRIM_THRESHOLD, TOP_PAD = -4, -1, -2  # parameters of glibc's mallopt(3)


def keep_freed_memory() -> None:
    """Let glibc keep what tensors free, for the next ones, instead of giving it back to the system.

    A training step allocates the same large tensors every time. By default each comes as fresh pages, which the system
    clears one by one when they are first touched: a quarter of a step on two cores. Elsewhere than on glibc nothing
    changes.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(MMAP_MAX, 0)
        mallopt(TRIM_THRESHOLD, 2**31 - 1)
        mallopt(TOP_PAD, 2**28)
