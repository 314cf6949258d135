"""Every accent over every letter is set and proved."""

from __future__ import annotations

from tests.conformance.chapters import outcomes
from tests.gozaresh.maths.test_accents import LETTERS, chapter


def test_every_accent_over_every_letter_is_proved() -> None:
    assert not [outcome for outcome in outcomes([chapter([letter]) for letter in LETTERS]) if outcome.lines]
