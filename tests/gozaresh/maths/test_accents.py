"""An accent over a letter is set, and the proof finds the letter under it; all pairs are in tests/conformance."""

from __future__ import annotations

import string
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gozaresh.maths.characters import ACCENTS as MARKS
from gozaresh.maths.symbols import ORDINARY, UNARY
from gozaresh.proof.passage import letters
from tests.conformance.chapters import Workshop

ACCENTS = [name for name in (
    "hat widehat check widecheck tilde widetilde acute grave dot ddot dddot ddddot breve bar vec mathring overline "
    "underline overrightarrow overleftarrow overleftrightarrow cancel utilde").split() if name in UNARY]
GREEK = [f"\\{name}" for name, sign in ORDINARY.items() if "\u0370" <= sign <= "\u03ff" and len(sign) == 1]
LETTERS = [*string.ascii_letters, *GREEK, "1", "\\ell", "\\imath", "\\mathbf{x}", "\\mathbb{E}", "\\mathcal{L}"]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("accents"))


def chapter(letters: Sequence[str]) -> str:
    """Each accent over each of the letters, a paragraph an accent."""
    return "\n\n".join("متن " + " ".join(f"${{\\{accent} {letter}}}$" for letter in letters) for accent in ACCENTS)


def test_every_accent_is_proved_over_letters_that_compose_with_it_and_others(workshop: Workshop) -> None:
    assert workshop.outcome(chapter([*"aeinyAX", "\\imath", "\\theta", "\\ell"])).lines == ()


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ACCENTS), st.sampled_from(ACCENTS), st.sampled_from(LETTERS)), min_size=1,
                max_size=12))
def test_accents_in_accents_are_proved(workshop: Workshop, nested: list[tuple[str, str, str]]) -> None:
    formula = "+".join(f"\\{outer}{{\\{inner} {letter}}}_i^2" for outer, inner, letter in nested)
    assert workshop.outcome(f"متن ${formula}$ پایان").lines == ()


@given(st.sampled_from(string.ascii_letters), st.lists(st.sampled_from([*MARKS]), max_size=3).map("".join))
def test_a_letter_is_found_whatever_marks_stand_on_it(letter: str, marks: str) -> None:
    assert letters(letter + marks) == letter
