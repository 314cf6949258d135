"""Which kind of device there is to compute on."""

from __future__ import annotations

import shutil
import subprocess


def cuda_present() -> bool:
    """Whether a CUDA card answers; asked of the driver's own tool, so that torch need not be imported."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return False
    answer = subprocess.run([tool, "--list-gpus"], capture_output=True, text=True, check=False)
    return answer.returncode == 0 and "GPU" in answer.stdout
