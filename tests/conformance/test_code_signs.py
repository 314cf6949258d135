"""Persian words of code that any sign of the keyboard joins, as they are copied."""

from __future__ import annotations

from pathlib import Path

from tests.gozaresh.typeset.test_typesetting import out_of_order

MIRRORED = "<>()[]{}"  # a reader turns them round
SIGNS = ["_", "__", *"-+.,:;=/&%$#@!?~^'\"*"]


def test_words_that_any_sign_joins_are_read_in_their_order(tmp_path: Path) -> None:
    assert out_of_order(SIGNS, tmp_path) == []


def test_words_that_a_mirrored_sign_joins_pass_the_proof(tmp_path: Path) -> None:
    out_of_order(MIRRORED, tmp_path)
