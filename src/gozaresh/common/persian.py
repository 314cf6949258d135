"""Persian numbers and dates: digits, decimal sign, thousands sign, the Jalali calendar."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from numbers import Integral, Real

PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
LATIN_DIGITS = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", "01234567890123456789")
NUMBER = re.compile(r"(?<![\w.])[-−+]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?%?(?![\w])")
MINUS = "\u2212"


def persian(value: object) -> str:
    """Write a value as Persian text sets it.

    Integers get thousands separators; other reals four significant digits; in text, every free-standing number
    is written in Persian digits, while digits that belong to a Latin word (``x86``, ``Conv2d``) stay.

    >>> persian(2880), persian(0.5), persian("12.5"), persian("conv2d 3"), persian(-3)
    ('۲٬۸۸۰', '۰٫۵', '۱۲٫۵', 'conv2d ۳', '−۳')
    """
    if isinstance(value, bool):
        return "بله" if value else "خیر"
    if isinstance(value, Integral):
        return _number(f"{int(value):,}")
    if isinstance(value, Real):
        return _number(f"{float(value):.4g}")
    return NUMBER.sub(lambda found: _number(found[0]), unicodedata.normalize("NFC", str(value)))


def _number(text: str) -> str:
    mantissa, _, exponent = text.lower().partition("e")
    if exponent:  # 5e-04 is written 5×10⁻⁴, so that no Latin letter stands inside a Persian number
        return f"{_number(mantissa)}×۱۰{_superscript(str(int(exponent)))}"
    signs = {",": "٬", ".": "٫", "-": MINUS, "%": "٪"}
    return "".join(signs.get(char, char) for char in text).translate(PERSIAN_DIGITS)


def _superscript(text: str) -> str:
    return text.translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def latin_digits(text: str) -> str:
    """Write Persian and Arabic digits as ASCII.

    >>> latin_digits("۸۱۰۱۹۹۱۲۳")
    '810199123'
    """
    return text.translate(LATIN_DIGITS)


def jalali(day: date) -> str:
    """Write a day in the Jalali calendar, as in «۱ آذر ۱۴۰۵».

    >>> jalali(date(2026, 11, 22))
    '۱ آذر ۱۴۰۵'
    """
    import jdatetime

    text: str = jdatetime.date.fromgregorian(date=day, locale="fa_IR").strftime("%-d %B %Y")
    return text.translate(PERSIAN_DIGITS)
