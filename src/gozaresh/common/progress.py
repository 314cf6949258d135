"""Progress on the terminal: a line for each step, and the progress that a kernel reports.

The protocol: the variable GOZARESH_PROGRESS names a file, to which the kernel appends a line of JSON for each step, as
``{"unit": "epoch", "done": 3, "total": 50, "text": "…"}``. All keys but ``done`` may be left out.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

QUIET_INTERVAL = 10.0  # seconds between progress lines where standard error is no terminal


def say(text: str) -> None:
    """Print one line about a step."""
    print(f"gozaresh: {text}", file=sys.stderr, flush=True)


@contextmanager
def follow(file: Path, name: str, now: Callable[[], str] = str) -> Iterator[None]:
    """Show the last step that a kernel reports in ``file`` while the block runs.

    Where there is no new one for :data:`QUIET_INTERVAL`, what ``now`` tells is shown.
    """
    stop = threading.Event()
    thread = threading.Thread(target=_tail, args=(file, name, stop, now), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _tail(file: Path, name: str, stop: threading.Event, now: Callable[[], str]) -> None:
    terminal = sys.stderr.isatty()
    shown, told, shown_at = "", "", time.monotonic()
    while not stop.wait(0.5):
        line = _told(_last_line(file))
        if line == told and time.monotonic() - shown_at >= QUIET_INTERVAL:
            line = now()
        elif line != told:
            told = line
        if line and line != shown and (terminal or time.monotonic() - shown_at >= QUIET_INTERVAL):
            print(f"\r\x1b[K{name}: {line}" if terminal else f"{name}: {line}", end="" if terminal else "\n",
                  file=sys.stderr, flush=True)
            shown, shown_at = line, time.monotonic()
    if terminal and shown:
        print(file=sys.stderr)


def _told(line: str) -> str:
    """A step of the protocol in words; anything else as it is.

    >>> _told('{"unit": "epoch", "done": 3, "total": 50, "text": "loss 4"}')
    'epoch 3/50: loss 4'
    """
    try:
        step = json.loads(line)
        count = f"{step.get('unit', 'step')} {step['done']}" + (f"/{step['total']}" if "total" in step else "")
        return f"{count}: {step['text']}" if step.get("text") else count
    except (ValueError, KeyError, TypeError, AttributeError):
        return line


def _last_line(file: Path) -> str:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    return next((_readable(line.strip()) for line in reversed(lines[:-1]) if line.strip()), "")


def _readable(line: str) -> str:
    """A line of JSON with ``unit``, ``done``, ``total`` and ``text`` as words; any other line as it is."""
    try:
        known = json.loads(line)
        return f"{known['unit']} {known['done']}/{known['total']}, {known['text']}"
    except (ValueError, KeyError, TypeError):
        return line
