"""What there is to compute on: the kind of device, and how many threads."""

from __future__ import annotations

import os
import shutil
import subprocess


def cuda_present() -> bool:
    """Whether a CUDA card answers; asked of the driver's own tool, so that torch need not be imported."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return False
    answer = subprocess.run([tool, "--list-gpus"], capture_output=True, text=True, check=False)
    return answer.returncode == 0 and "GPU" in answer.stdout


def threads() -> str:
    """What settles among how many threads a sum is shared, and so how it is rounded: processors, and what was asked."""
    free = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return " ".join([str(free), *(os.environ.get(name, "-") for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"))])
