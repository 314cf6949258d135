"""Paths of the engine's own files."""

from __future__ import annotations

from pathlib import Path

ENGINE = Path(__file__).parents[1]
THEME = ENGINE / "theme"
FONTS = THEME / "fonts"


def build_command(root: Path) -> str:
    """How a report is built: by make where its folder has a Makefile."""
    return "'make report'" if (root / "Makefile").is_file() else "'gozaresh build'"
