"""Numbers in Persian digits, for the sentences and tables that the science writes itself."""

from __future__ import annotations

_PERSIAN = str.maketrans("0123456789.,", "۰۱۲۳۴۵۶۷۸۹٫٬")


def persian_digits(number: object) -> str:
    """Write a number in Persian digits with the Persian decimal and thousands signs.

    >>> persian_digits("1,024"), persian_digits(2.5)
    ('۱٬۰۲۴', '۲٫۵')
    """
    return str(number).translate(_PERSIAN)
