"""Unicode characters that stand in a formula as they are, each as the node that its LaTeX command would give."""

from __future__ import annotations

import unicodedata

from gozaresh.maths.tree import Node, Pair, Row, Styled, Symbol

# Combining marks and the commands of their accents.
ACCENTS = {
    "\u0300": "grave", "\u0301": "acute", "\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0305": "overline",
    "\u0306": "breve", "\u0307": "dot", "\u0308": "ddot", "\u030a": "mathring", "\u030c": "check",
    "\u0332": "underline", "\u20d6": "overleftarrow", "\u20d7": "vec", "\u20db": "dddot", "\u20dc": "ddddot",
}
PRIMES = {"′": 1, "″": 2, "‴": 3, "⁗": 4, "’": 1}

# Characters that are written otherwise in LaTeX.
SAME = {
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "∗": "*", "‖": "\\|", "∥": "\\parallel", "⟨": "\\langle",
    "⟩": "\\rangle", "〈": "\\langle", "〉": "\\rangle", "⌈": "\\lceil", "⌉": "\\rceil", "⌊": "\\lfloor",
    "⌋": "\\rfloor", "⟦": "\\llbracket", "⟧": "\\rrbracket", "·": "\\cdot", "•": "\\bullet", "…": "\\ldots",
    "∕": "/", "⁄": "/", "∶": ":", "µ": "\\mu", "Ω": "\\Omega", "ϕ": "\\phi", "∣": "\\mid", "％": "\\%", "“": "`",
    "”": '"', "⊤": "\\top", "¬": "\\neg", "§": "\\S", "¶": "\\P", "†": "\\dag", "‡": "\\ddag", "&": "\\&",
}
STYLES = {
    "BOLD ITALIC": "boldsymbol", "BOLD SCRIPT": "mathcal", "BOLD FRAKTUR": "mathfrak", "SANS-SERIF BOLD ITALIC":
    "mathsf", "SANS-SERIF BOLD": "mathsf", "SANS-SERIF ITALIC": "mathsf", "SANS-SERIF": "mathsf", "BOLD": "mathbf",
    "ITALIC": "", "SCRIPT": "mathcal", "FRAKTUR": "mathfrak", "DOUBLE-STRUCK": "mathbb", "MONOSPACE": "mathtt",
}
LETTERLIKE = {"DOUBLE-STRUCK ": "mathbb", "SCRIPT ": "mathcal", "BLACK-LETTER ": "mathfrak"}


def script_of(char: str) -> tuple[str, str] | None:
    """The command and the character that a raised or lowered one stands for: ``²`` is ``^`` and ``2``."""
    kind, _, plain = unicodedata.decomposition(char).partition(" ")
    if kind not in ("<super>", "<sub>") or not plain:
        return None
    return {"<super>": "^", "<sub>": "_"}[kind], chr(int(plain.split()[0], 16)).replace("−", "-")


def pasted(char: str) -> Node | None:
    """The node of a character that LaTeX would write as a command; none if it stands for itself.

    >>> pasted("ℝ"), pasted("∂")
    (Styled(name='mathbb', body=Symbol(token='R')), None)
    """
    if char in SAME:
        return Symbol(SAME[char])
    if (parts := unicodedata.decomposition(char)).startswith("<fraction>"):
        above, below = unicodedata.normalize("NFKC", char).split("\u2044")
        return Pair("frac", Row(tuple(map(Symbol, above))), Row((Symbol(below),) if below else ()))
    if parts.startswith("<font>"):
        return _styled(char)
    plain = unicodedata.normalize("NFD", char)
    if len(plain) > 1 and plain[0].isalpha() and set(plain[1:]) <= set(ACCENTS):
        return accented(Symbol(plain[0]), plain[1:])
    return None


def accented(node: Node, marks: str) -> Node:
    """A node under its combining marks, the innermost first."""
    for mark in marks:
        node = Styled(ACCENTS[mark], node)
    return node


def _styled(char: str) -> Node | None:
    """A letter of one of the mathematical alphabets."""
    plain = unicodedata.normalize("NFKC", char)
    if not plain.isalnum() or len(plain) > 1 or char == "ℓ":  # ℓ is \ell, a letter of its own
        return None
    name = unicodedata.name(char, "")
    words = name.removeprefix("MATHEMATICAL ")
    styles = STYLES if words != name else LETTERLIKE
    style = next((styles[start] for start in sorted(styles, key=len, reverse=True) if words.startswith(start)), None)
    if style is None:
        return Symbol(plain) if char == "ℎ" else None
    return Styled(style, Symbol(plain)) if style else Symbol(plain)
