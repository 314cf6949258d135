"""What the terminal shows while the engine works: one line a step, and the progress that a kernel writes to a file."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

QUIET_INTERVAL = 10.0  # seconds between progress lines where standard error is no terminal


def say(text: str) -> None:
    """Print one line about a step."""
    print(f"gozaresh: {text}", file=sys.stderr, flush=True)


@contextmanager
def follow(file: Path, name: str) -> Iterator[None]:
    """Show the last line that a kernel appends to ``file`` while the block runs."""
    stop = threading.Event()
    thread = threading.Thread(target=_tail, args=(file, name, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _tail(file: Path, name: str, stop: threading.Event) -> None:
    terminal = sys.stderr.isatty()
    shown, shown_at = "", time.monotonic()
    while not stop.wait(0.5):
        line = _last_line(file)
        if line and line != shown and (terminal or time.monotonic() - shown_at >= QUIET_INTERVAL):
            print(f"\r\x1b[K{name}: {line}" if terminal else f"{name}: {line}", end="" if terminal else "\n",
                  file=sys.stderr, flush=True)
            shown, shown_at = line, time.monotonic()
    if terminal and shown:
        print(file=sys.stderr)


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
