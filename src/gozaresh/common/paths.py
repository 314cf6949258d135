"""Paths of the engine's own files."""

from __future__ import annotations

from pathlib import Path

ENGINE = Path(__file__).parents[1]
THEME = ENGINE / "theme"
FONTS = THEME / "fonts"
