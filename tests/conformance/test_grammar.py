"""Two thousand chapters drawn from the whole grammar: each is built and proved."""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from nbformat import NotebookNode

from tests.conformance.chapters import Workshop
from tests.conformance.grammar import chapters

CHAPTERS, PARTS = 2000, 40


def unproved(part: int) -> list[str]:
    """What is said of the chapters of a part that are not proved, with their Markdown."""
    found: list[str] = []
    with tempfile.TemporaryDirectory(prefix="grammar-") as folder:
        workshop = Workshop(Path(folder))

        @seed(part)
        @settings(max_examples=CHAPTERS // PARTS, deadline=None, database=None, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))
        @given(chapters())
        def one(notebook: NotebookNode) -> None:
            outcome = workshop.outcome_of(notebook)
            if outcome.kind != "proved":
                found.append("\n".join([outcome.kind, *outcome.lines, *(cell.source for cell in notebook.cells)]))

        one()
    return found


def test_every_chapter_is_proved() -> None:
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        found = [text for part in pool.map(unproved, range(PARTS)) for text in part]
    assert not found, "\n\n".join(found)
