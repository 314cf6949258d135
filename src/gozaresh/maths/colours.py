"""Colours as LaTeX names them, as hexadecimal digits."""

from __future__ import annotations

import re
from functools import lru_cache

from gozaresh.common.errors import MathsError

LATEX = {
    "darkgray": "404040", "lightgray": "bfbfbf", "gray": "808080", "green": "00ff00", "lime": "bfff00",
    "olive": "808000", "orange": "ff8000", "pink": "ffbfbf", "purple": "bf0040", "teal": "008080", "violet": "800080",
    "brown": "bf8040", "magenta": "ff00ff", "cyan": "00ffff",
}


@lru_cache
def hexadecimal(colour: str, model: str = "") -> str:
    """The six hexadecimal digits of a colour by its name, its numbers (``model`` rgb, RGB, HTML, gray) or ``red!40``.

    >>> hexadecimal("red"), hexadecimal("#0af"), hexadecimal("1, 0.5, 0", "rgb"), hexadecimal("red!50")
    ('ff0000', '00aaff', 'ff8000', 'ff8080')

    Raises:
        MathsError: no colour of that name is known.
    """
    if model in ("rgb", "RGB", "gray"):
        return _numbers(colour, model)
    name, *shares = colour.strip().split("!")
    digits = _named(name.strip(), colour)
    for at in range(0, len(shares), 2):
        other = _named(shares[at + 1].strip(), colour) if at + 1 < len(shares) else "ffffff"
        digits = _mixed(digits, other, shares[at], colour)
    return digits


def _numbers(colour: str, model: str) -> str:
    try:
        numbers = [float(part) * (1 if model == "RGB" else 255) for part in colour.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != (1 if model == "gray" else 3) or not all(0 <= number <= 255 for number in numbers):
        raise MathsError(f"{colour!r} is no colour of the model {model}")
    return "".join(f"{int(number + 0.5):02x}" for number in (numbers * 3)[:3])


def _named(name: str, colour: str) -> str:
    plain = name.lstrip("#")
    if re.fullmatch("[0-9A-Fa-f]{6}", plain):
        return plain.lower()
    if name.startswith("#") and re.fullmatch("[0-9A-Fa-f]{3}", plain):
        return "".join(digit * 2 for digit in plain).lower()
    if name in LATEX:
        return LATEX[name]
    from PIL import ImageColor

    try:
        return "".join(f"{part:02x}" for part in ImageColor.getrgb(name)[:3])
    except ValueError:
        raise MathsError(f"no colour {colour!r} is known; a name such as red, or #ff0000") from None


def _mixed(first: str, second: str, share: str, colour: str) -> str:
    """``share`` parts in a hundred of the first, the rest of the second."""
    try:
        part = float(share) / 100
    except ValueError:
        raise MathsError(f"{colour!r} is no mixture of colours: red!40 or red!40!blue") from None
    pairs = zip(bytes.fromhex(first), bytes.fromhex(second), strict=True)
    return "".join(f"{int(part * a + (1 - part) * b + 0.5):02x}" for a, b in pairs)
