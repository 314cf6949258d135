"""How the process asks the system for memory."""

from __future__ import annotations

import ctypes
import sys

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
