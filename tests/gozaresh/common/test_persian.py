import doctest
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgm import digits
from gozaresh import bundle
from gozaresh.common import errors, persian
from gozaresh.source import inline


@pytest.mark.parametrize("module", [persian, errors, inline, bundle, digits])
def test_examples_in_docstrings(module) -> None:
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


@given(st.integers())
def test_an_integer_can_be_read_back(number: int) -> None:
    text = persian.latin_digits(persian.persian(number)).replace("٬", "").replace(persian.MINUS, "-")
    assert int(text) == number


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=1e-3, max_value=1e6))
def test_a_real_keeps_four_digits(number: float) -> None:
    text = persian.latin_digits(persian.persian(number)).replace("٫", ".")
    assert "e" not in text
    if "×" not in text:
        assert float(text) == pytest.approx(number, rel=5e-4)


@given(st.text())
def test_no_latin_digit_stands_alone(text: str) -> None:
    shown = persian.persian(text + " 12.5 و 3٪")
    assert "۱۲٫۵" in shown
    assert "۳" in shown


def test_digits_inside_latin_words_stay() -> None:
    assert persian.persian("Conv2d x86_64 h264") == "Conv2d x86_64 h264"


def test_jalali_new_year() -> None:
    assert persian.jalali(date(2024, 3, 20)) == "۱ فروردین ۱۴۰۳"
    assert persian.jalali(date(2025, 3, 20)) == "۳۰ اسفند ۱۴۰۳"  # 1403 was a leap year
