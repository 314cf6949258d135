"""How a node's plain name is written in LaTeX and in a drawing."""

from __future__ import annotations

import re
from collections.abc import Iterable

_INDEXED = re.compile(r"([^\W\d_]+)_?(\d+)")


def latex(name: str) -> str:
    r"""LaTeX of one node.

    >>> latex("x6"), latex("A"), latex("door")
    ('x_{6}', 'A', '\\mathit{door}')
    """
    letters, index = parts(name)
    word = letters if len(letters) == 1 else rf"\mathit{{{letters.replace('_', chr(92) + '_')}}}"
    return f"{word}_{{{index}}}" if index else word


def latex_list(names: Iterable[str]) -> str:
    """LaTeX of several nodes, with commas.

    >>> latex_list(["x1", "x2"])
    'x_{1}, x_{2}'
    """
    return ", ".join(latex(name) for name in names)


def parts(name: str) -> tuple[str, str]:
    """Letters and index of a node's name; the index is empty where there is none.

    >>> parts("x6"), parts("x_12"), parts("A")
    (('x', '6'), ('x', '12'), ('A', ''))
    """
    indexed = _INDEXED.fullmatch(name)
    return (indexed[1], indexed[2]) if indexed else (name, "")
