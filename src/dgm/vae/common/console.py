"""Lines for the person who waits, which leave a progress bar whole."""

from __future__ import annotations

import sys

from tqdm import tqdm


def say(text: str) -> None:
    """Print one line to standard error."""
    tqdm.write(f"dgm: {text}", file=sys.stderr)
