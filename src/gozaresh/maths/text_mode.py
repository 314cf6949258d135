r"""What stands inside ``\text{…}`` and is no formula: escapes, accents and signs with names, as characters."""

from __future__ import annotations

import re
import unicodedata

from gozaresh.common.errors import MathsError, nearest
from gozaresh.maths.symbols import SYMBOLS

TOKEN = re.compile(r"\\(?:[A-Za-z]+[ \t\n]?|.)|~|[{}]|``|''|---?", re.S)
PLAIN = {
    r"\%": "%", r"\#": "#", r"\$": "$", r"\&": "&", r"\_": "_", r"\{": "{", r"\}": "}", "\\ ": " ", r"\,": "\u2009",
    r"\;": " ", r"\:": " ", r"\!": "", r"\/": "", r"\-": "", "\\\\": " ", "~": "\u00a0", "{": "", "}": "", "``": "“",
    "''": "”", "--": "–", "---": "—",
}
NAMES = {
    "ldots": "…", "dots": "…", "quad": "\u2003", "qquad": "\u2003\u2003", "enspace": "\u2002", "space": " ",
    "thinspace": "\u2009", "nobreakspace": "\u00a0", "aa": "å", "AA": "Å", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ",
    "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "ss": "ß", "i": "ı", "j": "ȷ", "TeX": "TeX", "LaTeX": "LaTeX",
    "KaTeX": "KaTeX", "textasciitilde": "~", "textasciicircum": "^", "textbackslash": "\\", "textbar": "|",
    "textbardbl": "‖", "textbraceleft": "{", "textbraceright": "}", "textdagger": "†", "textdaggerdbl": "‡",
    "textdegree": "°", "textdollar": "$", "textellipsis": "…", "textemdash": "—", "textendash": "–",
    "textgreater": ">", "textless": "<", "textquotedblleft": "“", "textquotedblright": "”", "textquoteleft": "‘",
    "textquoteright": "’", "textregistered": "®", "textsterling": "£", "textunderscore": "_", "texteuro": "€",
    "textbullet": "•", "textcopyright": "©", "texttrademark": "™", "textperiodcentered": "·", "textasteriskcentered":
    "∗", "lq": "‘", "rq": "’", "displaystyle": "", "textstyle": "", "normalsize": "", "small": "", "large": "",
    "footnotesize": "", "scriptsize": "", "tiny": "", "rm": "", "sf": "", "relax": "", "noindent": "", "lbrace": "{",
    "rbrace": "}",
}
ACCENTS = {
    "'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "u": "\u0306", "v": "\u030c", "H": "\u030b", "r": "\u030a", "c": "\u0327", "k": "\u0328", "d": "\u0323",
    "b": "\u0331",
}
ACCENTED = re.compile(r"\\(?P<accent>['`^\"~=.]|[uvHrckdb](?![A-Za-z]))\s*"
                      r"(?:\{\s*(?P<group>\\?[^{}\\]?)\s*\}|(?P<bare>\\[ij](?![A-Za-z])|[^\W\d_]))")
ENCIRCLED = re.compile(r"\\textcircled\s*(?:\{\s*([^{}]*?)\s*\}|(\S))")
CIRCLED = {"0": "⓪"} | {str(digit): chr(0x2460 + digit - 1) for digit in range(1, 10)} | {
    chr(ord("A") + at): chr(0x24B6 + at) for at in range(26)} | {
    chr(ord("a") + at): chr(0x24D0 + at) for at in range(26)}


def resolved(raw: str) -> str:
    r"""A text argument that holds no mathematics, as characters.

    >>> resolved(r"caf\'e, 5\,\% of \textless{}p")
    'café, 5\u2009% of <p'

    Raises:
        MathsError: a command that does not stand for a character.
    """
    plain = ACCENTED.sub(_accented, ENCIRCLED.sub(_encircled, raw))
    return re.sub(r"[ \t\n]+", " ", TOKEN.sub(_character, plain))


def _encircled(found: re.Match[str]) -> str:
    letter = found[1] or found[2]
    if letter not in CIRCLED:
        raise MathsError(f"\\textcircled takes one letter or digit, not {letter!r}")
    return CIRCLED[letter]


def _accented(found: re.Match[str]) -> str:
    letter = (found["group"] if found["group"] is not None else found["bare"]).lstrip("\\")
    return unicodedata.normalize("NFC", (letter or "\u00a0") + ACCENTS[found["accent"]])


def _character(found: re.Match[str]) -> str:
    token = found[0]
    if token in PLAIN:
        return PLAIN[token]
    name = token[1:].strip()
    sign = NAMES.get(name, SYMBOLS.get(name))
    if sign is None:
        hint = nearest(name, NAMES.keys() | SYMBOLS.keys())
        advice = "; " + hint.replace(": ", ": \\", 1) if hint.startswith("nearest") else ""
        raise MathsError(f"\\{name} inside \\text is not known{advice}")
    return sign
