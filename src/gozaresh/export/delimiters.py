r"""Formulas in LaTeX's own delimiters, ``\(…\)``, ``\[…\]`` and bare ``\begin{align}``, as formulas in dollars.

In Markdown ``\(`` and ``\[`` may also be escaped brackets, so what they hold must look like mathematics. The lines
stay as many as they were.
"""

from __future__ import annotations

import re

from gozaresh.maths.parser import ENVIRONMENTS

CODE = (r"^ {0,3}(?P<fence>`{3,}|~{3,})[^\n]*\n.*?(?:^ {0,3}(?P=fence)[`~]*[ \t]*$|\Z)"
        r"|(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)")
DOLLARS = r"\$\$.+?\$\$|(?<!\\)\$[^\s$](?:[^$\n]*?[^\s$\\])?\$(?!\d)"
NAMES = "|".join(sorted(map(re.escape, ENVIRONMENTS), key=len, reverse=True))
NO_EMPTY_LINE = r"(?:(?!\n[ \t]*\n).)+?"
FORMULA = re.compile(
    rf"{CODE}|{DOLLARS}"
    rf"|\\?\\\((?P<inline>{NO_EMPTY_LINE})\\?\\\)|\\?\\\[(?P<display>{NO_EMPTY_LINE})\\?\\\]"
    rf"|(?P<environment>\\begin\{{(?P<name>(?:{NAMES})\*?)\}}.*?\\end\{{(?P=name)\}})"
    r"|\\(?:eqref|ref|autoref|cref)\{(?P<label>(?:fig|tbl|eq|sec|lst)-[\w-]+)\}|\\.", re.S | re.M)
TEXT = re.compile(r"\\(?:text\w*|mbox|operatorname)\s*\{[^{}]*\}")
PERSIAN = re.compile("[\u0620-\u06d3]{2}")
SIGN = re.compile(r"\\[A-Za-z]|[\^_=<>+|]|[\w)] ?[-*/] ?[\w(]|[\u2200-\u22ff\u0370-\u03ff×÷±]")
LETTER = re.compile(r"\s*[A-Za-z](?:\s*\([^()]*\))?'?\s*")


def in_dollars(text: str) -> str:
    r"""The Markdown with its formulas between dollars.

    >>> in_dollars(r"\(x+1\) و \[۱\] و `\(x\)`")
    '$x+1$ و \\[۱\\] و `\\(x\\)`'
    """
    return FORMULA.sub(_formula, text) if "\\" in text else text


def _formula(found: re.Match[str]) -> str:
    if found["environment"]:
        return f"$${found['environment']}$$"
    if found["label"]:
        return f"@{found['label']}"
    if found["inline"] and looks_like_maths(found["inline"], alone=True):
        return f"${found['inline'].strip()}$"
    if found["display"] and looks_like_maths(found["display"]):
        return f"$${found['display']}$$"
    return found[0]


def looks_like_maths(tex: str, *, alone: bool = False) -> bool:
    """Whether brackets hold mathematics rather than words; ``alone``: a letter by itself is a formula, too."""
    outside = TEXT.sub("", tex)
    if PERSIAN.search(outside) and "=" not in outside:
        return False
    return bool(SIGN.search(outside) or (alone and LETTER.fullmatch(outside)))
