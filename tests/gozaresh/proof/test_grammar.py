"""Chapters drawn from the whole grammar are proved, and every loss that is planted in them is found."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from nbformat import NotebookNode

from tests.conformance.chapters import Workshop
from tests.conformance.grammar import chapters

PERSIAN = re.compile("(?<=[ \u2067\"\\[])[آ-ی]{3,}(?=[ \u2069\"\\]])")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("grammar"))


def drawn(count: int, start: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A test that is given ``count`` chapters, always the same."""
    def around(test: Callable[..., None]) -> Callable[..., None]:
        phases = settings(max_examples=count, deadline=None, database=None, phases=[Phase.generate],
                          suppress_health_check=list(HealthCheck))
        return seed(start)(phases(given(chapters())(test)))
    return around


@drawn(15, 1)
def test_a_chapter_is_proved(workshop: Workshop, notebook: NotebookNode) -> None:
    assert workshop.outcome_of(notebook).lines == ()


def drop(word: re.Match[str]) -> str:
    return ""


def turn(word: re.Match[str]) -> str:
    return word[0][1:] + word[0][0] if len(set(word[0])) > 1 else word[0] * 2


def double(word: re.Match[str]) -> str:
    return word[0] * 2


@drawn(15, 2)
def test_a_planted_loss_is_found(workshop: Workshop, notebook: NotebookNode) -> None:
    reading = workshop.exported(notebook)
    sheet = workshop.sheet.read_text(encoding="utf-8")
    chance = random.Random(len(sheet))
    body = [found for found in PERSIAN.finditer(sheet) if 'alt: "' not in sheet[found.start() - 40:found.start()]]
    for change in chance.sample([drop, turn, double], 2):
        word = chance.choice(body)
        workshop.sheet.write_text(sheet[:word.start()] + change(word) + sheet[word.end():], encoding="utf-8")
        assert workshop.findings(workshop.set(notebook), notebook, reading), f"{change.__name__} {word[0]}"
